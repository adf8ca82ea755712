"""Videos analyzed by several networks: the tables are those of each network put together, also after a stop."""

import json
import re
from contextlib import closing
from functools import cache

import numpy as np
import pytest
from support.commands import run as command
from support.networks import add_network, network_project
from support.projects import write_noise

from dlcnb import Poses, jobs
from dlcnb.jobs.analysis.plan import Settings
from dlcnb.jobs.events import EventLog, EventReader
from dlcnb.poses import combine, find_poses
from dlcnb.poses.spread import spread_path

pytestmark = pytest.mark.mxnet
FRAMES = 18


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with three networks of random weights; the second is a trial of an experiment."""
    project = network_project(tmp_path_factory.mktemp("ensemble"))
    trial = project.root / "dlcnb-experiments" / "folds" / "3-fold-0" / "train"
    trial.mkdir(parents=True)
    add_network(project, seed=5, run=trial)
    add_network(project, seed=6)
    return project


@pytest.fixture(scope="module")
def runs(project):
    return [*project.runs(), project.root / "dlcnb-experiments" / "folds" / "3-fold-0" / "train"]


@pytest.fixture(scope="module")
def load():
    """Loads a network, each once."""
    from dlcnb import Predictor

    return cache(Predictor)


@pytest.fixture(scope="module")
def networks(runs, load):
    from dlcnb.jobs.analysis.ensemble import Ensemble

    return Ensemble(runs, load)


@pytest.fixture(scope="module")
def expected(runs, load, tmp_path_factory):
    """(a video, what `combine` makes of the networks' poses of it)."""
    from dlcnb import predict_video

    video = write_noise(tmp_path_factory.mktemp("video") / "a.mp4", FRAMES, seed=1)
    found = [list(predict_video(load(run), video)) for run in runs]
    points = [np.concatenate([step.points for step in steps]) for steps in found]
    likelihood = [np.concatenate([step.likelihood for step in steps]) for steps in found]
    return video, combine(points, likelihood)


def analyze(networks, video, folder, stop=False, **settings):
    folder.mkdir(exist_ok=True)
    with closing(EventLog(folder)) as events:
        return networks.analyze(video, folder, Settings(part=8, **settings), events, stop)


def test_the_tables_are_the_median_and_the_spread_of_the_networks(networks, expected, tmp_path):
    video, (points, likelihood, px, count) = expected
    done = analyze(networks, video, tmp_path)
    assert networks.scorer == "DLC_Ensemble3_arena" + networks.scorer.split("arena")[1]
    assert (done["frames"], done["networks"], done["reused"]) == (FRAMES, 3, 0)
    found = Poses.read(done["output"])
    np.testing.assert_array_equal(found.points, points)
    np.testing.assert_array_equal(found.likelihood, likelihood)
    np.testing.assert_array_equal(found.spread.px, px)
    np.testing.assert_array_equal(found.spread.networks, count)
    assert (px > 0).any()
    assert not list(tmp_path.glob(".dlcnb-parts-*"))
    last = [e for e in EventReader(tmp_path).read() if e["event"] == "progress"][-1]
    assert (last["done"], last["total"]) == (FRAMES, FRAMES)
    again = analyze(networks, video, tmp_path)
    assert again["reused"] == FRAMES
    assert again["output"] == done["output"]
    spread_path(done["output"]).unlink()
    assert analyze(networks, video, tmp_path, stop=True) is None  # without the spread it is made again


def test_after_a_stop_it_goes_on_where_it_was(networks, expected, tmp_path):
    video, (points, *_) = expected
    assert analyze(networks, video, tmp_path, stop=True) is None
    assert not list(tmp_path.glob("*.h5"))
    done = analyze(networks, video, tmp_path)
    assert done["reused"] > 0
    np.testing.assert_array_equal(Poses.read(done["output"]).points, points)


def test_the_command_takes_shuffles(project, tmp_path):
    video = write_noise(tmp_path / "b.mp4", FRAMES, seed=2)
    line = ("analyze", project.root, video, "--ensemble", "1,2", "--engine", "fp32")
    assert "median of 2 networks" in command(*line).stdout
    output = find_poses(video)
    assert re.fullmatch(r"bDLC_Ensemble2_arena\w+shuffles1-2", output.stem)
    found = json.loads(command("outliers", project.root, video, "--how", "disagree", "--threshold", 0, "--dry-run",
                               "--json").stdout)  # fmt: skip
    assert found["found"] == (Poses.read(output).spread.px.max(axis=1) > 0).sum()
    smooth = json.loads(command("filter", project.root, video, "--method", "kalman", "--json").stdout)
    assert len(Poses.read(smooth["videos"][0]["output"])) == FRAMES


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"animals": 2}, "An ensemble and several animals don't go together"),
        ({"scheduler": "tcp://host:8786"}, "An ensemble and a cluster don't go together"),
        ({"score_maps": [1]}, "An ensemble and score-maps don't go together"),
        ({"snapshot": 77}, "No snapshot 77"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(project, runs, more, told):
    with pytest.raises(ValueError, match=told):
        jobs.start("analyze", project, videos=project.videos, ensemble=runs, **more)


def test_one_network_is_no_ensemble(project, runs):
    for few in (runs[:1], [runs[0], runs[0]]):
        with pytest.raises(ValueError, match="two or more networks, each once"):
            jobs.start("analyze", project, videos=project.videos, ensemble=few)
    assert "no run with shuffle 9" in command("analyze", project.root, "first", "--ensemble", "1,9", code=1).stderr


def test_networks_of_other_bodyparts_are_refused(project, runs, load):
    from dlcnb.jobs.analysis.ensemble import Ensemble
    from dlcnb.run import Run

    other = project.root / "dlcnb-experiments" / "parts" / "snout-0" / "train"
    other.mkdir(parents=True)
    project.config["bodyparts"] = ["snout", "ear"]
    add_network(project, run=other)
    assert Run(other).bodyparts == ("snout", "ear")
    with pytest.raises(ValueError, match=r"find the same bodyparts; .*snout, tail, .*snout, ear"):
        Ensemble([runs[0], other], load)
