"""Tables that pandas wrote to HDF5, read without running any of the pickles such a file may hold.

pandas keeps column names as pickles in HDF5 attributes, and `pandas.read_hdf` loads whatever they are: opening a
stranger's file can run code. Here the values are read with h5py, and of pickles only plain lists, tuples, dicts,
texts and numbers are accepted. Layouts: pandas/io/pytables.py, 'fixed' (class FrameFixed) and 'table'
(AppendableFrameTable).
"""

from __future__ import annotations

import errno
import io
import pickle
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dlcnb.tables.errors import TableError

__all__ = ["h5_appender", "h5_bytes", "read_h5_table"]

KEY = "df_with_missing"  # where DeepLabCut keeps its tables


def read_h5_table(path):
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
        If it is no such file, is damaged, or holds Python objects.
    FileNotFoundError
        If there is no file.
    """
    import h5py

    try:
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
        message = f"{path} is no intact pandas HDF5 file ({error}); read the csv instead, or export the table again"
        raise TableError(message) from error


def h5_bytes(frame, layout="fixed"):
    """A DataFrame as the bytes of an h5 file that DeepLabCut and `pandas.read_hdf` read.

    Written in memory, so that a full disk is met while copying bytes and not inside the HDF5 library.
    ``layout`` is 'fixed' (any index) or 'table' (as DeepLabCut's predictions; a one-column index).
    """
    import pandas as pd

    with pd.HDFStore("memory.h5", mode="w", driver="H5FD_CORE", driver_core_backing_store=0) as store:
        store.put(KEY, frame, format=layout, index=False, track_times=False)
        # pandas 3.1 leaves this mark of the format out, and without it older versions (DeepLabCut's) read nothing.
        store.get_storer(KEY).attrs.pandas_version = "0.15.2"
        store.flush()
        return store.root._v_file.get_file_image()


@contextmanager
def h5_appender(path):
    """Give a function that appends a DataFrame of numbers to a new h5 file in 'table' layout.

    What comes out reads like that of `h5_bytes` for all of them together. A full disk is an `OSError` with ENOSPC.
    """
    import pandas as pd
    import tables

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

    def find_class(self, module, name):
        raise TableError(f"holds a pickle that wants to load {module}.{name}, which is not done")

    def persistent_load(self, pid):
        raise TableError("holds a pickle with references to other data, which are not followed")


def _unpickle(raw):
    """A value of plain containers from an attribute's pickle."""
    raw = raw.tobytes() if isinstance(raw, np.ndarray) else bytes(raw)
    try:
        return _PlainUnpickler(io.BytesIO(raw), encoding="utf-8", errors="replace").load()
    except TableError:
        raise
    except Exception as error:
        raise TableError(f"has a damaged attribute ({type(error).__name__}: {error})") from error


def _text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _table_group(file):
    import h5py

    groups = {k: g for k, g in file.items() if isinstance(g, h5py.Group) and "pandas_type" in g.attrs}
    if KEY in groups:
        return groups[KEY]
    if len(groups) != 1:
        found = ", ".join(file) or "nothing"
        raise TableError(f"has no table '{KEY}' (found {found})")
    return next(iter(groups.values()))


# --- 'fixed': one dataset per axis and block ----------------------------------------------------------------------


def _read_fixed(group):
    import pandas as pd

    columns, index = _read_axis(group, "axis0"), _read_axis(group, "axis1")
    values = np.full((len(index), len(columns)), np.nan)
    for block in range(int(group.attrs["nblocks"])):
        items = _read_axis(group, f"block{block}_items")
        found = _read_array(group[f"block{block}_values"])  # (items, rows)
        if found.dtype.kind not in "fiu":
            raise TableError(f"has values that are no numbers (type {found.dtype})")
        values[:, columns.get_indexer(items)] = found.T
    return pd.DataFrame(values, index=index, columns=columns)


def _read_axis(group, name):
    """An axis of a fixed frame as a pandas Index or MultiIndex."""
    import pandas as pd

    variety = _text(group.attrs[f"{name}_variety"])
    if variety == "regular":
        dataset = group[name]
        return pd.Index(_axis_values(dataset), name=_axis_name(dataset))
    if variety != "multi":
        raise TableError(f"has an index of an unknown kind ({variety})")
    count = range(int(group.attrs[f"{name}_nlevels"]))
    levels = [group[f"{name}_level{i}"] for i in count]
    codes = [_read_array(group[f"{name}_label{i}"]) for i in count]
    names = [_axis_name(level) for level in levels]
    return pd.MultiIndex([_axis_values(level) for level in levels], codes, names=names)


def _axis_values(dataset):
    kind, values = _text(dataset.attrs.get("kind")), _read_array(dataset)
    if kind == "string" and values.dtype.kind == "S":
        return _decode(values)
    if kind == "string" and values.size == 0:
        return []
    if kind in ("integer", "float") and values.dtype.kind in "iuf":
        return values
    raise TableError(f"has an index of Python objects or of a kind that is not read ({kind})")


def _axis_name(dataset):
    name = dataset.attrs.get("name")
    return None if name is None or name == b"N." else _text(name)


def _read_array(dataset):
    """A dataset as pandas' read_array gives it: transposed if marked so, empty arrays from their attributes."""
    if dataset.dtype.kind == "O":
        raise TableError("holds Python objects as pickles, which are not loaded")
    if "value_type" in dataset.attrs and "shape" in dataset.attrs:
        shape = dataset.attrs["shape"]
        shape = tuple(shape) if isinstance(shape, np.ndarray) else _unpickle(shape)
        if not isinstance(shape, tuple) or 0 not in shape:
            raise TableError("has an empty array that is not empty")
        return np.empty([int(n) for n in shape])
    values = dataset[...]
    return values.T if dataset.attrs.get("transposed") else values


def _decode(values):
    return [value.decode("utf-8", "replace") for value in values.tolist()]


# --- 'table': one dataset of rows ---------------------------------------------------------------------------------


def _read_appendable(group):
    import pandas as pd

    dataset = group["table"]
    rows, attributes = dataset[...], dataset.attrs
    axes = _unpickle(group.attrs["non_index_axes"])
    order = [tuple(c) if isinstance(c, (list, tuple)) else c for c in axes[0][1]]
    blocks = {}
    for name in _unpickle(group.attrs["values_cols"]):
        values = rows[name].reshape(len(rows), -1)
        if values.dtype.kind not in "fiu":
            raise TableError(f"has values that are no numbers (type {values.dtype})")
        items = [tuple(c) if isinstance(c, (list, tuple)) else c for c in _unpickle(attributes[f"{name}_kind"])]
        blocks.update(zip(items, values.T, strict=True))
    if set(blocks) != set(order):
        raise TableError("has columns without values")
    names = _unpickle(group.attrs["info"]).get(axes[0][0], {}).get("names")
    values = np.column_stack([blocks[c] for c in order]) if order else np.empty((len(rows), 0))
    if all(isinstance(c, tuple) for c in order):
        columns = pd.MultiIndex.from_tuples(order, names=names)
    else:
        columns = pd.Index(order)
    index = rows["index"]
    return pd.DataFrame(values, index=_decode(index) if index.dtype.kind == "S" else index, columns=columns)


def is_h5(path):
    """Whether a path names an HDF5 file."""
    return Path(path).suffix.lower() in (".h5", ".hdf5", ".hdf")
