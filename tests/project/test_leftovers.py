"""What a kill in the midst of writing leaves in a project: told and removed by doctor, and in nobody's way."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from support.commands import run
from support.kills import killed, needs_fork
from support.labeling import make_project
from support.projects import tree

from dlcnb import frames
from dlcnb.files import TEMPORARY, atomic_write
from dlcnb.labels.images import frame_images
from dlcnb.project import Project, doctor
from dlcnb.run import Run
from dlcnb.teaching import SUFFIX, gather

pytestmark = needs_fork


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path, ("m1",))


def left(folder):
    return sorted(folder.rglob(f"{TEMPORARY}*"))


def aged(path):
    """As it would be two hours later."""
    for each in (path, *path.rglob("*")):
        os.utime(each, (time.time() - 7200,) * 2, follow_symlinks=False)


def killed_in(write):
    """Die when the temporary file is written and not yet moved; by whichever call makes it durable."""
    assert killed(write, 1, ("fsync",))


def seen(project):
    """What is shown of a project: videos, frames, runs."""
    folders = project.labeled_dirs()
    return project.videos, folders, [frame_images(folder) for folder in folders], project.runs()


@pytest.mark.parametrize("name", ["config.yaml", "labeled-data/m1/img9.png", "videos/m9.mp4", "notes/deep/x.h5"])
def test_told_when_old_and_removed_and_seen_nowhere(project, name):
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    before, shown = tree(project.root), seen(project)
    killed_in(lambda: atomic_write(project.root / name, b"new"))
    (path,) = left(project.root)
    assert path.read_bytes() == b"new"
    assert [finding.level for finding in doctor(project.root, repair=True)] == ["ok"]  # it may be being written
    assert seen(Project.open(project.root)) == shown
    aged(path)
    (finding,) = doctor(project.root)
    assert str(path) in finding.message
    assert "leftover" in run("doctor", project.root).stdout
    (finding,) = doctor(project.root, repair=True)
    assert finding.repaired
    assert tree(project.root) == before


def test_extracting_goes_on_after_a_kill(project):
    for path in (project.root / "labeled-data" / "m1").glob("*.png"):
        path.unlink()
    extract = lambda: frames.extract(project, project.videos[0], range(6))  # noqa: E731
    assert killed(extract, 3, ("fsync",))
    extract()
    assert len(frame_images(project.root / "labeled-data" / "m1")) == 6


@contextmanager
def writing(path):
    """A process that is in the midst of writing a file, and stopped as by a computer's sleep."""
    code = (
        "import sys, time; from dlcnb.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary, open(temporary, 'wb') as file:\n"
        "    file.write(b'half'); file.flush(); print('now', flush=True); time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_what_a_paused_process_writes_is_left_to_it(project):
    with writing(project.root / "videos" / "m1_labeled.mp4") as process:
        (path,) = left(project.root)
        aged(path)
        assert [finding.level for finding in doctor(project.root, repair=True)] == ["ok"]
        assert path.exists()
        process.kill()
        process.wait()
    assert doctor(project.root, repair=True)[0].repaired
    assert not left(project.root)


def test_a_project_that_was_being_made_is_removed_and_waiting_uploads_are_not(project, tmp_path):
    made = tmp_path / "made"
    create = lambda: Project.create("t", "s", project.videos, ["a"], parent=made, copy_videos=True)  # noqa: E731
    made.mkdir()
    killed_in(create)
    half, uploads = left(made)[0], made / f"{TEMPORARY}uploads-ab12cd34"
    assert list((half / "videos").iterdir())
    uploads.mkdir()
    (uploads / "clip.mp4").write_bytes(b"clip")
    root = create().root
    for path in (half, uploads):
        aged(path)
    assert f"leftover temporary folder {half}" in doctor(root)[0].message
    assert doctor(root, repair=True)[0].repaired
    assert left(made) == [uploads]


def test_a_link_of_that_name_is_removed_and_nothing_behind_it(project, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("precious")
    link = project.root / f"{TEMPORARY}x"
    link.symlink_to(home)
    aged(link)
    doctor(project.root, repair=True)
    assert not link.is_symlink()
    assert (home / "thesis.txt").read_text() == "precious"


def test_half_made_projects_are_not_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("reach", f"{TEMPORARY}12345678-reach"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
    told = run("extract", "raech", code=2).stderr
    assert "there are: reach." in " ".join(told.split())


def test_half_a_hand_in_is_none(tmp_path):
    killed_in(lambda: atomic_write(tmp_path / f"maze-Ada{SUFFIX}", "{"))
    assert left(tmp_path)
    assert gather(tmp_path) == ([], [])


def test_a_training_that_goes_on_leaves_alone_what_others_write_in_its_folder(tmp_path):
    own, others = (tmp_path / f"{TEMPORARY}12345678-snapshot-20.{suffix}" for suffix in ("params", "openvino-int8.bin"))
    for path in (own, others):
        path.touch()
    Run(tmp_path).tidy()
    assert left(tmp_path) == [others]
