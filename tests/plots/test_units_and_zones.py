"""Figures in centimetres, the ethogram, and the map of the time."""

import numpy as np
import pytest

from dlcnb import plots
from dlcnb.poses import Poses
from dlcnb.project import Scale, Skeleton
from dlcnb.zones import Stays, Zone, quadrants

COUNT, FPS = 60, 30
TIMES = np.arange(COUNT) / FPS


@pytest.fixture
def poses():
    """The nose goes 90 px/s to the right, the tail 40 px behind it; 4 px are 1 cm."""
    nose = np.column_stack([100 + 3.0 * np.arange(COUNT), np.full(COUNT, 50.0)])
    points = np.stack([nose, nose - (40, 0)], axis=1)
    return Poses(("nose", "tail"), "DLC_net", points, np.ones((COUNT, 2)))


def labels(ax):
    return [(one.get_xlabel(), one.get_ylabel()) for one in np.ravel(np.asarray(ax, object))]


def test_figures_say_and_draw_cm(poses):
    cm, bone = poses.in_cm(Scale.by_number(4)), Skeleton(("nose", "tail"), (("nose", "tail"),))
    _, ax = plots.trajectory(cm, size=(200, 400))
    assert labels(ax) == [("x (cm)", "y (cm)")]
    assert ax.get_xlim()[1] < 100
    _, ax = plots.speed(cm, TIMES)
    assert labels(ax) == [("time (s)", "speed (cm/s)")]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 22.5)
    _, axes = plots.bones(cm, bone, TIMES)
    assert labels(axes)[0][1] == "length (cm)"
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), 10)
    _, axes = plots.coordinates(cm, TIMES)
    assert labels(axes)[0][1] == "x (cm)"
    _, axes = plots.histogram(cm)
    assert labels(axes)[0][0] == "Δx between frames (cm)"
    assert axes[0].get_xlim()[1] == pytest.approx(1.5)  # twice the usual step of 0.75 cm
    _, ax = plots.postures(cm, 30)
    assert labels(ax) == [("x (cm)", "y (cm)")]
    assert labels(plots.trajectory(poses)[1]) == [("x (px)", "y (px)")]


def test_a_frame_and_cm_do_not_go_together(poses):
    with pytest.raises(ValueError, match="shown in pixels"):
        plots.postures(poses.in_cm(Scale.by_number(4)), 30, image=np.zeros((200, 400, 3), np.uint8))


def test_an_ethogram_has_a_bar_for_each_stay():
    found = [Stays("left", "nose", np.array([[0, 30], [45, 60]])), Stays("_right$", "nose", np.empty((0, 2), int))]
    figure, ax = plots.ethogram(found, TIMES + 5)
    bars = [path.get_extents() for path in ax.collections[0].get_paths()]
    assert [(bar.x0, bar.x1) for bar in bars] == [(0, 1), (1.5, 2)]
    assert not ax.collections[1].get_paths()
    assert ax.get_xlim() == (0, 2)
    figure.canvas.draw()


def test_a_map_shows_time_and_outlines(poses):
    zones = quadrants((0, 0, 400, 200))
    figure, ax = plots.occupancy(
        poses.points[:, 0], TIMES, (200, 400), zones=zones, image=np.zeros((200, 400, 3), np.uint8)
    )
    assert float(ax.images[1].get_array().sum()) == pytest.approx(COUNT / FPS)
    assert [text.get_text() for text in ax.texts] == [zone.name for zone in zones]
    assert ax.yaxis_inverted()
    figure.canvas.draw()


def test_a_map_is_in_cm_where_a_scale_is_known(poses):
    points, image = poses.points[:, 0], np.zeros((200, 400, 3), np.uint8)
    figure, ax = plots.occupancy(points, TIMES, (200, 400), image=image, scale=Scale.by_number(4))
    assert labels(ax) == [("x (cm)", "y (cm)")]
    assert ax.get_xlim() == pytest.approx((-0.125, 99.875))
    assert ax.images[0].get_extent() == pytest.approx((-0.125, 99.875, 49.875, -0.125))
    assert figure.axes[1].get_ylabel() == "seconds per 5 cm square"  # 16 px are 4 cm
    assert float(ax.images[1].get_array().sum()) == pytest.approx(COUNT / FPS)
    figure.canvas.draw()


def test_a_map_of_a_slanted_camera_is_seen_from_above():
    corners = [(120, 40), (280, 40), (380, 180), (20, 180)]
    scale = Scale.by_corners(corners, (40, 30))
    image = np.zeros((200, 400, 3), np.uint8)
    image[40:181, 20:381] = 200
    middle = np.repeat([[200.0, 110.0]], COUNT, axis=0)
    zones = [Zone("floor", "polygon", tuple(map(tuple, corners)))]
    figure, ax = plots.occupancy(middle, TIMES, (200, 400), zones=zones, image=image, scale=scale)
    assert ax.get_xlim() == pytest.approx((0, 40), abs=1e-6)
    np.testing.assert_allclose(
        ax.collections[0].get_paths()[0].vertices[:4], [(0, 0), (40, 0), (40, 30), (0, 30)], atol=1e-6
    )
    assert ax.images[0].get_array()[3:-3, 3:-3].min() > 0  # the floor alone, to its edges
    assert float(ax.images[1].get_array().sum()) == pytest.approx(COUNT / FPS)
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("corners", "size_cm"),
    [
        ([(-1e8, -1e8), (2e8, -1e8), (2e8, 2e8), (-1e8, 2e8)], (40, 30)),  # far outside of the frame
        ([(40, 60), (43, 60), (43, 180), (40, 180)], (3, 120)),  # a long track
    ],
)
def test_a_map_is_no_larger_than_can_be_drawn(poses, corners, size_cm):
    scale = Scale.by_corners(corners, size_cm)
    figure, ax = plots.occupancy(poses.points[:, 0], TIMES, (200, 400), scale=scale)
    assert ax.images[0].get_array().size < 1e6
    assert figure.get_size_inches().max() < 16
    figure.canvas.draw()


def test_trajectories_of_a_slanted_camera_end_near_its_corners(poses):
    poses.points[3] = [(200, 6), (200, 190)]  # a wrong point, hardly below the horizon, is 840 cm away
    scale = Scale.by_corners([(185, 20), (215, 20), (380, 180), (20, 180)], (40, 30))
    assert scale.to_cm([200, 6])[1] < -500
    _, ax = plots.trajectory(poses, size=(200, 400), scale=scale)
    assert ax.get_xlim()[0] >= -40
    assert ax.get_xlim()[1] <= 80
    assert ax.get_ylim()[1] >= -30
    assert ax.yaxis_inverted()


def test_trajectories_in_cm_end_with_the_frame(poses):
    _, ax = plots.trajectory(poses, size=(200, 400), scale=Scale.by_number(4))
    assert labels(ax) == [("x (cm)", "y (cm)")]
    assert ax.get_xlim() == pytest.approx((-0.125, 99.875))
    assert ax.get_ylim() == pytest.approx((49.875, -0.125))
