"""Changes of bodyparts, skeleton and scorer: in all files or none, backed up, undoable, labels intact."""

import json
import os
import shutil
import signal

import numpy as np
import pytest

from dlcnb.labels import Edit, LabelError, Labels, LabelStore, backups, doctor, migrate
from dlcnb.project import Project, ProjectError


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def snapshot(project):
    """{path: bytes} of everything but locks and backups."""
    return {
        path.relative_to(project.root).as_posix(): path.read_bytes()
        for path in project.root.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".png") and "backups" not in path.parts
    }


@pytest.fixture
def labeled(project):
    """Ann saved one frame and is at work on another, Bob labeled without saving, Cy has a table alone."""
    ann, bob = LabelStore(project, "cam1"), LabelStore(project, "cam1", "Bob")
    for k, part in enumerate(project.bodyparts):
        ann.apply([Edit(img(0), part, (k + 0.1, k))])
        bob.apply([Edit(img(3), part, (k, 7.7))])
    ann.apply([Edit(img(6), "nose", None, False)])
    ann.save()
    ann.apply([Edit(img(6), "elbow", (9.25, 9), origin="suggestion 5")])
    Labels(project.bodyparts, "Cy", [img(0)], [[[1, 2], [np.nan, np.nan], [5, 6]]]).write(ann.folder)
    return project


def everybody(project):
    return {scorer: LabelStore(project, "cam1", scorer) for scorer in ("Ann", "Bob", "Cy")}


def test_rename(labeled):
    before = {scorer: (s.points, s.hidden, s.states) for scorer, s in everybody(labeled).items()}
    change = migrate.rename_bodypart(labeled, "hand", "paw")
    assert labeled.bodyparts == Project.open(labeled.root).bodyparts == ("paw", "elbow", "nose")
    assert labeled.skeleton.edges == (("paw", "elbow"),)
    for scorer, store in everybody(labeled).items():
        np.testing.assert_array_equal(store.points, before[scorer][0])
        np.testing.assert_array_equal(store.hidden, before[scorer][1])
        assert store.states == before[scorer][2]
    assert LabelStore(labeled, "cam1").origin(img(6), "elbow") == "suggestion 5"
    assert LabelStore(labeled, "cam1").dirty  # what wasn't saved still isn't
    assert change.backup.name.endswith("rename-hand-to-paw")
    assert set(change.files) == {
        "config.yaml",
        *(f"labeled-data/cam1/CollectedData_{s}.{e}" for s in ("Ann", "Cy") for e in ("csv", "h5")),
        *(f"labeled-data/cam1/.dlcnb-journal-{s}.jsonl" for s in ("Ann", "Bob")),
    }
    assert not [f for f in doctor(labeled.root) if f.level == "error"]


def test_add_puts_done_frames_back_in_work(labeled):
    migrate.add_bodyparts(labeled, ["tail", "ear"])
    assert labeled.bodyparts == ("hand", "elbow", "nose", "tail", "ear")
    stores = everybody(labeled)
    assert stores["Ann"].states[:3] == ("in work", "new", "in work")
    assert stores["Bob"].states[:2] == ("new", "in work")
    assert stores["Cy"].states[:2] == ("in work", "new")
    assert stores["Cy"].hidden[0].tolist() == [False, True, False, False, False]
    np.testing.assert_array_equal(
        Labels.read(stores["Ann"].folder, "Ann").points[0, :3], [[0.1, 0], [1.1, 1], [2.1, 2]]
    )
    assert not [f for f in doctor(labeled.root) if f.level == "error"]


def test_add_as_not_visible(labeled):
    migrate.add_bodyparts(labeled, ["tail"], hidden=True)
    stores = everybody(labeled)
    assert stores["Ann"].states[:3] == ("done", "new", "in work")
    assert stores["Cy"].hidden[0].tolist() == [False, True, False, True]
    assert not stores["Ann"].hidden[2, 3]


