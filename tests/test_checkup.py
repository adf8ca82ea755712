"""The whole doctor: scales and zones beside labels and videos."""

import json

import numpy as np
import pytest

from dlcnb import doctor
from dlcnb.project import Project, Scale, set_scale
from dlcnb.project.scale import SCALES
from dlcnb.video import VideoWriter
from dlcnb.zones import Zone, ZoneFile, zones_path

SIZE = (48, 64)
SQUARE = Zone("open arm", "polygon", ((5, 5), (40, 5), (40, 40), (5, 40)))


def write_video(path, size=SIZE):
    with VideoWriter(path, size, 25) as writer:
        writer.write(np.zeros((*size, 3), np.uint8))
    return path


@pytest.fixture
def project(tmp_path):
    made = Project.create("maze", "ada", [write_video(tmp_path / f"{n}.mp4") for n in "ab"], ["nose"], parent=tmp_path)
    set_scale(made, Scale.by_number(4, SIZE))
    ZoneFile(zones_path(made, "a"), SIZE).write([SQUARE])
    return made


def messages(project):
    return [f"{one.level}: {one.message}" for one in doctor(project.root) if one.level != "ok"]


def test_scales_and_zones_in_order_are_not_mentioned(project):
    assert [one.level for one in doctor(project.root)] == ["ok"]


def test_a_damaged_scale_file(project):
    (project.root / SCALES).write_text("{")
    (found,) = messages(project)
    assert found.startswith("error")
    assert "scale.json" in found
    assert "set the scale again" in found


def test_a_scale_that_cannot_be_is_told_once_for_all_videos(project):
    (project.root / SCALES).write_text(json.dumps({"project": {"px_per_cm": -3}}))
    (found,) = messages(project)
    assert "above 0 cm, found -3" in found


def test_a_scale_of_frames_of_another_size(project):
    set_scale(project, Scale.by_number(4, (480, 640)), "b")
    (found,) = messages(project)
    assert "measured in frames of 640×480 px, b has 64×48" in found


def test_a_scale_and_zones_of_a_video_that_is_gone(project):
    kept = json.loads((project.root / SCALES).read_text())
    (project.root / SCALES).write_text(json.dumps({**kept, "videos": {"gone": {"px_per_cm": 3}}}))
    path = zones_path(project, "a")
    path.with_name("gone.geojson").write_text(path.read_text())
    scale, zones = messages(project)
    assert "scale of gone, which is not a video" in scale
    assert "gone.geojson has zones of gone, which is not a video" in zones


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"features": 3}'])
def test_damaged_zones(project, text):
    zones_path(project, "b").write_text(text)
    (found,) = messages(project)
    assert found.startswith("error")
    assert "b.geojson" in found


def test_zones_of_frames_of_another_size(project):
    zones_path(project, "b").unlink(missing_ok=True)
    ZoneFile(zones_path(project, "b"), (480, 640)).write([SQUARE])
    (found,) = messages(project)
    assert "640×480 px, this video has 64×48" in found


def test_two_zones_of_one_name(project):
    ZoneFile(zones_path(project, "b"), SIZE).write([SQUARE, SQUARE])
    (found,) = messages(project)
    assert "two zones are named 'open arm'" in found


def test_a_missing_video_is_told_and_its_zones_are_no_strays(project, tmp_path):
    for path in (tmp_path / "a.mp4", *project.root.rglob("a.mp4")):
        path.unlink(missing_ok=True)
    found = messages(project)
    assert any("is missing" in one for one in found)
    assert not any("geojson" in one for one in found)


def test_a_link_in_place_of_zones_is_told_and_not_followed(project, tmp_path):
    (tmp_path / "secret.json").write_text("mine")
    zones_path(project, "b").symlink_to(tmp_path / "secret.json")
    assert any("leads out of the project" in one for one in messages(project))


def test_nothing_is_changed_by_a_repair(project):
    before = {path: path.read_bytes() for path in (project.root / SCALES, zones_path(project, "a"))}
    zones_path(project, "b").write_text("{")
    doctor(project.root, repair=True)
    assert zones_path(project, "b").read_text() == "{"
    assert {path: path.read_bytes() for path in before} == before
