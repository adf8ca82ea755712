"""The frame picker through its widgets and its input channel; no browser."""

import logging
import threading

import av
import cv2
import ipywidgets
import numpy as np
import pytest
from support.scenes import SIZE, scene
from support.widgets import painted

from dlcnb import frames
from dlcnb.project import Project, ProjectError
from dlcnb.video import VideoReader, VideoWriter
from dlcnb.widgets import FramePicker
from dlcnb.widgets.base.closing import parts_of

SCENES, LENGTH = 5, 12


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for name in ("m1", "m2"):
        with VideoWriter(folder / f"{name}.mp4", SIZE, 30) as writer:
            for i in range(SCENES * LENGTH):
                writer.write(scene(i // LENGTH, i))
    return [folder / "m1.mp4", folder / "m2.mp4"]


@pytest.fixture
def project(tmp_path, videos):
    return Project.create("reach", "ada", videos, ["paw", "nose"], parent=tmp_path)


@pytest.fixture
def picker(project):
    yield from painted(FramePicker(project))


def key(picker, name):
    picker.input.guard._handle_custom_msg({"type": "key", "key": name, "repeat": False}, [])


def pointer(picker, kind, x, y, surface=0):
    """A pointer message at a place of the frame, counted from its edges."""
    fit = picker.player.state.fit
    where = {"x": fit.left + x * fit.zoom, "y": fit.top + y * fit.zoom}
    picker.player.input.guard._handle_custom_msg({"type": kind, "surface": surface, "button": 0, **where}, [])


def click(picker, position, on_check=False):
    (left, top), (_, width) = picker.gallery.state.box(position), picker.gallery.state.picture
    where = {"x": left + width - 6, "y": top + 5} if on_check else {"x": left + 20, "y": top + 50}
    picker.gallery.input.guard._handle_custom_msg({"type": "down", "surface": 0, "button": 0, **where}, [])


def picked(picker, video="m1", show="picked"):
    return picker.state.numbers(show, video).tolist()


class TestChoosing:
    def test_kmeans_takes_each_scene_of_each_ticked_video(self, picker):
        picker.controls.count.value = SCENES
        picker.controls.videos["m2"].value = False
        picker.controls.choose.click()
        assert picker.wait()
        assert [i // LENGTH for i in picked(picker)] == list(range(SCENES))
        assert picked(picker, "m2") == []
        assert "5 frames picked" in picker.status_line.value
        assert picker.controls.extract.description == "Extract 5 frames"
        assert picker.controls.seed.value == 0  # with which they were chosen

    def test_uniform_again_chooses_others(self, picker):
        picker.controls.how.value = "uniform"
        picker.controls.count.value = 6
        picker.choose()
        assert picker.wait()
        first = picked(picker)
        assert first == frames.uniform(60, 6, seed=0).tolist()
        picker.choose()
        assert picker.wait()
        assert set(first) < set(picked(picker))
        assert picker.controls.seed.value == 1
        assert "by the next seed: 1" in picker.status_line.value

    def test_another_choice_keeps_the_seed_that_is_set(self, picker):
        picker.state.how, picker.state.seed = "uniform", 7
        for count in (4, 6):
            picker.state.count = count
            picker.choose()
            assert picker.wait()
        assert picker.controls.seed.value == 7
        assert set(frames.uniform(60, 6, seed=7).tolist()) <= set(picked(picker))
        assert "seed" not in picker.status_line.value

    def test_within_a_range_and_within_the_part_that_the_config_names(self, picker, project):
        project.config["start"], project.config["stop"] = 0.5, 1
        picker.state.how = "uniform"
        picker.state.set_range(12, 23)
        picker.choose()
        assert picker.wait()
        assert picked(picker) == list(range(12, 24))
        assert min(picked(picker, "m2")) >= 30

    def test_kmeans_sees_only_the_region(self, picker):
        picker.set_crop((0, 45, 0, 45))  # where the square of the first scene lies
        picker.state.set_chosen_videos(["m1"])
        picker.state.count = 2
        picker.choose()
        assert picker.wait()
        assert sum(i < LENGTH for i in picked(picker)) == 1

    def test_stop(self, picker, monkeypatch):
        going = threading.Event()

        def endless(reader, count, *, progress, **_):
            for _ in iter(int, 1):
                going.set()
                progress(1, 100)

        monkeypatch.setattr(frames, "kmeans", endless)
        picker.choose()
        assert going.wait(30)
        picker.choose()
        assert "under way" in picker.status_line.value
        picker.controls.stop.click()
        assert picker.wait()
        assert "Stopped" in picker.status_line.value
        assert picker.state.task == "idle"

    def test_nothing_ticked_is_said(self, picker):
        for box in picker.controls.videos.values():
            box.value = False
        picker.choose()
        assert picker.wait()
        assert "No video is ticked" in picker.status_line.value


class TestByHand:
    def test_key_and_button(self, picker):
        picker.player.state.go(17)
        key(picker, "p")
        picker.player.state.go(30)
        assert picker.wait()
        assert picker.controls.pick.description == "Pick frame"
        picker.controls.pick.click()
        assert picker.wait()
        assert picked(picker) == [17, 30]
        assert picker.controls.pick.description == "Take back"
        assert picker.player.state.marks["picked"].tolist() == [17, 30]
        key(picker, "p")
        assert picked(picker) == [17]

    def test_a_range(self, picker):
        for frame, name in ((20, "i"), (40, "o")):
            picker.player.state.go(frame)
            key(picker, name)
        picker.controls.every.value = 8
        picker.controls.pick_range.click()
        assert picked(picker) == [20, 28, 36]
        assert picker.wait()
        assert "20–40" in picker.controls.range.value
        picker.controls.clear_range.click()
        assert picker.wait()
        assert picker.controls.pick_range.disabled

    def test_another_video(self, picker):
        picker.controls.video.value = "m2"
        assert picker.player.reader.path.stem == "m2"
        picker.player.state.go(3)
        key(picker, "p")
        assert (picked(picker), picked(picker, "m2")) == ([], [3])

    def test_a_thumbnail_opens_its_frame(self, picker):
        picker.state.add("m1", [5], "hand")
        picker.state.add("m2", [44], "hand")
        assert picker.wait()
        click(picker, 1)
        assert (picker.state.video, picker.player.state.frame) == ("m2", 44)

    def test_keep_and_drop(self, picker):
        picker.state.add("m1", [5, 30], "hand")
        assert picker.wait()
        click(picker, 1, on_check=True)
        assert picked(picker, show="dropped") == [30]
        picker.gallery.input.guard._handle_custom_msg({"type": "key", "key": " "}, [])
        assert picked(picker, show="dropped") == []

    def test_near_duplicates_are_marked_and_dropped(self, picker):
        picker.state.add("m1", [5, 6, 30], "hand")
        assert picker.wait()
        notes = {cell.key[1]: cell.note for cell in picker.gallery.state.cells}
        assert notes == {5: "hand", 6: "looks like 5", 30: "hand"}
        assert picker.controls.drop_alike.description == "Drop 1 near-duplicate"
        picker.controls.drop_alike.click()
        assert picked(picker, show="to extract") == [5, 30]


class TestRegion:
    def test_drawn_on_the_picture(self, picker, project):
        key(picker, "c")
        before = picker.player.state.fit
        for kind, x, y in (("down", 20, 70), ("move", 60, 40), ("up", 100, 10)):
            pointer(picker, kind, x, y)
        assert Project.open(project.root).crop("m1") == (20, 100, 10, 70)
        assert Project.open(project.root).crop("m2") == (0, 128, 0, 96)
        assert picker.player.state.fit == before
        assert not picker.player.drawing
        assert picker.wait()
        assert picker.controls.crop.value == "20, 100, 10, 70"
        picker.controls.whole.click()
        assert project.crop("m1") == (0, 128, 0, 96)

    def test_drawn_beyond_the_edge_it_ends_there(self, picker, project):
        picker.toggle_drawing()
        for kind, x, y in (("down", 20, 30), ("up", 500, -40)):
            pointer(picker, kind, x, y)
        assert project.crop("m1") == (20, 128, 0, 30)

    def test_a_click_is_no_region(self, picker, project):
        picker.toggle_drawing()
        for kind in ("down", "up"):
            pointer(picker, kind, 50, 50)
        assert project.crop("m1") == (0, 128, 0, 96)
        assert "at least 8 px" in picker.player.status_line.value

    def test_as_text(self, picker, project):
        picker.controls.crop.value = "8, 72, 4, 90"
        assert project.crop("m1") == (8, 72, 4, 90)
        picker.controls.crop.value = "8, 720, 4, 90"
        assert "128 px wide" in picker.status_line.value
        picker.controls.crop.value = "8 to 72"
        assert "expected crop" in picker.status_line.value
        assert project.crop("m1") == (8, 72, 4, 90)

    def test_a_config_that_another_program_changed_is_said(self, picker, project):
        Project.open(project.root).set_crop("m2", (0, 50, 0, 50))
        picker.set_crop((8, 72, 4, 90))
        assert "changed by another program" in picker.status_line.value
        assert picker.player.crop is None

    def test_without_drawing_a_drag_moves_the_picture(self, picker, project):
        picker.player.state.zoom(4)
        before = picker.player.state.fit
        for kind, x, y in (("down", 60, 50), ("move", 62, 50), ("up", 62, 50)):
            pointer(picker, kind, x, y)
        assert picker.player.state.fit != before
        assert project.crop("m1") == (0, 128, 0, 96)


class TestExtraction:
    def test_kept_frames_become_images_of_whole_frames(self, picker, project):
        told = []
        picker._on_extracted = told.extend
        picker.set_crop((8, 72, 4, 90))
        picker.state.add("m1", [3, 20, 40], "hand")
        picker.state.add("m2", [7], "hand")
        picker.state.toggle(("m1", 20))
        picker.controls.extract.click()
        assert picker.wait()
        names = sorted(p.relative_to(project.root / "labeled-data").as_posix() for p in told)
        assert names == ["m1/img03.png", "m1/img40.png", "m2/img07.png"]
        with VideoReader(project.videos[0]) as reader:
            np.testing.assert_array_equal(cv2.imread(str(told[0]))[..., ::-1], reader.read(3))
        assert picked(picker, show="extracted") == [3, 40]
        assert picked(picker) == [20]
        assert picker.player.state.marks["extracted"].tolist() == [3, 40]
        assert "3 of 3 frames" in picker.status_line.value
        assert not picker.controls.words.value  # which is said once

    def test_what_is_there_is_known_and_left_alone(self, project):
        folder = project.labeled_dir("m1")
        folder.mkdir(parents=True)
        frames.extract(project, "m1", [10])
        (folder / "img00020.png").write_bytes((folder / "img10.png").read_bytes())
        before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
        picker = FramePicker(project, ["m1"])
        assert picker.wait()
        assert [cell.key[1] for cell in picker.gallery.state.cells] == [10, 20]  # they are listed at once
        picker.state.add("m1", [10, 20, 30], "hand")
        assert picker.state.show == "picked"
        picker.player.state.go(20)
        key(picker, "p")
        assert "extracted already" in picker.status_line.value
        picker.extract()
        assert picker.wait()
        after = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
        assert after.pop("img30.png")
        assert after == before
        picker.close()

    def test_stop_keeps_what_is_written(self, picker, project, monkeypatch):
        written = frames.extracting

        def stopping(*arguments):
            for done, result in enumerate(written(*arguments)):
                if done == 1:
                    picker.stop()
                yield result

        monkeypatch.setattr(frames, "extracting", stopping)
        picker.state.add("m1", range(10), "hand")
        picker.extract()
        assert picker.wait()
        assert picked(picker, show="extracted") == [0, 1]
        assert picked(picker) == list(range(2, 10))
        assert "Stopped: 2 of 10" in picker.status_line.value

    def test_a_damaged_frame_is_told_and_left_out(self, picker, monkeypatch, caplog):
        write = frames._write_frame
        monkeypatch.setattr(frames, "_write_frame", lambda reader, i, *where: i != 5 and write(reader, i, *where))
        picker.state.add("m1", [4, 5], "hand")
        picker.extract()
        assert picker.wait()
        assert "Damaged and left out: 5 of m1" in picker.status_line.value
        assert picked(picker, show="extracted") == [4]
        assert picked(picker, show="dropped") == [5]

    def test_a_video_that_was_cut_short_is_told_at_once(self, tmp_path):
        cut = tmp_path / "cut.mp4"
        with av.open(str(cut), "w", options={"movflags": "faststart"}) as file:
            stream = file.add_stream("libx264", rate=30)
            stream.height, stream.width = SIZE
            for i in range(SCENES * LENGTH):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(scene(i // LENGTH, i))))
            file.mux(stream.encode())
        cut.write_bytes(cut.read_bytes()[: int(0.8 * cut.stat().st_size)])
        project = Project.create("cut", "ada", [cut], ["paw"], parent=tmp_path)
        for picker in painted(FramePicker(project)):
            told = picker.status_line.value
            assert "cut.mp4: " in told
            assert f"of {SCENES * LENGTH} frames are damaged or missing, the first is frame" in told
            picker.choose()
            assert picker.wait()
            assert picked(picker, "cut")

    def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(self, picker, project):
        (project.root / "labeled-data").rmdir()
        (project.root / "labeled-data").write_text("in the way")
        picker.state.add("m1", [4], "hand")
        picker.extract()
        assert picker.wait()
        assert "cannot make the folder" in picker.status_line.value
        assert picked(picker, show="to extract") == [4]
        assert picker.state.task == "idle"

    def test_nothing_to_extract(self, picker):
        assert picker.controls.extract.disabled
        picker.extract()
        assert picker.wait()
        assert "nothing to extract" in picker.status_line.value


def test_a_video_that_cannot_be_read_is_said_and_the_others_work(project, caplog):
    project.video("m2").unlink()
    (project.root / "videos" / "m2.mp4").write_bytes(b"no video")
    with caplog.at_level(logging.INFO):
        picker = FramePicker(project)
    assert list(picker.state.lengths) == ["m1"]
    assert "m2.mp4" in picker.status_line.value
    assert 'role="alert"' in picker.status_line.value
    picker.close()


def test_an_unknown_video_is_named(project):
    with pytest.raises(ProjectError, match=r"no video 'm3\.mp4'"):
        FramePicker(project, ["m3.mp4"])


def test_every_button_has_a_tooltip_and_every_key_a_button(picker):
    controls = picker.controls
    buttons = [b for b in vars(controls).values() if isinstance(b, ipywidgets.Button)]
    assert len(buttons) >= 8
    assert all(b.tooltip for b in buttons)
    tips = " ".join(b.tooltip for b in parts_of(controls.rows[1]) if isinstance(b, ipywidgets.Button))
    assert all(f"({name})" in tips for name in "pioc")


def test_snapshot_shows_the_region_and_the_thumbnails(picker):
    picker.state.add("m1", [0, 30], "hand")
    assert picker.wait()
    plain = np.array(picker.snapshot())
    picker.player.set_crop((20, 100, 10, 70))
    shaded = np.array(picker.snapshot())
    assert plain.shape == shaded.shape
    assert shaded[5, 5].sum() < plain[5, 5].sum()
    left, top = picker.gallery.state.box(0)
    below = picker.player.snapshot().height + 8
    assert plain[below + top + 10 : below + top + 100, left : left + 100].max() > 200


def test_closing_ends_the_work(project):
    picker = FramePicker(project)
    picker.choose()
    picker.close()
    assert not picker.task.running
    assert picker.player is not None
