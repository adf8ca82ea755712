"""dlcnb.tables.table: a csv or h5 as one `Table`, whatever wrote it."""

import os

import numpy as np
import pytest

from dlcnb.tables.errors import TableError
from dlcnb.tables.table import read_table

HEADER = "scorer,Ann,Ann\nbodyparts,hand,hand\ncoords,x,y\n"


@pytest.mark.parametrize("name", ["table.csv", "table.h5"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path, name):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes among its files")
    os.mkfifo(tmp_path / name)
    with pytest.raises(TableError, match="expected a file, found a pipe"):
        read_table(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / f"other{name}")


def test_rows_that_old_deeplabcut_named_by_tuples(tmp_path):
    rows = "\"('labeled-data', 'vid1', 'img00.png')\",,\n\"('labeled-data', 'vid1', 'img04.png')\",1.5,2\n"
    (tmp_path / "table.csv").write_text(HEADER + rows)
    table = read_table(tmp_path / "table.csv")
    assert table.index == ("labeled-data/vid1/img00.png", "labeled-data/vid1/img04.png")
    np.testing.assert_array_equal(table.values, [[np.nan, np.nan], [1.5, 2]])


ROWS = "img00.png,1.5,2\nimg04.png,,\n"
VALUES = [[1.5, 2], [np.nan, np.nan]]


@pytest.mark.parametrize(
    "text",
    [
        (HEADER + ROWS).replace("\n", ",,\n"),  # a spreadsheet adds empty columns
        HEADER.replace("\n", ",,\n") + ROWS,
        (HEADER + ROWS).replace(",", " , "),  # somebody aligned the cells
        (HEADER + ROWS).replace(",,", ",NA,n/a"),  # R writes that there is none
        (HEADER + ROWS).replace(",,", ", ,  "),
    ],
)
def test_what_other_programs_make_of_a_csv(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)
    table = read_table(tmp_path / "table.csv")
    assert table.columns == (("Ann", "hand", "x"), ("Ann", "hand", "y"))
    assert table.index == ("img00.png", "img04.png")
    np.testing.assert_array_equal(table.values, VALUES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\0" * 500, "is empty; restore it from a copy"),
        (f"<html>{'sign in ' * 30}</html>", "found '<html>sign in sign in"),
        (
            HEADER + 'img00.png,"1,5",2\n',
            "hand x is '1,5'; expected a number or an empty cell, and a point for decimals",
        ),
    ],
)
def test_what_is_no_table_is_told_in_a_line(tmp_path, text, message):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / "table.csv")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300
