"""What the tests of the labeler share."""

import shutil

import pytest
from support.labeling import make_project

from dlcnb.project import Project


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Folder of a project with extracted frames; to be read only."""
    return make_project(tmp_path_factory.mktemp("original")).root


@pytest.fixture
def project(original, tmp_path):
    """A copy of it, to write to."""
    return Project.open(shutil.copytree(original, tmp_path / original.name, symlinks=True))
