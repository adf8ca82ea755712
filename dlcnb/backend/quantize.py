"""int8 networks through oneDNN: made once from a snapshot, with the project's own frames, and kept beside it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from mxnet.contrib.quantization import quantize_net_v2
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.engines import symbol_block
from dlcnb.backend.equalize import equalized
from dlcnb.backend.inputs import Pixels, of_pixels
from dlcnb.backend.runs import made_once, save_arrays
from dlcnb.files import atomic_path, atomic_write

if TYPE_CHECKING:
    import mxnet

    from dlcnb.backend.network import PoseNet


__all__ = ["CALIBRATION_FRAMES", "load_quantized", "quantize"]

CALIBRATION_FRAMES = 16
# Convolutions that stay fp32: the two that join the finer feature maps, and the one that makes the score-maps. Of all
# of them these cost most precision, and the rest next to none once their channels are even.
_KEPT = (-4, -3, -1)
_OF = "snapshot_sha256"  # bytes of the checksum of the snapshot that a copy was made from


def quantize(net: PoseNet, images: NDArray[np.uint8]) -> mxnet.gluon.SymbolBlock:
    """An int8 copy of a network, which takes `Pixels`: these are whole numbers of 8 bits already, so none is lost.

    Parameters
    ----------
    net : PoseNet with its weights.
    images : uint8 ``(n, H, W, 3)``, such as the network will see; the ranges of all activations are taken from them.

    Returns
    -------
    SymbolBlock
        Its score-maps differ from those of ``net`` by rounding.
    """
    inputs = Pixels(net)
    tensors = np.empty(inputs.shape(images.shape), np.float32)
    inputs.write(images, tensors)
    net = _even(net, tensors)
    examples = mx.io.NDArrayIter(tensors, batch_size=1)
    quiet = logging.getLogger("dlcnb.backend.quantize.mxnet")
    quiet.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot decide type", UserWarning)  # of the input, which MXNet then infers
        quantized = quantize_net_v2(
            net,
            quantized_dtype="auto",
            exclude_layers=_kept(net),
            calib_data=examples,
            calib_mode="naive",
            num_calib_examples=len(tensors),
            logger=quiet,
        )
    arrays = {name: parameter.data() for name, parameter in quantized.collect_params().items()}
    return symbol_block(_of_bytes(quantized(mx.sym.var("data"))), arrays, mx.cpu(), inputs.dtype)


def _even(net: PoseNet, tensors: NDArray[np.float32]) -> mxnet.gluon.SymbolBlock:
    """The network for pixels as a SymbolBlock whose channels have even ranges."""
    symbol, arrays = of_pixels(net)
    return symbol_block(symbol, equalized(symbol, arrays, tensors), mx.cpu())


def _of_bytes(symbol: mxnet.sym.Symbol) -> mxnet.sym.Symbol:
    """The quantized graph for an input of bytes, which mean themselves: 0 to 255, whatever the examples held."""
    graph = json.loads(symbol.tojson())
    (data,) = (node for node in graph["nodes"] if node["name"] == "data")
    data["attrs"] = {"__dtype__": mx.sym.var("data", dtype="uint8").attr("__dtype__")}
    (first,) = (node for node in graph["nodes"] if node["name"] == "data_quantize")
    first["attrs"].update(min_calib_range="0", max_calib_range="255")
    return mx.sym.load_json(json.dumps(graph))


def _kept(net: mxnet.gluon.SymbolBlock) -> list[str]:
    """Fused names of the convolutions that are not quantized (unfused ones would be passed over silently)."""
    symbol = net(mx.sym.var("data")).get_backend_symbol("MKLDNN_QUANTIZE")
    nodes = json.loads(symbol.tojson())["nodes"]
    convolutions = [node["name"] for node in nodes if node["op"] == "_sg_mkldnn_conv"]
    return [convolutions[n] for n in _KEPT]


def load_quantized(
    snapshot: str | Path, make: Callable[[], mxnet.gluon.SymbolBlock], digest: str
) -> mxnet.gluon.SymbolBlock:
    """The int8 network of a snapshot: read if it was made from these weights before, else made (`made_once`).

    Parameters
    ----------
    snapshot : path of ``snapshot-<step>.params``.
    make : callable without arguments that returns the SymbolBlock of `quantize`.
    digest : checksum (hexadecimal) of the snapshot, which its copy remembers.
    """
    snapshot = Path(snapshot)
    symbol, params = snapshot.with_suffix(".int8-pixels.json"), snapshot.with_suffix(".int8-pixels.params")

    def read() -> mxnet.gluon.SymbolBlock | None:
        arrays = _read(symbol, params, digest)
        return None if arrays is None else symbol_block(mx.sym.load(str(symbol)), arrays, mx.cpu(), Pixels.dtype)

    return made_once(read, make, lambda made: _write(made, symbol, params, digest))


def _read(symbol: Path, params: Path, digest: str) -> dict[str, mxnet.nd.NDArray] | None:
    """The parameters of a copy; None if it is not there, damaged, or was made from other weights."""
    if not (symbol.exists() and params.exists()):
        return None
    try:
        arrays: dict[str, mxnet.nd.NDArray] = mx.nd.load(str(params))
        of = arrays.pop(_OF).asnumpy().tobytes().hex()
    except (AttributeError, KeyError, mx.MXNetError):
        return None
    return arrays if of == digest else None


def _write(net: mxnet.gluon.SymbolBlock, symbol: Path, params: Path, digest: str) -> None:
    """Write the parameters first: where the symbol is, all is."""
    arrays = {name: parameter.data() for name, parameter in net.collect_params().items()}
    of = mx.nd.array(np.frombuffer(bytes.fromhex(digest), np.uint8), dtype="uint8")
    symbol.unlink(missing_ok=True)
    with atomic_path(params) as temporary:
        save_arrays(temporary, {**arrays, _OF: of})
    atomic_write(symbol, net._cached_graph[1].tojson())
