"""The calibrated likelihood beside a snapshot: who takes it, and who the network's own."""

import numpy as np
import pytest
from support.networks import add_network
from support.projects import copy_of, write_noise

from dlcnb.evaluate import CalibratedLikelihood, animal_px, errors, fit_likelihood
from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Settings, network_key
from dlcnb.labels import Labels
from dlcnb.poses import read_poses
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
    images = Labels.read_project(project).images
    run.write_split({"train": images[:10], "validation": images[10:12], "test": images[12:]})
    return project


@pytest.fixture
def clip(tmp_path):
    return write_noise(tmp_path / "clip.mp4", 20, size=(288, 352))


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


@pytest.mark.parametrize("animals", [None, 2])
def test_tables_have_it_at_the_same_points(clip, predictors, tmp_path, animals):
    settings, found = Settings(animals=animals, part=16), []
    for name, predictor in zip(("calibrated", "raw"), predictors, strict=True):
        output = tmp_path / f"{name}{'' if animals is None else '_el'}.h5"
        analyze_video(predictor, clip, output, settings)
        found.append(read_poses(output))
    ours, theirs = found
    assert np.isfinite(theirs.likelihood).any()
    np.testing.assert_array_equal(ours.points, theirs.points)
    np.testing.assert_allclose(ours.likelihood, CURVE(theirs.likelihood), atol=1e-9)


def test_an_analysis_with_the_other_likelihood_is_another(clip, predictors, tmp_path):
    calibrated, raw = map(network_key, predictors)
    assert CalibratedLikelihood(**calibrated["likelihood"]) == CURVE
    assert "likelihood" not in raw
    output = tmp_path / "a.h5"
    first, again, other, back = (analyze_video(predictors[n], clip, output) for n in (0, 0, 1, 0))
    assert (first["reused"], again["reused"]) == (0, first["frames"])
    assert (other["reused"], other["replaced"]) == (0, "engine fp32, whole frames, calibrated likelihood")
    assert (back["reused"], back["replaced"]) == (0, "engine fp32, whole frames, raw likelihood")


@pytest.mark.parametrize("engine", ["fp32", "int8"])
def test_an_evaluation_has_it_at_the_same_points(project, engine):
    from dlcnb import backend

    ours, theirs = (backend.evaluate_run(project, engine=engine, raw_likelihood=raw) for raw in (False, True))
    np.testing.assert_array_equal(ours.predicted, theirs.predicted)
    np.testing.assert_array_equal(ours.likelihood, CURVE(theirs.likelihood))
    assert (ours.likelihood != theirs.likelihood).all()


def test_a_run_without_a_calibration_has_the_networks_own_likelihood(arena_project, predictors, tmp_path):
    from dlcnb import backend

    project = copy_of(arena_project, tmp_path)
    predictor = backend.Predictor(add_network(project, input_scale=0.25))
    assert predictor.likelihood is None
    with VideoReader(project.videos[0]) as reader:
        image = reader.read(0)
    np.testing.assert_array_equal(predictor.predict([image])[1], predictors[1].predict([image])[1])


def test_training_leaves_it_beside_the_snapshot(arena_project, tmp_path):
    from dlcnb import backend

    project = copy_of(arena_project, tmp_path)
    first = _trained(project, steps=6)
    _label_what_is_likely(project, backend.evaluate_run(project, first))
    run = _trained(project, steps=1, start_from=str(first), learning_rate=1e-9, average=0.0)
    found = backend.evaluate_run(project, run, raw_likelihood=True)
    held_out = np.isin(found.images, Run(run).split["validation"])
    distances = errors(found.labels, found.predicted)[held_out]
    expected = fit_likelihood(distances, found.likelihood[held_out], animal_px(found.labels))
    written = CalibratedLikelihood.read(Run(run).likelihood(1))
    assert (written.right, written.wrong) == (expected.right, expected.wrong)
    assert (written.slope, written.offset) == pytest.approx((expected.slope, expected.offset), rel=0.01)
    assert not list(first.glob("*.likelihood.json"))  # its validation frames had nothing right to learn from


def _trained(project, **settings):
    """Folder of a run that was trained shortly, with more validation frames than frames to learn from."""
    from dlcnb import TrainConfig, train

    parts = {"train_fraction": 0.9, "validation_fraction": 0.9}
    config = TrainConfig(crop_size=96, batch_size=2, input_scale=0.5, **parts, **settings)
    run = project.new_run(config.train_fraction)
    for _ in train(project, config, run=run):
        pass
    return run


def _label_what_is_likely(project, found):
    """Make the labels those points that a network holds for likelier than the others, and the rest not visible."""
    likely = found.likelihood > np.median(found.likelihood)
    likely |= found.likelihood == found.likelihood.max(axis=0)  # every bodypart shows somewhere
    points = np.where(likely[..., None], found.predicted, np.nan)
    Labels(found.bodyparts, project.scorer, found.images, points).write(project.labeled_dirs()[0])


def test_a_damaged_calibration_is_named(project, arena_project, tmp_path):
    from dlcnb import backend

    other = copy_of(arena_project, tmp_path)
    run = Run(add_network(other, input_scale=0.25))
    run.likelihood(run.steps[-1]).write_text("{")
    with pytest.raises(ValueError, match=r"likelihood\.json.*Delete it"):
        backend.Predictor(run)
