"""A project folder from a stranger: nothing outside it is written or deleted, nothing runs, nothing hangs."""

import hashlib
import json
import os
import shutil

import pytest
from support.kills import killed, needs_fork

from dlcnb.labels import Edit, LabelError, LabelStore, backups, doctor, migrate
from dlcnb.project import Project, ProjectError

needs_links = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def contents(folder):
    """{path: bytes, or where a link leads} of everything in a folder."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def home(tmp_path):
    """What lies beside the project and must stay as it is."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    (folder / ".bashrc").write_text("mine")
    return folder


def plant(project, files, *, inverse=None, data=b"evil"):
    """A record of a change as a stranger would write it, with a backup of each of its files."""
    backup = project.root / "backups" / "20260101-000000-rename"
    backup.mkdir(parents=True)
    for name in files:
        if not name.startswith(("/", "..")):
            (backup / name).parent.mkdir(parents=True, exist_ok=True)
            (backup / name).write_bytes(data)
    record = {"what": "rename snout to nose", "time": 9e9, "files": files, "inverse": inverse, "undone": False}
    (backup / "change.json").write_text(json.dumps(record))
    return backup


EVIL = hashlib.sha256(b"evil").hexdigest()


@pytest.mark.parametrize("interrupted", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "../home/.bashrc",
        "../home/thesis.txt",
        "/tmp/dlcnb-x",
        "labeled-data/../../home/.bashrc",
        "labeled-data/../config.yaml",
        "labeled-data/cam1/../../../home/CollectedData_x.csv",
        "labeled-data/../CollectedData_x.csv",
        "videos/a.mp4",
        "labeled-data\\..\\x.csv",
    ],
)
def test_a_record_that_names_other_files_is_not_used(project, home, caplog, name, interrupted):
    before = contents(home)
    for digests in ([EVIL, EVIL], [None, EVIL]):
        backup = plant(project, {name: digests})
        if interrupted:
            (project.root / "backups" / "unfinished").write_text(backup.name)
        with pytest.raises(LabelError, match=r"no change of .* to undo"):
            migrate.undo_last(project)
        assert "is passed over" in caplog.text
        assert contents(home) == before
        (backup / "change.json").unlink()
        for path in sorted(backup.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        backup.rmdir()


@pytest.mark.parametrize(
    "inverse",
    [["undo_last", []], ["Project", ["/tmp"]], ["rename_bodypart", [{"a": 1}, 5]], ["exec", ["print(1)"]], [1, [2]]],
)
def test_an_inverse_names_a_change_and_nothing_else(project, inverse):
    store = LabelStore(project, "cam1")
    store.apply([Edit(img(0), "hand", (1, 1))])
    plant(project, {"config.yaml": [EVIL, EVIL]}, inverse=inverse)
    before = (project.root / "config.yaml").read_bytes()
    with pytest.raises(LabelError, match=r"the record of .* is damaged; nothing was changed"):
        migrate.undo_last(project)
    assert (project.root / "config.yaml").read_bytes() == before


@needs_links
@pytest.mark.parametrize("what", ["backups", "labeled-data/cam1", "config.yaml", "CollectedData_Ann.csv"])
def test_nothing_is_written_through_a_link_that_leads_out(project, home, what):
    store = LabelStore(project, "cam1")
    store.apply([Edit(img(0), "hand", (1, 1))])
    store.save()
    path = project.root / (f"labeled-data/cam1/{what}" if what.startswith("Coll") else what)
    if path.exists():
        path.rename(home / path.name)
    else:
        (home / path.name).mkdir()
    path.symlink_to(home / path.name)
    before = contents(home)
    with pytest.raises((LabelError, ProjectError), match="leads out of the project"):
        migrate.rename_bodypart(Project.open(project.root), "hand", "paw")
    if what.startswith(("Coll", "labeled")):
        with pytest.raises((LabelError, ProjectError), match="leads out of the project"):  # noqa: PT012
            again = LabelStore(Project.open(project.root), "cam1")
            again.apply([Edit(img(0), "nose", (2, 2))])
            again.save()
    assert contents(home) == before


@needs_links
@pytest.mark.parametrize("name", [".dlcnb-journal-Ann.jsonl", ".dlcnb-journal-Ann.lock"])
@pytest.mark.parametrize("target", ["thesis.txt", "new.txt", "/dev/zero"])
def test_links_in_place_of_a_journal_or_a_lock(project, home, name, target):
    before = contents(home)
    (project.labeled_dir("cam1") / name).symlink_to(home / target)
    with pytest.raises(LabelError, match=r"expected an ordinary file at .*remove it|leads out of the project"):
        LabelStore(project, "cam1").apply([Edit(img(0), "hand", (1, 1))])
    assert contents(home) == before


@needs_links
@pytest.mark.parametrize(
    "name",
    [
        "backups/unfinished",
        "labeled-data/cam1/.dlcnb-journal-Ann.jsonl",
        "labeled-data/cam1/.dlcnb-journal-Ann.lock",
        "labeled-data/cam1/CollectedData_Ann.csv",
        "labeled-data/cam1/CollectedData_Ann.h5",
    ],
)
def test_pipes_in_place_of_files(project, name):
    store = LabelStore(project, "cam1")
    store.apply([Edit(img(0), "hand", (1, 1))])
    store.save()
    path = project.root / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(LabelError, match=f"expected an ordinary file at .*{path.name}, found a link, a pipe"):  # noqa: PT012
        again = LabelStore(project, "cam1")
        again.apply([Edit(img(0), "nose", (2, 2))])
        again.save()


# --- killed at every call that changes the disk


def state_of(root):
    """What all labels and the config say, whatever they are called by then."""
    project = Project.open(root)
    store = LabelStore(project, "cam1")
    points = {part: store.points[:, k].tolist() for k, part in enumerate(store.bodyparts)}
    return project.bodyparts, project.skeleton.edges, json.dumps(points), store.hidden.tolist(), store.states


CHANGES = {
    "reorder": lambda p: migrate.reorder_bodyparts(p, ["nose", "hand", "elbow"]),
    "remove": lambda p: migrate.remove_bodyparts(p, ["elbow"]),
}


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize(
    ("what", "edited", "step"),
    [("remove", False, 1), ("reorder", False, 2), ("reorder", True, 3)],
)
def test_killed_at_every_call_of_an_undo(project, tmp_path, what, edited, step):
    root = project.root
    store = LabelStore(project, "cam1")
    for k, part in enumerate(project.bodyparts):
        store.apply([Edit(img(0), part, (k + 0.5, k))])
    store.save()
    store.apply([Edit(img(3), "nose", (4, 4))])
    CHANGES[what](project)
    if edited:  # so that the opposite change is made
        LabelStore(project, "cam1").apply([Edit(img(6), "nose", (6, 6))])
    changed, kept = state_of(root), tmp_path / "kept"
    shutil.copytree(root, kept)
    migrate.undo_last(Project.open(root))
    undone, at = state_of(root), 1 - step
    while True:
        at += step
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        if not killed(lambda: migrate.undo_last(Project.open(root)), at):
            break
        if backups.unfinished(root) is None:
            if state_of(root) == changed:
                migrate.undo_last(Project.open(root))
        else:
            with pytest.raises(LabelError, match=r"was interrupted .*undo"):
                LabelStore(Project.open(root), "cam1")
            assert any("was interrupted" in finding.message for finding in doctor(root))
            migrate.undo_last(Project.open(root))
            if edited and state_of(root) == changed:  # the opposite change was taken back
                migrate.undo_last(Project.open(root))
        assert state_of(root) == undone, at
        with pytest.raises(LabelError, match="no change of"):
            migrate.undo_last(Project.open(root))
    assert at > 20
    assert state_of(root) == undone
