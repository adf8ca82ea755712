"""The front door: recent projects, a new one, one of the folders, and what each says where something is wrong."""

import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image
from support.videos import ONE, set_matrix

from dlcnb import Studio
from dlcnb.frames import extract
from dlcnb.labels import LabelStore
from dlcnb.project import Project
from dlcnb.project.recent import recent_projects, remember
from dlcnb.video import VideoReader, VideoWriter
from dlcnb.widgets.base.folders import FolderBrowser
from dlcnb.widgets.base.jpeg import decode_jpeg
from dlcnb.widgets.studio import tab
from dlcnb.widgets.studio.chosen import facts_of
from dlcnb.widgets.studio.door import FrontDoor
from dlcnb.widgets.studio.new_project import PRESETS, NewProject
from dlcnb.widgets.studio.reading import overview
from dlcnb.widgets.studio.videos import AddVideos, VideoChooser
from dlcnb.widgets.studio.where import is_project, place_to_write

SIZE = (48, 64)


def film(path, frames=30):
    with VideoWriter(path, SIZE, 30) as writer:
        for n in range(frames):
            writer.write(np.full((*SIZE, 3), 8 * n, np.uint8))
    return path


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder to stand in, and a list of recent projects, of our own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def project(here):
    return Project.create("reach", "ada", [film(here / "m.mp4")], ["paw"], parent=here)


@pytest.fixture
def studio():
    view = Studio()
    yield view
    view.close()


def form(studio):
    studio.door.show("New project")
    return studio.door._made["New project"]


class TestStudio:
    def test_from_a_video_to_labeled_frames_by_its_buttons_alone(self, here, studio):
        film(here / "odor trail.mp4")
        form(studio).videos.browser.refresh()
        form(studio).videos.browser.list.children[0].click()
        assert form(studio).task_field.value == "odor_trail"
        door = studio.door
        form(studio).create_button.click()
        assert door.wait()
        assert studio.door is None
        assert studio.project.bodyparts == ("snout", "leftear", "rightear", "tailbase")
        assert len(studio.project.skeleton.edges) == 4
        assert studio.tab == "Frames"
        studio.next_button.click()
        assert studio.widgets["Frames"].wait()
        assert studio.wait()
        assert studio.next_button.description.startswith("Label ")
        studio.next_button.click()
        assert studio.tab == "Label"
        assert LabelStore(studio.project, "odor trail").images

    def test_a_project_is_left_and_found_again(self, project, studio):
        studio.open_project(project)
        studio.leave()
        assert studio.door.ways.value == "Recent"
        studio.door.pane.children[0].children[0].children[0].click()
        assert studio.project.root == project.root

    def test_at_the_door_nothing_is_left_and_no_step_opened(self, studio):
        door = studio.door
        studio.leave()
        assert (studio.door, studio.said) == (door, "")
        for ask in (lambda: studio.go_to("Label"), studio.do_next):
            studio.tell("")
            ask()
            assert studio.said == "No project is open yet: open one, or make one."

    def test_what_goes_on_in_a_project_that_is_left_is_told(self, project, studio):
        told = []
        studio.open_project(project)
        assert studio.wait()
        studio.status_line.observe(lambda change: told.append(change.new), "value")
        studio.overview = replace(studio.overview, training=True, analyzing=True)
        studio.leave()
        assert f"Still under way in {project.task}: training and analysis" in studio.status_line.value
        assert any("One moment" in words for words in told)  # in place of an empty page

    def test_a_look_at_the_project_that_comes_too_late_changes_nothing(self, project, studio, monkeypatch):
        looking, go_on = threading.Event(), threading.Event()

        def slow(of):
            looking.set()
            assert go_on.wait(10)
            return replace(overview(of), labeled=99)

        studio.open_project(project)
        assert studio.wait()
        painter = studio._painter
        monkeypatch.setattr("dlcnb.widgets.studio.studio.overview", slow)
        studio.look()
        assert looking.wait(10)
        studio.leave()
        shown = studio.children
        go_on.set()
        assert painter.wait()
        assert studio.children == shown
        assert not studio.widgets
        assert not studio.said

    def test_what_it_leaves_is_closed(self, project):
        view = Studio(project)
        view.close()
        before = len(_instances)
        view = Studio(project)
        for _ in range(2):
            view.leave()
            view.open_project(project)
        view.close()
        assert len(_instances) <= before

    def test_one_that_is_open_when_python_ends_says_nothing(self):
        ended = subprocess.run([sys.executable, "-c", "from dlcnb import Studio; view = Studio()"], capture_output=True)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")

    def test_a_project_that_can_not_be_opened_leaves_the_door_open(self, here, studio):
        (here / "broken").mkdir()
        (here / "broken/config.yaml").write_text("Task: [")
        studio.door.show("Open")
        studio.door._made["Open"].list.children[0].click()
        assert "config.yaml" in studio.door._made["Open"].status_line.value + studio.door.status_line.value
        assert studio.project is None

    def test_videos_are_added_to_a_project(self, here, project):
        view = Studio(project)
        view.go_to("Frames")
        view.adding.unfold.click()
        view.adding.chooser.choose(film(here / "second.mp4"))
        assert view.adding.add_button.description == "Add 1 video"
        view.adding.add_button.click()
        assert view.adding.task.wait(30)
        assert [path.name for path in view.project.videos] == ["m.mp4", "second.mp4"]
        assert set(view.widgets["Frames"].state.lengths) == {"m", "second"}
        view.close()

    def test_a_project_without_videos_asks_for_some(self, project):
        project.config["video_sets"].clear()
        project.save()
        view = Studio(project)
        assert view.next_button.description == "Add a video to the project"
        view.next_button.click()
        assert view.adding.chooser.layout.display is None
        assert "no video yet" in view.steps.panes["Frames"].children[-1].value
        view.close()


