"""LabelStore: states, the journal, the table changed in place, other tabs and other programs."""

import json
import logging
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.tables import set_first

from dlcnb.labels import Conflict, Edit, LabelError, Labels, LabelStore, current_labels
from dlcnb.labels import shared as shared_module
from dlcnb.trainset import TrainSet

nan = np.nan


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def put(store, n, part, point, **more):
    store.apply([Edit(img(n), part, point, **more)])


def fill(store, n, x=1.0):
    store.apply([Edit(img(n), part, (x + k, 2.0)) for k, part in enumerate(store.bodyparts)])


def csv_of(store):
    return store.folder / f"CollectedData_{store.scorer}.csv"


def journal_of(store):
    return store.folder / f".dlcnb-journal-{store.scorer}.jsonl"


def own_files(store):
    return sorted(p.name for p in store.folder.iterdir() if p.suffix != ".png")


@pytest.fixture
def store(project):
    return LabelStore(project, "cam1")


# --- what is there


def test_every_extracted_image_has_a_row(store):
    assert store.images == tuple(img(3 * n) for n in range(10))
    assert store.bodyparts == ("hand", "elbow", "nose")
    assert set(store.states) == {"new"}
    assert np.isnan(store.points).all()
    assert store.points.shape == (10, 3, 2)
    assert not store.hidden.any()
    assert not store.dirty
    assert store.save() == (store.folder / "CollectedData_Ann.h5", csv_of(store))
    assert own_files(store) == []  # looking leaves no trace


def test_images_are_sorted_by_frame_number(project):
    folder = project.labeled_dir("cam1")
    Image.new("RGB", (64, 48)).save(folder / "img100.png")
    (folder / ".dlcnb-tmp-1234-img05.png").write_bytes(b"being written")
    assert LabelStore(project, "cam1").images[-1] == img(100)
    assert len(LabelStore(project, "cam1").images) == 11


def test_a_video_without_frames(project):
    store = LabelStore(project, "cam9")
    assert store.images == ()
    assert store.states == ()
    with pytest.raises(LabelError, match=r"cam1/img00\.png is not in .*cam9"):
        put(store, 0, "hand", (1, 2))
    with pytest.raises(LabelError, match=r"no image img00\.png among the 0 extracted ones"):
        store.point("img00.png")


def test_states(store):
    put(store, 0, "hand", (1.5, 2.25))
    assert store.state(img(0)) == "in work"
    put(store, 0, "elbow", None, visible=False)
    put(store, 0, "nose", (3, 4))
    assert store.state(img(0)) == "done"
    np.testing.assert_array_equal(store.point(img(0)), [[1.5, 2.25], [nan, nan], [3, 4]])
    np.testing.assert_array_equal(store.hidden[0], [False, True, False])
    put(store, 0, "nose", (9, 9))  # moving changes no state
    assert store.state(img(0)) == "done"
    put(store, 0, "nose", None)
    assert store.state(img(0)) == "in work"
    put(store, 0, "hand", None)
    put(store, 0, "elbow", None)
    assert store.state(img(0)) == "new"


def test_done_by_hand(store):
    put(store, 0, "hand", (1, 2))
    store.set_done(img(0), True)
    store.set_done(img(3), True)
    assert store.states[:3] == ("done", "done", "new")
    put(store, 0, "hand", (2, 2))
    assert store.state(img(0)) == "done"
    fill(store, 6)
    store.set_done(img(6), False)
    put(store, 6, "hand", (5, 5))
    assert store.states[:3] == ("done", "done", "in work")


def test_arrays_are_copies(store):
    store.points[:] = 7
    store.point(img(0))[:] = 7
    store.hidden[:] = True
    assert np.isnan(store.points).all()
    assert not store.hidden.any()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(img(0), "hnad", (1, 2)), r"no bodypart 'hnad'; there are hand, elbow, nose; did you mean 'hand'\?"),
        (Edit(img(1), "hand", (1, 2)), r"no image img01\.png among the 10 extracted ones; extract that frame first"),
        (Edit("labeled-data/cam2/img00.png", "hand", (1, 2)), r"cam2/img00\.png is not in .*cam1"),
        (Edit(img(0), "hand", (1, nan)), r"hand in .*img00\.png: expected a point \(x, y\).*found \(1, nan\)"),
        (Edit(img(0), "hand", 5), r"expected a point \(x, y\) in pixels, or None, found 5"),
        (Edit(img(0), "hand", (1, 2), visible=False), r"found \(1, 2\) marked not visible"),
    ],
)
def test_an_impossible_edit_changes_nothing(store, edit, message):
    with pytest.raises(LabelError, match=message):
        store.apply([Edit(img(0), "nose", (1, 1)), edit])
    assert np.isnan(store.points).all()
    assert own_files(store) == []


