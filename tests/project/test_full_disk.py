"""A disk that is full while a scale, zones or what a likelihood is worth are written: the old ones stay, it is said."""

import os
import shutil
from contextlib import suppress

import numpy as np
import pytest

from dlcnb.evaluate import CalibratedLikelihood
from dlcnb.files import TEMPORARY, make_folder
from dlcnb.project import Project, Scale, scale_of, set_scale
from dlcnb.video import VideoWriter
from dlcnb.zones import Zone, ZoneFile, zones_path

SIZE = (48, 64)
FULL = r"cannot write .*: the disk is full"


def square(left):
    return Zone("arm", "polygon", ((left, 5), (left + 20, 5), (left + 20, 40)))


@pytest.fixture
def project(tmp_path, mounted):
    """A project with a scale, zones and a likelihood, on a disk that is full since."""
    with VideoWriter(tmp_path / "a.mp4", SIZE, 25) as writer:
        writer.write(np.zeros((*SIZE, 3), np.uint8))
    made = Project.create("maze", "ada", [tmp_path / "a.mp4"], ["nose"], parent=tmp_path, copy_videos=True)
    with mounted(tmp_path / "small", "size=256k") as disk:
        shutil.copytree(made.root, disk / "maze")
        yield Project.open(disk / "maze")


def fill(project):
    with suppress(OSError), open(project.root.parent / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def untouched(project, write, path):
    """That ``write`` says the disk is full, and leaves the file as it was and nothing beside it."""
    before = path.read_bytes() if path.exists() else None
    fill(project)
    with pytest.raises(OSError, match=FULL):
        write()
    assert (path.read_bytes() if path.exists() else None) == before
    assert not list(project.root.rglob(f"{TEMPORARY}*"))
    os.unlink(project.root.parent / "filler")
    write()
    assert path.read_bytes() != before


def test_a_scale(project):
    set_scale(project, Scale.by_number(4))
    untouched(project, lambda: set_scale(project, Scale.by_number(5)), project.root / "scale.json")
    assert scale_of(project, "a") == Scale.by_number(5)


def test_the_first_scale(project):
    untouched(project, lambda: set_scale(project, Scale.by_number(5)), project.root / "scale.json")


def test_zones(project):
    path = zones_path(project, "a")
    file = ZoneFile(path, SIZE)
    file.write([square(5)])
    untouched(project, lambda: file.write([square(9)]), path)
    assert ZoneFile(path, SIZE).read() == (square(9),)


def test_the_first_zones_and_their_folder(project):
    path = zones_path(project, "a")
    untouched(project, lambda: ZoneFile(path, SIZE).write([square(5)]), path)


def test_what_a_likelihood_is_worth(project):
    path = project.root / "snapshot-1.likelihood.json"
    CalibratedLikelihood(1.0, 0.5, 4.0, 20, 20).write(path)
    other = CalibratedLikelihood(2.0, 0.5, 4.0, 20, 20)
    untouched(project, lambda: other.write(path), path)
    assert CalibratedLikelihood.read(path) == other


@pytest.mark.parametrize("inside", ["", "sub/folder"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path, inside):
    (tmp_path / "taken").write_bytes(b"mine")
    with pytest.raises(OSError, match=r"cannot make the folder .*taken.*there is a file"):
        make_folder(tmp_path / "taken" / inside)
    assert (tmp_path / "taken").read_bytes() == b"mine"
