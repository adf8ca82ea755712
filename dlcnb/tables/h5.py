"""Tables that pandas wrote to HDF5, read without running any of the pickles such a file may hold.

pandas keeps column names as pickles in HDF5 attributes, and `pandas.read_hdf` loads whatever they are: opening a
stranger's file can run code. Here the values are read with h5py; of pickles only plain lists, tuples, dicts, texts and
numbers are accepted, and no link or dataset that leads to another file. Layouts: pandas/io/pytables.py, 'fixed' (class
FrameFixed) and 'table' (AppendableFrameTable).
"""

from __future__ import annotations

import errno
import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath, require_file
from dlcnb.tables.errors import TableError

if TYPE_CHECKING:
    import h5py
    import pandas as pd

__all__ = ["check_h5", "h5_appender", "h5_bytes", "is_h5", "read_h5_table"]

KEY = "df_with_missing"  # where DeepLabCut keeps its tables
_LARGE, _PACKED = 256 << 20, 100  # bytes that are read in any case; how many times the file's size beyond that


def read_h5_table(path: StrPath) -> pd.DataFrame:
    """Read DeepLabCut's table from an h5 file without executing anything in it.

    Parameters
    ----------
    path : path
        A file of `pandas.DataFrame.to_hdf`, in 'fixed' or 'table' layout, with numbers only.

    Returns
    -------
    pandas.DataFrame
        What `pandas.read_hdf` gives; of several tables the one named ``df_with_missing``.

    Raises
    ------
    TableError
        If it is no such file, is damaged, holds Python objects, or leads to another file.
    FileNotFoundError
        If there is no file.
    """
    import h5py

    try:
        require_file(path)
        with open(path, "rb") as raw, h5py.File(raw, "r") as file:
            group = _table_group(file)
            kind = _text(group.attrs.get("pandas_type"))
            if kind == "frame":
                return _read_fixed(group)
            if kind == "frame_table" and _text(group.attrs.get("table_type")) == "appendable_frame":
                return _read_appendable(group)
            raise TableError(f"holds a pandas object of another kind ({kind})")
    except FileNotFoundError:
        raise
    except TableError as error:
        raise TableError(f"{path} {error}; read the csv instead, or export the table again") from None
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        message = f"{path} is not an intact pandas HDF5 file ({error}); read the csv instead, or export the table again"
        raise TableError(message) from error


def check_h5(path: StrPath) -> None:
    """Raise `TableError` unless all that an HDF5 file holds is in it, and no more than fits into memory.

    For files that another library reads: links, external and virtual data would have it open files of other people's
    choice. `FileNotFoundError` if there is no file.
    """
    import h5py

    def check(group: h5py.Group) -> None:
        for name in group:
            node = _child(group, name)
            if isinstance(node, h5py.Group):
                check(node)

    try:
        require_file(path)
        with open(path, "rb") as raw, h5py.File(raw, "r") as file:
            check(file)
    except FileNotFoundError:
        raise
    except TableError as error:
        raise TableError(f"{path} {error}") from None
    except (OSError, KeyError, ValueError, RuntimeError, RecursionError) as error:
        raise TableError(f"{path} is not an intact HDF5 file ({type(error).__name__}: {error})") from error


def h5_bytes(frame: pd.DataFrame, layout: Literal["fixed", "table"] = "fixed") -> bytes:
    """A DataFrame as the bytes of an h5 file that DeepLabCut and `pandas.read_hdf` read.

    Written in memory, so that a full disk is met while copying bytes and not inside the HDF5 library.
    ``layout`` is 'fixed' (any index) or 'table' (as DeepLabCut's predictions; a one-column index).
    """
    import pandas as pd

    store: Any  # its methods are found at run time
    with pd.HDFStore("memory.h5", mode="w", driver="H5FD_CORE", driver_core_backing_store=0) as store:
        store.put(KEY, frame, format=layout, index=False, track_times=False)
        # pandas 3.1 leaves this mark of the format out, and without it older versions (DeepLabCut's) read nothing.
        store.get_storer(KEY).attrs.pandas_version = "0.15.2"
        store.flush()
        return bytes(store.root._v_file.get_file_image())


