"""dlcnb.tables.h5: what pandas wrote, read without running or following anything that such a file may hold."""

import os
import pickle

import h5py
import numpy as np
import pandas as pd
import pytest
from support.tables import ONE

from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import read_h5_table


class Evil:
    """What a stranger's file may hold: unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def harmless(tmp_path):
    frame = pd.read_csv(_text_file(tmp_path), header=[0, 1, 2], index_col=0)
    for layout in ("table", "fixed"):
        frame.to_hdf(tmp_path / f"{layout}.h5", key="df_with_missing", format=layout)
    return tmp_path


def _text_file(folder):
    path = folder / "one.csv"
    path.write_text(ONE)
    return path


@pytest.mark.parametrize(
    ("layout", "index"),
    [("fixed", "text"), ("fixed", "numbers"), ("fixed", "levels"), ("table", "text"), ("table", "numbers")],
)
def test_h5_as_pandas_reads_it(tmp_path, layout, index):
    columns = pd.MultiIndex.from_product([["S"], ["ä", "b c"], ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    rows = {
        "text": ["img0.png", "ü.png"],
        "numbers": [5, 3],
        "levels": pd.MultiIndex.from_tuples([("l", "v", "a"), ("l", "v", "b")]),
    }
    frame = pd.DataFrame([[0.1, np.nan, 1e300, -2.5], [1, 2, 3, 4]], index=rows[index], columns=columns)
    frame.to_hdf(tmp_path / "x.h5", key="df_with_missing", format=layout)
    pd.testing.assert_frame_equal(read_h5_table(tmp_path / "x.h5"), pd.read_hdf(tmp_path / "x.h5"))


@pytest.mark.parametrize(("layout", "mixed"), [("fixed", True), ("table", True), ("table", False)])
def test_h5_with_several_blocks(tmp_path, layout, mixed):
    columns = pd.MultiIndex.from_product([["S"], ["a", "b"], ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    frame = pd.DataFrame(np.arange(8.0).reshape(2, 4), columns=columns)
    if mixed:
        frame["S", "b", "x"] = np.array([7, 8], np.int64)
    frame.to_hdf(tmp_path / "x.h5", key="other_key", format=layout)
    pd.testing.assert_frame_equal(read_h5_table(tmp_path / "x.h5"), frame.astype(float), check_index_type=False)


@pytest.mark.parametrize("attribute", ["non_index_axes", "info", "values_cols", "table.values_block_0_kind"])
@pytest.mark.parametrize("protocol", [0, 4])
def test_a_pickle_that_runs_code_is_refused(harmless, attribute, protocol):
    target = harmless / "created by the pickle"
    path = harmless / "table.h5"
    with h5py.File(path, "r+") as file:
        node = file["df_with_missing"]
        node = node["table"] if "." in attribute else node
        node.attrs[attribute.split(".")[-1]] = np.void(pickle.dumps(Evil(target), protocol))
    with pytest.raises(TableError, match=r"wants to load \w+\.mkdir, which is not done; read the csv instead"):
        read_h5_table(path)
    assert not target.exists()
    pickle.loads(pickle.dumps(Evil(target), protocol))
    assert target.exists()  # the same pickle does work where it is loaded


def test_pickles_that_are_not_needed_are_not_looked_at(harmless):
    target = harmless / "created by the pickle"
    with h5py.File(harmless / "table.h5", "r+") as file:
        file["df_with_missing"].attrs["data_columns"] = np.void(pickle.dumps(Evil(target), 0))
        file.attrs["TITLE"] = np.void(pickle.dumps(Evil(target), 0))
    assert read_h5_table(harmless / "table.h5").shape == (2, 4)
    assert not target.exists()


def test_pickled_rows_are_refused(harmless):
    target = harmless / "created by the pickle"
    with h5py.File(harmless / "fixed.h5", "r+") as file:
        group = file["df_with_missing"]
        del group["axis1"]
        rows = group.create_dataset("axis1", (1,), dtype=h5py.vlen_dtype(np.uint8))
        rows[0] = np.frombuffer(pickle.dumps([Evil(target)] * 2), np.uint8)
        rows.attrs["kind"] = "object"
    with pytest.raises(TableError, match="holds Python objects"):
        read_h5_table(harmless / "fixed.h5")
    assert not target.exists()


@pytest.mark.parametrize("keep", [0, 10, 2000, -500])
def test_a_truncated_h5(harmless, keep):
    path = harmless / "table.h5"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TableError, match=r"table\.h5 "):
        read_h5_table(path)


def test_an_h5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["tracks"] = np.zeros(3)
    with pytest.raises(TableError, match=r"has no table 'df_with_missing' \(found tracks\)"):
        read_h5_table(tmp_path / "x.h5")
    pd.Series([1.0, 2.0]).to_hdf(tmp_path / "s.h5", key="s")
    with pytest.raises(TableError, match="pandas object of another kind"):
        read_h5_table(tmp_path / "s.h5")
    with pytest.raises(FileNotFoundError):
        read_h5_table(tmp_path / "none.h5")


# --- nothing outside the file, and no more than it holds


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["values"] = np.arange(8.0).reshape(2, 4)
    return path


def _replace_values(path, make):
    """Put something else in place of the values of a table."""
    with h5py.File(path, "r+") as file:
        group = file["df_with_missing"]
        attributes = dict(group["block0_values"].attrs)
        del group["block0_values"]
        make(group)
        if isinstance(group.get("block0_values", getlink=True), h5py.HardLink):
            group["block0_values"].attrs.update(attributes)


@pytest.mark.parametrize("name", ["block0_values", "axis0_level1", "axis0_label0", "axis1"])
def test_a_link_to_another_file_is_not_followed(harmless, secret, name):
    with h5py.File(harmless / "fixed.h5", "r+") as file:
        del file["df_with_missing"][name]
        file["df_with_missing"][name] = h5py.ExternalLink(str(secret), "/values")
    with pytest.raises(TableError, match=f"link in place of '{name}', which is not followed"):
        read_h5_table(harmless / "fixed.h5")


def test_the_table_itself_may_not_be_a_link(harmless):
    with h5py.File(harmless / "outer.h5", "w") as file:
        file["df_with_missing"] = h5py.ExternalLink(str(harmless / "fixed.h5"), "/df_with_missing")
    with pytest.raises(TableError, match="link in place of 'df_with_missing'"):
        read_h5_table(harmless / "outer.h5")


def test_a_link_through_another_is_not_followed(harmless, secret):
    def through_another(group):
        group.file["elsewhere"] = h5py.ExternalLink(str(secret), "/")
        group["block0_values"] = h5py.SoftLink("/elsewhere/values")

    _replace_values(harmless / "fixed.h5", through_another)
    with pytest.raises(TableError, match="link in place of 'block0_values'"):
        read_h5_table(harmless / "fixed.h5")


def test_values_kept_in_another_file_are_not_read(harmless):
    (harmless / "secret").write_bytes(bytes(64))

    def external(group):
        group.create_dataset("block0_values", (2, 4), "f8", external=[(str(harmless / "secret"), 0, 64)])

    _replace_values(harmless / "fixed.h5", external)
    with pytest.raises(TableError, match="in another file, which is not opened"):
        read_h5_table(harmless / "fixed.h5")


def test_values_put_together_from_another_file_are_not_read(harmless, secret):
    def virtual(group):
        layout = h5py.VirtualLayout((2, 4), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "values", (2, 4))
        group.create_virtual_dataset("block0_values", layout)

    _replace_values(harmless / "fixed.h5", virtual)
    with pytest.raises(TableError, match="in another file, which is not opened"):
        read_h5_table(harmless / "fixed.h5")


def test_a_small_file_that_claims_to_be_huge(harmless):
    def huge(group):
        group.create_dataset("block0_values", (10**9, 10**3), "f8", chunks=(10**4, 10**3))

    _replace_values(harmless / "fixed.h5", huge)
    with pytest.raises(TableError, match="claims 8000 GB for 'block0_values'"):
        read_h5_table(harmless / "fixed.h5")


def test_more_blocks_than_there_are(harmless):
    with h5py.File(harmless / "fixed.h5", "r+") as file:
        file["df_with_missing"].attrs["nblocks"] = 10**9
    with pytest.raises(TableError, match="claims 1000000000 blocks of values, more than it has"):
        read_h5_table(harmless / "fixed.h5")


@pytest.mark.parametrize(("layout", "name"), [("fixed", "block0_values"), ("fixed", "axis1"), ("table", "table")])
def test_a_group_in_place_of_values(harmless, layout, name):
    with h5py.File(harmless / f"{layout}.h5", "r+") as file:
        del file["df_with_missing"][name]
        file["df_with_missing"].create_group(name)
    with pytest.raises(TableError, match=f"has no values in '{name}'"):
        read_h5_table(harmless / f"{layout}.h5")


def test_rows_without_values(harmless):
    _replace_values(harmless / "fixed.h5", lambda group: group.create_dataset("block0_values", (1, 4), "f8"))
    with pytest.raises(TableError, match="not have a value for each of its 2 rows and 4 columns"):
        read_h5_table(harmless / "fixed.h5")


def test_names_folded_into_each_other(harmless):
    name = ("a",)
    for _ in range(60):  # to compare or hash the last one takes 2 ** 60 steps
        name = (name, name)
    with h5py.File(harmless / "table.h5", "r+") as file:
        group = file["df_with_missing"]
        group.attrs["non_index_axes"] = np.void(pickle.dumps([(1, [name])], 0))
    with pytest.raises(TableError, match="a column whose name is not text"):
        read_h5_table(harmless / "table.h5")


def test_a_table_without_rows_whose_index_pandas_pickled(tmp_path):
    columns = pd.MultiIndex.from_product([["net"], ["a", "b"], ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    frame = pd.DataFrame(np.empty((0, 4)), index=pd.Index([], dtype=object), columns=columns)
    frame.to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    found = read_h5_table(tmp_path / "a.h5")
    assert found.shape == (0, 4)
    assert list(found.columns) == list(columns)
