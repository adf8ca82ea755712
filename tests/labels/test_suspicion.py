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


# --- named faults ---

BODY = np.array([[50.0, 0.0], [30, -9], [30, 9], [-50, 0]])  # snout, leftear, rightear, tailbase


def mouse(t):
    """Points of a mouse that walks and turns, (4, 2)."""
    turn = np.array([[np.cos(0.2 * t), np.sin(0.2 * t)], [-np.sin(0.2 * t), np.cos(0.2 * t)]])
    return BODY @ turn + (100 + 3 * t, 120) + np.random.default_rng(t).normal(0, 1, (4, 2))


def twenty(change, gap=1, edges=()):
    """The ranking of twenty frames after ``change(points)``."""
    points = np.array([mouse(t) for t in range(20)])
    change(points)
    parts = ("snout", "leftear", "rightear", "tailbase")
    images = [f"labeled-data/v/img{gap * t:05d}.png" for t in range(20)]
    return rank_labels(Labels(parts, "Ann", images, points), (500, 400), edges)


@pytest.mark.parametrize("frames", [[4], [4, 11]])
def test_swapped_ears_in_twenty_frames_come_first(frames):
    def swap(points):
        for t in frames:
            points[t, [1, 2]] = points[t, [2, 1]]

    found = twenty(swap)
    assert {int(s.image[-9:-4]) for s in found[: len(frames)]} == set(frames)
    for suspicion in found[: len(frames)]:
        (fault,) = suspicion.faults
        assert (fault.kind, fault.bodyparts, fault.fix) == ("swapped", ("leftear", "rightear"), "swap")
    assert not any(s.faults for s in found[len(frames) :])


def test_nothing_is_odd_in_good_labels():
    assert not any(s.faults for s in twenty(lambda points: None, edges=[(0, 3), (1, 2)]))


def test_two_bodyparts_on_one_place_name_the_one_to_delete():
    def slip(points):
        points[7, 3] = points[7, 0] + 0.3

    first, *others = twenty(slip, gap=1000)
    (fault,) = first.faults
    assert first.image.endswith("img07000.png")
    assert (fault.kind, fault.bodyparts, fault.fix) == ("one place", ("tailbase", "snout"), "delete")
    assert not any(s.faults for s in others)


def test_a_short_bone_is_named():
    def shrink(points):
        points[7, 3] = points[7, 0] + 0.4 * (points[7, 3] - points[7, 0])

    first, *others = twenty(shrink, gap=1000, edges=[(0, 3)])
    assert first.faults[0].kind == "proportion"
    assert "tailbase" in first.faults[0].bodyparts
    assert not any(s.faults for s in others)


def test_a_whole_animal_that_jumps_against_its_neighbours_in_the_video():
    def jump(points):
        points[7] += (0, 90)

    first, *others = twenty(jump)
    assert first.image.endswith("img00007.png")
    assert {fault.kind for fault in first.faults} == {"jump"}
    assert first.faults[0].fix == "look"
    assert not any(s.faults for s in others)
    assert not any(s.faults for s in twenty(jump, gap=1000))  # frames far apart say nothing of each other