@pytest.mark.parametrize("scorer", ["a/b", "", " ", "..", "a:b"])
def test_impossible_scorers(project, scorer):
    if scorer == "":
        assert LabelStore(project, "cam1", scorer).scorer == "Ann"
        return
    with pytest.raises(LabelError, match="choose another name"):
        LabelStore(project, "cam1", scorer)


def test_scorers_that_differ_in_case_alone(project, store):
    put(store, 0, "hand", (1, 2))
    with pytest.raises(LabelError, match="has labels by 'Ann'; 'ann' differs from it only in upper and lower case"):
        LabelStore(project, "cam1", "ann")


# --- the journal


def test_reopening_replays_the_journal(project, store):
    store.apply([Edit(img(0), "hand", (1.1, 2.2)), Edit(img(0), "elbow", None, False)])
    store.set_done(img(3), True)
    put(store, 6, "hand", (0.1, 0.2), origin="suggestion snapshot-100")
    again = LabelStore(project, "cam1")
    np.testing.assert_array_equal(again.points, store.points)
    np.testing.assert_array_equal(again.hidden, store.hidden)
    assert again.states == store.states == ("in work", "done", "in work", *["new"] * 7)
    assert again.origin(img(6), "hand") == "suggestion snapshot-100"
    assert again.origin(img(6), "nose") is None
    assert again.dirty
    assert not csv_of(store).exists()


def test_journal_lines_have_time_and_origin(store):
    put(store, 0, "hand", (1.5, 2), origin="copied")
    lines = [json.loads(line) for line in journal_of(store).read_text().splitlines()]
    assert lines[0]["bodyparts"] == ["hand", "elbow", "nose"]
    assert lines[0]["scorer"] == "Ann"
    assert lines[-1]["edits"] == [
        {"image": "img00.png", "bodypart": "hand", "to": [1.5, 2.0], "from": None, "origin": "copied"}
    ]
    assert abs(lines[-1]["time"] - os.path.getmtime(journal_of(store))) < 60


def test_saving_keeps_states_marks_and_origins(project, store, monkeypatch):
    monkeypatch.setattr(shared_module, "LONG", 0)
    put(store, 0, "hand", (1.1, 2.2), origin="suggestion 7")
    put(store, 0, "elbow", None, visible=False)
    fill(store, 3)
    for x in range(30):
        put(store, 6, "nose", (x, 1))
    store.set_done(img(9), True)
    store.save()
    assert len(journal_of(store).read_text().splitlines()) == 12  # short again
    again = LabelStore(project, "cam1")
    assert again.states == store.states
    np.testing.assert_array_equal(again.hidden, store.hidden)
    np.testing.assert_array_equal(again.points, store.points)
    assert again.origin(img(0), "hand") == "suggestion 7"
    assert not again.dirty
    assert list(Labels.read(store.folder).images) == [img(0), img(3), img(6)]


@pytest.mark.parametrize("tail", [b'{"time":17', b"\x00\x00\x00", b'{"time":1,"edits":[],"crc":"00000000"}'])
def test_an_unfinished_last_line_is_no_line(project, store, tail):
    put(store, 0, "hand", (1, 2))
    with open(journal_of(store), "ab") as file:
        file.write(tail)
    again = LabelStore(project, "cam1")
    np.testing.assert_array_equal(again.points, store.points)
    assert again.damage == ()
    put(again, 0, "elbow", (3, 4))
    put(store, 0, "nose", (5, 6))
    third = LabelStore(project, "cam1")
    np.testing.assert_array_equal(third.point(img(0)), [[1, 2], [3, 4], [5, 6]])
    assert third.damage == ()


