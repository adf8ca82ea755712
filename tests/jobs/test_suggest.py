"""The job "suggest": a worker predicts extracted frames, a labeling session is offered what it found."""

import json

import numpy as np
import pytest
from support.networks import add_network

from dlcnb import frames, jobs, sampledata
from dlcnb.sampledata import Arena

TIMEOUT = 120


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A labeled project with five more frames to label, and a network of random weights."""
    parent = tmp_path_factory.mktemp("suggest")
    made = sampledata.synthetic_project(parent, n_label=6, arena=Arena(n_frames=40, size=(120, 160)))
    add_network(made)
    labeled = {path.name for path in made.labeled_dirs()[0].glob("*.png")}
    new = [i for i in range(40) if f"img{i:02d}.png" not in labeled][:5]
    frames.extract(made, made.videos[0], new)
    made.new = [f"labeled-data/arena/img{i:02d}.png" for i in new]
    return made


@pytest.mark.mxnet
@pytest.mark.slow
class TestWork:
    def test_every_image_is_predicted_and_a_damaged_one_is_told(self, project):
        damaged = project.root / "labeled-data/arena/img99.png"
        damaged.write_bytes(b"no image")
        job = jobs.start("suggest", project, images=[*project.new, "labeled-data/arena/img99.png"])
        assert job.wait(TIMEOUT) == "done", job.error
        damaged.unlink()
        assert job.result["images"] == len(project.new)
        assert "damaged" in job.result["failed"][0]["message"]
        parts = ("tailbase", "snout", "tailtip")
        snapshot, found = jobs.read_suggestions(job.folder, parts)
        assert snapshot == "snapshot-1"
        assert list(found) == project.new
        for values in found.values():
            assert values.shape == (3, 3)
            assert np.isfinite(values[:2]).all()
            assert np.isnan(values[2]).all()
            assert ((values[:2, 2] >= 0) & (values[:2, 2] <= 1)).all()

    def test_the_labeler_offers_them(self, project):
        from dlcnb.widgets import Labeler

        labeler = Labeler(project, suggestions="best")
        labeler.suggester.wait(TIMEOUT)
        assert labeler.session.snapshot == "snapshot-1"
        left = "{} frames have points that the network suggests, to be checked"
        assert labeler.suggester.text.value == left.format(len(project.new))
        labeler.go_to(project.new[2])
        labeler.session.accept()
        assert labeler.session.store().origin(project.new[2], "snout") == "suggestion snapshot-1"
        for _ in range(2):  # the first time it asks, as a bodypart is open
            labeler.session.finish()
        assert labeler.suggester.text.value == left.format(len(project.new) - 1)
        labeler.close()


def test_only_extracted_frames_are_predicted(tmp_path):
    made = sampledata.synthetic_project(tmp_path, n_label=2, arena=Arena(n_frames=4, size=(96, 128)))
    run = made.new_run(0.95)
    for images, text in (([], "No images"), (["../config.yaml"], "expected an extracted frame")):
        with pytest.raises(ValueError, match=text):
            jobs.start("suggest", made, images=images, run=run)


def test_nothing_found_yet_is_nothing(tmp_path):
    assert jobs.read_suggestions(tmp_path, ("snout",)) == ("", {})
    content = {"snapshot": "snapshot-1", "bodyparts": ["snout"], "images": {"a.png": [[None, 2, 0.5]]}}
    (tmp_path / "suggestions.json").write_text(json.dumps(content))
    _, found = jobs.read_suggestions(tmp_path, ("snout",))
    np.testing.assert_array_equal(found["a.png"], [[np.nan, 2, 0.5]])
