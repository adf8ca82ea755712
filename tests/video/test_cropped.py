"""A part of each frame of a video."""

import numpy as np
import pytest
from support.projects import write_noise

from dlcnb import VideoReader
from dlcnb.video import CroppedVideo


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_noise(tmp_path_factory.mktemp("video") / "a.mp4", 6)


def test_a_part_of_each_frame(video):
    with VideoReader(video) as reader:
        part = CroppedVideo(reader, (8, 40, 4, 30))
        assert (len(part), part.size, part.corner) == (6, (26, 32), (8, 4))
        for number, image in part.frames(2, 5):
            np.testing.assert_array_equal(image, reader.read(number)[4:30, 8:40])


def test_without_a_crop_it_is_all(video):
    with VideoReader(video) as reader:
        part = CroppedVideo(reader)
        assert (part.size, part.corner) == (reader.size, (0, 0))


@pytest.mark.parametrize("crop", [(0, 10_000, 0, 20), (5, 5, 0, 20), (-1, 5, 0, 20)])
def test_what_is_no_part_is_refused(video, crop):
    with VideoReader(video) as reader, pytest.raises(ValueError, match=r"is not a part of a\.mp4"):
        CroppedVideo(reader, crop)
