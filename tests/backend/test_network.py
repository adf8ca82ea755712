import numpy as np
import pytest

from dlcnb.trainset import BACKBONES

pytestmark = pytest.mark.mxnet


@pytest.mark.parametrize("backbone", BACKBONES)
def test_maps_have_stride_8(backbone):
    from dlcnb.backend.network import PoseNet, to_tensor

    net = PoseNet(backbone, 3)
    net.initialize()
    from dlcnb.backend import mx

    x = to_tensor(np.zeros((1, 90, 100, 3), np.uint8), net, mx.cpu(), net.multiple)
    assert x.shape == (1, 3, 96, 112 if net.multiple == 16 else 128)
    assert net(x).shape == (1, 9, 12, x.shape[3] // 8)


def test_loss_is_the_papers():
    from dlcnb.backend import mx
    from dlcnb.backend.network import pose_loss

    rng = np.random.default_rng(0)
    output = rng.normal(size=(2, 6, 4, 5))
    score = (rng.random((2, 2, 4, 5)) < 0.3).astype(float)
    locref = rng.normal(size=(2, 4, 4, 5))
    part, refinement = pose_loss(*(mx.nd.array(a) for a in (output, score, locref)), locref_weight=0.05)
    p = 1 / (1 + np.exp(-output[:, :2]))
    entropy = -(score * np.log(p) + (1 - score) * np.log(1 - p)).mean()
    d = np.abs(output[:, 2:] - locref)
    mask = score.repeat(2, 1)
    huber = (np.where(d < 1, d**2 / 2, d - 0.5) * mask).sum() / (mask.sum() + 1)
    assert part.asscalar() == pytest.approx(entropy, rel=1e-5)
    assert refinement.asscalar() == pytest.approx(0.05 * huber, rel=1e-4)


def test_frozen_parts_have_no_gradient():
    from dlcnb.backend.network import PoseNet

    net = PoseNet("efficientnet-lite0", 2, freeze=3)
    net.fix_frozen()
    frozen = {n for n, p in net._collect_params_with_prefix().items() if p.grad_req == "null"}
    assert "backbone.stem.conv.weight" in frozen
    assert "backbone.blocks.1.project.conv.weight" in frozen
    assert "backbone.blocks.2.project.conv.weight" not in frozen
    assert not any(n.startswith("head") for n in frozen)


def test_unknown_device_names_the_choices():
    from dlcnb.backend import pick_device

    with pytest.raises(ValueError, match="cpu"):
        pick_device("tpu")


def test_the_spatial_loss_is_a_cross_entropy_over_places():
    from dlcnb.backend import mx
    from dlcnb.backend.network import pose_loss

    rng = np.random.default_rng(1)
    output = rng.normal(size=(2, 6, 4, 5))
    score = np.zeros((2, 2, 4, 5))
    score[0, 0, 1, 1:3] = score[0, 1, 3, 4] = score[1, 0, 0, 0] = 1  # the last one is not there
    locref = np.zeros((2, 4, 4, 5))
    arrays = [mx.nd.array(a) for a in (output, score, locref)]
    plain, _ = pose_loss(*arrays, locref_weight=1.0)
    both, _ = pose_loss(*arrays, locref_weight=1.0, spatial_weight=0.5)
    logits = output[:, :2].reshape(4, -1)
    log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    disc = score.reshape(4, -1) / np.maximum(score.reshape(4, -1).sum(1, keepdims=True), 1)
    expected = -(disc * log_softmax).sum() / 3
    assert (both - plain).asscalar() == pytest.approx(0.5 * expected, rel=1e-4)
