"""int8 networks through oneDNN: made once from a snapshot, with the project's own frames, and kept beside it."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

from mxnet.contrib.quantization import quantize_net_v2

from dlcnb.backend import mx
from dlcnb.backend.engines import symbol_block
from dlcnb.backend.equalize import equalized
from dlcnb.project import atomic_path, atomic_write

__all__ = ["CALIBRATION_FRAMES", "load_quantized", "quantize"]

CALIBRATION_FRAMES = 16
# Convolutions that stay fp32: the first, the two that join the finer feature maps, and the one that makes the
# score-maps. Of all of them these cost most precision, and the rest next to none once their channels are even.
_KEPT = (0, -4, -3, -1)


def quantize(net, tensors):
    """An int8 copy of a network.

    Parameters
    ----------
    net : PoseNet with its weights.
    tensors : float32 array ``(n, 3, H, W)``, normalised frames such as the network will see; the ranges of all
        activations are taken from them.

    Returns
    -------
    SymbolBlock
        Its score-maps differ from those of ``net`` by rounding.
    """
    net = _even(net, tensors)
    examples = mx.io.NDArrayIter(tensors, batch_size=1)
    quiet = logging.getLogger("dlcnb.backend.quantize.mxnet")
    quiet.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot decide type", UserWarning)  # of the input, which MXNet then infers
        return quantize_net_v2(
            net,
            quantized_dtype="auto",
            exclude_layers=_kept(net),
            calib_data=examples,
            calib_mode="naive",
            num_calib_examples=len(tensors),
            logger=quiet,
        )


def _even(net, tensors):
    """The network as a SymbolBlock whose channels have even ranges."""
    symbol = net(mx.sym.var("data"))
    arrays = {name: parameter.data() for name, parameter in net.collect_params().items()}
    return symbol_block(symbol, equalized(symbol, arrays, tensors), mx.cpu())


def _kept(net):
    """Fused names of the convolutions that are not quantized (unfused ones would be passed over silently)."""
    symbol = net(mx.sym.var("data")).get_backend_symbol("MKLDNN_QUANTIZE")
    nodes = json.loads(symbol.tojson())["nodes"]
    convolutions = [node["name"] for node in nodes if node["op"] == "_sg_mkldnn_conv"]
    return [convolutions[n] for n in _KEPT]


def load_quantized(snapshot, make):
    """The int8 network of a snapshot: read if it was made before, else made and written beside it.

    Parameters
    ----------
    snapshot : path of ``snapshot-<step>.params``.
    make : callable without arguments that returns the SymbolBlock of `quantize`.
    """
    snapshot = Path(snapshot)
    symbol, params = snapshot.with_suffix(".int8.json"), snapshot.with_suffix(".int8.params")
    if not (symbol.exists() and params.exists() and params.stat().st_mtime >= snapshot.stat().st_mtime):
        _write(make(), symbol, params)
    return symbol_block(mx.sym.load(str(symbol)), mx.nd.load(str(params)), mx.cpu())


def _write(net, symbol, params):
    """Write the parameters first: where the symbol is, all is."""
    arrays = {name: parameter.data() for name, parameter in net.collect_params().items()}
    with atomic_path(params) as temporary:
        mx.nd.save(str(temporary), arrays)
    atomic_write(symbol, net._cached_graph[1].tojson() if net._cached_graph else net(mx.sym.var("data")).tojson())
