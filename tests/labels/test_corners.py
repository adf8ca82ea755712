"""Labeled images that are crops of their video, as DeepLabCut extracts them: labels count from the crop's corner."""

import cv2
import numpy as np
import pytest
from support.labeling import make_project

from dlcnb import exchange, frames
from dlcnb.labels import Labels, frame_images, image_size
from dlcnb.labels.corners import common_crop, image_corners
from dlcnb.outliers import extract, suggestions
from dlcnb.poses import Poses
from dlcnb.project import Project

X1, X2, Y1, Y2 = CROP = (10, 90, 20, 70)


@pytest.fixture
def folder(tmp_path):
    """Six extracted frames of 128 × 96 px, of which the first four are cut to the crop in config.yaml."""
    project = Project.open(make_project(tmp_path, videos=("m1",)).root)
    project.set_crop("m1", CROP)
    folder = project.labeled_dir("m1")
    for name in frame_images(folder)[:4]:
        cut(folder / name)
    return folder


@pytest.fixture
def project(folder):
    return Project.open(folder.parents[1])


def cut(path, box=CROP):
    x1, x2, y1, y2 = box
    cv2.imwrite(str(path), cv2.imread(str(path))[y1:y2, x1:x2])


def only_crops(folder):
    for name in frame_images(folder)[4:]:
        (folder / name).unlink()


def labels_of(project, images):
    points = np.full((len(images), len(project.bodyparts), 2), 5.0)
    return Labels(project.bodyparts, "ada", [f"labeled-data/m1/{image}" for image in images], points)


def test_each_image_has_the_corner_that_its_size_tells(project, folder):
    cut(folder / "img3.png", (0, 7, 0, 7))
    corners = image_corners(project, folder, ["img0.png", "img3.png", "img4.png"])
    np.testing.assert_array_equal(corners, [(X1, Y1), (np.nan, np.nan), (0, 0)])


def test_an_image_that_is_gone_counts_as_the_others(project, folder):
    only_crops(folder)
    np.testing.assert_array_equal(image_corners(project, folder, ["img0.png", "gone.png"])[1], (X1, Y1))


def test_frames_are_cut_as_those_that_are_there(project, folder, caplog):
    only_crops(folder)
    assert common_crop(project, folder) == CROP
    (image,) = frames.extract(project, "m1", [5])
    assert image_size(image) == (Y2 - Y1, X2 - X1)
    assert "frames are cut to x 10 to 90, y 20 to 70" in caplog.text


def test_frames_are_whole_where_any_is(project, folder):
    assert common_crop(project, folder) is None
    (folder / "img5.png").unlink()
    (image,) = frames.extract(project, "m1", [5])
    assert image_size(image) == (96, 128)


def test_what_the_network_says_of_a_crop_counts_from_its_corner(project, folder):
    points = np.full((6, 4, 2), 50.0)
    extract(project, "m1", Poses(project.bodyparts, "DLC_net", points, np.ones((6, 4))), [1, 5])
    _, offered = suggestions(project, "m1")
    np.testing.assert_array_equal(offered["labeled-data/m1/img1.png"][0, :2], (50 - X1, 50 - Y1))
    np.testing.assert_array_equal(offered["labeled-data/m1/img5.png"][0, :2], (50, 50))


def test_exported_labels_are_those_of_the_full_frame(project, tmp_path):
    sleap_io = pytest.importorskip("sleap_io", reason="the extra 'sleap' is not installed")
    path = exchange.write_labels("slp", tmp_path / "a.slp", labels_of(project, ["img2.png", "img4.png"]), project)
    found = {frame.frame_idx: frame.numpy()[0, 0].tolist() for frame in sleap_io.load_slp(str(path), open_videos=False)}
    assert found == {2: [5 + X1, 5 + Y1], 4: [5, 5]}


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("img3.png", "has neither the size of the video m1 nor that of its crop"),
        ("img17.png", "has labels of frame 17, the video m1 has 6 frames"),
        ("frame3.png", "expected the name of an extracted frame such as img0012.png"),
    ],
)
def test_an_image_that_is_no_frame_of_the_video_stands_for_itself(project, folder, image, why, caplog):
    (folder / "img3.png").rename(folder / image)
    cut(folder / image, (0, 7, 0, 7))
    (video, rows, numbers) = exchange.source_frames(labels_of(project, ["img4.png", image]), project)["m1"]
    assert video is None
    assert (rows.tolist(), numbers.tolist()) == ([0, 1], [0, 1])
    assert why in caplog.text
