"""ONNX: what ONNX Runtime computes from an exported network is what MXNet computes."""

import json
import sys

import numpy as np
import pytest

from dlcnb.trainset import TrainConfig

pytestmark = pytest.mark.mxnet
PARTS = ("snout", "leftear", "rightear")


@pytest.fixture(scope="module", params=["efficientnet-lite0", "resnet-50"])
def predictor(request, tmp_path_factory):
    """A Predictor of a network with random weights, whose maps have the size of trained ones."""
    from dlcnb import Predictor
    from dlcnb.backend import mx
    from dlcnb.backend.network import PoseNet, to_tensor
    from dlcnb.run import Run

    run = tmp_path_factory.mktemp("run") / "iteration-0" / "arenaMar5-trainset80shuffle1" / "train"
    run.mkdir(parents=True)
    Run(run).write_config(TrainConfig(backbone=request.param, steps=1, input_scale=0.5), PARTS)
    mx.random.seed(4)
    net = PoseNet(request.param, len(PARTS))
    net.initialize()
    images = np.random.default_rng(1).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    largest = float(net(to_tensor(images, net, mx.cpu(), net.multiple)).abs().max().asscalar())
    for name, parameter in net.head.collect_params().items():
        if name.endswith("weight"):
            parameter.set_data(parameter.data() * (3 / largest) ** (1 / 3))
    net.save_parameters(str(run / "snapshot-1.params"))
    return Predictor(run)


def test_onnxruntime_computes_the_same(predictor, tmp_path):
    pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    ort = pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    from dlcnb import geometry, targets
    from dlcnb.backend.export import TOLERANCE, difference, export_onnx
    from dlcnb.trainset import resize

    path = tmp_path / "net.onnx"
    assert export_onnx(predictor, path) <= TOLERANCE
    assert difference(predictor, path, seed=9) <= TOLERANCE
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    about = {k: json.loads(v) for k, v in session.get_modelmeta().custom_metadata_map.items()}
    assert tuple(about["bodyparts"]) == PARTS
    assert about["scorer"] == predictor.scorer
    # the whole way as a user of the model would go it, on a batch of frames that need padding
    images = np.random.default_rng(2).integers(0, 256, (3, 130, 150, 3), dtype=np.uint8)
    small = np.stack([resize(image, about["input_scale"])[0] for image in images])
    rows, columns = targets.grid_size(small.shape[1:3])
    padding = [-side % about["multiple"] for side in small.shape[1:3]]
    score, locref = session.run(None, {"images": np.pad(small, ((0, 0), (0, padding[0]), (0, padding[1]), (0, 0)))})
    points, likelihood = targets.decode(score[..., :rows, :columns], locref[..., :rows, :columns])
    expected = predictor.predict(images)
    np.testing.assert_allclose(likelihood, expected[1], atol=1e-4)
    np.testing.assert_allclose(geometry.unscale(points, resize(images[0], 0.5)[1]), expected[0], atol=0.02)


def test_the_scores_of_the_test_network_mean_something(predictor):
    """Else the comparison above would compare zeros and ones."""
    images = np.random.default_rng(2).integers(0, 256, (1, 128, 160, 3), dtype=np.uint8)
    score, locref = predictor.maps(images).arrays()
    assert score.std() > 0.01
    assert np.abs(locref).max() < 1000


def test_weights_are_no_inputs_and_old_runtimes_can_read_it(predictor):
    onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    from dlcnb.backend.export import onnx_model

    model = onnx.load_from_string(onnx_model(predictor))
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == ["score", "locref"]
    assert model.opset_import[0].version == 13


def test_a_network_that_differs_is_not_written(predictor, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    from dlcnb.backend import export

    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match="differ by"):
        export.export_onnx(predictor, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_extra_is_named(predictor, tmp_path, monkeypatch):
    from dlcnb.backend.export import export_onnx

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'dlcnb\[onnx\]'"):
        export_onnx(predictor, tmp_path / "net.onnx")
