import importlib.util
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.mxnet
HERE = Path(__file__).parent

_spec = importlib.util.spec_from_file_location("reference", HERE / "make_resnet50_reference.py")
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


class RunsCode:
    """A pickle that makes a file when it is loaded the ordinary way."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_resnet50_computes_what_torchvisions_layout_computes():
    from dlcnb.backend import mx
    from dlcnb.backend.backbones import make_backbone

    expected = np.load(HERE / "data" / "resnet50.npz")
    net = make_backbone("resnet-50")
    net.initialize()
    net.load(reference.state_dict())
    _, conv3, _, conv5 = net(mx.nd.array(reference.image()))
    for name, bank in (("conv3", conv3), ("conv5", conv5)):
        found = bank.asnumpy()[0, ::16]
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(found / scale, expected[name] / scale, atol=1e-4)


def test_lite0_imagenet_weights_come_with_the_package():
    from dlcnb.backend.weights import imagenet_weights

    tensors = imagenet_weights("efficientnet-lite0")
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert all(np.isfinite(a).all() for a in tensors.values())


class Evaluates(RunsCode):
    """The same by way of a builtin, which no import statement would show."""

    def __reduce__(self):
        return eval, (f"__import__('pathlib').Path({str(self.path)!r}).touch()",)


@pytest.mark.parametrize("payload", [RunsCode, Evaluates])
@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_a_malicious_file_runs_nothing(tmp_path, form, protocol, payload):
    from dlcnb.backend.weights import WeightsError, read_weights

    mark, evil = tmp_path / "it-ran", tmp_path / "evil.pth"
    body = pickle.dumps({"weight": payload(mark)}, protocol)
    if form == "zip":
        with zipfile.ZipFile(evil, "w") as archive:
            archive.writestr("archive/data.pkl", body)
    elif form == "legacy":
        evil.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + body)
    else:
        evil.write_bytes(body)
    with pytest.raises(WeightsError, match="does not need"):
        read_weights(evil)
    assert not mark.exists()
    pickle.loads(body)  # the payload is a real one
    assert mark.exists()


def test_a_tensor_that_claims_more_than_its_storage_holds_is_refused():
    from dlcnb.backend.weights import _Storage, _View

    storage = _Storage("0", np.dtype("<f4"), 4)
    storage.data = np.zeros(4, "<f4")
    np.testing.assert_array_equal(_View(storage, 0, (2, 2), (2, 1)).array(), np.zeros((2, 2)))
    for offset, size, stride in ((1, (2, 2), (2, 1)), (0, (10**12,), (0,)), (0, (2,), (-1,))):
        with pytest.raises(ValueError, match="storage"):
            _View(storage, offset, size, stride).array()


def test_a_text_file_is_no_weights_file(tmp_path):
    from dlcnb.backend.weights import WeightsError, read_weights

    (tmp_path / "notes.pth").write_text("these are not weights")
    with pytest.raises(WeightsError, match=r"notes\.pth"):
        read_weights(tmp_path / "notes.pth")


def test_safetensors_are_read(tmp_path):
    import json
    import struct

    from dlcnb.backend.weights import read_weights

    values = np.arange(6, dtype="<f4").reshape(2, 3)
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + values.tobytes())
    np.testing.assert_array_equal(read_weights(tmp_path / "w.safetensors")["a"], values)


# --- files of Gluon and of other networks


def gluon_v1b(path, seed=0):
    """The reference ResNet-50 under the names that GluonCV's resnet50_v1b is stored with."""
    from dlcnb.backend import mx

    def gluon(name):
        layer, _, part = name.rpartition(".")
        is_norm = "bn" in layer or layer.endswith("downsample.1")
        return f"{layer}.{ {'weight': 'gamma', 'bias': 'beta'}.get(part, part) if is_norm else part }"

    mx.nd.save(str(path), {gluon(name): mx.nd.array(a) for name, a in reference.state_dict(seed).items()})
    return path


def test_gluon_v1b_params_are_the_same_tensors(tmp_path):
    from dlcnb.backend.weights import imagenet_weights

    expected, found = reference.state_dict(), imagenet_weights("resnet-50", gluon_v1b(tmp_path / "v1b.params"))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("version", "what"),
    [("resnet50_v1", "first 1x1"), ("resnet50_v2", "another kind"), ("mobilenet0_25", "another kind")],
)
def test_nets_of_gluons_model_zoo_that_are_built_otherwise_are_refused(tmp_path, version, what):
    from dlcnb.backend import mx
    from dlcnb.backend.weights import WeightsError, imagenet_weights

    net = getattr(mx.gluon.model_zoo.vision, version)()
    net.initialize()
    net(mx.nd.zeros((1, 3, 64, 64)))
    net.save_parameters(str(tmp_path / "net.params"))
    with pytest.raises(WeightsError, match=what):
        imagenet_weights("resnet-50", tmp_path / "net.params")


def test_a_file_of_another_depth_is_refused_and_names_what_is_missing(tmp_path):
    from dlcnb.backend.weights import WeightsError, imagenet_weights

    path = gluon_v1b(tmp_path / "v1b.params")
    with pytest.raises(WeightsError, match=r"no layer3\.6"):
        imagenet_weights("resnet-101", path)
    with pytest.raises(WeightsError, match="_conv_stem"):
        imagenet_weights("efficientnet-lite0", path)


