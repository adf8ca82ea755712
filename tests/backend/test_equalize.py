"""Evening out channels before int8: the same network, with less uneven ranges."""

import numpy as np
import pytest

pytestmark = pytest.mark.mxnet


@pytest.mark.parametrize("backbone", ["efficientnet-lite0", "resnet-50"])
def test_an_equalized_network_computes_the_same(backbone):
    from dlcnb.backend import mx
    from dlcnb.backend.engines import symbol_block
    from dlcnb.backend.equalize import _Graph, _ranges, equalized
    from dlcnb.backend.network import PoseNet

    mx.random.seed(1)
    rng = np.random.default_rng(0)
    net = PoseNet(backbone, 2)
    net.initialize()
    for name, parameter in net.collect_params().items():  # uneven channels, some of them dead
        if name.endswith("weight"):
            uneven = np.exp(rng.normal(0, 1, (parameter.shape[0], 1, 1, 1))) * (rng.random() > 0.01)
            parameter.set_data(parameter.data() * mx.nd.array(uneven))
    tensors = rng.normal(0, 1, (2, 3, 96, 128)).astype(np.float32)
    symbol = net(mx.sym.var("data"))
    arrays = {name: p.data() for name, p in net.collect_params().items()}
    even = equalized(symbol, arrays, tensors)
    assert even.keys() == arrays.keys()
    before = net(mx.nd.array(tensors)).asnumpy()
    after = symbol_block(symbol, even, mx.cpu())(mx.nd.array(tensors)).asnumpy()
    np.testing.assert_allclose(after, before, atol=1e-4 * np.abs(before).max())
    graph = _Graph(symbol)
    unevenness = [
        np.mean([np.log(r[r > 1e-6 * r.max()]).std() for r in _ranges(symbol, weights, tensors, graph).values()])
        for weights in (arrays, even)
    ]
    assert unevenness[1] < 0.8 * unevenness[0]