class TestNewProject:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda form: form.videos.clear(), "Which video?"),
            (lambda form: setattr(form.task_field, "value", " "), "a name for the project"),
            (lambda form: setattr(form.scorer, "value", ""), "your name"),
            (lambda form: form.parts.set([]), "Which bodyparts?"),
            (lambda form: setattr(form.edges, "value", "snout-nose"), "joined by a hyphen"),
            (lambda form: setattr(form.task_field, "value", "a/b"), "folder names can"),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_made(self, here, change, told):
        made = []
        form = NewProject(made.append, here, film(here / "m.mp4"))
        change(form)
        form.create()
        form.task.wait(30)
        assert told in form.status_line.value
        assert not made
        assert not form.create_button.disabled
        assert [path.name for path in here.iterdir()] == ["m.mp4"]
        form.close()

    def test_a_file_that_is_no_video_is_refused(self, here):
        (here / "no.mp4").write_bytes(b"nothing")
        form = NewProject(print, here)
        form.videos.browser.list.children[0].click()
        assert not form.videos.videos
        assert "dlcnb-error" in form.videos.status_line.value
        form.close()

    def test_a_folder_of_that_name_is_not_offered_in_its_own_place(self, here):
        (here / "m.mp4").mkdir()
        with closing(NewProject(print, here)) as form:
            form.videos.choose(here / "m.mp4")
            assert form.videos.said == f"no video {here / 'm.mp4'}; check the path"

    def test_one_that_was_chosen_and_is_gone_keeps_no_other_from_being_chosen(self, here):
        first, other = film(here / "m.mp4"), film(here / "n.mp4")
        with closing(NewProject(print, here)) as form:
            form.videos.choose(first)
            first.unlink()
            form.videos.choose(other)
            assert form.videos.videos == [first, other]
            form.task_field.value, form.scorer.value = "reach", "ada"
            form.create()
            assert form.task.wait()
            assert str(first) in form.said  # what is to be taken away

    def test_two_of_one_name_are_refused(self, here):
        (here / "b").mkdir()
        form = NewProject(print, here, film(here / "m.mp4"))
        form.videos.choose(film(here / "b/m.mp4"))
        assert "two videos are named" in form.videos.status_line.value
        assert form.videos.videos == [here / "m.mp4"]
        form.close()

    def test_an_uploaded_video_is_copied_into_the_project(self, here):
        made = []
        form = NewProject(made.append, here)
        uploaded = film(form.videos._folder() / "up.mp4")
        form.videos.choose(uploaded)
        form.videos.choose(film(here / "own.mp4"))
        form.create()
        assert form.task.wait(30)
        up, own = sorted(made[0].videos, key=lambda path: path.name, reverse=True)
        assert (up.name, up.is_symlink(), own.is_symlink()) == ("up.mp4", False, True)
        assert not uploaded.exists()
        with VideoReader(up) as reader:
            assert len(reader) == 30
        form.close()

    def test_a_clip_of_a_phone_becomes_a_project_with_upright_frames(self, here):
        made, times = [], np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 60))
        form = NewProject(made.append, here)
        clip = form.videos._folder() / "phone.mp4"
        with VideoWriter(clip, SIZE, 30) as writer:  # held upright: stored on its side, at an uneven rate
            for time in times:
                writer.write(np.vstack([np.full((24, 64, 3), 250, np.uint8), np.zeros((24, 64, 3), np.uint8)]), time)
        set_matrix(clip, (0, ONE, -ONE, 0))
        form.videos.choose(clip)
        form.create()
        assert form.task.wait(30)
        project = made[0]
        extract(project, project.videos[0], [59])
        (image,) = project.root.glob("labeled-data/phone/*.png")
        pixels = np.asarray(Image.open(image))
        assert pixels.shape == (64, 48, 3)
        assert pixels[:, :20].mean() < 20 < 230 < pixels[:, -20:].mean()
        with VideoReader(project.videos[0]) as reader:
            np.testing.assert_allclose(reader.times, times - times[0], atol=0.001)
        form.close()

    def test_uploads_that_no_project_took_are_removed(self, here):
        form = NewProject(print, here)
        folder = form.videos._folder()
        film(folder / "up.mp4")
        form.close()
        assert not folder.exists()

    def test_you_are_who_made_the_last_project_not_who_made_the_last_one_opened(self, here, project, studio):
        studio.open_project(project)  # ada's
        form = NewProject(print, here, film(here / "n.mp4"))
        assert form.scorer.value != "ada"
        form.scorer.value = "bob"
        form.create()
        assert form.task.wait(30)
        form.close()
        form = NewProject(print, here)
        assert form.scorer.value == "bob"
        form.close()

    def test_the_edges_of_a_bodypart_go_with_it(self, here):
        form = NewProject(print, here)
        form.parts.children[0].click()
        assert form.parts.names == ["leftear", "rightear", "tailbase"]
        assert form.edges.value == "leftear-tailbase, rightear-tailbase"
        form.close()

    def test_ones_own_bodyparts_take_the_place_of_a_preset_that_nobody_chose(self, here):
        form = NewProject(print, here)
        form.parts.field.value = "snout, left paw, tail tip"
        assert form.parts.names == ["snout", "left paw", "tail tip"]
        assert (form.preset.value, form.edges.value) == ("My own", "")
        assert "Mouse from above" in form.status_line.value
        assert form.edges.placeholder == "none; or snout-left paw, left paw-tail tip"
        form.preset.value = "Mouse from above"
        form.parts.field.value = "center"
        assert form.parts.names == ["snout", "leftear", "rightear", "tailbase", "center"]
        assert form.preset.value == "Mouse from above"
        form.preset.value = "My own"
        assert "leftear" not in form.edges.placeholder
        form.close()

    def test_a_project_is_made_beside_another_one_never_inside(self, here, project):
        form = NewProject(print, project.root / "videos")
        assert form.parent.value == str(here)
        form.parent.value = str(project.root / "labeled-data")
        assert form.parent.value == str(here)
        assert f"inside the project {project.root.name}" in form.status_line.value
        (here / "config.yaml").write_text("of another program")  # makes no project of a folder
        assert place_to_write(here) == here
        form.close()

    def test_the_whole_folder_is_told_before_it_is_made(self, here):
        made = []
        form = NewProject(made.append, here, film(here / "m.mp4"))
        form.scorer.value = "ada"
        told = form.root.value
        form.create()
        assert form.task.wait(30)
        assert str(made[0].root) in told
        form.close()

    @pytest.mark.parametrize("preset", PRESETS)
    def test_each_preset_makes_a_project(self, here, preset):
        made = []
        form = NewProject(made.append, here, film(here / "m.mp4", 1))
        form.preset.value = preset
        if not form.parts.names:
            form.parts.field.value = "paw"
        form.create()
        assert form.task.wait(30)
        assert made, form.status_line.value
        form.close()


