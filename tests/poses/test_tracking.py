"""Animals keep their identity through shuffled, missing and spurious maxima."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.poses.assembly import Distances
from dlcnb.poses.linker import Linker
from dlcnb.poses.tracking import body_size, link, step_size, track
from dlcnb.sampledata.arena import Arena, arena_poses

NAN = np.nan


def mice(count=300, animals=3, apart=500.0):
    """Mice in arenas side by side: (T, A, K, 2)."""
    rooms = [arena_poses(Arena(seed=s, n_frames=count)) + (s * (640 + apart), 0) for s in range(animals)]
    return np.stack(rooms, axis=1)


def maxima(truth, seed=0, missing=0.0, noise=0.5):
    """What a network finds: the places of each bodypart in any order, some missing, and their likelihood."""
    rng = np.random.default_rng(seed)
    points = truth + rng.normal(0, noise, truth.shape)
    points[rng.uniform(size=points.shape[:-1]) < missing] = NAN
    order = rng.permuted(np.broadcast_to(np.arange(truth.shape[1])[:, None], points.shape[1:3]), axis=0)
    points = np.stack([points[:, order[:, k], k] for k in range(points.shape[2])], axis=2)
    for t in range(1, len(points), 3):
        points[t] = points[t, ::-1]
    return points, np.where(np.isnan(points[..., 0]), 0.0, rng.uniform(0.6, 1, points.shape[:-1]))


def identities(tracks, truth, reach=5):
    """The row of the tracks at each true bodypart, int (T, A, K); -1 = none near."""
    near = np.linalg.norm(tracks[:, :, None] - truth[:, None], axis=-1) < reach  # (T, A of tracks, A of truth, K)
    return np.where(near.any(axis=1), near.argmax(axis=1), -1)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_mice_that_are_apart_keep_their_names(missing):
    truth = mice()
    tracks, likelihood = link(*maxima(truth, missing=missing))
    who = identities(tracks, truth)
    for a in range(3):
        names = who[5:, a][who[5:, a] >= 0]
        assert (names == names[0]).all()
    assert (who[5:] >= 0).mean() > 0.99 - missing
    np.testing.assert_array_equal(np.isnan(tracks[..., 0]), np.isnan(likelihood))


def test_mice_in_one_arena_keep_their_names_while_they_do_not_touch():
    truth = mice(600, 2, apart=-640)  # both walk in the same arena
    centre = truth.mean(axis=2)
    touching = np.linalg.norm(centre[:, 0] - centre[:, 1], axis=-1) < 120
    who = identities(link(*maxima(truth))[0], truth)
    swaps = (np.diff(who[..., 0][~touching], axis=0) != 0).any(axis=1).sum()
    touches = (np.diff(touching.astype(int)) == 1).sum() + 1
    assert swaps <= touches


def test_two_points_that_cross_are_told_apart_by_their_movement():
    t = np.arange(60.0)
    truth = np.stack([np.stack([5 * t, 100 + 0 * t], -1), np.stack([295 - 5 * t, 112 + 0 * t], -1)], axis=1)[:, :, None]
    who = identities(link(*maxima(truth, noise=0.2), max_step=15)[0], truth)
    assert (who == who[0]).all()


def test_nothing_is_invented_and_nothing_lost():
    points, likelihood = maxima(mice(100), missing=0.3)
    tracks, trust = link(points, likelihood)
    given_places = {tuple(p) for p in points.reshape(-1, 2) if np.isfinite(p[0])}
    linked = [tuple(p) for p in tracks.reshape(-1, 2) if np.isfinite(p[0])]
    assert set(linked) <= given_places
    assert len(linked) == len(set(linked))  # no place belongs to two animals
    assert len(linked) > 0.95 * len(given_places)
    assert np.nanmin(trust) >= 0.6


def test_an_animal_that_was_hidden_gets_its_name_back():
    truth = mice(300, 2)
    points, likelihood = maxima(truth)
    other = truth[:, 1].mean(axis=(0, 1))[0]
    hidden = np.abs(points[..., 0].mean(axis=2) - other) < 400
    hidden[:100] = hidden[200:] = False
    points[hidden], likelihood[hidden] = NAN, 0
    tracks, _ = link(points, likelihood, max_gap=20)
    who = identities(tracks, truth)
    assert (who[:, 0] == who[0, 0]).all()
    assert (who[100:200, 1] == -1).all()
    assert (who[205:, 1] == who[50, 1]).all()


def test_a_second_maximum_on_the_same_animal_is_no_animal():
    truth = mice(100, 1)
    points = np.concatenate([truth, truth + (6, 4)], axis=1)
    likelihood = np.broadcast_to(np.array([0.9, 0.4])[:, None], points.shape[:-1])
    tracks, _ = link(points, likelihood)
    assert np.isnan(tracks[:, 1]).mean() > 0.95
    np.testing.assert_array_equal(identities(tracks, truth), 0)


def mixed(tracks, truth):
    """In how many frames bodyparts of one animal are given to two."""
    who = identities(tracks, truth)
    high, low = who.max(axis=2), np.where(who < 0, 99, who).min(axis=2)
    return int((high > np.minimum(low, high)).any(axis=1).sum())


def learned():
    """What forty labeled frames of another mouse teach."""
    return Distances.of(arena_poses(Arena(seed=77, n_frames=400))[::10])


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_two_mice_side_by_side_keep_their_own_bodyparts(seed):
    one = arena_poses(Arena(seed=seed, n_frames=300))
    truth = np.stack([one, one + (62, 0)], axis=1)
    tracks, _ = link(*maxima(truth), distances=learned())
    assert mixed(tracks, truth) <= 6  # of 300, in all of which tail bases were exchanged by movement alone
    assert (identities(tracks, truth) >= 0).mean() > 0.99


@pytest.mark.parametrize(("seeds", "missing"), [((2, 52), 0.2), ((0, 20), 0.0), ((1, 21), 0.1)])
def test_mice_that_cross_are_whole_again_afterwards(seeds, missing):
    truth = np.stack([arena_poses(Arena(seed=seed, n_frames=300)) for seed in seeds], axis=1)
    tracks, _ = link(*maxima(truth, missing=missing), distances=learned())
    apart = np.linalg.norm(truth[:, 0, :, None] - truth[:, 1, None], axis=-1).min(axis=(1, 2))
    assert mixed(tracks[apart > 30], truth[apart > 30]) <= 3


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 12), st.integers(0, 1000))
def test_any_maxima_can_be_linked(found, parts, frames, seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 200, (frames, found, parts, 2))
    points[rng.uniform(size=points.shape[:-1]) < 0.4] = NAN
    tracks, likelihood = link(points, np.ones(points.shape[:-1]), 2)
    assert tracks.shape == (frames, 2, parts, 2)
    assert likelihood.shape == (frames, 2, parts)


def test_linking_frame_by_frame_is_the_same():
    points, likelihood = maxima(mice(80))
    body = body_size(points)
    linker = Linker(3, Distances.guess(points), body=body, max_step=step_size(points, body))
    one = [linker.step(p, q)[0] for p, q in zip(points, likelihood, strict=True)]
    np.testing.assert_array_equal(np.stack(one), link(points, likelihood)[0])


def test_sizes_are_those_of_the_mouse():
    truth = mice(200)
    body = np.median(np.linalg.norm(truth[:, :, :, None] - truth[:, :, None], axis=-1).max(axis=-1))
    points, _ = maxima(truth)
    assert body_size(points) == pytest.approx(body, rel=0.1)
    steps = np.linalg.norm(np.diff(truth, axis=0), axis=-1)
    assert np.percentile(steps, 99.9) < step_size(points, body) < 2 * body
    assert body_size(np.zeros((5, 2, 1, 2))) == 0


def test_track_gives_poses_to_write(tmp_path):
    points, likelihood = maxima(mice(20))
    poses = track(points, likelihood, tuple("abcd"), "net", individuals=["x", "y", "z"])
    assert poses.individuals == ("x", "y", "z")
    assert track(points, likelihood, tuple("abcd"), "net", animals=2).individuals == ("individual1", "individual2")
    poses.write(tmp_path / "clip.mp4")


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="likelihood"):
        link(np.zeros((5, 2, 3, 2)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        link(np.zeros((5, 2, 3, 2)), np.zeros((5, 2, 3)), 0)