@contextmanager
def h5_appender(path: StrPath) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Give a function that appends a DataFrame of numbers to a new h5 file in 'table' layout.

    What comes out reads like that of `h5_bytes` for all of them together. A full disk is an `OSError` with ENOSPC.
    """
    import pandas as pd
    import tables

    store: Any
    try:
        with pd.HDFStore(str(path), mode="w") as store:
            yield lambda frame: store.put(KEY, frame, format="table", append=True, index=False, track_times=False)
            store.get_storer(KEY).attrs.pandas_version = "0.15.2"  # see h5_bytes
    except tables.HDF5ExtError as error:
        if "No space left" not in str(error):
            raise
        raise OSError(errno.ENOSPC, "No space left on device", str(path)) from error


class _PlainUnpickler(pickle.Unpickler):
    """Builds lists, tuples, dicts, texts and numbers; any class or function that a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise TableError(f"holds a pickle that wants to load {module}.{name}, which is not done")

    def persistent_load(self, pid: Any) -> Any:
        raise TableError("holds a pickle with references to other data, which are not followed")


def _unpickle(raw: Any) -> Any:
    """A value of plain containers from an attribute's pickle."""
    raw = raw.tobytes() if isinstance(raw, np.ndarray) else bytes(raw)
    try:
        return _PlainUnpickler(io.BytesIO(raw), encoding="utf-8", errors="replace").load()
    except TableError:
        raise
    except Exception as error:
        raise TableError(f"has a damaged attribute ({type(error).__name__}: {error})") from error


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _table_group(file: h5py.File) -> h5py.Group:
    import h5py

    names = [KEY] if KEY in file else [name for name in file if _is_own(file, name)]
    groups = [
        g for g in (_child(file, name) for name in names) if isinstance(g, h5py.Group) and "pandas_type" in g.attrs
    ]
    if len(groups) != 1:
        found = ", ".join(file) or "nothing"
        raise TableError(f"has no table '{KEY}' (found {found})")
    return groups[0]


def _is_own(group: h5py.Group, name: str) -> bool:
    """Whether a member lies in the group itself, as all that pandas writes does."""
    import h5py

    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _child(group: h5py.Group, name: str) -> Any:
    """A member of a group; one that is kept elsewhere, or fills the memory, is refused."""
    import h5py

    if name in group and not _is_own(group, name):
        raise TableError(f"has a link in place of '{name}', which is not followed")
    node = group[name]
    if isinstance(node, h5py.Dataset):
        if node.external or node.is_virtual:
            raise TableError(f"keeps '{name}' in another file, which is not opened")
        if node.nbytes > max(_LARGE, _PACKED * group.file.id.get_filesize()):
            raise TableError(f"claims {node.nbytes / 1e9:.0f} GB for '{name}', far more than the file holds")
    return node


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """A member of a group that holds values."""
    import h5py

    node = _child(group, name)
    if not isinstance(node, h5py.Dataset):
        raise TableError(f"has no values in '{name}'")
    return node


# --- 'fixed': one dataset per axis and block ----------------------------------------------------------------------


def _read_fixed(group: h5py.Group) -> pd.DataFrame:
    import pandas as pd

    columns = _read_axis(group, "axis0")
    count = int(group.attrs["nblocks"])
    if count > len(group):
        raise TableError(f"claims {count} blocks of values, more than it has")
    names = [f"block{n}" for n in range(count)]
    blocks = [(_read_axis(group, f"{name}_items"), _read_array(_dataset(group, f"{name}_values"))) for name in names]
    empty = blocks and not any(found.size for _, found in blocks)
    index = pd.Index([]) if empty else _read_axis(group, "axis1")  # pandas pickles an empty index of texts
    if sum(found.size for _, found in blocks) != len(index) * len(columns):
        raise TableError(f"does not have a value for each of its {len(index)} rows and {len(columns)} columns")
    values = np.full((len(index), len(columns)), np.nan)
    for items, found in blocks:  # (items, rows)
        values[:, columns.get_indexer(items)] = _numbers(found).T
    return pd.DataFrame(values, index=index, columns=columns)


