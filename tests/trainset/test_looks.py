"""dlcnb.trainset.looks: a painted paw tells left from right, light and noise do not."""

import numpy as np
import pytest
from PIL import Image

from dlcnb import sampledata
from dlcnb.labels import LabelError, read_image
from dlcnb.project import Project
from dlcnb.trainset import TrainConfig, TrainSet, mirror_order
from dlcnb.trainset.looks import colors_at, unlike_twins

NAMES = ("snout", "left paw", "right paw")
MIRROR = mirror_order(NAMES)


def test_the_colour_around_a_point_and_none_outside():
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:8, 10:13] = (200, 100, 50)
    points = np.array([(11.0, 6.0), (np.nan, np.nan), (29.0, 19.0), (-9.0, 4.0)])
    found = colors_at(image, points, 1.0)
    np.testing.assert_array_equal(found[[0, 2]], [(200, 100, 50), (0, 0, 0)])
    assert np.isnan(found[[1, 3]]).all()


def seen(n=20, paint=0.0, noise=10.0, seed=0):
    """Colours of both paws in frames of changing light; the left one is redder by ``paint``."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(60, 160, (n, 1, 1))
    found = light + rng.normal(0, noise, (n, 3, 3))
    found[:, 1, 0] += paint
    return found


@pytest.mark.parametrize("seed", range(20))
def test_light_and_noise_are_no_paint(seed):
    assert unlike_twins(seen(seed=seed, noise=40.0), MIRROR, NAMES) == ()
    assert unlike_twins(seen(seed=seed, n=3, noise=0.1, paint=90.0), MIRROR, NAMES) == ()  # too few to tell


@pytest.mark.parametrize("seed", range(20))
def test_paint_is_seen_in_any_light_and_where_a_paw_is_hidden_at_times(seed):
    found = seen(seed=seed, paint=90.0)
    found[::3, 2] = np.nan
    assert unlike_twins(found, MIRROR, NAMES) == ("left paw", "right paw")


def test_damaged_pixels_are_passed_over(tmp_path):
    project = sampledata.synthetic_project(tmp_path, n_label=20, arena=sampledata.Arena(seed=2, n_frames=120))
    made = TrainSet.from_project(project)
    path = project.root / made.images[0]
    data = bytearray(path.read_bytes())
    data[100:300] = bytes(200)
    path.write_bytes(bytes(data))
    with pytest.raises(LabelError):
        read_image(path)
    assert made.plan(TrainConfig(steps=1)).config.mirror


def test_an_animal_with_a_painted_ear_is_not_mirrored(tmp_path):
    project = sampledata.synthetic_project(tmp_path, n_label=20, arena=sampledata.Arena(seed=2, n_frames=120))
    plain = TrainSet.from_project(project)
    assert plain.plan(TrainConfig(steps=1)).config.mirror
    for name, points in zip(plain.images, plain.points, strict=True):
        image, (x, y) = read_image(project.root / name).copy(), np.round(points[1]).astype(int)
        image[max(y - 5, 0) : y + 6, max(x - 5, 0) : x + 6, 1] = 230
        Image.fromarray(image).save(project.root / name)
    made = TrainSet.from_project(Project.open(project.root)).plan(TrainConfig(steps=1))
    assert made.config.mirror is False
    assert "Frames are not mirrored: leftear and rightear have colours of their own." in made.decisions
    assert TrainSet.from_project(project).plan(TrainConfig(steps=1, mirror=True)).config.mirror
