"""A small project with ten extracted frames, and the real one to change."""

import shutil

import pytest
from PIL import Image

from dlcnb.project import Project

CONFIG = (
    "Task: reach\nscorer: Ann\ndate: Mar5\nvideo_sets:\nbodyparts: [hand, elbow, nose]\nskeleton: [[hand, elbow]]\n"
)


@pytest.fixture
def project(tmp_path):
    """Ten black frames of 'cam1', nobody labeled anything."""
    folder = tmp_path / "reach" / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    (tmp_path / "reach" / "config.yaml").write_text(CONFIG)
    for n in range(10):
        Image.new("RGB", (64, 48)).save(folder / f"img{3 * n:02}.png")
    return Project.open(tmp_path / "reach")


@pytest.fixture
def openfield(openfield_root, tmp_path):
    """The real project, without its videos, to be changed."""
    root = tmp_path / openfield_root.name
    shutil.copytree(openfield_root, root, ignore=shutil.ignore_patterns("videos", "*.mp4", "*.png"))
    for image in (openfield_root / "labeled-data" / "m4s1").glob("*.png"):
        (root / "labeled-data" / "m4s1" / image.name).symlink_to(image)
    return Project.open(root)
