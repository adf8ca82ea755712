"""What widgets say names steps and buttons of Studio; commands are for terminals."""

import re

import numpy as np
import pytest

from dlcnb import sampledata
from dlcnb.evaluate import Evaluation
from dlcnb.outliers import merge
from dlcnb.poses import Poses
from dlcnb.poses.single import newest_poses
from dlcnb.project import Project
from dlcnb.project.scale import needed_scale
from dlcnb.sampledata import Arena
from dlcnb.widgets.base.advice import PLACES, in_studio
from dlcnb.widgets.base.html import notice
from dlcnb.widgets.trajectories.state import TrajectoryState
from dlcnb.zones import read_zones

CODE = re.compile(r"dlcnb [a-z]|--[a-z]|Project\.|[a-z]_[a-z]+=")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return sampledata.synthetic_project(tmp_path_factory.mktemp("my videos"), n_label=2, arena=Arena(n_frames=4))


def in_px():
    return TrajectoryState(Poses(("a",), "s", np.zeros((9, 1, 2)), np.ones((9, 1))), np.arange(9))


@pytest.mark.parametrize("command", PLACES)
@pytest.mark.parametrize("rest", ["", " '/data/my project'", " /data/p clip --px-per-cm N", ' "C:\\my p" --copy-from'])
def test_a_command_with_all_that_belongs_to_it_is_a_place(command, rest):
    said = in_studio(f"Nothing is there yet; make it first (dlcnb {command}{rest}), then come back.")
    assert said == f"Nothing is there yet; make it first ({PLACES[command]}), then come back."


def test_what_studio_has_nothing_for_stays():
    for text in ("take its row out (in a terminal: dlcnb doctor --repair)", "dlcnb did not write it; remove it",
                 "Analyze it with an ensemble (in a terminal: dlcnb analyze --ensemble)."):  # fmt: skip
        assert in_studio(text) == text


@pytest.mark.parametrize(
    "fails",
    [
        lambda p: p.last_run(),
        lambda p: Project.create("t", "me", [], p.bodyparts, parent=p.root.parent, folder=p.root.name),
        lambda p: newest_poses(p.videos[0]),
        lambda p: needed_scale(p, p.videos[0]),
        lambda p: read_zones(p, p.videos[0], (240, 320)),
        lambda p: merge(p),
        lambda p: setattr(in_px(), "length", "cm"),
        lambda p: Evaluation.read(p.root / "nothing"),
    ],
)  # fmt: skip
def test_errors_that_reach_studio_speak_of_no_code(project, fails):
    with pytest.raises(Exception) as failed:
        fails(project)
    said = notice(str(failed.value), "error")
    assert CODE.search(str(failed.value)), "it does not try anything"
    assert not CODE.search(said), said