class TestDoor:
    def test_projects_that_are_gone_can_not_be_pressed_but_taken_off(self, here, project):
        remember(project.root, "reach")
        remember(here / "gone", "gone")
        door = FrontDoor(print)
        gone, there = door.pane.children[0].children
        assert gone.children[0].disabled
        assert not there.children[0].disabled
        gone.children[2].click()
        assert [one.task for one in recent_projects()] == ["reach"]
        door.close()

    def test_all_that_are_gone_are_taken_off_at_once(self, here, project):
        remember(project.root, "reach")
        for name in "ab":
            remember(here / name, name)
        door = FrontDoor(print)
        remove = door.pane.children[0].children[-1]
        assert remove.description == "Remove the 2 that are gone"
        remove.click()
        assert [one.task for one in recent_projects()] == ["reach"]
        assert len(door.pane.children[0].children) == 1
        door.close()

    def test_without_recent_projects_it_begins_with_a_new_one(self):
        door = FrontDoor(print)
        assert door.ways.value == "New project"
        door.show("Recent")
        assert "The projects that you open will be listed here" in door.pane.children[0].children[0].value
        door.close()

    def test_a_folder_is_opened(self, project):
        opened = []
        door = FrontDoor(opened.append)
        door.show("Open")
        door._made["Open"].list.children[0].click()
        assert opened == [project.root]
        assert is_project(project.root / "config.yaml")
        door.close()

    def test_the_open_field_is_made_once(self, openfield_root, here):
        opened = []
        door = FrontDoor(opened.append)
        for _ in range(2):
            door.sample("Open-field mouse")
            assert door.wait()
        assert len({project.root for project in opened}) == 1
        assert opened[0].root.parent == here / "dlcnb-samples"
        door.close()