def test_a_last_line_without_its_end_of_line_counts(project, store):
    put(store, 0, "hand", (1, 2))
    journal_of(store).write_bytes(journal_of(store).read_bytes()[:-1])
    again = LabelStore(project, "cam1")
    put(again, 0, "elbow", (3, 4))
    np.testing.assert_array_equal(LabelStore(project, "cam1").point(img(0)), [[1, 2], [3, 4], [nan, nan]])


@pytest.mark.parametrize("kind", ["garbage", "bit", "header"])
def test_a_damaged_line_is_reported_and_the_rest_used(project, store, caplog, kind):
    for n, part in enumerate(store.bodyparts):
        put(store, 0, part, (n, 1))
    lines = journal_of(store).read_bytes().splitlines(keepends=True)
    which = 0 if kind == "header" else -2
    lines[which] = b"\xff\x00?\n" if kind != "bit" else lines[which].replace(b"1.0,1.0", b"7.0,1.0")
    journal_of(store).write_bytes(b"".join(lines))
    caplog.clear()
    again = LabelStore(project, "cam1")
    expected = [[0, 1], [1, 1] if kind == "header" else [nan, nan], [2, 1]]
    np.testing.assert_array_equal(again.point(img(0)), expected)
    number = 1 if kind == "header" else len(lines) - 1
    assert again.damage == (f"{journal_of(store)}, line {number} is damaged and was passed over",)
    assert caplog.messages == list(again.damage)
    put(again, 3, "hand", (1, 1))
    again._shared._rewrite_journal()
    assert (store.folder / f"{journal_of(store).name}.damaged").exists()
    assert LabelStore(project, "cam1").damage == ()


def test_a_journal_of_a_newer_version(project, store):
    put(store, 0, "hand", (1, 2))
    from dlcnb.labels import journal

    lines = journal_of(store).read_bytes().splitlines(keepends=True)
    header = json.loads(lines[0])
    del header["crc"]
    lines[0] = journal._encode({**header, "journal": 2})
    journal_of(store).write_bytes(b"".join(lines))
    with pytest.raises(LabelError, match="was written by a newer version of dlcnb; update dlcnb"):
        LabelStore(project, "cam1")


def test_a_journal_that_was_deleted_is_written_anew(project, store):
    put(store, 0, "hand", (1, 2))
    journal_of(store).unlink()
    put(store, 0, "elbow", (3, 4))
    np.testing.assert_array_equal(LabelStore(project, "cam1").points, store.points)
    assert LabelStore(project, "cam1").dirty


def test_a_bodypart_renamed_in_the_config_does_not_lose_its_edits(project, store):
    put(store, 0, "hand", (1, 2))
    config = project.root / "config.yaml"
    config.write_text(config.read_text().replace("hand,", "paw,").replace("[[hand", "[[paw"))
    with pytest.raises(LabelError, match=r"has labels of 'hand' in img00\.png that are in no table yet.*name back"):
        LabelStore(type(project).open(project.root), "cam1")


# --- the table


def test_only_the_edited_row_changes(openfield):
    store = LabelStore(openfield, "m4s1")
    assert set(store.states) == {"done"}
    old = csv_of(store).read_bytes()
    store.apply([Edit(store.images[50], "leftear", (123.456789012345, 0.1 + 0.2))])
    assert csv_of(store).read_bytes() == old
    store.save()
    new = csv_of(store).read_bytes()
    pairs = list(zip(old.split(b"\n"), new.split(b"\n"), strict=True))
    changed = [n for n, (a, b) in enumerate(pairs) if a != b]
    assert changed == [53]
    before, after = (line.split(b",") for line in pairs[53])
    assert after[3:5] == [b"123.456789012345", b"0.30000000000000004"]
    assert before[:3] + before[5:] == after[:3] + after[5:]


