"""The network as ONNX, for ONNX Runtime, OpenVINO, TensorRT, OpenCV and the like.

The graph that MXNet traces is translated operator by operator (the network has six kinds), with the normalisation of
the input and the sigmoid of the score-maps built in. mxnet.onnx could do the middle part, but it needs an export to
files first, names its tensors after a counter, and lists every weight as an input.
"""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

import dlcnb
from dlcnb import targets
from dlcnb.backend import mx
from dlcnb.backend.maps import predict_maps
from dlcnb.files import atomic_write

if TYPE_CHECKING:
    from types import ModuleType

    import mxnet

    from dlcnb.backend.predict import Predictor


__all__ = ["TOLERANCE", "difference", "export_onnx", "onnx_model"]

TOLERANCE = 1e-4  # by which ONNX Runtime may differ: of a probability, or of the largest refinement
OPSET, IR_VERSION = 13, 8  # of 2021: read by everything that is still in use

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softrelu": "Softplus"}

log = logging.getLogger(__name__)


def export_onnx(predictor: Predictor, path: str | Path) -> float | None:
    """Write a predictor's network as an ONNX model, and check it with ONNX Runtime if that is installed.

    The model takes ``images``, uint8 ``(B, H, W, 3)`` RGB with both sides multiples of ``multiple`` (pad with black
    to the right and below), resized by ``input_scale``. It gives ``score``, float32 ``(B, K, h, w)`` probabilities,
    and ``locref``, float32 ``(B, K, 2, h, w)``, which `dlcnb.targets.decode` turns into points of the resized image.
    The metadata of the model (JSON) name ``bodyparts``, ``input_scale``, ``multiple``, ``stride``, ``locref_stdev``
    and ``scorer``.

    Parameters
    ----------
    predictor : `dlcnb.Predictor`.
    path : of the .onnx file.

    Returns
    -------
    float or None
        The largest difference to MXNet (see `difference`); None without ONNX Runtime.

    Raises
    ------
    ImportError
        If the package onnx is missing; the message names the extra.
    RuntimeError
        If ONNX Runtime computes something else; then nothing is written.
    """
    data = onnx_model(predictor)
    found = difference(predictor, data)
    if found is None:
        log.warning("The ONNX model was not checked: onnxruntime is not installed (pip install 'dlcnb[onnx]').")
    elif found > TOLERANCE:
        raise RuntimeError(
            f"ONNX Runtime and MXNet differ by {found:.2g}, expected at most {TOLERANCE:g}; no file was written. "
            "Please report this with the versions of mxnet, onnx and onnxruntime."
        )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, data)
    return found


def onnx_model(predictor: Predictor) -> bytes:
    """The ONNX model of a predictor's network, as bytes; see `export_onnx`."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            f"Exporting ONNX needs the package onnx, which could not be loaded ({error}). "
            "Install it with: pip install 'dlcnb[onnx]'"
        ) from error
    net = predictor._net
    graph = _Graph(onnx)
    inputs = {"data": graph.normalised("images", net.backbone)}
    maps = graph.translate(net(mx.sym.var("data")), {n: p.data() for n, p in net.collect_params().items()}, inputs)
    graph.outputs(maps, net.parts)
    model = onnx.helper.make_model(
        graph.made(net.parts),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="dlcnb",
        producer_version=dlcnb.__version__,
    )
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in _metadata(predictor).items()})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def difference(predictor: Predictor, data: bytes | str | Path, *, seed: int = 0) -> float | None:
    """How far ONNX Runtime is from MXNet on random images.

    Parameters
    ----------
    predictor : `dlcnb.Predictor`.
    data : bytes of the model, or its path.

    Returns
    -------
    float or None
        The largest difference of a probability, or of a refinement relative to the largest one; None if onnxruntime is
        not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    multiple = predictor._net.multiple
    shape = (2, 4 * multiple, 5 * multiple, 3)
    images = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    expected = predict_maps(predictor._net, images, 1.0, predictor.device).arrays()  # without resizing first
    model = data if isinstance(data, bytes) else str(data)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    score, locref = session.run(["score", "locref"], {"images": images})
    largest = max(float(np.abs(expected[1]).max()), 1.0)
    return max(float(np.abs(score - expected[0]).max()), float(np.abs(locref - expected[1]).max()) / largest)


def _metadata(predictor: Predictor) -> dict[str, Any]:
    return {
        "bodyparts": list(predictor.bodyparts),
        "input_scale": predictor.config.input_scale,
        "multiple": predictor._net.multiple,
        "stride": targets.STRIDE,
        "locref_stdev": targets.LOCREF_STDEV,
        "scorer": predictor.scorer,
    }


