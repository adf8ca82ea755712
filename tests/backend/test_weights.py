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


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_a_malicious_file_runs_nothing(tmp_path, form):
    from dlcnb.backend.weights import WeightsError, read_weights

    mark, evil = tmp_path / "it-ran", tmp_path / "evil.pth"
    body = pickle.dumps({"weight": RunsCode(mark)}, 2)
    if form == "zip":
        with zipfile.ZipFile(evil, "w") as archive:
            archive.writestr("archive/data.pkl", body)
    else:
        evil.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + body)
    with pytest.raises(WeightsError, match="does not need"):
        read_weights(evil)
    assert not mark.exists()


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