@pytest.mark.parametrize("name", ["w.params", "w.safetensors", "w.pth"])
def test_damaged_and_missing_files_are_one_clear_error(tmp_path, name):
    from dlcnb.backend.weights import WeightsError, read_weights

    with pytest.raises(WeightsError, match="no weights file"):
        read_weights(tmp_path / name)
    for content in (b"", b"\x80\x02", bytes(range(256)) * 40):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=r"could not be read|were"):
            read_weights(tmp_path / name)


# --- published weights, from a server on this machine


@pytest.fixture
def server(tmp_path):
    """``(url, folder)``: a web server that hands out what lies in the folder."""
    import functools
    import http.server
    import threading

    folder = tmp_path / "server"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}/", folder
    web.shutdown()
    web.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The user's cache, empty."""
    monkeypatch.delenv("DLCNB_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dlcnb" / "weights"


def publish(server, source, digest=None):
    """A small file on the server, as torchvision or GluonCV publishes theirs."""
    from dlcnb.backend import mx
    from dlcnb.backend.published import Published

    url, folder = server
    if source == "gluon":
        mx.nd.save(str(folder / "net.params"), {"conv1.weight": mx.nd.ones((2, 3)), "bn1.beta": mx.nd.arange(2)})
        body = (folder / "net.params").read_bytes()
        with zipfile.ZipFile(folder / "net.zip", "w") as archive:
            archive.writestr("net.params", body)
        return Published("resnet-50", source, "net.params", f"{url}net.zip", digest or _hash("sha1", body))
    body = b"the numbers"
    (folder / "net.pth").write_bytes(body)
    return Published("resnet-50", source, "net.pth", f"{url}net.pth", digest or _hash("sha256", body))


def _hash(algorithm, body):
    import hashlib

    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


@pytest.mark.parametrize("source", ["torchvision", "gluon"])
def test_published_weights_are_fetched_once_and_kept(server, cache, source):
    from dlcnb.backend.published import find_or_fetch

    each = publish(server, source)
    path = find_or_fetch("resnet-50", source, [each])
    assert path == cache / each.file
    (server[1] / Path(each.url).name).unlink()
    assert find_or_fetch("resnet-50", None, [each]) == path
    assert [p.name for p in cache.iterdir()] == [each.file]


def test_fetched_gluon_weights_are_read(server, cache):
    from dlcnb.backend.published import find_or_fetch
    from dlcnb.backend.weights import read_weights

    found = read_weights(find_or_fetch("resnet-50", "gluon", [publish(server, "gluon")]))
    np.testing.assert_array_equal(found["bn1.bias"], [0, 1])


@pytest.mark.parametrize(("source", "digest"), [("torchvision", f"sha256:{'0' * 64}"), ("gluon", f"sha1:{'0' * 40}")])
def test_a_wrong_hash_is_refused_and_nothing_stays(server, cache, source, digest):
    from dlcnb.backend.published import find_or_fetch

    with pytest.raises(ConnectionError, match="hash"):
        find_or_fetch("resnet-50", source, [publish(server, source, digest)])
    assert list(cache.iterdir()) == []


def test_a_fetch_that_breaks_off_leaves_nothing(server, cache):
    from dlcnb.backend.published import find_or_fetch

    each = publish(server, "gluon")
    whole = (server[1] / "net.zip").read_bytes()
    (server[1] / "net.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConnectionError, match="not the published file"):
        find_or_fetch("resnet-50", "gluon", [each])
    assert list(cache.iterdir()) == []


def test_without_a_network_the_message_says_what_to_put_where(cache):
    import socket

    from dlcnb.backend.published import Published, find_or_fetch

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/net.pth"
        with pytest.raises(ConnectionError, match="--weights") as error:
            find_or_fetch("resnet-50", None, [Published("resnet-50", "torchvision", "net.pth", url, "sha256:0")])
    assert url in str(error.value)
    assert str(cache) in str(error.value)


def test_a_damaged_file_at_hand_is_not_used(server, cache):
    from dlcnb.backend.published import find_or_fetch

    each = publish(server, "torchvision")
    find_or_fetch("resnet-50", None, [each]).write_bytes(b"other numbers")
    with pytest.raises(ValueError, match="damaged"):
        find_or_fetch("resnet-50", None, [each])


def test_a_folder_of_ones_own_is_looked_in_and_never_fetched_to(server, tmp_path, monkeypatch):
    from dlcnb.backend.published import find_or_fetch

    each, own = publish(server, "torchvision"), tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("DLCNB_WEIGHTS", str(own))
    with pytest.raises(ConnectionError, match="nothing is fetched"):
        find_or_fetch("resnet-50", None, [each])
    (own / "net.pth").write_bytes((server[1] / "net.pth").read_bytes())
    assert find_or_fetch("resnet-50", None, [each]) == own / "net.pth"


def test_every_published_file_carries_the_start_of_its_hash():
    from dlcnb.backend.published import PUBLISHED

    for each in PUBLISHED:
        assert each.digest.partition(":")[2].startswith(Path(each.file).stem.rpartition("-")[2])
        assert len(each.digest.partition(":")[2]) == {"sha256": 64, "sha1": 40}[each.digest.partition(":")[0]]