def test_add_what_stands_in_the_config_already(labeled):
    path = labeled.root / "config.yaml"
    path.write_text(path.read_text().replace("nose]", "nose, tail]"))
    project = Project.open(labeled.root)
    with pytest.raises(LabelError, match="the bodypart 'tail' is missing"):
        LabelStore(project, "cam1")
    migrate.add_bodyparts(project, ["tail"])
    assert project.bodyparts == ("hand", "elbow", "nose", "tail")
    assert everybody(project)["Ann"].points[0, 2].tolist() == [2.1, 2]
    with pytest.raises(LabelError, match="there is a bodypart 'tail' already"):
        migrate.add_bodyparts(project, ["tail"])


def test_remove(labeled):
    migrate.remove_bodyparts(labeled, ["elbow"])
    assert labeled.bodyparts == ("hand", "nose")
    assert labeled.skeleton.edges == ()
    stores = everybody(labeled)
    np.testing.assert_array_equal(stores["Ann"].point(img(0)), [[0.1, 0], [2.1, 2]])
    assert stores["Ann"].states[:3] == ("done", "new", "in work")
    assert "elbow" not in (stores["Ann"].folder / "CollectedData_Cy.csv").read_text()
    with pytest.raises(LabelError, match="at least one bodypart has to stay"):
        migrate.remove_bodyparts(labeled, ["hand", "nose"])


def test_reorder(labeled):
    migrate.reorder_bodyparts(labeled, ["nose", "hand", "elbow"])
    assert labeled.bodyparts == ("nose", "hand", "elbow")
    stores = everybody(labeled)
    np.testing.assert_array_equal(stores["Ann"].point(img(0)), [[2.1, 2], [0.1, 0], [1.1, 1]])
    assert Labels.read(stores["Ann"].folder, "Ann").bodyparts == ("nose", "hand", "elbow")
    assert stores["Ann"].hidden[2].tolist() == [True, False, False]


def test_skeleton(labeled):
    migrate.set_skeleton(labeled, [("nose", "hand"), ("hand", "elbow")])
    assert Project.open(labeled.root).skeleton.edges == (("nose", "hand"), ("hand", "elbow"))
    migrate.set_skeleton(labeled, [])
    assert labeled.skeleton.edges == ()
    with pytest.raises(ProjectError, match="did you mean 'nose'"):
        migrate.set_skeleton(labeled, [("nse", "hand")])


def test_rename_scorer(labeled):
    migrate.rename_scorer(labeled, "Ann", "Anna")
    assert labeled.scorer == "Anna"
    store = LabelStore(labeled, "cam1")
    assert store.states[:3] == ("done", "new", "in work")
    assert Labels.read(store.folder, "Anna").scorer == "Anna"
    assert not list(store.folder.glob("*Ann.csv"))
    migrate.rename_scorer(labeled, "Bob", "Rob")
    assert labeled.scorer == "Anna"
    assert LabelStore(labeled, "cam1", "Rob").states[1] == "done"
    for new in ("Cy", "cy"):
        with pytest.raises(LabelError, match=f"there are labels by '{new}' already"):
            migrate.rename_scorer(labeled, "Rob", new)
    with pytest.raises(LabelError, match="no scorer 'Ann'; there are Anna, Cy, Rob; did you mean 'Anna'"):
        migrate.rename_scorer(labeled, "Ann", "X")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: migrate.rename_bodypart(p, "hnad", "paw"), "no bodypart 'hnad'.*did you mean 'hand'"),
        (lambda p: migrate.rename_bodypart(p, "hand", "nose"), "there is a bodypart 'nose' already"),
        (lambda p: migrate.rename_bodypart(p, "hand", " "), "is empty or not text"),
        (lambda p: migrate.add_bodyparts(p, ["tail", "tail"]), "given more than once"),
        (lambda p: migrate.remove_bodyparts(p, ["hand", "hand"]), "named twice"),
        (lambda p: migrate.reorder_bodyparts(p, ["nose", "hand"]), "expected all of hand, elbow, nose"),
        (lambda p: migrate.rename_scorer(p, "Ann", "a/b"), "choose another name"),
        (lambda p: migrate.undo_last(p), "no change of .* to undo"),
    ],
)
def test_impossible_changes_change_nothing(labeled, call, message):
    before = snapshot(labeled)
    with pytest.raises((LabelError, ProjectError), match=message):
        call(labeled)
    assert snapshot(labeled) == before
    assert labeled.bodyparts == ("hand", "elbow", "nose")