def test_deeplabcuts_readers_get_the_same_values(openfield):
    store = LabelStore(openfield, "m4s1")
    expected = store.points
    expected[7, 2] = 12.345678901234567, 400.1
    store.apply([Edit(store.images[7], "rightear", tuple(expected[7, 2]))])
    h5, csv = store.save()
    text = pd.read_csv(csv, header=[0, 1, 2], index_col=0)
    binary = pd.read_hdf(h5, "df_with_missing")
    for frame in (text, binary):
        assert list(frame.columns.names) == ["scorer", "bodyparts", "coords"]
        assert list(frame.index) == list(store.images)
        np.testing.assert_allclose(frame["Pranav"].to_numpy().reshape(116, 4, 2), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("style", ["one", "three", "windows", "quoted", "no end", "extra"])
def test_every_style_of_csv_stays_as_it_is(project, style):
    path = project.labeled_dir("cam1") / "CollectedData_Ann.csv"

    text = "".join(
        [
            "scorer,Ann,Ann,Ann,Ann,Ann,Ann\n",
            "bodyparts,hand,hand,elbow,elbow,nose,nose\ncoords,x,y,x,y,x,y\n",
            "labeled-data/cam1/img00.png,1,2.50,,,5e0,6\n",
            "labeled-data/cam1/img06.png,1.0,2,3.00,4,5,6\n",
        ]
    )
    changes = {
        "three": [("labeled-data/cam1/", "labeled-data,cam1,"), ("scorer,", "scorer,,,")]
        + [("bodyparts,", "bodyparts,,,"), ("coords,", "coords,,,")],
        "windows": [("labeled-data/cam1/", "labeled-data\\cam1\\"), ("\n", "\r\n")],
        "quoted": [("labeled-data/cam1/img00.png", '"labeled-data/cam1/img00.png"'), ("scorer", "\ufeffscorer")],
        "no end": [("4,5,6\n", "4,5,6")],
        "extra": [("nose,nose\n", "nose,nose,tail\n"), ("x,y\nlab", "x,y,z\nlab"), ("6\n", "6,77\n")]
        + [("Ann,Ann\n", "Ann,Ann,Ann\n")],
    }
    for old, new in changes.get(style, []):
        text = text.replace(old, new)

    path.write_text(text, "utf-8", newline="")
    store = LabelStore(project, "cam1")
    assert store.states[:3] == ("done", "new", "done")
    np.testing.assert_array_equal(store.hidden[0], [False, True, False])
    put(store, 6, "elbow", (3.25, 4))
    put(store, 3, "nose", (8, 9))
    store.save()
    lines, new = text.splitlines(keepends=True), path.read_bytes().decode().splitlines(keepends=True)
    assert new[:4] == lines[:4]
    assert len(new) == 6
    end = "" if style == "no end" else "\r\n" if style == "windows" else "\n"
    cells = "1.0,2,3.25,4,5,6" + (",77" if style == "extra" else "")
    assert new[5] == lines[4].split("img06.png")[0] + "img06.png," + cells + end
    assert new[4].rstrip().endswith("img03.png,,,,,8.0,9.0" + ("," if style == "extra" else ""))
    again = LabelStore(project, "cam1")
    np.testing.assert_array_equal(again.points, store.points)
    assert not again.dirty


def test_a_table_of_the_h5_alone(project):
    points = np.full((1, 3, 2), 5.5)
    Labels(("hand", "elbow", "nose"), "Ann", [img(0)], points).write(project.labeled_dir("cam1"))
    (project.labeled_dir("cam1") / "CollectedData_Ann.csv").unlink()
    store = LabelStore(project, "cam1")
    np.testing.assert_array_equal(store.point(img(0)), points[0])
    assert not store.dirty
    store.save()
    np.testing.assert_array_equal(Labels.read_file(csv_of(store), "cam1").points, points)


def test_a_renamed_folder_keeps_the_names_in_its_table(project):
    folder = project.labeled_dir("cam1")
    Labels(("hand", "elbow", "nose"), "Ann", [img(0)], np.ones((1, 3, 2))).write(folder)
    folder.rename(folder.with_name("cam2"))
    store = LabelStore(project, "cam2")
    store.apply([Edit("labeled-data/cam2/img03.png", "hand", (2, 2))])
    store.save()
    assert csv_of(store).read_text().splitlines()[-1] == "labeled-data,cam1,img03.png,2.0,2.0,,,,"
    assert LabelStore(project, "cam2").states[:3] == ("done", "in work", "new")


def test_saving_twice_writes_once(store):
    fill(store, 0)
    store.save()
    assert not store.dirty
    before = csv_of(store).stat()
    store.save()
    assert csv_of(store).stat() == before


def test_nobody_elses_table_is_touched(openfield):
    expert = openfield.labeled_dir("m4s1") / "CollectedData_Pranav.csv"
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in expert.parent.glob("Coll*")}
    guest = LabelStore(openfield, "m4s1", "Guest")
    assert set(guest.states) == {"new"}
    guest.apply([Edit(guest.images[0], "snout", (1, 2))])
    guest.save()
    other = LabelStore(openfield, "m4s1", "Guest.2")
    other.apply([Edit(guest.images[0], "snout", (3, 4))])
    other.save()
    assert before == {p: (f.stat().st_mtime_ns, f.read_bytes()) for p in before for f in [expert.parent / p]}
    np.testing.assert_array_equal(LabelStore(openfield, "m4s1", "Guest").point(guest.images[0])[0], [1, 2])
    np.testing.assert_array_equal(LabelStore(openfield, "m4s1", "Guest.2").point(guest.images[0])[0], [3, 4])


