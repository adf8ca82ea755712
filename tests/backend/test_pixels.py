"""Nothing about the pixels matters but what they show: other copies of the same frames are trained on alike.

`benchmarks/animals.py --pixels` trains on such copies of the real mouse; here no network is trained: what it would
see is compared.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dlcnb import Project, TrainConfig
from dlcnb.trainset import TrainSet

pytestmark = pytest.mark.mxnet
SETTINGS = {"steps": 1, "anywhere": 0.0, "brightness": 0.0}  # crops around bodyparts alone: a border is background


@pytest.fixture(scope="module")
def animals():
    """The benchmark, which makes the copies."""
    path = Path(__file__).parents[2] / "benchmarks" / "animals.py"
    spec = importlib.util.spec_from_file_location("animals", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _seen(project):
    """(the recipe's configuration, crops and points of some frames as the network sees them)."""
    data = TrainSet.from_project(project)
    config = data.plan(TrainConfig(**SETTINGS)).config
    augment = data.augmentation(config)
    drawn = [augment(data.image(n), data.points[n], np.random.default_rng(n)) for n in range(5)]
    return config, np.stack([image for image, _ in drawn]), np.stack([points for _, points in drawn])


@pytest.fixture(scope="module")
def plain(arena_project):
    return _seen(arena_project)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("half", 0.5), ("four times", 4), ("border", 1), ("renamed", 1), ("turned", None), ("mirrored", None)],
)
def test_copies_are_trained_on_alike(animals, arena_project, plain, tmp_path, name, factor):
    copy = Project.open(animals.copied(arena_project, tmp_path, **animals.variants(arena_project)[name]))
    config, crops, points = _seen(copy)
    expected, pixels, places = plain
    for setting in ("crop_size", "batch_size", "scale_jitter", "rotation", "mirror", "head_width"):
        assert getattr(config, setting) == getattr(expected, setting), setting
    assert config.radius * config.seen_at == pytest.approx(expected.radius * expected.seen_at, rel=0.05)
    if factor is None:  # the same random numbers turn these otherwise
        return
    assert config.input_scale * factor == pytest.approx(expected.input_scale, rel=0.03)
    assert np.nanmax(np.abs(points - places)) < 0.03 * np.ptp(places, axis=1).max()
    assert np.abs(crops.astype(float) - pixels).mean() < 0.15 * pixels.std()
