"""Which labeled frames are worth a second look, on the real labels with faults put in."""

import numpy as np
import pytest

from dlcnb.labels import Labels, rank_labels, rank_project


@pytest.fixture(scope="module")
def real(openfield_root):
    from dlcnb.project import Project

    return Labels.read_project(Project.open(openfield_root))


def with_points(labels, points):
    return Labels(labels.bodyparts, labels.scorer, labels.images, points)


def test_every_labeled_frame_once_in_order(real):
    found = rank_labels(real)
    assert sorted(s.image for s in found) == sorted(real.images)
    scores = [s.score for s in found]
    assert scores == sorted(scores, reverse=True)


def test_the_experts_swapped_ears_are_found(openfield_root):
    """In frame 102 of the open-field set the ears are given to the wrong sides; nothing else is that odd."""
    from dlcnb.project import Project

    first, *others = rank_project(Project.open(openfield_root))
    assert first.image.endswith("img0102.png")
    assert first.reasons == ("leftear and rightear look swapped",)
    assert not any(s.reasons for s in others)


def test_swapped_bodyparts_are_named(real):
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(30):
        points, t = real.points.copy(), rng.integers(len(real))
        pair = sorted(rng.choice(4, 2, replace=False))
        points[t, pair] = points[t, pair[::-1]]
        found = rank_labels(with_points(real, points))[:3]
        parts = tuple(real.bodyparts[k] for k in pair)
        named += any(s.image == real.images[t] and s.bodyparts == parts for s in found)
    assert named >= 27


def test_slipped_points_come_first(real):
    rng = np.random.default_rng(2)
    first = 0
    for _ in range(30):
        points, t, k = real.points.copy(), rng.integers(len(real)), rng.integers(4)
        angle = rng.uniform(0, 2 * np.pi)
        points[t, k] += 60 * np.array([np.cos(angle), np.sin(angle)])
        first += real.images[t] in [s.image for s in rank_labels(with_points(real, points))[:4]]
    assert first >= 26


def test_outside_the_image(real):
    points = real.points.copy()
    points[4, 1] = 640.2, 3
    size = (480, 640)
    worst = rank_labels(with_points(real, points), size)[0]
    assert worst.image == real.images[4]
    assert worst.reasons[0] == "leftear lies outside the image"
    assert not any("outside" in r for s in rank_labels(real, size) for r in s.reasons)
    edge = real.points.copy()
    edge[:, :] = 639.4, 479.4
    assert not any("outside" in r for s in rank_labels(with_points(real, edge), size) for r in s.reasons)


@pytest.mark.parametrize("shape", [(0, 3), (3, 3), (40, 1), (40, 2)])
def test_few_frames_or_bodyparts(shape):
    points = np.random.default_rng(0).uniform(0, 100, (*shape, 2))
    points[: shape[0] // 2, 0] = np.nan
    labels = Labels("abc"[: shape[1]], "Ann", [f"labeled-data/v/img{t}.png" for t in range(shape[0])], points)
    found = rank_labels(labels)
    assert len(found) == int((~np.isnan(points).all((1, 2))).sum())
    assert all(np.isfinite(s.score) for s in found)


def test_the_labels_are_not_changed(real):
    before = real.points.copy()
    rank_labels(real)
    np.testing.assert_array_equal(real.points, before)