# --- another tab


def test_another_tab_sees_edits_on_refresh(project, store):
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", (1, 2))
    put(other, 3, "nose", (3, 4))
    fill(store, 6)
    assert other.refresh() == store.refresh() == []
    np.testing.assert_array_equal(other.points, store.points)
    assert other.states == store.states == ("in work", "in work", "done", *["new"] * 7)


def test_a_bodypart_changed_in_two_tabs_is_a_conflict(project, store):
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", (1, 2))
    put(other, 0, "hand", (3, 4))
    put(other, 0, "nose", (5, 6))
    (mine,) = store.refresh()
    (theirs,) = other.refresh()
    assert (mine.image, mine.bodypart, mine.mine, mine.theirs) == (img(0), "hand", (1.0, 2.0), (3.0, 4.0))
    assert (theirs.mine, theirs.theirs) == ((3.0, 4.0), (1.0, 2.0))
    assert f"process {os.getpid()}" in mine.whose
    assert store.refresh() == []
    assert store.conflicts == [mine]
    third = LabelStore(project, "cam1")
    assert [(c.mine, c.theirs) for c in third.conflicts] == [((3.0, 4.0), (1.0, 2.0))]
    assert third.refresh() == []
    store.resolve(mine, "mine")
    assert store.conflicts == []
    assert other.refresh() == other.conflicts == third.refresh() == third.conflicts == []
    for tab in (store, other, third):
        np.testing.assert_array_equal(tab.point(img(0)), [[1, 2], [nan, nan], [5, 6]])


def test_conflicts_survive_saving_and_reopening(project, store, monkeypatch):
    monkeypatch.setattr(shared_module, "LONG", 0)
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", None, visible=False)
    put(other, 0, "hand", (3, 4))
    store.refresh()
    for _ in range(40):
        put(store, 9, "nose", (1, 1))
    store.save()
    (found,) = LabelStore(project, "cam1").conflicts
    assert (found.mine, found.theirs, found.mine_visible, found.theirs_visible) == ((3.0, 4.0), None, True, False)
    store.resolve(store.conflicts[0], "mine")
    assert LabelStore(project, "cam1").conflicts == []
    assert LabelStore(project, "cam1").hidden[0, 0]


def test_placing_it_again_decides_a_conflict(project, store):
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", (1, 2))
    put(other, 0, "hand", (3, 4))
    assert store.refresh()
    put(store, 0, "hand", (2, 3))
    assert store.conflicts == []
    assert other.refresh() == other.conflicts == []


def test_the_same_change_in_two_tabs_is_no_conflict(project, store):
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", (1, 2))
    put(other, 0, "hand", (1, 2))
    assert store.refresh() == other.refresh() == []


def test_a_conflict_decided_elsewhere(project, store):
    other = LabelStore(project, "cam1")
    put(store, 0, "hand", (1, 2))
    put(other, 0, "hand", (3, 4))
    (mine,) = store.refresh()
    other.refresh()
    other.resolve(other.conflicts[0], "mine")
    store.resolve(mine, "theirs")  # so it is already
    with pytest.raises(LabelError, match=r"hand in .*img00\.png was changed or decided elsewhere meanwhile"):
        store.resolve(mine, "mine")
    with pytest.raises(ValueError, match="expected 'mine' or 'theirs'"):
        store.resolve(mine, "his")


def test_refresh_after_the_other_tab_saved(project, store, monkeypatch):
    monkeypatch.setattr(shared_module, "LONG", 0)
    other = LabelStore(project, "cam1")
    for x in range(30):
        put(store, 0, "hand", (x, 2))
    store.save()
    put(other, 3, "hand", (9, 9))
    assert other.refresh() == []
    np.testing.assert_array_equal(other.point(img(0))[0], [29, 2])
    other.save()
    assert store.refresh() == []
    assert not store.dirty
    assert not other.dirty
    assert store.states[:3] == ("in work", "in work", "new")


