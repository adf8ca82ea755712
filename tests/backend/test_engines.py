import numpy as np
import pytest

pytestmark = pytest.mark.mxnet
PARTS = 2


@pytest.fixture(scope="module")
def net():
    from dlcnb.backend import mx
    from dlcnb.backend.network import PoseNet

    mx.random.seed(0)
    net = PoseNet("efficientnet-lite0", PARTS)
    net.initialize()
    return net


@pytest.fixture(scope="module")
def streams(net):
    from dlcnb.backend import mx
    from dlcnb.backend.engines import MxStreams, fused
    from dlcnb.backend.inputs import Normalized

    return MxStreams(Normalized(net), fused(net, mx.cpu()))


def images(count, height, width):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(96, 64), (330, 352)], ids=["small", "large"])
def test_streams_compute_what_the_network_does(net, streams, size):
    from dlcnb.backend import mx
    from dlcnb.backend.engines import split_maps
    from dlcnb.backend.network import to_tensor

    batch = images(3, *size)
    expected = split_maps(net(to_tensor(batch, net, mx.cpu(), net.multiple)).asnumpy())
    for found, wanted in zip(streams.run(batch)(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


def test_what_is_computed_does_not_overwrite_what_waits(streams):
    batch = images(5, 330, 352)
    waiting = [streams.run(batch[n : n + 1]) for n in range(5)]
    together = streams.run(batch)()
    for n, result in enumerate(waiting):
        for found, wanted in zip(result(), together, strict=True):
            np.testing.assert_array_equal(found[0], wanted[n])


def test_a_stream_takes_its_share_of_the_cores():
    import ctypes

    from dlcnb.backend import engines, mx

    def threads(device):
        found = []
        ask = engines._CALLBACK(lambda *_: found.append(engines._LIB.omp_get_max_threads()))
        context = ctypes.byref(engines._Context(device.device_typeid, device.device_id))
        engines._LIB.MXEnginePushSync(ask, None, None, context, None, 0, None, 0, None, 0, b"ask")
        mx.nd.zeros(1, ctx=device).wait_to_read()
        return found[0]

    before = threads(mx.cpu())
    engines._take_threads(mx.cpu(12), 3)
    assert threads(mx.cpu(12)) == 3
    assert threads(mx.cpu()) == before


def test_normalised_images_are_padded_with_black():
    from dlcnb.backend import mx
    from dlcnb.backend.backbones import make_backbone
    from dlcnb.backend.network import to_tensor

    backbone = make_backbone("resnet-50")
    (image,) = batch = images(1, 30, 50)
    tensor = to_tensor(batch, backbone, mx.cpu(), 32).asnumpy()
    black, white = np.zeros((32, 64, 3)), np.float32(image)
    black[:30, :50] = white
    wanted = (black - backbone.mean) / backbone.std
    np.testing.assert_allclose(tensor[0], wanted.transpose(2, 0, 1), rtol=1e-5)


@pytest.mark.parametrize(("name", "exact"), [("efficientnet-lite0", 1e-5), ("resnet-50", 2e-2)])
def test_a_network_of_pixels_computes_the_same(name, exact):
    from dlcnb.backend import mx
    from dlcnb.backend.engines import symbol_block
    from dlcnb.backend.inputs import Pixels, of_pixels
    from dlcnb.backend.network import PoseNet, to_tensor

    mx.random.seed(0)
    net = PoseNet(name, PARTS)
    net.initialize()
    inputs, batch = Pixels(net), images(2, 90, 70)
    array = np.empty(inputs.shape(batch.shape), np.float32)
    inputs.write(batch, array)
    wanted = net(to_tensor(batch, net, mx.cpu(), net.multiple)).asnumpy()
    found = symbol_block(*of_pixels(net), mx.cpu())(mx.nd.array(array)).asnumpy()
    # the margin is a whole number, and ResNet's mean colour is none
    np.testing.assert_allclose(found, wanted, atol=exact * np.abs(wanted).max())


def test_pixels_mean_themselves_whatever_the_examples_hold(net):
    from dlcnb.backend import mx
    from dlcnb.backend.engines import MxStreams, split_maps
    from dlcnb.backend.inputs import Pixels
    from dlcnb.backend.network import to_tensor
    from dlcnb.backend.quantize import quantize

    dark = images(3, 96, 128) // 4
    (_, wanted) = split_maps(net(to_tensor(dark, net, mx.cpu(), net.multiple)).asnumpy())
    (_, found) = MxStreams(Pixels(net), quantize(net, dark)).run(dark)()
    assert np.abs(found - wanted).max() < 0.1 * np.abs(wanted).max()
