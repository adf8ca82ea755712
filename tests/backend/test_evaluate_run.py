"""Which frames a run is judged by: those of its split, and none that were labeled since."""

import numpy as np
import pytest
from support.networks import add_network
from support.projects import copy_of

from dlcnb.labels import Labels
from dlcnb.project import ProjectError
from dlcnb.run import Run

pytestmark = pytest.mark.mxnet


def test_frames_labeled_since_the_training_are_no_test_frames(arena_project, tmp_path):
    from dlcnb import backend

    project = copy_of(arena_project, tmp_path)
    run = Run(add_network(project, input_scale=0.25))
    images = Labels.read_project(project).images
    run.write_split({"train": images[:2], "validation": images[2:3], "test": images[3:4]})
    seen, told = [], []
    found = backend.evaluate_run(
        project, run, on_maps=lambda name, *_: seen.append(name), on_frame=lambda *how_far: told.append(how_far)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert list(found.images) == seen == list(images[:4])
    np.testing.assert_array_equal(found.is_test, [False, False, False, True])
    assert found.labeled_since == len(images) - 4
    run.write_split({"train": ["labeled-data/gone/img0.png"], "validation": [], "test": []})
    with pytest.raises(ProjectError, match=f"None of the {len(images)} labeled frames .* train again"):
        backend.evaluate_run(project, run)