def test_frames_extracted_in_the_other_tab(project, store):
    Image.new("RGB", (64, 48)).save(store.folder / "img01.png")
    other = LabelStore(project, "cam1")
    put(other, 1, "hand", (1, 1))
    store.refresh()
    assert store.images[:3] == (img(0), img(1), img(3))
    Image.new("RGB", (64, 48)).save(store.folder / "img02.png")
    store.add_images()
    assert store.images[:4] == (img(0), img(1), img(2), img(3))
    assert store.state(img(1)) == "in work"


def test_edits_of_many_threads(project, store):
    def work(n):
        for x in range(10):
            put(store, 3 * n, "hand", (x, n))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    store.save()
    for thread in threads:
        thread.join()
    expected = [[9, n] for n in range(5)]
    np.testing.assert_array_equal(store.points[:5, 0], expected)
    np.testing.assert_array_equal(LabelStore(project, "cam1").points[:5, 0], expected)
    store.save()
    np.testing.assert_array_equal(Labels.read(store.folder).points[:, 0], expected)


# --- another program


def edit_csv(store, old, new):
    text = csv_of(store).read_text()
    assert old in text
    csv_of(store).write_text(text.replace(old, new))


def test_another_programs_changes_are_merged(project, store):
    for n in (0, 3, 6):
        fill(store, n)
    store.save()
    put(store, 3, "elbow", (7, 7))
    edit_csv(store, "img00.png,1.0,2.0,", "img00.png,1.25,2.0,")
    edit_csv(store, "img06.png,1.0,2.0,2.0,2.0,", "img06.png,1.0,2.0,,,")
    (lost,) = store.refresh()
    assert (lost.image, lost.bodypart, lost.mine, lost.theirs) == (img(6), "elbow", (2.0, 2.0), None)
    np.testing.assert_array_equal(store.points[:3, :2], [[[1.25, 2], [2, 2]], [[1, 2], [7, 7]], [[1, 2], [2, 2]]])
    store.resolve(lost, "theirs")
    store.set_done(img(6), True)
    store.save()
    for points in (Labels.read(store.folder).points, LabelStore(project, "cam1").points[:3]):
        np.testing.assert_array_equal(points, store.points[:3])
    assert LabelStore(project, "cam1").conflicts == []


def test_both_changed_the_same_point(project, store):
    fill(store, 0)
    store.save()
    put(store, 0, "hand", (7, 7))
    edit_csv(store, "img00.png,1.0,2.0,", "img00.png,1.25,2.0,")
    (conflict,) = store.refresh()
    expected = Conflict(img(0), "hand", (7.0, 7.0), (1.25, 2.0), "another program, in CollectedData_Ann.csv")
    assert conflict == expected
    assert LabelStore(project, "cam1").conflicts == [expected]  # nothing was written yet
    store.save()
    assert Labels.read(store.folder).points[0, 0].tolist() == [7, 7]
    assert LabelStore(project, "cam1").conflicts == store.conflicts == [expected]
    store.resolve(conflict, "theirs")
    store.save()
    assert Labels.read(store.folder).points[0, 0].tolist() == [1.25, 2]
    again = LabelStore(project, "cam1")
    assert again.conflicts == []
    assert not again.dirty


def test_a_change_of_the_table_after_opening_and_before_the_first_edit(project, store):
    Labels(store.bodyparts, "Ann", [img(0)], np.ones((1, 3, 2))).write(store.folder)
    put(store, 3, "hand", (2, 2))  # not refreshed: nothing of the table is known yet
    assert store.refresh() == []
    assert store.states[:3] == ("done", "in work", "new")
    again = LabelStore(project, "cam1")
    assert again.states == store.states
    assert again.conflicts == []


def test_a_change_of_the_h5_alone(project, store, caplog):
    fill(store, 0)
    h5, _ = store.save()
    set_first(h5, 55.5)
    os.utime(h5, ns=(0, csv_of(store).stat().st_mtime_ns + 10**9))
    assert store.refresh() == []
    assert store.point(img(0))[0].tolist() == [55.5, 2]
    assert "what is new in the h5 is taken over" in caplog.text
    store.save()
    assert Labels.read_file(csv_of(store), "cam1").points[0, 0].tolist() == [55.5, 2]


