"""Tables of movement whose numbers are known on paper: a line, a circle, a fold; units; gaps."""

import numpy as np
import pandas as pd
import pytest

from dlcnb.poses import Poses
from dlcnb.project import Scale, Skeleton
from dlcnb.trajectories import heading, kinematics_table, movement_summary, skeleton_table, tracks

FPS = 50
TIMES = np.arange(200) / FPS


def poses(*points, likelihood=None):
    points = np.stack(points, axis=1)
    sure = np.full(points.shape[:2], 0.9) if likelihood is None else likelihood
    return Poses(tuple("abc"[: points.shape[1]]), "DLC_net", points, sure)


def line(vx, vy):
    return TIMES[:, None] * np.array([vx, vy])


def circle(radius, turns_per_s):
    angle = 2 * np.pi * turns_per_s * TIMES
    return 100 + radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def test_a_line_in_px_and_in_cm():
    for scale, unit, factor in ((None, "px", 1), (Scale.by_number(4), "cm", 4)):
        points = tracks(poses(line(30, 40)), scale=scale)
        table = kinematics_table(points, ("a",), TIMES, unit=unit)
        np.testing.assert_allclose(table[f"a_speed_{unit}_s"], 50 / factor)
        np.testing.assert_allclose(table[f"a_acceleration_{unit}_s2"], 0, atol=1e-9)
        np.testing.assert_allclose(table["a_heading_deg"], np.degrees(np.arctan2(40, 30)))
        np.testing.assert_allclose(table[f"a_distance_{unit}"].iloc[-1], 50 * TIMES[-1] / factor)
        np.testing.assert_allclose(table["time_s"], TIMES)
        (row,) = movement_summary(points, ("a",), TIMES, unit=unit)
        assert row[f"distance_{unit}"] == pytest.approx(50 * TIMES[-1] / factor)
        assert row[f"mean_speed_{unit}_s"] == pytest.approx(50 / factor)
        assert row["duration_s"] == pytest.approx(4.0)


def test_a_circle():
    radius, turns = 30, 0.5
    table = kinematics_table(circle(radius, turns)[:, None], ("a",), TIMES)
    omega = 2 * np.pi * turns
    inner = table.iloc[1:-1]
    np.testing.assert_allclose(inner["a_speed_px_s"], radius * omega, rtol=1e-3)
    np.testing.assert_allclose(inner["a_acceleration_px_s2"], radius * omega**2, rtol=1e-3)
    turned = np.degrees(np.unwrap(np.radians(inner["a_heading_deg"])))
    np.testing.assert_allclose(np.diff(turned), 360 * turns / FPS, rtol=1e-3)
    assert table["a_distance_px"].iloc[-1] == pytest.approx(radius * omega * TIMES[-1], rel=1e-3)


@pytest.mark.parametrize(("step", "degrees"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((0, -1), 270)])
def test_heading_counts_from_the_right_downwards(step, degrees):
    np.testing.assert_allclose(heading(np.arange(5)[:, None] * np.array(step)), degrees)


def test_what_rests_has_no_heading():
    assert np.isnan(heading(np.ones((5, 2)))).all()


def test_bones_and_the_angle_between_them():
    here = np.zeros((len(TIMES), 2))
    points = np.stack([here + (30, 0), here, here + (0, 40)], axis=1)
    skeleton = Skeleton(("a", "b", "c"), (("a", "b"), ("b", "c")))
    table = kinematics_table(points, ("a", "b", "c"), TIMES, skeleton=skeleton)
    np.testing.assert_allclose(table["a_b_length_px"], 30)
    np.testing.assert_allclose(table["a_b_angle_deg"], 180)
    np.testing.assert_allclose(table["b_c_length_px"], 40)
    np.testing.assert_allclose(table["b_c_angle_deg"], 90)
    np.testing.assert_allclose(table["a_b_c_angle_deg"], 90)


def test_a_gap_is_told_and_filled_if_wanted():
    likelihood = np.full((len(TIMES), 1), 0.9)
    likelihood[50:55] = 0.1
    found = poses(line(30, 40), likelihood=likelihood)
    left_out, filled = tracks(found, pcutoff=0.5), tracks(found, pcutoff=0.5, gap=5)
    seen = np.isfinite(left_out).all(axis=-1)
    (gone,) = movement_summary(left_out, ("a",), TIMES)
    (back,) = movement_summary(filled, ("a",), TIMES, seen=seen)
    assert np.isnan(kinematics_table(left_out, ("a",), TIMES)["a_speed_px_s"]).sum() == 7
    assert gone["distance_px"] == pytest.approx(50 * (TIMES[-1] - 6 / FPS))  # six steps touch the gap
    assert gone["mean_speed_px_s"] == pytest.approx(50)
    assert (gone["known_share"], gone["filled_frames"]) == (0.975, 0)
    assert (back["known_share"], back["filled_frames"]) == (0.975, 5)
    assert back["distance_px"] == pytest.approx(50 * TIMES[-1])


def test_nothing_known_is_nan_and_no_warning():
    (row,) = movement_summary(np.full((20, 1, 2), np.nan), ("a",), TIMES[:20])
    assert row["distance_px"] == 0
    assert np.isnan([row["mean_speed_px_s"], row["max_speed_px_s"], row["median_speed_px_s"]]).all()


def test_the_input_is_not_changed():
    found = poses(line(3, 4), likelihood=np.zeros((len(TIMES), 1)))
    before = found.points.copy()
    tracks(found, pcutoff=0.5, gap=3)
    np.testing.assert_array_equal(found.points, before)


def test_deeplabcuts_table_of_bones():
    likelihood = np.column_stack([np.full(len(TIMES), 0.9), np.full(len(TIMES), 0.4)])
    table = skeleton_table(
        poses(line(0, 0), line(0, 0) + (0, -7), likelihood=likelihood), Skeleton(("a", "b"), (("a", "b"),))
    )
    assert list(table.columns) == [("a_b", "length"), ("a_b", "orientation"), ("a_b", "likelihood")]
    pd.testing.assert_series_equal(table.iloc[0], pd.Series([7.0, 270.0, 0.4], index=table.columns), check_names=False)