def test_a_damaged_table_stops_a_change_of_all(labeled):
    path = labeled.labeled_dir("cam1") / "CollectedData_Cy.csv"
    path.write_text(path.read_text()[:-5])
    before = snapshot(labeled)
    with pytest.raises(LabelError, match=r"CollectedData_Cy\.csv, line 4: .*may be cut off"):
        migrate.rename_bodypart(labeled, "hand", "paw")
    assert snapshot(labeled) == before


@pytest.mark.parametrize("second", ["reorder", "skeleton"])
def test_a_change_of_bodyparts_that_another_program_changed_meanwhile(labeled, second):
    other = Project.open(labeled.root)
    migrate.rename_bodypart(labeled, "hand", "paw")
    before = snapshot(labeled)
    change, how = {
        "reorder": (migrate.reorder_bodyparts, other.bodyparts[::-1]),
        "skeleton": (migrate.set_skeleton, [("hand", "nose")]),
    }[second]
    with pytest.raises(LabelError, match=r"they are paw, elbow, nose now\. Open the project again"):
        change(other, how)
    assert snapshot(labeled) == before


def test_undo_puts_every_byte_back(labeled):
    start = snapshot(labeled)
    migrate.rename_bodypart(labeled, "hand", "paw")
    second = snapshot(labeled)
    migrate.add_bodyparts(labeled, ["tail"])
    migrate.rename_scorer(labeled, "Cy", "Di")
    assert [c.undone for c in migrate.history(labeled)] == [False] * 3
    migrate.undo_last(labeled)
    assert migrate.undo_last(labeled).what == "add tail"
    assert snapshot(labeled) == second
    assert labeled.bodyparts == ("paw", "elbow", "nose")
    migrate.undo_last(labeled)
    assert snapshot(labeled) == start
    with pytest.raises(LabelError, match="no change of"):
        migrate.undo_last(labeled)


def test_undo_after_labels_were_edited_keeps_them(labeled):
    migrate.rename_bodypart(labeled, "hand", "paw")
    LabelStore(labeled, "cam1").apply([Edit(img(9), "paw", (4, 4))])
    assert migrate.undo_last(labeled).what == "rename hand to paw"
    assert labeled.bodyparts == ("hand", "elbow", "nose")
    assert LabelStore(labeled, "cam1").point(img(9))[0].tolist() == [4, 4]
    assert all(change.undone for change in migrate.history(labeled))
    migrate.remove_bodyparts(labeled, ["nose"])
    LabelStore(labeled, "cam1").apply([Edit(img(9), "hand", (5, 5))])
    with pytest.raises(LabelError, match=r"labels or config\.yaml were changed since 'remove nose'"):
        migrate.undo_last(labeled)


def test_a_store_of_a_table_without_a_journal_says_that_the_bodyparts_changed(labeled):
    store = LabelStore(labeled, "cam1", "Cy")
    migrate.remove_bodyparts(Project.open(labeled.root), ["hand"])
    for _ in range(2):
        with pytest.raises(LabelError, match=r"bodyparts of .* changed meanwhile; open the project again"):
            store.refresh()
    assert not list(store.folder.glob(".dlcnb-journal-Cy*.jsonl"))


def test_open_stores_say_that_the_project_changed(labeled):
    stores = everybody(labeled)
    migrate.rename_bodypart(labeled, "hand", "paw")
    for store in stores.values():
        for _ in range(2):
            with pytest.raises(LabelError, match="changed meanwhile; open the project again"):
                store.apply([Edit(img(0), "nose", (1, 1))])
        with pytest.raises(LabelError, match="changed meanwhile; open the project again"):
            store.refresh()
    stores = everybody(labeled)
    migrate.rename_scorer(labeled, "Ann", "Anna")
    with pytest.raises(LabelError, match="changed meanwhile; open the project again"):
        stores["Ann"].apply([Edit(img(0), "nose", (1, 1))])
    assert not list(labeled.labeled_dir("cam1").glob("*Ann.*sv"))


