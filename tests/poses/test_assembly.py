"""Distances within an animal are learned, and bodyparts that two animals exchanged are found."""

import json

import numpy as np
import pytest

from dlcnb.poses.assembly import Distances, exchange

NAN = np.nan


def animals(count, parts, seed=0):
    """Postures of one kind of animal, turned and moved about: (count, parts, 2) px."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(99).uniform(-60, 60, (parts, 2))
    turn = rng.uniform(0, 2 * np.pi, count)
    turned = np.stack([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    places = rng.uniform(100, 500, (count, 1, 2)) + rng.normal(0, 2, (count, parts, 2))
    return np.einsum("kd,ted->tke", shape, turned) + places


def test_distances_do_not_depend_on_place_and_direction():
    found = Distances.of(animals(300, 4))
    same = Distances.of(animals(300, 4, seed=1) @ np.array([[0.0, 1], [-1, 0]]) + 1000)
    np.testing.assert_allclose(found.middle, same.middle, atol=1.0)
    assert np.isnan(np.diag(found.middle)).all()
    assert np.nanmin(found.spread) >= 2


def test_pairs_that_are_seldom_labeled_are_not_known():
    points = animals(20, 4)
    points[4:, 3] = NAN
    found = Distances.of(points)
    assert np.isnan(found.middle[3]).all()
    assert np.isfinite(found.middle[0, 1])
    whole = found.completed(Distances.of(animals(20, 4)))
    assert np.isfinite(whole.middle[3, :3]).all()
    assert whole.middle[0, 1] == found.middle[0, 1]
    assert Distances.of(points[:0]).reach == 0


def test_distances_survive_json():
    points = animals(20, 4)
    points[:, 2] = NAN
    found = Distances.of(points)
    again = Distances.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    np.testing.assert_allclose(again.middle, found.middle, atol=0.051)
    np.testing.assert_allclose(again.spread, found.spread, atol=0.051)


def test_places_in_disorder_teach_nearly_the_same():
    one, other = animals(300, 4), animals(300, 4, seed=1) + (700, 0)
    places = np.stack([one, other], axis=1)
    places[::2, :, 2] = places[::2, ::-1, 2]
    np.testing.assert_allclose(Distances.guess(places).middle, Distances.of(one).middle, atol=1.5)


@pytest.mark.parametrize("parts", [2, 4, 9, 25])
def test_exchanged_bodyparts_are_found(parts):
    distances, rng, still = Distances.of(animals(300, parts)), np.random.default_rng(1), np.zeros(parts)
    right = 0
    for seed in range(20):
        pair = animals(2, parts, seed=seed + 5)
        pair[1] += pair[0].mean(axis=0) - pair[1].mean(axis=0) + (50, 20)
        gone = rng.uniform(size=parts) < 0.4
        mixed = np.where(gone[None, :, None], pair[::-1], pair)
        found = exchange(mixed, distances, still, still + 0.01)
        after = np.where(found[None, :, None], mixed[::-1], mixed)
        right += np.array_equal(after, pair) or np.array_equal(after, pair[::-1])
    assert right >= (10 if parts == 2 else 19)  # two points may fit both ways


def test_nothing_is_exchanged_where_distances_say_nothing():
    pair = animals(2, 4)
    pair[0, 1:] = NAN
    pair[1] = NAN
    known, unknown = Distances.of(animals(50, 4)), Distances.of(np.empty((0, 4, 2)))
    for distances in (known, unknown):
        assert not exchange(pair, distances, np.zeros(4), np.ones(4)).any()


def test_where_they_were_decides_between_alike_animals():
    pair = animals(2, 4)
    distances = Distances.of(animals(50, 4))
    assert exchange(pair, distances, np.full(4, 3.0), np.zeros(4)).all()  # all went to the other place
    assert not exchange(pair, distances, np.zeros(4), np.full(4, 3.0)).any()