class _Graph:
    """An ONNX graph in the making."""

    def __init__(self, onnx: ModuleType) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Append a node with one output, called ``name``; returns the name."""
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: ArrayLike) -> str:
        """Add an array; returns its name."""
        self._weights.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def normalised(self, images: str, backbone: Any) -> str:
        """uint8 ``(B, H, W, 3)`` -> float32 ``(B, 3, H, W)`` as the backbone wants it (see `to_tensor`)."""
        floats = self.add("Cast", [images], "floats", to=self._onnx.TensorProto.FLOAT)
        planes = self.add("Transpose", [floats], "planes", perm=[0, 3, 1, 2])
        mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (backbone.mean, backbone.std))
        centred = self.add("Sub", [planes, self.constant("mean", mean)], "centred")
        return self.add("Div", [centred, self.constant("std", std)], "normalised")

    def translate(
        self, symbol: mxnet.sym.Symbol, weights: Mapping[str, mxnet.nd.NDArray], inputs: Mapping[str, str]
    ) -> str:
        """Translate an MXNet graph; returns the name of its output.

        Parameters
        ----------
        symbol : the traced network, with one output.
        weights : name -> NDArray.
        inputs : name of an input of the symbol -> name in this graph.
        """
        traced = json.loads(symbol.tojson())
        names: list[str] = []
        for node in traced["nodes"]:
            sources = [names[n] for n, *_ in node["inputs"]]
            if node["op"] == "null":
                name = inputs.get(node["name"])
                names.append(name or self.constant(node["name"], weights[node["name"]].asnumpy()))
            else:
                names.append(self._operator(node, sources))
        (head,) = traced["heads"]
        return names[head[0]]

    def outputs(self, maps: str, parts: int) -> None:
        """Split the maps ``(B, 3K, h, w)`` into ``score`` and ``locref``."""
        start, middle, end, axis = (
            self.constant(name, np.array([value], np.int64))
            for name, value in (("start", 0), ("middle", parts), ("end", 3 * parts), ("axis", 1))
        )
        logits = self.add("Slice", [maps, start, middle, axis], "logits")
        self.add("Sigmoid", [logits], "score")
        offsets = self.add("Slice", [maps, middle, end, axis], "offsets")
        size = self.add("Shape", [maps], "size")
        picked = {
            name: self.add("Gather", [size, self.constant(f"{name}_index", np.array([n]))], name)
            for name, n in (("batch", 0), ("rows", 2), ("columns", 3))
        }
        pairs = self.constant("pairs", np.array([parts, 2], np.int64))
        sides = [picked["batch"], pairs, picked["rows"], picked["columns"]]
        shape = self.add("Concat", sides, "locref_shape", axis=0)
        self.add("Reshape", [offsets, shape], "locref")

    def made(self, parts: int) -> Any:
        """The finished GraphProto."""
        helper, types = self._onnx.helper, self._onnx.TensorProto
        images = helper.make_tensor_value_info("images", types.UINT8, ["batch", "height", "width", 3])
        score = helper.make_tensor_value_info("score", types.FLOAT, ["batch", parts, "rows", "columns"])
        locref = helper.make_tensor_value_info("locref", types.FLOAT, ["batch", parts, 2, "rows", "columns"])
        return helper.make_graph(self._nodes, "dlcnb", [images], [score, locref], self._weights)

    def _operator(self, node: Mapping[str, Any], sources: list[str]) -> str:
        """Translate one MXNet operator; returns the name of its output."""
        kind, name = node["op"], node["name"]
        given = {key: _literal(text) for key, text in node.get("attrs", {}).items()}
        if kind == "Activation":
            return self.add(_ACTIVATIONS[given["act_type"]], sources, name)
        if kind in ("elemwise_add", "broadcast_add"):
            return self.add("Add", sources, name)
        if kind == "BlockGrad":
            return sources[0]
        if kind == "Convolution":
            return self.add("Conv", sources, name, **_window(given), group=given["num_group"])
        if kind == "Deconvolution":
            more = {"group": given["num_group"], "output_padding": given["adj"]}
            return self.add("ConvTranspose", sources, name, **_window(given), **more)
        usual = given.get("pool_type") == "max" and given.get("pooling_convention") == "valid"
        if kind == "Pooling" and usual and not given.get("global_pool"):
            return self.add("MaxPool", sources, name, **_window(given))
        raise ValueError(
            "Expected a network that can be written as ONNX (those with dlcnb's own backbones can), found the operator "
            f"{kind} {given}. Use the network in MXNet's own format, or export one with another backbone."
        )


def _window(given: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a convolution or pooling that both call the same."""
    window = {"kernel_shape": given["kernel"], "strides": given["stride"], "pads": given["pad"] * 2}
    return {**window, "dilations": given["dilate"]} if "dilate" in given else window


def _literal(text: str) -> Any:
    """The Python value of one of MXNet's attributes, which are texts all of them."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return list(value) if isinstance(value, tuple) else value
