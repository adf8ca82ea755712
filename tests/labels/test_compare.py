"""Human variability: distances between two scorers' labels, with intervals."""

import numpy as np
import pytest

from dlcnb.labels import Edit, LabelError, Labels, LabelStore, compare_scorers, scorers, variability

nan = np.nan
PARTS = ("hand", "elbow", "nose")
RNG = np.random.default_rng(0)
BASE = RNG.uniform(10, 60, (40, 3, 2))


def names(n):
    return tuple(f"labeled-data/cam1/img{k:02}.png" for k in range(n))


def labels(points, scorer="Ann", images=None, parts=PARTS):
    return Labels(parts, scorer, images or names(len(points)), points)


def test_distances_mean_and_rms():
    other = BASE.copy()
    other[:, 0] += 3, 4
    other[0, 1] = nan
    found = variability(labels(BASE), labels(other, "Bob"))
    assert found.scorers == ("Ann", "Bob")
    assert found.images == names(40)
    np.testing.assert_allclose(found.distances[1:], [[5, 0, 0]] * 39, atol=1e-12)
    assert np.isnan(found.distances[0, 1])
    whole, hand = found.spread, found.by_bodypart["hand"]
    assert whole.n == 119
    assert whole.mean_px == pytest.approx(200 / 119)
    assert whole.rms_px == pytest.approx(np.sqrt(1000 / 119))
    assert hand.mean_px == hand.rms_px == pytest.approx(5)
    assert hand.mean_ci95 == pytest.approx((5, 5))
    assert found.one_sided == {"hand": (0, 0), "elbow": (1, 0), "nose": (0, 0)}


def test_the_interval_covers_the_truth():
    covered = 0
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 2, BASE.shape)
        spread = variability(labels(BASE), labels(BASE + noise, "Bob")).spread
        truth = 2 * np.sqrt(np.pi / 2)  # mean of a Rayleigh distribution
        covered += spread.mean_ci95[0] <= truth <= spread.mean_ci95[1]
        low, high = spread.rms_ci95
        assert low < spread.rms_px < high
    assert covered >= 50


def test_only_what_both_have_is_compared():
    one = labels(BASE[:5], images=names(5))
    two = labels(BASE[2:8, [2, 0]], "Bob", names(8)[2:], ("nose", "hand"))
    found = variability(one, two)
    assert found.images == names(5)[2:]
    assert found.bodyparts == ("hand", "nose")
    assert found.only == (2, 3)
    np.testing.assert_allclose(found.distances, 0)


def test_frames_without_a_point_are_not_labeled():
    empty = BASE.copy()
    empty[3] = nan
    assert len(variability(labels(BASE), labels(empty, "Bob")).images) == 39


def test_one_frame_has_no_interval():
    found = variability(labels(BASE[:1]), labels(BASE[:1] + 1, "Bob"))
    assert np.isnan(found.spread.mean_ci95).all()
    assert found.to_json()["mean_ci95"] == [None, None]


def test_the_worst_frames():
    other = BASE.copy()
    other[7, 2] += 30
    other[9] += 2
    worst = variability(labels(BASE), labels(other, "Bob")).worst(2)
    assert [w.image for w in worst] == [names(40)[7], names(40)[9]]
    assert (worst[0].bodypart, worst[0].max_px) == ("nose", pytest.approx(30 * np.sqrt(2)))


def test_nothing_to_compare():
    with pytest.raises(LabelError, match="none of the 5 frames labeled by Ann is among the 5 labeled by Bob"):
        variability(labels(BASE[:5]), labels(BASE[:5], "Bob", names(10)[5:]))
    with pytest.raises(LabelError, match="Ann labeled hand, elbow, nose, Bob tail"):
        variability(labels(BASE[:5]), labels(BASE[:5, :1], "Bob", parts=("tail",)))


def test_scorers_of_a_project_with_unsaved_edits(project):
    for scorer, shift in (("Ann", 0), ("Zoe", 3), ("Bob", 1)):
        store = LabelStore(project, "cam1", scorer)
        store.apply([Edit(image, "hand", (20 + shift, 20)) for image in store.images[:4]])
        if scorer != "Zoe":
            store.save()
    assert scorers(project) == {"Ann": 4, "Bob": 4, "Zoe": 4}
    assert list(scorers(project)) == ["Ann", "Bob", "Zoe"]
    assert compare_scorers(project, "Ann", "Zoe").spread.mean_px == 3
    with pytest.raises(LabelError, match=r"no labels by 'Bobb' in .*; labeled by Ann, Bob, Zoe; did you mean 'Bob'\?"):
        compare_scorers(project, "Ann", "Bobb")
