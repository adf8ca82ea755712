import cv2
import numpy as np
import pytest

from dlcnb.augment import Augmentation, halve
from dlcnb.trainset import mirror_order

PARTS = ("snout", "leftear", "rightear", "tailbase")


def dotted(points, size=(200, 260)):
    """An image with a soft bright dot at each point, and the dots' exact centres."""
    y, x = np.indices(size)
    spots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points]
    return np.repeat((200 * np.max(spots, 0))[..., None], 3, 2).astype(np.uint8)


def brightest(image):
    """Centre of the bright dot in an image, px."""
    grey = image[..., 0].astype(float) - np.median(image)
    grey[grey < 0.4 * grey.max()] = 0
    y, x = np.indices(grey.shape)
    return np.array([(x * grey).sum(), (y * grey).sum()]) / grey.sum()


@pytest.mark.parametrize("seed", range(25))
def test_the_dot_is_where_the_point_says(seed):
    point = np.array([[130.3, 91.8]])
    augment = Augmentation((128, 160), mirror=np.array([0]), anywhere=0.0)
    crop, moved = augment(dotted(point), point, np.random.default_rng(seed))
    assert crop.shape == (128, 160, 3)
    assert (moved > 8).all()
    assert (moved < (152, 120)).all()
    np.testing.assert_allclose(brightest(crop), moved[0], atol=0.75)


def test_mirroring_swaps_left_and_right():
    points = np.array([[130.0, 60.0], [110.0, 80.0], [150.0, 80.0], [130.0, 140.0]])
    augment = Augmentation((256, 256), rotation=0, mirror=mirror_order(PARTS))
    rng = np.random.default_rng(0)
    handedness = set()
    for _ in range(40):
        _, moved = augment(dotted(points), points, rng)
        left, right = moved[1] - moved[0], moved[2] - moved[0]
        handedness.add(np.sign(np.cross(np.append(left, 0), np.append(right, 0))[2]))
    assert len(handedness) == 1  # a mirrored left ear is still to the animal's left


def test_a_missing_point_stays_missing():
    points = np.array([[100.0, 80.0], [np.nan, np.nan]])
    _, moved = Augmentation()(dotted(points[:1]), points, np.random.default_rng(1))
    assert np.isfinite(moved[0]).all()
    assert np.isnan(moved[1]).all()


def test_a_frame_without_labels_gives_a_crop():
    crop, _ = Augmentation()(np.zeros((200, 260, 3), np.uint8), np.full((2, 2), np.nan), np.random.default_rng(0))
    assert crop.shape == (256, 256, 3)


def test_the_same_generator_gives_the_same_crop():
    point = np.array([[130.0, 90.0]])
    a, b = (Augmentation(noise=5)(dotted(point), point, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(a[1], b[1])


def test_nothing_is_changed_in_place():
    point = np.array([[130.0, 90.0]])
    image = dotted(point)
    before = image.copy(), point.copy()
    Augmentation(noise=5)(image, point, np.random.default_rng(4))
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(point, before[1])


@pytest.mark.parametrize(
    ("parts", "order"),
    [
        (PARTS, [0, 2, 1, 3]),
        (("snout", "leftear"), None),
        (("LeftPaw", "RightPaw"), [1, 0]),
        (("snout", "tailbase"), [0, 1]),
    ],
)
def test_mirror_order(parts, order):
    found = mirror_order(parts)
    assert (found is None) if order is None else (list(found) == order)


def test_brightness_changes_the_image_only():
    image = np.full((300, 300, 3), 120, np.uint8)
    crops = [Augmentation(anywhere=0)(image, np.array([[150.0, 150.0]]), np.random.default_rng(n))[0] for n in range(9)]
    centres = [int(np.median(c)) for c in crops]
    assert len(set(centres)) > 3
    assert cv2.countNonZero(crops[0][..., 0]) > 0


@pytest.mark.parametrize("size", [(800, 1040), (801, 1043)])
def test_a_frame_that_is_kept_halved_gives_the_same_crop(size):
    points = np.array([[400.3, 300.8], [700.0, 500.0], [np.nan, np.nan]])
    frame = dotted(points[:2] / 4, (size[0] // 4, size[1] // 4))
    frame = cv2.resize(frame, size[::-1], interpolation=cv2.INTER_CUBIC)
    augment = Augmentation((128, 160), 0.2, (0.8, 1.3), noise=2.0)
    assert augment.halvings == 2
    halved = halve(halve(frame))
    for seed in range(5):
        crop, moved = augment(frame, points, np.random.default_rng(seed))
        same, there = augment(halved, points, np.random.default_rng(seed), 2)
        np.testing.assert_allclose(there, moved, atol=0.5)  # an odd row and column are left out
        if size[0] % 4 == 0:
            np.testing.assert_array_equal(same, crop)


def test_frames_are_kept_whole_where_a_crop_may_need_their_pixels():
    assert Augmentation(input_scale=0.8, scale=(0.5, 1.5)).halvings == 0
    assert halve(np.full((1, 5, 3), 7, np.uint8)).shape == (1, 2, 3)
