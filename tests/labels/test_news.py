"""What in a table is another program's news, and what an old copy of ours: contents decide, never times."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from support.kills import killed, needs_fork
from support.tables import set_first

from dlcnb.labels import Edit, Labels, LabelStore, current_labels
from dlcnb.labels import journal as journal_module
from dlcnb.project import Project
from dlcnb.trainset import TrainSet

PARTS = ("hand", "elbow", "nose")


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def fill(store, n, x=1.0):
    store.apply([Edit(img(n), part, (x + k, 2.0)) for k, part in enumerate(store.bodyparts)])


def table(store, suffix=".csv"):
    return store.folder / f"CollectedData_Ann{suffix}"


def saved_by_deeplabcut(store, change):
    """Let another program load the table now; gives a function that changes one thing in its copy and saves it."""
    frame = pd.read_csv(table(store), header=[0, 1, 2], index_col=[0, 1, 2])

    def save():
        change(frame)
        frame.to_csv(table(store))
        frame.to_hdf(table(store, ".h5"), key="df_with_missing", mode="w")

    return save


@pytest.fixture
def store(project):
    return LabelStore(project, "cam1")


# --- an old copy saved over ours


def test_points_that_an_old_copy_lacks_are_conflicts(project, store):
    for n in range(0, 30, 3):
        store.apply([Edit(img(n), "hand", (1, 1))])
    store.save()
    save_old_copy = saved_by_deeplabcut(store, lambda frame: None)
    for n in range(0, 30, 3):
        store.apply([Edit(img(n), part, (10 + n, 20)) for part in PARTS[1:]])
    store.save()
    expected = store.points
    save_old_copy()
    found = store.refresh()
    assert len(found) == 20
    assert {conflict.theirs for conflict in found} == {None}
    np.testing.assert_array_equal(store.points, expected)
    store.save()
    np.testing.assert_array_equal(Labels.read(store.folder).points, expected)
    again = LabelStore(project, "cam1")
    np.testing.assert_array_equal(again.points, expected)
    assert len(again.conflicts) == 20
    again.resolve(again.conflicts[0], "theirs")
    assert len(again.conflicts) == 19
    assert np.isnan(again.points).any()


def test_a_point_that_an_old_copy_puts_back_is_a_conflict(project, store, monkeypatch):
    fill(store, 0)
    store.save()
    fill(store, 3)
    save_old_copy = saved_by_deeplabcut(store, lambda frame: frame.__setitem__(("Ann", "nose", "x"), 40.0))
    store.apply([Edit(img(0), "hand", (50, 50))])
    monkeypatch.setattr("dlcnb.labels.shared.LONG", 0)  # the journal is written anew, and keeps what was there
    for x in range(30):
        store.apply([Edit(img(9), "hand", (x, 1))])
    store.save()
    save_old_copy()
    for tab in (store, LabelStore(project, "cam1")):
        tab.refresh()
        conflict = next(c for c in tab.conflicts if c.bodypart == "hand" and c.image == img(0))
        assert (conflict.mine, conflict.theirs) == ((50, 50), (1, 2))
        assert tab.point(img(0))[2].tolist() == [40, 2]  # which is its news
        assert tab.state(img(3)) == "done"  # it lacks the row


def test_without_a_journal_the_table_is_right(project, store):
    Labels(PARTS, "Ann", [img(0)], np.ones((1, 3, 2))).write(store.folder)
    assert store.refresh() == []
    Labels(PARTS, "Ann", [img(0)], [[[1, 1], [np.nan, np.nan], [5, 5]]]).write(store.folder)
    assert store.refresh() == []
    np.testing.assert_array_equal(store.point(img(0))[[0, 2]], [[1, 1], [5, 5]])
    assert store.hidden[0, 1]


# --- which of the two files is news


@needs_fork
@pytest.mark.parametrize("hours", [-2, 2])
def test_a_save_killed_between_its_two_files_whatever_the_clock_says(project, store, hours):
    for n in range(0, 30, 3):
        fill(store, n)
    store.save()
    for path in store.folder.iterdir():
        time = path.stat().st_mtime + 3600 * hours
        os.utime(path, (time, time))
    for n in range(0, 30, 3):
        fill(store, n, 20.0)
    expected, before = store.points, table(store, ".h5").read_bytes()
    assert killed(lambda: LabelStore(project, "cam1").save(), 2, ("replace",))
    assert table(store, ".h5").read_bytes() == before
    assert Labels.read_file(table(store), "cam1").points[0, 0].tolist() == [20, 2]
    again = LabelStore(project, "cam1")
    np.testing.assert_array_equal(again.points, expected)
    assert again.conflicts == []
    again.save()
    for suffix in (".csv", ".h5"):
        np.testing.assert_array_equal(Labels.read_file(table(store, suffix), "cam1").points, expected)
    assert not list(store.folder.glob("*.old*"))


@needs_fork
def test_an_edit_after_a_save_that_was_killed_between_its_two_files(project, store):
    """The save is found in the csv and noted with the edit; the h5 of the save before is no news, then or later."""
    fill(store, 0)
    store.save()
    fill(store, 0, 50.0)
    assert killed(lambda: LabelStore(project, "cam1").save(), 2, ("replace",))
    fill(LabelStore(project, "cam1"), 3, 70.0)
    for _ in range(2):
        again = LabelStore(project, "cam1")
        assert again.conflicts == []
        np.testing.assert_array_equal(again.point(img(0))[:, 0], [50, 51, 52])
        np.testing.assert_array_equal(again.point(img(3))[:, 0], [70, 71, 72])
    again.save()
    assert LabelStore(project, "cam1").conflicts == []


@pytest.mark.parametrize("hours", [-2, 2])
def test_an_h5_that_another_program_saved_alone(project, store, hours):
    fill(store, 0)
    h5, _ = store.save()
    set_first(h5, 55.5)
    time = h5.stat().st_mtime + 3600 * hours
    os.utime(h5, (time, time))
    for tab in (store, LabelStore(project, "cam1")):
        assert tab.refresh() == []
        assert tab.point(img(0))[0].tolist() == [55.5, 2]
    store.save()
    assert Labels.read_file(table(store), "cam1").points[0, 0].tolist() == [55.5, 2]


@pytest.mark.parametrize("journal", [False, True])
@pytest.mark.parametrize("hours", [-2, 2])
def test_rows_that_only_the_h5_has_are_there(project, journal, hours):
    folder = project.labeled_dir("cam1")
    labels = Labels(PARTS, "Ann", [img(0), img(3), img(6)], np.arange(18.0).reshape(3, 3, 2))
    labels.write(folder)
    if journal:
        store = LabelStore(project, "cam1")
        store.apply([Edit(img(9), "hand", (1, 1))])
    lines = (folder / "CollectedData_Ann.csv").read_text().splitlines(keepends=True)
    (folder / "CollectedData_Ann.csv").write_text("".join(lines[:4]))
    os.utime(folder / "CollectedData_Ann.h5", (1e9, 2e9 * (hours > 0) + 1e9 * (hours < 0)))
    store = LabelStore(project, "cam1")
    assert [store.state(image) for image in labels.images] == ["done"] * 3
    np.testing.assert_array_equal(store.points[:3], labels.points)
    assert len(TrainSet.from_project(project)) == 3
    np.testing.assert_array_equal(current_labels(project).points[:3], labels.points)
    store.save()
    np.testing.assert_array_equal(Labels.read_file(folder / "CollectedData_Ann.csv", "cam1").points[:3], labels.points)


# --- the same rules with a journal as without


def test_a_folder_of_an_emptied_table_adds_no_frames(project, tmp_path):
    store = LabelStore(project, "cam1")
    fill(store, 0)
    store.save()
    other = project.root / "labeled-data" / "cam2"
    other.mkdir()
    header = table(store).read_text().splitlines(keepends=True)[:3]
    (other / "CollectedData_Ann.csv").write_text("".join(header))
    assert TrainSet.from_project(project).images == (img(0),)
    assert current_labels(project).images == (img(0),)


def test_frames_whose_images_and_table_were_deleted_are_gone(project, store):
    shutil.copytree(store.folder, store.folder.with_name("cam2"))
    for folder in ("cam1", "cam2"):
        tab = LabelStore(project, folder)
        tab.apply([Edit(tab.images[0], part, (1, 1)) for part in PARTS])
        tab.save()
    for path in store.folder.iterdir():
        if path.name[0] != ".":
            path.unlink()
    assert current_labels(project).images == ("labeled-data/cam2/img00.png",)
    assert LabelStore(project, "cam1").images == ()


# --- damaged and hostile journals


@pytest.mark.parametrize("data", [b"\0" * 600, b'{"journal":1,"journal_id":"abc', b"", b"\0\n\0\n"])
def test_a_journal_of_which_nothing_can_be_read_is_begun_anew(project, store, data):
    fill(store, 0)
    store.save()
    path = store.folder / ".dlcnb-journal-Ann.jsonl"
    path.write_bytes(data)
    store = LabelStore(project, "cam1")
    for n in (3, 6, 9):
        fill(store, n)
    again = LabelStore(project, "cam1")
    assert again.states[:5] == ("done", "done", "done", "done", "new")
    assert again.damage == ()
    assert path.read_bytes().startswith(b'{"journal":1')
    if data:
        assert path.with_name(f"{path.name}.damaged").read_bytes() == data


EDIT = {"image": "img00.png", "bodypart": "hand", "from": None, "to": [1, 2], "origin": "hand"}


@pytest.mark.parametrize(
    "line",
    [
        {"image": "../../../etc/passwd", "done": True, "parts": {"hand": {"is": [1, 2]}}},
        {"image": "a\\b.png", "done": True, "parts": {}},
        {"image": 5, "done": True, "parts": {}},
        {"image": [1], "done": True, "parts": {}},
        {"image": "img00.png", "done": True},
        {"image": "img00.png", "done": "yes", "parts": {}},
        {"image": "img00.png", "done": True, "parts": [1]},
        {"image": "img00.png", "done": True, "parts": {"hand": {"is": [1, 2], "rivals": [[1]]}}},
        {"image": "img00.png", "done": True, "parts": {"hand": {"is": None, "past": [5]}}},
        {"edits": [{**EDIT, "to": [1, 2, 3]}]},
        {"edits": [{**EDIT, "to": [1]}]},
        {"edits": [{**EDIT, "to": ["a", "b"]}]},
        {"edits": [{**EDIT, "to": [1e999, 1]}]},
        {"edits": [{**EDIT, "to": True}]},
        {"edits": [{**EDIT, "to": 10**400}]},
        {"edits": [{key: EDIT[key] for key in ("image", "bodypart", "to")}]},
        {"edits": [{**EDIT, "origin": 5}]},
        {"edits": {}},
        {"edits": 5},
        {"edits": [EDIT], "time": "x"},
        {"edits": [EDIT], "by": None},
        {"table": [{**EDIT, "to": "q"}]},
        {"done": ["img00.png"]},
        {"files": [1]},
        [1, 2],
    ],
)
def test_lines_that_dlcnb_never_writes_are_passed_over(project, store, monkeypatch, line):
    fill(store, 3)
    monkeypatch.setattr(journal_module, "is_line", lambda line: True)
    line = {"time": 1, "by": "x", **line} if isinstance(line, dict) else line
    monkeypatch.setattr(journal_module.json, "dumps", _with_infinity(journal_module.json.dumps))
    data = journal_module._encode(line)
    monkeypatch.undo()
    with open(store.folder / ".dlcnb-journal-Ann.jsonl", "ab") as file:
        file.write(data)
    again = LabelStore(project, "cam1")
    assert len(again.damage) == 1
    np.testing.assert_array_equal(again.points[1], store.points[1])
    assert again.states[0] == "new"
    fill(again, 0)
    again.save()
    assert LabelStore(Project.open(project.root), "cam1").states[:2] == ("done", "done")


def _with_infinity(dumps):
    return lambda line, **options: dumps(line, **{**options, "allow_nan": True})
