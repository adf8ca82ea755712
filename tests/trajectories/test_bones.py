"""Bones of known length and direction, and back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.project import Skeleton
from dlcnb.trajectories import bone_angles, bone_lengths, joint_angles, place_bones

NAN = np.nan
SKELETON = Skeleton(("a", "b", "c"), (("a", "b"), ("b", "c")))
POSE = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0]])


def test_lengths_and_directions_of_a_drawn_pose():
    np.testing.assert_allclose(bone_lengths(POSE, SKELETON), [5, 5])
    np.testing.assert_allclose(bone_angles(POSE, SKELETON), [np.arctan2(4, 3), np.pi / 2])  # y runs down


def test_a_skeleton_and_its_edges_are_the_same():
    np.testing.assert_array_equal(bone_lengths(POSE, [[0, 1], [1, 2]]), bone_lengths(POSE, SKELETON))
    assert bone_lengths(POSE, Skeleton(("a", "b", "c"))).shape == (0,)


def test_a_missing_end_is_a_missing_bone():
    points = np.stack([POSE, POSE])
    points[1, 2] = NAN
    np.testing.assert_array_equal(np.isnan(bone_lengths(points, SKELETON)), [[0, 0], [0, 1]])
    np.testing.assert_array_equal(np.isnan(bone_angles(points, SKELETON)), [[0, 0], [0, 1]])


def test_bodyparts_at_one_place_have_no_direction():
    assert np.isnan(bone_angles(np.zeros((3, 2)), SKELETON)).all()
    np.testing.assert_array_equal(bone_lengths(np.zeros((3, 2)), SKELETON), [0, 0])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=3, max_size=3))
def test_bones_can_be_put_together_again(pose):
    pose = np.array(pose)
    lengths, angles = bone_lengths(pose, SKELETON), bone_angles(pose, SKELETON)
    whole = np.isfinite(angles)
    np.testing.assert_allclose(place_bones(pose[:2], lengths, angles)[whole], pose[1:][whole], atol=1e-9)


@settings(deadline=None)
@given(st.floats(0.01, np.pi), st.floats(-np.pi, np.pi), st.floats(0.1, 100))
def test_joint_angles_do_not_depend_on_place_turn_or_size(angle, turn, size):
    ends = size * np.stack([np.cos([turn, turn + angle]), np.sin([turn, turn + angle])], axis=-1)
    pose = np.stack([ends[0], [0, 0], ends[1]]) + (30, 40)
    np.testing.assert_allclose(joint_angles(pose, [(0, 1, 2), (2, 1, 0)]), angle, atol=1e-6)


def test_joint_angles_of_missing_and_equal_points():
    pose = np.stack([POSE, POSE])
    pose[0, 0], pose[1, 2] = NAN, pose[1, 1]
    assert np.isnan(joint_angles(pose, [(0, 1, 2)])).all()
    assert joint_angles(POSE, [(0, 1, 2)]).shape == (1,)
