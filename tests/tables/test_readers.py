"""Other programs' readers on the tables written here. ``movement`` wants NumPy 2: it is in that environment only."""

import shutil

import numpy as np
import pytest

from dlcnb.labels import Labels
from dlcnb.poses import Poses

load_poses = pytest.importorskip("movement.io.load_poses")

PARTS = ("hand", "elbow")


def space_parts(values):
    """Points ``(n, K, 2)`` as movement keeps them: ``(n, 2, K)``."""
    return np.moveaxis(values, 1, 2)


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_poses(tmp_path, suffix):
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 700, (5, 2, 2))
    points[2, 1] = np.nan
    likelihood = rng.uniform(size=(5, 2))
    Poses(PARTS, "DLC_Net_reachMar5shuffle1_snapshot_9", points, likelihood).write(tmp_path / "cam1.mp4")
    (table,) = tmp_path.glob(f"cam1*{suffix}")
    found = load_poses.from_dlc_file(table, fps=None)
    assert tuple(found.keypoint.values) == PARTS
    np.testing.assert_allclose(found.position.values[..., 0], space_parts(points), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.confidence.values[..., 0], likelihood, rtol=0, atol=1e-9)


def test_the_labels_of_the_real_mouse(openfield_root, tmp_path):
    """The h5: in a csv movement expects a video's frame numbers, and refuses DeepLabCut's own tables of labels."""
    original = openfield_root / "labeled-data" / "m4s1"
    folder = tmp_path / "labeled-data" / "m4s1"
    folder.mkdir(parents=True)
    shutil.copy(original / "CollectedData_Pranav.csv", folder)
    labels = Labels.read(folder, "Pranav")
    labels.write(folder)
    found = load_poses.from_dlc_file(folder / "CollectedData_Pranav.h5", fps=None)
    assert tuple(found.keypoint.values) == labels.bodyparts
    np.testing.assert_allclose(found.position.values[..., 0], space_parts(labels.points), rtol=0, atol=1e-9)