def test_an_error_halfway_changes_nothing(labeled, mounted, tmp_path):
    with mounted(tmp_path / "small", "size=400k") as disk:
        shutil.copytree(labeled.root, disk / "reach", ignore=shutil.ignore_patterns("*.h5"))
        project = Project.open(disk / "reach")
        before = snapshot(project)
        (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 70_000))
        with pytest.raises(OSError, match=r"cannot write .*: the disk is full"):  # noqa: PT012
            for n in range(20):  # each backup takes some of what is left
                before = snapshot(project)
                migrate.rename_bodypart(project, project.bodyparts[0], f"hand{n}")
        assert snapshot(project) == before
        assert backups.unfinished(project.root) is None
        assert not list(project.root.rglob(".dlcnb-tmp*"))
        assert LabelStore(project, "cam1").state(img(0)) == "done"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moves", [0, 1, 3, 5])
def test_killed_halfway(labeled, moves):
    start = snapshot(labeled)
    pid = os.fork()
    if not pid:
        move, moved = os.replace, []

        def replace(old, new):
            if "backups" not in str(new):
                moved.append(new)
            if len(moved) > moves:
                os.kill(os.getpid(), signal.SIGKILL)
            move(old, new)

        os.replace = replace
        try:
            migrate.rename_bodypart(labeled, "hand", "paw")
        finally:
            os._exit(1)
    os.waitpid(pid, 0)
    assert backups.unfinished(labeled.root).what == "rename hand to paw"
    with pytest.raises(LabelError, match=r"was interrupted .*dlcnb bodyparts .* undo"):
        LabelStore(labeled, "cam1")
    with pytest.raises(LabelError, match="was interrupted"):
        migrate.rename_bodypart(Project.open(labeled.root), "elbow", "x")
    assert any("was interrupted: rename hand to paw" in f.message for f in doctor(labeled.root))
    migrate.undo_last(labeled)
    assert {k: v for k, v in snapshot(labeled).items() if "tmp" not in k} == start
    migrate.rename_bodypart(labeled, "hand", "paw")
    assert labeled.bodyparts[0] == "paw"


def test_the_real_project_there_and_back(openfield):
    start = snapshot(openfield)
    points = LabelStore(openfield, "m4s1").points
    migrate.rename_bodypart(openfield, "snout", "nose")
    migrate.reorder_bodyparts(openfield, ["tailbase", "nose", "leftear", "rightear"])
    text = (openfield.root / "config.yaml").read_text()
    assert "# Plotting configuration" in text
    np.testing.assert_array_equal(LabelStore(openfield, "m4s1").points, points[:, [3, 0, 1, 2]])
    migrate.reorder_bodyparts(openfield, ["nose", "leftear", "rightear", "tailbase"])
    migrate.rename_bodypart(openfield, "nose", "snout")
    after = snapshot(openfield)
    table = "labeled-data/m4s1/CollectedData_Pranav.csv"
    assert after[table] == start[table]
    assert after["config.yaml"] == start["config.yaml"]


def test_columns_of_other_programs_stay(project):
    path = project.labeled_dir("cam1") / "CollectedData_Ann.csv"
    rows = [
        "scorer" + ",Ann" * 8,
        "bodyparts,hand,hand,hand,elbow,elbow,nose,nose,mood",
        "coords,x,y,likelihood,x,y,x,y,z",
    ]
    path.write_bytes("\r\n".join([*rows, f"{img(0)},1.50,2,0.9,3,4,,,7", ""]).encode("utf-8-sig"))
    migrate.add_bodyparts(project, ["tail"])
    migrate.reorder_bodyparts(project, ["nose", "tail", "hand", "elbow"])
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfscorer,")
    assert raw.decode("utf-8-sig").split("\r\n")[1:] == [
        "bodyparts,nose,nose,tail,tail,hand,hand,hand,elbow,elbow,mood",
        "coords,x,y,x,y,x,y,likelihood,x,y,z",
        f"{img(0)},,,,,1.50,2,0.9,3,4,7",
        "",
    ]


def test_the_record_of_a_change(labeled):
    change = migrate.rename_bodypart(labeled, "hand", "paw")
    record = json.loads((change.backup / "change.json").read_text())
    assert record["what"] == "rename hand to paw"
    assert (change.backup / "config.yaml").read_text().startswith("Task: reach")
    (change.backup / "config.yaml").write_text("nonsense")
    with pytest.raises(LabelError, match="was changed or is damaged; nothing was put back"):
        migrate.undo_last(labeled)
