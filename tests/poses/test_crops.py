"""Poses that DeepLabCut found in a crop become those of the full frame, once, and its notes run nothing."""

import json
import os
import pickle

import numpy as np
import pytest
from ruamel.yaml.comments import CommentedMap

from dlcnb.poses import MultiAnimalPoses, Poses, part_looked_at

SCORER = "DLC_resnet50_reachMar5shuffle1_50000"
CROP = {"cropping": True, "cropping_parameters": [6, 90, 15, 70]}


def written(folder, suffix="", note=None, name=f"cam1{SCORER}"):
    """A table as DeepLabCut leaves it, with its note; the path."""
    poses = Poses(("hand",), SCORER, np.arange(6.0).reshape(3, 1, 2), np.full((3, 1), 0.5))
    path, _ = poses.write(folder / "cam1.mp4", suffix)
    (folder / f"{name}_meta.pickle").write_bytes(pickle.dumps({"data": {**CROP, **(note or {})}}))
    return path


@pytest.mark.parametrize("suffix", ["", "_filtered", "filtered"])
def test_points_in_a_crop_are_moved_to_the_full_frame(tmp_path, caplog, suffix):
    path = written(tmp_path, suffix)
    for table in (path, path.with_suffix(".csv")):
        read = Poses.read(table)
        np.testing.assert_array_equal(read.points, np.arange(6.0).reshape(3, 1, 2) + (6, 15))
        np.testing.assert_array_equal(read.likelihood, 0.5)
    assert "moved to the full frame" in caplog.text


@pytest.mark.parametrize("note", [{"cropping": False}, {"cropping": None}])
def test_points_of_whole_frames_stay(tmp_path, note):
    path = written(tmp_path, note=note)
    np.testing.assert_array_equal(Poses.read(path).points, np.arange(6.0).reshape(3, 1, 2))


def test_what_dlcnb_writes_beside_is_moved_once(tmp_path):
    read = Poses.read(written(tmp_path))
    filtered, _ = read.write(tmp_path / "cam1.mp4", "_filtered")
    again, _ = read.write(tmp_path / "cam1.mp4")
    for path in (filtered, again):
        np.testing.assert_array_equal(Poses.read(path).points, read.points)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ({"crop": [0, 640, 277, 480]}, (0, 640, 277, 480)),
        ({}, None),
        ({"crop": None}, None),
        ({"crop": [1, "a"]}, None),
    ],
)
def test_the_part_of_the_frames_is_that_of_the_table_or_of_the_one_it_was_filtered_from(tmp_path, key, part):
    assert part_looked_at(tmp_path / "a.h5") is None
    (tmp_path / "a_meta.json").write_text(json.dumps({"key": key}))
    (tmp_path / "a_filtered_meta.json").write_text('{"made": "median"}')
    assert part_looked_at(tmp_path / "a.h5") == part_looked_at(tmp_path / "a_filtered.h5") == part


def test_several_animals(tmp_path):
    points = np.arange(12.0).reshape(3, 2, 1, 2)
    poses = MultiAnimalPoses(("a", "b"), ("hand",), SCORER, points, np.ones((3, 2, 1)))
    path, _ = poses.write(tmp_path / f"cam1{SCORER}_el.h5")
    (tmp_path / f"cam1{SCORER}_meta.pickle").write_bytes(pickle.dumps({"data": CROP}))
    np.testing.assert_array_equal(MultiAnimalPoses.read(path).points, points + (6, 15))


def test_a_note_with_objects_is_read_without_them(tmp_path):
    note = {"pytorch-config": CommentedMap(a=[1]), "fps": np.float64(25), "sizes": np.arange(3)}
    assert Poses.read(written(tmp_path, note=note)).points[0, 0].tolist() == [6, 16]


class Evil:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_note_runs_nothing(tmp_path):
    path = written(tmp_path, note={"x": Evil(tmp_path / "made")})
    Poses.read(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("raw", [b"", b"no pickle", pickle.dumps([1]), pickle.dumps({"data": {"cropping": True}})])
def test_a_damaged_note_is_told(tmp_path, caplog, raw):
    path = written(tmp_path)
    (tmp_path / f"cam1{SCORER}_meta.pickle").write_bytes(raw)
    np.testing.assert_array_equal(Poses.read(path).points, np.arange(6.0).reshape(3, 1, 2))
    assert "if the analysis was cropped" in caplog.text
