"""dlcnb.trainset.plan: a recipe for the data at hand, whatever their pixels."""

import numpy as np
import pytest

from dlcnb import TrainConfig
from dlcnb.trainset import plan
from dlcnb.trainset.survey import directions, survey

NAMES = ["snout", "leftear", "rightear", "tailbase"]
MOUSE = np.array([[55.0, 0], [40, 7], [40, -7], [-60, 0]])


def _mice(rng, n=60, turn=np.pi, size=(480, 640)):
    """Labels of a mouse from above that roams, turned by up to ``turn`` radians: float (n, 4, 2)."""
    angle = rng.uniform(-turn, turn, n)
    turns = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(n, 2, 2)
    body = MOUSE + rng.normal(0, 2, (n, *MOUSE.shape))
    centre = rng.uniform(80, np.array(size[::-1]) - 80, (n, 1, 2))
    return np.einsum("nij,nkj->nki", turns, body) + centre


@pytest.fixture
def mice():
    return _mice(np.random.default_rng(0))


def _made(points, size, names=NAMES, **settings):
    return plan(TrainConfig(steps=1, **settings), names, points, [size] * len(points))


def _seen(made):
    """A recipe's lengths as the network sees them, which no resizing of frames may change."""
    config = made.config
    return config.radius * config.input_scale, config.crop_shape, config.batch_size, config.rotation, config.mirror


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_resized_frames_get_the_same_recipe(mice, factor):
    plain, resized = _made(mice, (480, 640)), _made(mice * factor, (int(480 * factor), int(640 * factor)))
    assert resized.config.input_scale * factor == pytest.approx(plain.config.input_scale, rel=0.06)
    for one, other in zip(_seen(resized), _seen(plain), strict=True):
        assert one == pytest.approx(other, rel=0.1)


def test_turned_and_mirrored_frames_get_the_same_recipe(mice):
    plain = _made(mice, (480, 640))
    turned = _made(np.stack([480 - mice[..., 1], mice[..., 0]], -1), (640, 480))
    flipped = _made((mice * [-1, 1] + [640, 0])[:, [0, 2, 1, 3]], (480, 640))
    assert _seen(turned) == _seen(plain) == _seen(flipped)


def test_a_wide_border_changes_nothing(mice):
    padded = _made(mice + 300, (1080, 1240))
    assert padded.config.input_scale == pytest.approx(_made(mice, (480, 640)).config.input_scale, rel=0.2)
    assert padded.config.crop_shape == _made(mice, (480, 640)).config.crop_shape


def test_an_animal_in_narrow_directions_is_turned_little():
    rng = np.random.default_rng(1)
    narrow = _made(_mice(rng, turn=0.1), (480, 640)).config
    assert (narrow.rotation, narrow.scale_jitter) == (5, (0.9, 1.1))
    assert _made(_mice(rng), (480, 640)).config.rotation == 180


def test_large_frames_are_shrunk_until_the_animal_fits():
    rng = np.random.default_rng(2)
    points = 15 * _mice(rng, turn=0.1, size=(160, 170))  # an animal of 1,700 px that fills its frames
    config = _made(points, (2400, 2550)).config
    animal = 1725 * config.input_scale
    assert 100 <= animal <= 320
    assert min(config.crop_shape) >= animal / 1.5
    assert config.radius * config.input_scale >= 8  # no smaller than a cell of the grid


def test_close_bodyparts_are_enlarged():
    rng = np.random.default_rng(3)
    points = rng.uniform(20, 170, (40, 1, 2)) + rng.uniform(-60, 60, (1, 32, 2)) + rng.normal(0, 3, (40, 32, 2))
    made = _made(points, (192, 192), [f"part{n}" for n in range(32)])
    assert made.config.input_scale > 1
    assert made.config.head_width == 128
    assert "apart" in made.decisions[0]


def test_what_is_given_stays(mice):
    settings = {
        "input_scale": 0.5,
        "crop_size": 128,
        "batch_size": 3,
        "radius": 17.0,
        "scale_jitter": (0.7, 1.2),
        "rotation": 25.0,
        "mirror": False,
        "head_width": 64,
    }
    made = _made(mice, (480, 640), **settings)
    assert made.decisions == ()
    assert all(getattr(made.config, name) == value for name, value in settings.items())


def test_the_papers_recipe_leaves_nothing_open(mice):
    config = TrainConfig.preset("paper", steps=10)
    made = plan(config, NAMES, mice, [(480, 640)] * len(mice))
    assert made.config == config
    assert made.decisions == ()


def test_rare_and_missing_bodyparts_are_named(mice):
    mice[3:, 1] = np.nan
    mice[:, 2] = np.nan
    warnings = " ".join(_made(mice, (480, 640)).warnings)
    assert "leftear (3)" in warnings
    assert "No frame to train on shows rightear" in warnings


@pytest.mark.parametrize("count", [1, 3])
def test_one_bodypart_and_one_frame_are_enough_for_a_recipe(count):
    points = np.random.default_rng(4).uniform(50, 400, (count, 1, 2))
    made = _made(points, (480, 640), ["nose"])
    assert made.config.crop_shape == (256, 256)
    assert not made.config.mirror or made.config.rotation
    assert any("one bodypart" in reason for reason in made.decisions)


def test_a_twin_that_is_never_labeled_is_no_reason_to_mirror_nor_to_warn(mice):
    mice[:, 2:] = np.nan
    assert not _made(mice, (480, 640)).config.mirror


def test_directions_are_those_of_the_body():
    rng = np.random.default_rng(5)
    angle = rng.uniform(-1, 1, 50)
    turns = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(50, 2, 2)
    points = np.einsum("nij,kj->nki", turns, MOUSE) * rng.uniform(0.5, 2, (50, 1, 1)) + 300
    found = directions(points)
    np.testing.assert_allclose(found - found.mean(), angle - angle.mean(), atol=1e-6)


def test_a_survey_does_not_change_its_input(mice):
    before = mice.copy()
    survey(mice, [(480, 640)] * len(mice), None)
    np.testing.assert_array_equal(mice, before)