def _numbers(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind not in "fiu":
        raise TableError(f"has values that are not numbers (type {values.dtype})")
    return values


def _read_axis(group: h5py.Group, name: str) -> Any:
    """An axis of a fixed frame as a pandas Index or MultiIndex."""
    import pandas as pd

    variety = _text(group.attrs[f"{name}_variety"])
    if variety == "regular":
        dataset = _dataset(group, name)
        return pd.Index(_axis_values(dataset), name=_axis_name(dataset))
    if variety != "multi":
        raise TableError(f"has an index of an unknown kind ({variety})")
    count = range(int(group.attrs[f"{name}_nlevels"]))
    levels = [_dataset(group, f"{name}_level{i}") for i in count]
    codes = [_read_array(_dataset(group, f"{name}_label{i}")) for i in count]
    names = [_axis_name(level) for level in levels]
    return pd.MultiIndex([_axis_values(level) for level in levels], [c.tolist() for c in codes], names=names)


def _axis_values(dataset: h5py.Dataset) -> Any:
    kind, values = _text(dataset.attrs.get("kind")), _read_array(dataset)
    if kind == "string" and values.dtype.kind == "S":
        return _decode(values)
    if kind == "string" and values.size == 0:
        return []
    if kind in ("integer", "float") and values.dtype.kind in "iuf":
        return values
    raise TableError(f"has an index of Python objects or of a kind that is not read ({kind})")


def _axis_name(dataset: h5py.Dataset) -> str | None:
    name = dataset.attrs.get("name")
    return None if name is None or name == b"N." else _text(name)


def _read_array(dataset: h5py.Dataset) -> NDArray[Any]:
    """A dataset as pandas' read_array gives it: transposed if marked so, empty arrays from their attributes."""
    if dataset.dtype.kind == "O":
        raise TableError("holds Python objects as pickles, which are not loaded")
    if "value_type" in dataset.attrs and "shape" in dataset.attrs:
        shape = dataset.attrs["shape"]
        shape = tuple(shape) if isinstance(shape, np.ndarray) else _unpickle(shape)
        if not isinstance(shape, tuple) or 0 not in shape:
            raise TableError("has an array that is marked as empty and is not")
        return np.empty([int(n) for n in shape])
    values: NDArray[Any] = dataset[...]
    return values.T if dataset.attrs.get("transposed") else values


def _decode(values: NDArray[np.bytes_]) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values.tolist()]


# --- 'table': one dataset of rows ---------------------------------------------------------------------------------


def _read_appendable(group: h5py.Group) -> pd.DataFrame:
    import pandas as pd

    dataset = _dataset(group, "table")
    rows, attributes = dataset[...], dataset.attrs
    axes = _unpickle(group.attrs["non_index_axes"])
    order = [_column_name(c) for c in axes[0][1]]
    blocks: dict[Any, NDArray[Any]] = {}
    for name in _unpickle(group.attrs["values_cols"]):
        values = _numbers(rows[name].reshape(len(rows), -1))
        items = [_column_name(c) for c in _unpickle(attributes[f"{name}_kind"])]
        blocks.update(zip(items, values.T, strict=True))
    if set(blocks) != set(order) or len(set(order)) != len(order):
        raise TableError("has columns without values")
    names = _unpickle(group.attrs["info"]).get(axes[0][0], {}).get("names")
    values = np.column_stack([blocks[c] for c in order]) if order else np.empty((len(rows), 0))
    if all(isinstance(c, tuple) for c in order):
        columns = pd.MultiIndex.from_tuples(order, names=names)
    else:
        columns = pd.Index(order)
    index = rows["index"]
    return pd.DataFrame(values, index=_decode(index) if index.dtype.kind == "S" else index, columns=columns)


def _column_name(name: object) -> Any:
    """The name of a column out of a pickle, a text or number or a tuple of them (deeper ones can take for ever)."""
    levels = tuple(name) if isinstance(name, (list, tuple)) else (name,)
    if not all(isinstance(level, (str, int, float)) for level in levels):
        raise TableError("has a column whose name is not text")
    return levels if isinstance(name, (list, tuple)) else name


def is_h5(path: StrPath) -> bool:
    """Whether a path names an HDF5 file."""
    return Path(path).suffix.lower() in (".h5", ".hdf5", ".hdf")
