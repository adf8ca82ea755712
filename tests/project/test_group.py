"""A project in a folder that a group shares: what one account makes, the other can change, whatever its umask."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from support.kills import ended, forked
from support.projects import write_noise

from dlcnb import frames
from dlcnb.labels import Edit, LabelStore, doctor, migrate
from dlcnb.project import Project

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs accounts")

GROUP = 54321
GROUP_MAY = stat.S_IRGRP | stat.S_IWGRP


@pytest.fixture
def home():
    """A folder that a group shares; pytest's own are closed to other accounts."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(folder, -1, GROUP)
    folder.chmod(0o2775)
    yield folder
    shutil.rmtree(folder)


def as_account(number, work):
    """Do something in a process of another account of the group, with the usual umask; an error fails the test."""

    def as_they() -> None:
        os.umask(0o022)
        if number is not None:
            os.setgroups([GROUP])
            os.setgid(number)
            os.setuid(number)
        work()

    assert ended(forked(as_they)) == 0


def label(folder, part, x):
    store = LabelStore(Project.open(folder / "p"), "cam1")
    store.apply([Edit(image, part, (x, 1)) for image in store.images])
    store.save()


def begin(folder):
    video = write_noise(folder / "cam1.mp4", 6)
    project = Project.create("p", "Ann", [video], ["hand", "nose"], parent=folder, folder="p", copy_videos=True)
    frames.extract(project, video, [0, 3])
    label(folder, "hand", 1)
    migrate.add_bodyparts(project, ["ear"])
    project.new_run(0.8)


def test_all_that_is_made_there_is_the_groups(home):
    as_account(None, lambda: begin(home))
    for path in (home / "p", *(home / "p").rglob("*")):
        assert path.stat().st_mode & GROUP_MAY == GROUP_MAY, path
        assert path.stat().st_gid == home.stat().st_gid


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be two accounts")
def test_two_accounts_label_by_turns(home, tmp_path):
    turns = [
        (1001, begin),
        (1002, lambda folder: label(folder, "nose", 2)),
        (1001, lambda folder: label(folder, "hand", 3)),
        (1002, lambda folder: migrate.rename_bodypart(Project.open(folder / "p"), "ear", "left ear")),
        (1002, lambda folder: frames.extract(Project.open(folder / "p"), "cam1", [5])),
    ]
    for _, turn in turns:
        turn(tmp_path)  # loads what the accounts may not read, should Python be installed for root only
    for number, turn in turns:
        as_account(number, lambda turn=turn: turn(home))
    store = LabelStore(Project.open(home / "p"), "cam1")
    assert store.points[:2, :2, 0].tolist() == [[3, 2]] * 2
    assert store.bodyparts == ("hand", "nose", "left ear")
    assert len(store.images) == 3


def test_doctor_tells_what_the_group_cannot_write(home):
    as_account(None, lambda: begin(home))
    assert not [finding for finding in doctor(home / "p") if "owner only" in finding.message]
    table = next((home / "p").rglob("CollectedData*.csv"))
    table.chmod(0o644)
    (finding,) = [finding for finding in doctor(home / "p") if "owner only" in finding.message]
    assert str(table) in finding.message
    doctor(home / "p", repair=True)
    assert table.stat().st_mode & GROUP_MAY == GROUP_MAY


def test_elsewhere_the_umask_holds(home):
    home.chmod(0o755)
    as_account(None, lambda: begin(home))
    assert not [path for path in (home / "p").rglob("*") if path.stat().st_mode & stat.S_IWGRP]
