"""The same network with even ranges of its channels, which whole numbers lose less of.

int8 shares one step width among all channels of a feature map, so a channel of small values is lost beside a large one.
As convolutions, ReLU, sums and max pooling pass on a positive factor, a channel can be made smaller where it comes from
and its weights larger where it goes to, and the network computes the same (Nagel et al. 2019, ICCV).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from mxnet.gluon import SymbolBlock
from numpy.typing import NDArray

from dlcnb.backend import mx

if TYPE_CHECKING:
    import mxnet


__all__ = ["equalized"]

_ALPHA = 0.5  # share of a channel's range in its factor; the rest is for the weights that read it
_LEAST = 1e-3  # of the largest: a channel that is hardly used is not blown up
_PASSING = ("Activation", "Pooling", "BlockGrad", "elemwise_add", "broadcast_add")


def equalized(
    symbol: mxnet.sym.Symbol, arrays: Mapping[str, mxnet.nd.NDArray], tensors: NDArray[np.float32]
) -> dict[str, mxnet.nd.NDArray]:
    """Weights that make a network compute the same with even channels.

    Parameters
    ----------
    symbol : the traced network, with the input ``data``.
    arrays : name -> NDArray of its parameters.
    tensors : float32 ``(n, 3, H, W)`` examples of the input.

    Returns
    -------
    dict
        name -> NDArray, all parameters.
    """
    graph = _Graph(symbol)
    weights = {name: array.asnumpy() for name, array in arrays.items()}
    ranges = _ranges(symbol, arrays, tensors, graph)
    for space, readers in graph.readers.items():
        writers = graph.writers.get(space, ())
        if writers:
            factor = _factor(ranges[space], [_reach(graph, weights, layer) for layer in readers])
            for layer in writers:
                _divide_outputs(graph, weights, layer, factor)
            for layer in readers:
                _multiply_inputs(graph, weights, layer, factor)
    return {name: mx.nd.array(array) for name, array in weights.items()}


class _Graph:
    """Which convolutions write and read the same channels.

    Attributes
    ----------
    nodes : of the symbol.
    readers, writers : space of channels -> indices of the convolutions that take it as input, or give it. Feature maps
        that are added up share a space.
    inputs : space -> indices of the outputs that its readers take.
    """

    def __init__(self, symbol: mxnet.sym.Symbol) -> None:
        self.nodes = json.loads(symbol.tojson())["nodes"]
        self._parent = list(range(len(self.nodes)))
        layers = [n for n, node in enumerate(self.nodes) if node["op"] in ("Convolution", "Deconvolution")]
        for n, node in enumerate(self.nodes):
            if node["op"] in _PASSING:
                for source, *_ in node["inputs"]:
                    self._parent[self._space(source)] = self._space(n)
        self.readers: dict[int, list[int]] = {}
        self.writers: dict[int, list[int]] = {}
        self.inputs: dict[int, set[int]] = {}
        for n in layers:
            source = self.nodes[n]["inputs"][0][0]
            self.writers.setdefault(self._space(n), []).append(n)
            self.readers.setdefault(self._space(source), []).append(n)
            self.inputs.setdefault(self._space(source), set()).add(source)

    def _space(self, n: int) -> int:
        while self._parent[n] != n:
            n = self._parent[n]
        return n

    def names(self, layer: int) -> list[str]:
        """Names of the weight and, if there is one, the bias of a convolution."""
        return [self.nodes[source]["name"] for source, *_ in self.nodes[layer]["inputs"][1:]]

    def turned(self, layer: int) -> bool:
        """Whether the first axis of the weight is that of the input: a deconvolution, or a depthwise convolution."""
        return self.nodes[layer]["op"] == "Deconvolution" or self.depthwise(layer)

    def depthwise(self, layer: int) -> bool:
        """Whether each channel is filtered by itself."""
        return ast.literal_eval(self.nodes[layer]["attrs"].get("num_group", "1")) > 1


def _ranges(
    symbol: mxnet.sym.Symbol, arrays: Mapping[str, mxnet.nd.NDArray], tensors: NDArray[np.float32], graph: _Graph
) -> dict[int, NDArray[np.float32]]:
    """The largest absolute value of each channel, ``(C,)`` for each space."""
    sources = sorted(n for space, found in graph.inputs.items() if space in graph.writers for n in found)
    internals = symbol.get_internals()
    outputs = mx.sym.Group([internals[f"{graph.nodes[n]['name']}_output"] for n in sources])
    block = SymbolBlock(outputs, mx.sym.var("data", dtype="float32"))
    for name, parameter in block.collect_params().items():
        parameter._load_init(arrays[name], mx.cpu())
    largest: dict[int, NDArray[np.float32]] = {}
    for tensor in tensors:
        for n, output in zip(sources, block(mx.nd.array(tensor[None])), strict=True):
            space, found = graph._space(n), np.abs(output.asnumpy()).max((0, 2, 3))
            largest[space] = np.maximum(largest.get(space, 0), found)
    return largest


def _reach(graph: _Graph, weights: Mapping[str, NDArray[np.float32]], layer: int) -> NDArray[np.float32] | None:
    """The largest weight of each input channel ``(C,)``; None for a depthwise convolution, which has room for any."""
    if graph.depthwise(layer):
        return None
    weight = np.abs(weights[graph.names(layer)[0]])
    return weight.max((1, 2, 3)) if graph.turned(layer) else weight.max((0, 2, 3))


def _factor(found: NDArray[np.float32], reaches: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    """By which to divide the channels, ``(C,)``: geometric mean 1."""
    found = np.maximum(found, max(found.max(), 1e-30) * _LEAST)
    known = [reach for reach in reaches if reach is not None]
    factor = found
    if known:
        reach = np.max(known, axis=0)
        factor = found**_ALPHA / np.maximum(reach, max(reach.max(), 1e-30) * _LEAST) ** (1 - _ALPHA)
    return (factor / np.exp(np.log(factor).mean())).astype(np.float32)


def _divide_outputs(
    graph: _Graph, weights: dict[str, NDArray[np.float32]], layer: int, factor: NDArray[np.float32]
) -> None:
    weight, *bias = graph.names(layer)
    shape = (1, -1, 1, 1) if graph.nodes[layer]["op"] == "Deconvolution" else (-1, 1, 1, 1)
    weights[weight] = weights[weight] / factor.reshape(shape)
    for name in bias:
        weights[name] = weights[name] / factor


def _multiply_inputs(
    graph: _Graph, weights: dict[str, NDArray[np.float32]], layer: int, factor: NDArray[np.float32]
) -> None:
    weight = graph.names(layer)[0]
    weights[weight] = weights[weight] * factor.reshape((-1, 1, 1, 1) if graph.turned(layer) else (1, -1, 1, 1))
