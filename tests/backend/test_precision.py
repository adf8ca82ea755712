"""Half precision: on a GPU where there is one; refused on a CPU."""

import subprocess
import sys

import pytest
from support.projects import copy_of

from dlcnb.trainset import TrainConfig

pytestmark = pytest.mark.mxnet
SMALL = {"crop_size": 64, "batch_size": 2, "input_scale": 0.5, "train_fraction": 0.75, "validation_fraction": 0.2}

SCRIPT = """
import sys
from dlcnb import Project, backend
from dlcnb.trainset import TrainConfig

project = Project.open(sys.argv[1])
where = {"device": "gpu(0)", "precision": sys.argv[2]}
config = TrainConfig(steps=20, crop_size=64, batch_size=2, input_scale=0.5, train_fraction=0.75, **where)
run = project.new_run(0.75)
losses = [step.loss for step in backend.train(project, config, run=run)]
stored = backend.mx.nd.load(str(run / "snapshot-20.params"))
print(losses[0], losses[-1], {str(array.dtype.__name__) for array in stored.values()})
"""


def test_fp16_on_a_cpu_is_refused_before_any_training(arena_project, tmp_path):
    from dlcnb import train

    config = TrainConfig(steps=1, precision="fp16", device="cpu", **SMALL)
    with pytest.raises(ValueError, match="fp32"):
        next(train(arena_project, config, run=tmp_path))


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_training_on_a_gpu(arena_project, tmp_path, precision):
    """In a process of its own: half precision stays on for good."""
    import shutil

    root = shutil.copytree(arena_project.root, tmp_path / "project", symlinks=True)
    line = [sys.executable, "-c", SCRIPT, str(root), precision]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    first, last, kinds = done.stdout.split(maxsplit=2)
    assert float(last) < float(first)
    assert kinds.strip() == "{'float32'}"


@pytest.mark.gpu
def test_a_gpu_finds_what_the_cpu_finds(arena_project, tmp_path):

    import numpy as np

    from dlcnb import Predictor, train

    project = copy_of(arena_project, tmp_path)
    run = project.new_run(0.75)
    assert list(train(project, TrainConfig(steps=4, device="gpu(0)", **SMALL), run=run))
    image = np.random.default_rng(0).integers(0, 255, (1, 120, 160, 3), np.uint8)
    scores = [Predictor(run, device=device).maps(image).arrays()[0] for device in ("cpu", "gpu(0)")]
    np.testing.assert_allclose(*scores, atol=1e-3)
