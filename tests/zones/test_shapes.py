"""Zones: what is inside, what can't be, what moving and scaling makes of them, presets, the file that keeps them."""

import json
import math

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb.zones import (
    Zone,
    ZoneError,
    ZoneFile,
    around,
    centre_and_border,
    check_zones,
    copy_zones,
    fitted,
    inner_box,
    plus_maze,
    quadrants,
    read_zones,
    y_maze,
    zones_path,
)

SIZE = (100, 200)
BOX = Zone("box", "rectangle", ((10, 20), (50, 40)))
DISC = Zone("disc", "ellipse", ((100, 20), (140, 60)))
RING = Zone("ring", "polygon", ((0, 0), (90, 0), (90, 90), (0, 90)), (((30, 30), (60, 30), (60, 60), (30, 60)),))
BOW = Zone("bow", "polygon", ((0, 0), (40, 40), (40, 0), (0, 40)))


def grid():
    return np.stack(np.meshgrid(np.arange(200) + 0.25, np.arange(100) + 0.25), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize(("zone", "area"), [(BOX, 800), (RING, 7200), (DISC, math.pi * 400)])
def test_as_many_pixels_are_inside_as_the_area_has(zone, area):
    assert zone.inside(grid()).sum() == pytest.approx(area, rel=0.01)
    assert zone.polygon.area == pytest.approx(area, rel=0.01)


def test_holes_are_outside_and_nan_is_nowhere():
    points = np.array([(45, 45), (10, 10), (np.nan, 10), (95, 10)])
    assert RING.inside(points).tolist() == [False, True, False, False]
    assert not DISC.inside([(np.nan, np.nan)]).any()


def test_an_ellipse_is_one_and_no_polygon():
    angle = np.linspace(0, 2 * np.pi, 1000)
    rim = np.stack([120 + 20 * np.cos(angle), 40 + 20 * np.sin(angle)], axis=1)
    assert DISC.inside((rim - DISC.centre) * 0.9999 + DISC.centre).all()
    assert not DISC.inside((rim - DISC.centre) * 1.0001 + DISC.centre).any()


def picture(height=120, width=160):
    """A noisy floor, uint8 (H, W, 3), with a wall along its left side."""
    floor = np.random.default_rng(0).integers(120, 200, (height, width, 3))
    floor[:, :12] //= 3
    return floor.astype(np.uint8)


@pytest.mark.parametrize("border", [(14, 14, 0, 0), (0, 0, 20, 31), (9, 5, 17, 0)])  # above, below, left, right
def test_plain_borders_of_a_frame_are_not_its_picture(border):
    above, below, left, right = border
    framed = np.pad(picture(), ((above, below), (left, right), (0, 0)), constant_values=16)
    noisy = framed + np.random.default_rng(1).integers(0, 6, framed.shape, dtype=np.uint8)
    assert inner_box(noisy) == (left - 0.5, above - 0.5, left + 159.5, above + 119.5)


def test_a_plain_floor_is_no_border():
    floor = np.full((120, 160, 3), 230, np.uint8)
    whole = (-0.5, -0.5, 159.5, 119.5)
    assert inner_box(floor) == whole
    floor[50:70, 60:100] = 30  # an animal
    assert inner_box(floor) == whole
    assert inner_box(picture()) == whole


def test_zones_side_by_side_share_no_point():
    points = np.random.default_rng(0).integers(0, 100, (5000, 2))
    for zones in (quadrants((0, 0, 100, 100)), centre_and_border((0, 0, 100, 100))):
        np.testing.assert_array_equal(sum(zone.inside(points).astype(int) for zone in zones), 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Zone("", "rectangle", ((0, 0), (1, 1))), "needs a name"),
        (lambda: Zone("a", "circle", ((0, 0), (1, 1))), "expected rectangle, ellipse, polygon"),
        (lambda: Zone("a", "rectangle", ((0, 0), (0, 9))), "no extent"),
        (lambda: Zone("a", "polygon", ((0, 0), (1, 1))), "needs 3 corners, found 2"),
        (lambda: Zone("a", "polygon", ((0, 0), (1, 1), (math.nan, 2))), "corners in pixels"),
        (lambda: check_zones([BOX, BOX]), "two zones are named 'box'"),
        (lambda: check_zones([BOW]), r"'bow': its edges cross at \(20, 20\); move a corner"),
        (lambda: check_zones([BOX.moved(500, 0)], SIZE), "lies outside the frame of 200×100"),
        (lambda: centre_and_border((0, 0, 9, 9), 1.5), "between 0 and 1"),
        (lambda: around(BOX, 0), "above 0"),
    ],
)
def test_what_can_be_no_zone(make, words):
    with pytest.raises(ZoneError, match=words):
        make()


def test_moved_resized_and_fitted():
    assert BOX.moved(5, -5).box == (15, 15, 55, 35)
    assert BOX.resized(2).box == (-10, 10, 70, 50)
    assert DISC.resized(2, about=(100, 20)).box == (100, 20, 180, 100)
    half = BOX.fitted((100, 200), (50, 100))
    np.testing.assert_allclose(half.box, (4.75, 9.75, 24.75, 19.75))  # pixels' edges lie at -0.5
    assert fitted([half], (50, 100), (100, 200)) == (BOX,)


