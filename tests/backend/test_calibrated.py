"""The calibrated likelihood beside a snapshot: who takes it, and who the network's own."""

import numpy as np
import pytest
from support.networks import add_network
from support.projects import copy_of

from dlcnb.evaluate import CalibratedLikelihood
from dlcnb.jobs.analysis.plan import network_key
from dlcnb.run import Run
from dlcnb.video import VideoReader

pytestmark = pytest.mark.mxnet

CURVE = CalibratedLikelihood(0.5, -0.7, 12.0, 40, 30)


@pytest.fixture(scope="module")
def project(arena_project, tmp_path_factory):
    """A project with a network of random weights that says what its likelihood is worth."""
    project = copy_of(arena_project, tmp_path_factory.mktemp("calibrated"))
    run = Run(add_network(project, input_scale=0.25))
    CURVE.write(run.likelihood(run.steps[-1]))
    return project


@pytest.fixture(scope="module")
def predictors(project):
    from dlcnb import backend

    run = project.last_run()
    return backend.Predictor(run), backend.Predictor(run, raw_likelihood=True)


def _joined(steps):
    """(points, likelihood) of all steps."""
    steps = list(steps)
    return tuple(np.concatenate([getattr(step, name) for step in steps]) for name in ("points", "likelihood"))


def test_images_and_video_have_the_calibrated_likelihood_at_the_same_points(project, predictors):
    from dlcnb import backend

    calibrated, raw = predictors
    with VideoReader(project.videos[0]) as reader:
        images = [reader.read(i) for i in range(2)]
        for options in ({}, {"dynamic": (0.5, 10)}):
            ours, theirs = (_joined(backend.predict_video(p, reader, stop=3, **options)) for p in predictors)
            np.testing.assert_array_equal(ours[0], theirs[0])
            np.testing.assert_array_equal(ours[1], CURVE(theirs[1]))
    np.testing.assert_array_equal(calibrated.predict(images)[1], CURVE(raw.predict(images)[1]))


def test_several_animals_are_found_by_the_networks_own_likelihood(project, predictors):
    from dlcnb import backend

    with VideoReader(project.videos[0]) as reader:
        one, two = (next(backend.predict_video(p, reader, stop=1, batch=1, animals=2)) for p in predictors)
    np.testing.assert_array_equal(one.likelihood, two.likelihood)


def test_an_analysis_with_the_other_likelihood_is_another(predictors):
    calibrated, raw = map(network_key, predictors)
    assert calibrated["likelihood"] == [CURVE.slope, CURVE.offset]
    assert "likelihood" not in raw


def test_a_damaged_calibration_is_named(project, arena_project, tmp_path):
    from dlcnb import backend

    other = copy_of(arena_project, tmp_path)
    run = Run(add_network(other, input_scale=0.25))
    run.likelihood(run.steps[-1]).write_text("{")
    with pytest.raises(ValueError, match=r"likelihood\.json.*Delete it"):
        backend.Predictor(run)