class TestTab:
    def test_a_video_begins_a_new_project(self, here):
        view = tab.opened_on(str(film(here / "m.mp4")))
        assert form(view).videos.videos == [here / "m.mp4"]
        view.close()

    @pytest.mark.parametrize("path", [".", "config.yaml", "videos/m.mp4"])
    def test_what_belongs_to_a_project_opens_it(self, project, monkeypatch, path):
        monkeypatch.chdir(project.root)
        view = tab.opened_on(path)
        assert view.project.root == project.root
        view.close()

    def test_a_kernel_in_a_project_opens_that(self, project, here, monkeypatch):
        monkeypatch.chdir(project.root)
        with closing(tab.opened_on()) as view:
            assert view.project.root == project.root
        monkeypatch.chdir(here)
        with closing(tab.opened_on()) as view:
            assert view.door is not None

    def test_a_kernel_whose_folder_was_deleted_has_a_door_at_home(self, tmp_path, monkeypatch):
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with closing(tab.in_tab()) as view:
            assert not view.said
            assert FolderBrowser(lambda _: True, lambda _: None).folder == Path.home()
            assert place_to_write(None) == Path.home()

    def test_a_kernel_has_one(self):
        view = tab.in_tab("nowhere")
        assert "nowhere" in view.status_line.value
        assert tab.in_tab() is view
        view.close()
        assert tab.in_tab() is not view
        tab.in_tab().close()


class TestChosen:
    def test_each_has_its_first_frame_and_what_it_is(self, here):
        chooser = VideoChooser(folder=here)
        chooser.choose(film(here / "short.mp4", 20))
        chooser.choose(film(here / "shorter.mp4", 15))
        first, second = chooser.chosen.children
        assert chooser.chosen.wait()
        assert "0.7 s · 64×48" in first.facts.value
        assert "0.5 s · 64×48" in second.facts.value
        assert decode_jpeg(first.picture.value).shape == (*SIZE, 3)
        first.children[0].click()
        assert chooser.videos == [here / "shorter.mp4"]
        assert chooser.chosen.children == (second,)
        chooser.close()

    def test_one_that_was_cut_short_says_so(self, here):
        rng = np.random.default_rng(0)
        with av.open(str(here / "cut.mp4"), "w", options={"movflags": "faststart"}) as file:
            stream = file.add_stream("libx264", rate=30)
            stream.height, stream.width = SIZE
            for _ in range(60):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(rng.integers(0, 255, (*SIZE, 3), np.uint8))))
            file.mux(stream.encode())
        whole = (here / "cut.mp4").read_bytes()
        (here / "cut.mp4").write_bytes(whole[: int(0.6 * len(whole))])
        chooser = VideoChooser(folder=here)
        chooser.choose(here / "cut.mp4")
        assert chooser.chosen.wait()
        (card,) = chooser.chosen.children
        assert "of 60 frames are damaged" in card.facts.value
        assert card.picture.value
        chooser.close()

    def test_one_that_is_gone_meanwhile_says_so(self, here):
        chooser = VideoChooser(folder=here)
        card = chooser.chosen
        film(here / "m.mp4")
        card.set([here / "m.mp4", here / "gone.mp4"])
        assert card.wait()
        assert "gone.mp4" in card.children[1].facts.value
        assert not card.children[1].picture.value
        chooser.close()

    def test_long_ones_are_told_in_minutes_and_hours(self, here):
        times = {"minutes.mp4": 125, "hours.mp4": 3725}
        for name, seconds in times.items():
            with VideoWriter(here / name, SIZE, 30) as writer:  # of two frames, so far apart
                for time in (0, seconds):
                    writer.write(np.zeros((*SIZE, 3), np.uint8), time / 2)
        found = []
        for name in times:
            with VideoReader(here / name) as reader:
                found.append(facts_of(reader))
        assert found == ["2:05 min · 64×48", "1:02:05 h · 64×48"]

    def test_none_are_asked_for(self, here):
        chooser = VideoChooser(folder=here)
        assert "Press the videos" in chooser.chosen.children[0].value
        chooser.close()


def test_adding_nothing_is_not_offered(project):
    adding = AddVideos(project, print)
    assert adding.add_button.disabled
    adding.close()