def test_a_corner_is_moved():
    assert BOX.with_handle(2, (60, 70)).box == (10, 20, 60, 70)
    assert BOX.with_handle(0, (70, 80)).box == (50, 40, 70, 80)  # pulled over the opposite one
    moved = RING.with_handle(5, (65, 25))
    assert moved.holes[0][1] == (65, 25)
    assert moved.points == RING.points


def test_mazes_and_margins():
    centre, *arms = plus_maze((0, 0, 100, 100), 0.2)
    assert centre.box == (40, 40, 60, 60)
    assert [arm.polygon.area for arm in arms] == pytest.approx([800] * 4)
    middle, *three = y_maze((0, 0, 100, 100), 0.2)
    assert middle.polygon.area == pytest.approx(math.sqrt(3) / 4 * 20**2)
    assert all(middle.polygon.intersection(arm.polygon).area < 1e-6 for arm in three)
    check_zones([middle, *three], (100, 100))
    assert around(DISC, 10).box == (90, 10, 150, 70)
    grown = around(Zone("a", "polygon", ((0, 0), (10, 0), (0, 10))), 3)
    assert grown.polygon.area > 50
    check_zones([grown])


# --- on disk


def test_what_is_written_is_read(tmp_path):
    file = ZoneFile(tmp_path / "zones" / "m1.geojson", SIZE)
    assert file.read() == ()
    zones = (BOX, DISC, RING, Zone("été <b>", "polygon", ((0, 0), (9, 0), (0, 9))))
    file.write(zones)
    assert ZoneFile(file.path, SIZE).read() == zones
    found = json.loads(file.path.read_text(encoding="utf-8"))
    assert found["features"][0]["geometry"]["coordinates"][0] == [[10, 20], [50, 20], [50, 40], [10, 40], [10, 20]]
    assert {feature["properties"]["roi_type"] for feature in found["features"]} == {"PolygonOfInterest"}


def test_polygons_of_other_programs_are_read(tmp_path):
    path = tmp_path / "m1.geojson"
    ring = [[0, 0, 1], [10, 0, 1], [0, 10, 1], [0, 0, 1]]
    feature = {"type": "Feature", "properties": None, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert ZoneFile(path, SIZE).read() == (Zone("zone 1", "polygon", ((0, 0), (10, 0), (0, 10))),)


def test_an_ellipse_that_another_program_changed_is_the_polygon_that_it_shows(tmp_path):
    file = ZoneFile(tmp_path / "m1.geojson", SIZE)
    file.read()
    file.write([DISC])
    found = json.loads(file.path.read_text())
    found["features"][0]["geometry"]["coordinates"][0][3] = [120, 40]
    file.path.write_text(json.dumps(found))
    assert file.read()[0].kind == "polygon"


def test_zones_of_another_frame_size_are_refused_and_copied_to_fit(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    video = project.videos[0]
    file = ZoneFile(zones_path(project, video), SIZE)
    file.read()
    file.write([BOX])
    with pytest.raises(ZoneError, match=r"drawn on frames of 200×100 px, this video has 100×50; .*--copy-from"):
        read_zones(project, video, (50, 100))
    with pytest.raises(ZoneError, match="no zones for other"):
        read_zones(project, "other", SIZE)
    copy_zones(project, video, [("other", (50, 100)), (video, SIZE)])
    np.testing.assert_allclose(read_zones(project, "other", (50, 100))[0].box, (4.75, 9.75, 24.75, 19.75))
    assert read_zones(project, video, SIZE) == (BOX,)
    with pytest.raises(ZoneError, match="other has zones already"):
        copy_zones(project, video, [("third", SIZE), ("other", SIZE)])
    assert not zones_path(project, "third").exists()
    with pytest.raises(ZoneError, match="no zones for third"):
        copy_zones(project, "third", [("other", SIZE)])


def test_another_programs_change_is_not_written_over(tmp_path):
    one, two = (ZoneFile(tmp_path / "m1.geojson", SIZE) for _ in range(2))
    one.read(), two.read()
    one.write([BOX])
    with pytest.raises(ZoneError, match="changed by another program or tab"):
        two.write([DISC])
    assert one.read() == (BOX,)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"features": 3}', '{"features": [{"geometry": null}]}', "\x00", "[" * 100_000]
)
def test_a_file_of_nonsense_is_told(tmp_path, text):
    path = tmp_path / "m1.geojson"
    path.write_text(text)
    with pytest.raises(ZoneError, match="expected GeoJSON"):
        ZoneFile(path, SIZE).read()


def test_crossing_edges_in_a_file_are_told_with_its_path(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    file = ZoneFile(zones_path(project, "m"), SIZE)
    file.read()
    file.write([BOW])
    with pytest.raises(ZoneError, match=r"m\.geojson: zone 'bow': its edges cross"):
        read_zones(project, "m", SIZE)


@pytest.mark.parametrize(
    "changes",
    [
        {"frame_size": [math.inf, 2]},
        {"features": [{"geometry": {"type": "Polygon", "coordinates": [[[10**400, 1], [5, 5], [5, 9], [1, 1]]]}}]},
        {"features": [None] * 100_000},
    ],
)
def test_numbers_and_counts_that_no_zone_has_are_one_line(tmp_path, changes):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [], **changes}))
    with pytest.raises(ZoneError, match=r"a\.geojson: expected"):
        ZoneFile(path, SIZE).read()


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", "\ud800", "n" * 1000])
def test_a_name_is_one_line_of_letters(name):
    with pytest.raises(ZoneError, match="expected a name of one line"):
        Zone(name, "rectangle", ((10, 20), (50, 40)))
