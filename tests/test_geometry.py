import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlcnb import geometry
from dlcnb.geometry import CanvasFit

POINTS = hnp.arrays(
    float, hnp.array_shapes(min_dims=1, max_dims=3).map(lambda s: (*s, 2)), elements=st.floats(-1e4, 1e4)
)
MATRIX = np.array([[0.8, -0.6, 12.0], [0.6, 0.8, -5.0]])
FIT = CanvasFit(1.5, 20, -7)
PAIRS = {
    "crop": (lambda p: geometry.crop(p, 10, -3), lambda p: geometry.uncrop(p, 10, -3)),
    "scale": (lambda p: geometry.scale(p, (0.75, 0.5)), lambda p: geometry.unscale(p, (0.75, 0.5))),
    "flip": (lambda p: geometry.flip_horizontal(p, 640),) * 2,
    "affine": (
        lambda p: geometry.affine(p, MATRIX),
        lambda p: geometry.affine(p, geometry.invert_affine(MATRIX)),
    ),
    "corner": (geometry.to_corner_origin, geometry.from_corner_origin),
    "canvas": (FIT.to_canvas, FIT.to_image),
}


@pytest.mark.parametrize("name", PAIRS)
@given(points=POINTS)
def test_round_trip(name, points):
    there, back = PAIRS[name]
    before = points.copy()
    np.testing.assert_allclose(back(there(points)), points, atol=1e-9)
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("name", PAIRS)
def test_nan_stays_nan(name):
    there, back = PAIRS[name]
    assert np.isnan(there([[np.nan, np.nan]])).all()
    assert np.isnan(back([[np.nan, np.nan]])).all()


def test_scale_agrees_with_a_resized_image():
    image = np.zeros((40, 60), np.float32)
    image[20:24, 32:36] = 1  # centre of mass at (33.5, 21.5)
    small = cv2.resize(image, (30, 20), interpolation=cv2.INTER_AREA)
    y, x = (np.indices(small.shape) * small).sum((1, 2)) / small.sum()
    np.testing.assert_allclose(geometry.scale([33.5, 21.5], 0.5), [x, y], atol=1e-6)


def test_affine_agrees_with_warp_affine():
    image = np.zeros((80, 80), np.float32)
    image[40, 30] = 1
    warped = cv2.warpAffine(image, MATRIX, (80, 80))
    y, x = (np.indices(warped.shape) * warped).sum((1, 2)) / warped.sum()
    np.testing.assert_allclose(geometry.affine([30, 40], MATRIX), [x, y], atol=0.1)


def test_canvas_fit_centres_the_image():
    fit = CanvasFit.fit((480, 640), (600, 640))
    assert (fit.zoom, fit.left, fit.top) == (1, 0, 60)
    np.testing.assert_allclose(fit.to_canvas([-0.5, -0.5]), [0, 60])


def test_zooming_keeps_the_point_under_the_pointer():
    before = FIT.to_image([100, 50])
    np.testing.assert_allclose(FIT.zoomed(2.5, (100, 50)).to_image([100, 50]), before)