def test_an_h5_that_differs_from_the_start_is_put_aside(project, caplog):
    folder = project.labeled_dir("cam1")
    first = Labels(("hand", "elbow", "nose"), "Ann", [img(0)], np.ones((1, 3, 2)))
    first.write(folder)
    text = (folder / "CollectedData_Ann.csv").read_bytes()
    Labels(first.bodyparts, "Ann", first.images, first.points + 1).write(folder)
    odd = (folder / "CollectedData_Ann.h5").read_bytes()
    (folder / "CollectedData_Ann.csv").write_bytes(text)
    store = LabelStore(project, "cam1")
    assert "and its h5 differ" in caplog.text
    put(store, 3, "hand", (2, 2))
    store.save()
    assert (folder / "CollectedData_Ann.h5.old").read_bytes() == odd
    assert store.point(img(0))[0].tolist() == [1, 1]
    assert not LabelStore(project, "cam1").dirty


def test_a_table_that_is_just_being_written(project, store):
    fill(store, 0)
    fill(store, 3)
    store.save()
    whole = csv_of(store).read_bytes()
    csv_of(store).write_bytes(whole[:-5])
    with pytest.raises(LabelError, match="the file may be cut off"):
        store.refresh()
    put(store, 6, "hand", (1, 1))  # labeling goes on
    with pytest.raises(LabelError, match="the file may be cut off"):
        store.save()
    assert csv_of(store).read_bytes() == whole[:-5]
    csv_of(store).write_bytes(whole)
    assert store.refresh() == []
    store.save()
    assert Labels.read(store.folder).images == (img(0), img(3), img(6))


def test_a_table_that_was_deleted_is_written_anew(project, store, caplog):
    fill(store, 0)
    for path in store.save():
        path.unlink()
    again = LabelStore(project, "cam1")
    assert "is missing; the journal has its labels" in caplog.text
    for tab in (store, again):
        tab.refresh()
        assert tab.dirty
        assert tab.state(img(0)) == "done"
    again.save()
    assert Labels.read(store.folder).points[0, 0].tolist() == [1, 2]


def test_a_row_that_is_gone(project, store, caplog):
    for n in (0, 3, 6):
        fill(store, n)
    store.save()
    lines = csv_of(store).read_text().splitlines(keepends=True)
    csv_of(store).write_text("".join(lines[:3] + lines[5:]))  # without img00 and img03
    (store.folder / "img00.png").unlink()
    assert store.refresh() == []
    assert store.images[:2] == (img(3), img(6))  # frame and row are gone
    assert "lacks rows of 1 labeled frames, such as img03.png" in caplog.text
    assert store.dirty
    store.save()
    assert Labels.read(store.folder).images == (img(3), img(6))
    assert LabelStore(project, "cam1").states[:2] == ("done", "done")


# --- training and reading


def test_frames_in_work_are_not_trained_on(project, store):
    fill(store, 0)
    put(store, 3, "hand", (1, 1))
    put(store, 6, "hand", (1, 1))
    store.set_done(img(6), True)
    store.set_done(img(9), True)
    assert TrainSet.from_project(project).images == (img(0), img(6))  # from the journal
    store.save()
    assert TrainSet.from_project(project).images == (img(0), img(6))
    assert current_labels(project).images == (img(0), img(3), img(6))
    put(store, 0, "hand", None)
    store.set_done(img(6), False)
    with pytest.raises(ValueError, match="frames of which some bodyparts are open"):
        TrainSet.from_project(project)


def test_the_real_project_is_trained_on_entirely(openfield):
    assert len(TrainSet.from_project(openfield)) == 116
    store = LabelStore(openfield, "m4s1")
    store.apply([Edit(store.images[5], "snout", None)])
    assert len(TrainSet.from_project(openfield)) == 115
    assert own_files(store)[0].startswith(".dlcnb-journal-Pranav")


def test_only_warnings_of_this_package(store, caplog):
    with caplog.at_level(logging.DEBUG, "dlcnb"):
        fill(store, 0)
        store.save()
        store.refresh()
    assert caplog.messages == []
    assert Path(store.folder).is_dir()
