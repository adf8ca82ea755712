"""Time, entries, latency, distance and speed in zones, of bodyparts whose stays are known on paper; units."""

import numpy as np
import pytest

from dlcnb.project import Scale
from dlcnb.trajectories import distance_travelled
from dlcnb.zones import Zone, ZoneError, centre_and_border, heat_map, quadrants, stays, zone_table

FPS = 10
LEFT = Zone("left", "rectangle", ((0, 0), (50, 100)))
RIGHT = Zone("right", "rectangle", ((50, 0), (100, 100)))


def seconds(count):
    return np.arange(count) / FPS


def at(xs):
    """A point (T, 1, 2) that is at these x, in the middle of the height."""
    return np.stack([np.asarray(xs, float), np.full(len(xs), 50.0)], axis=-1)[:, None]


def measure(points, zones=(LEFT, RIGHT), **options):
    rows, found = zone_table(points, ["nose"], zones, seconds(len(points)), **options)
    return {row["zone"]: row for row in rows}, {stay.zone: stay.frames.tolist() for stay in found}


def test_known_stays():
    """2 s left, 3 s right, 1 s left."""
    rows, found = measure(at([10] * 20 + [90] * 30 + [10] * 10))
    left, right = rows["left"], rows["right"]
    assert (left["time_s"], right["time_s"]) == pytest.approx((3, 3))
    assert (left["entries"], right["entries"]) == (2, 1)
    assert (left["latency_s"], right["latency_s"]) == pytest.approx((0, 2))
    assert (left["longest_stay_s"], left["mean_stay_s"]) == pytest.approx((2, 1.5))
    assert left["time_share"] == pytest.approx(0.5)
    assert found == {"left": [[0, 20], [50, 60]], "right": [[20, 50]]}


def test_distance_and_speed_of_a_walk_across():
    """100 px at 20 px/s, half of it in each zone; 5 px are 1 cm."""
    points = at(np.arange(51) * 2.0)
    rows, _ = measure(points)
    assert rows["left"]["distance_px"] + rows["right"]["distance_px"] == pytest.approx(99)  # x = 100 is not inside
    assert rows["left"]["distance_px"] == pytest.approx(49)  # the first frame has no step before it
    assert rows["left"]["mean_speed_px_s"] == pytest.approx(20)
    in_cm, _ = measure(points, measured=Scale.by_number(5).to_cm(points), unit="cm")
    assert in_cm["left"]["distance_cm"] == pytest.approx(49 / 5)
    assert in_cm["right"]["mean_speed_cm_s"] == pytest.approx(4)
    assert in_cm["left"]["time_s"] == rows["left"]["time_s"]


def test_zones_that_cover_the_frame_share_time_and_way():
    points = np.random.default_rng(1).uniform(0, 100, (500, 1, 2))
    for zones in (quadrants((0, 0, 100, 100)), centre_and_border((0, 0, 100, 100))):
        rows, _ = measure(points, zones)
        assert sum(row["time_s"] for row in rows.values()) == pytest.approx(50)
        way = sum(row["distance_px"] for row in rows.values())
        assert way == pytest.approx(distance_travelled(points)[-1, 0])


def test_a_circle_within_a_ring():
    angle = 2 * np.pi * np.arange(101) / 100
    points = 50 + 30 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)[:, None]
    disc, ring = Zone("disc", "ellipse", ((30, 30), (70, 70))), Zone("ring", "ellipse", ((10, 10), (90, 90)))
    rows, _ = measure(points, (disc, ring))
    assert rows["ring"]["distance_px"] == pytest.approx(2 * np.pi * 30, rel=1e-3)
    assert rows["ring"]["mean_speed_px_s"] == pytest.approx(2 * np.pi * 30 / 10, rel=1e-3)
    assert (rows["disc"]["time_s"], rows["disc"]["entries"]) == (0, 0)
    assert np.isnan([rows["disc"]["latency_s"], rows["disc"]["mean_speed_px_s"]]).all()


def test_a_jittering_point_enters_once():
    jitter = [49, 51] * 5
    rows, found = measure(at([10] * 10 + jitter + [90] * 20 + [49] + [90] * 9), minimum=0.25)
    assert (rows["left"]["entries"], rows["right"]["entries"]) == (1, 1)
    assert found["right"] == [[19, 50]]
    each, _ = measure(at([10] * 10 + jitter + [90] * 20 + [49] + [90] * 9), minimum=0)
    assert (each["left"]["entries"], each["right"]["entries"]) == (6, 6)
    assert each["left"]["time_s"] == rows["left"]["time_s"]


def test_a_point_that_only_jitters_never_enters():
    rows, _ = measure(at([90] * 10 + [49, 51] * 20 + [90] * 10), minimum=0.25)
    assert rows["left"]["entries"] == 0
    assert rows["left"]["time_s"] == pytest.approx(2)


def test_a_lost_point_is_in_no_zone():
    xs = np.full(60, 10.0)
    xs[20:22] = np.nan  # shorter than the shortest stay
    xs[40:50] = np.nan
    rows, found = measure(at(xs))
    assert rows["left"]["time_s"] == pytest.approx(4.8)
    assert rows["left"]["time_share"] == pytest.approx(1)
    assert rows["left"]["known_share"] == pytest.approx(0.8)
    assert rows["left"]["known_s"] == pytest.approx(4.8)
    assert found["left"] == [[0, 40], [50, 60]]


def test_a_bodypart_that_is_never_there():
    rows, _ = measure(at(np.full(20, np.nan)))
    assert rows["left"]["time_s"] == 0
    assert np.isnan([rows["left"]["time_share"], rows["left"]["latency_s"]]).all()


def test_uneven_times_count_as_they_are():
    times = np.array([0, 1, 2, 10, 11, 12.0])
    rows, _ = zone_table(at([10, 10, 10, 90, 90, 90]), ["nose"], [LEFT, RIGHT], times, minimum=0)
    assert (rows[0]["time_s"], rows[1]["time_s"]) == (10, 3)
    assert rows[1]["latency_s"] == 10


@pytest.mark.parametrize("there", [[], [True], [False] * 5])
def test_stays_of_next_to_nothing(there):
    assert stays(there, seconds(len(there)), 0).tolist() == ([[0, 1]] if there == [True] else [])


def test_what_can_not_be_measured():
    with pytest.raises(ZoneError, match="no zones"):
        measure(at([1, 2, 3]), ())
    with pytest.raises(ValueError, match="shortest stay"):
        measure(at([1, 2, 3]), minimum=-1)


def test_a_map_of_the_time():
    points = at([10] * 20 + [90] * 30 + [np.nan] * 5 + [-40] * 5)[:, 0]
    found, extent = heat_map(points, seconds(60), (100, 100), 20)
    assert found.shape == (5, 5)
    assert (found[2, 0], found[2, 4]) == pytest.approx((2, 3))
    assert found.sum() == pytest.approx(5)
    assert extent == (-0.5, 99.5, 99.5, -0.5)
