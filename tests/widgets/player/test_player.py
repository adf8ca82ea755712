"""The player through its widgets and its input channel; no browser."""

import base64
import io
import threading

import av
import numpy as np
import pytest
from PIL import Image
from support.widgets import answered, frames_sent, shown

from dlcnb.labels import Labels
from dlcnb.poses import Poses
from dlcnb.project import Project, Skeleton
from dlcnb.video import VideoError, VideoReader, VideoWriter
from dlcnb.widgets import Player

SIZE, FRAMES = (96, 128), 60


BITS = 6


def numbered(frame):
    """A grey picture whose upper half says ``frame`` in black and white bars, one per bit."""
    image = np.full((*SIZE, 3), 90, np.uint8)
    for bit in range(BITS):
        image[: SIZE[0] // 2, bit * 20 : bit * 20 + 20] = 255 * (frame >> bit & 1)
    return image


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "m1.mp4"
    with VideoWriter(path, SIZE, 30, crf=5) as writer:
        for frame in range(FRAMES):
            writer.write(numbered(frame))
    return path


@pytest.fixture
def poses():
    points = np.stack([np.full((FRAMES, 2), (30.0, 60.0)), np.full((FRAMES, 2), (90.0, 80.0))], axis=1)
    likelihood = np.ones((FRAMES, 2))
    likelihood[40:, 1] = 0.1
    return Poses(("snout", "tail"), "net", points, likelihood)


@pytest.fixture
def player(video, poses):
    made = Player(
        video, poses, skeleton=Skeleton(("snout", "tail"), (("snout", "tail"),)), labels=[5, 50], outliers=[20]
    )
    yield made
    made.close()


def shows(player, frame):
    """Whether the canvas shows that frame and no other."""
    picture = shown(player)
    scale = picture.shape[1] / SIZE[1]
    bars = [picture[round(10 * scale), round((20 * bit + 10) * scale), 0] > 127 for bit in range(BITS)]
    return sum(int(bar) << bit for bit, bar in enumerate(bars)) == frame


def message(player, **content):
    player.input.guard._handle_custom_msg(content, [])


def key(player, name):
    message(player, type="key", key=name, repeat=False)


@pytest.mark.parametrize(
    ("keys", "frame"),
    [
        (["ArrowRight"], 1),
        (["Shift+ArrowRight", "ArrowLeft"], 9),
        (["End"], FRAMES - 1),
        (["End", "Shift+ArrowLeft"], FRAMES - 11),
        (["End", "Home"], 0),
        (["]", "]"], 20),
        (["End", "["], 50),
        (["ArrowLeft"], 0),
    ],
)
def test_keys_and_buttons_do_the_same(player, keys, frame):
    for name in keys:
        key(player, name)
    assert player.state.frame == frame
    player.state.go(0)
    for name in keys:
        player.buttons[name].click()
    assert player.state.frame == frame
    assert shows(player, frame)
    assert player.slider.value == player.number.value == frame


def test_every_key_has_a_button_whose_tooltip_names_it(player):
    assert {made.tooltip.count("(") for made in player.buttons.values()} == {1}


def test_slider_and_number_move_the_video(player):
    player.slider.value = 33
    assert shows(player, 33)
    player.number.value = 12
    assert shows(player, 12)
    assert player.slider.value == 12
    assert "0.40 s" in player.readout.value


def test_a_click_on_the_timeline_jumps_and_dragging_scrubs(player):
    width = player.timeline.width
    message(player, type="down", surface=1, x=(50.5 / FRAMES) * width + 3, y=5, button=0)
    assert player.state.frame == 50
    message(player, type="move", surface=1, x=width / 2, y=5)
    assert player.state.frame == FRAMES // 2
    message(player, type="up", surface=1, x=width / 2, y=5, button=0)
    message(player, type="move", surface=1, x=0, y=5)
    assert player.state.frame == FRAMES // 2


def test_wheel_zooms_at_the_pointer_and_dragging_pans(player):
    before = player.state.fit.to_image((100, 80))
    message(player, type="wheel", surface=0, x=100, y=80, dy=-500)
    assert player.state.zoomed
    np.testing.assert_allclose(player.state.fit.to_image((100, 80)), before)
    left = player.state.fit.left
    message(player, type="down", surface=0, x=100, y=80, button=0)
    message(player, type="move", surface=0, x=90, y=80)
    message(player, type="up", surface=0, x=90, y=80, button=0)
    message(player, type="move", surface=0, x=0, y=0)
    assert player.state.fit.left == pytest.approx(left - 10)
    message(player, type="double", surface=0, x=1, y=1, button=0)
    assert not player.state.zoomed


def test_pcutoff_hides_and_shows_points(player):
    player.state.go(45)
    assert np.isfinite(player.state.visible_points()).all(axis=1).tolist() == [True, False]
    player.pcutoff.value = 0.05
    assert np.isfinite(player.state.visible_points()).all()
    player.poses_box.value = False
    assert len(player.state.visible_points()) == 0
    assert player.wait()


def test_play_reaches_the_end_and_stops(player):
    done = threading.Event()
    player.state.observe(lambda change: change.new or done.set(), "playing")
    player.state.go(FRAMES - 8)
    key(player, " ")
    assert player.buttons[" "].icon == "pause"
    assert done.wait(30)
    assert player.state.frame == FRAMES - 1
    assert player.buttons[" "].icon == "play"
    assert player.wait()
    assert player.slider.value == FRAMES - 1


def test_a_step_while_playing_pauses_there(player):
    player.speed.value = 0.1
    player.play()
    key(player, "Shift+ArrowRight")
    assert not player.state.playing
    assert player.wait()
    assert player.state.frame in (10, 11)


def test_the_number_of_pictures_never_exceeds_what_can_be_shown(player, monkeypatch):
    """Thirty key presses while one picture is on its way become two pictures, the last one right."""
    assert player.wait()
    sent, arrived = threading.Event(), threading.Event()
    drawn = []

    def ready(ahead):
        assert ahead == 0
        drawn.append(player.state.frame)
        sent.set()
        assert arrived.wait(10)

    monkeypatch.setattr(player.input, "ready", ready)
    key(player, "ArrowRight")
    assert sent.wait(10)
    for _ in range(30):
        key(player, "ArrowRight")
    arrived.set()
    assert shows(player, 31)
    assert len(drawn) == 2


def test_a_client_that_connects_gets_the_whole_picture(player, monkeypatch):
    assert player.wait()
    frames, layers = frames_sent(player.canvas, monkeypatch), []
    monkeypatch.setattr(player.timeline, "paint", lambda layer, things: layers.append(layer))
    player.redraw()
    assert player.wait()
    assert (len(frames), layers) == (0, [1])
    for canvas in (player.canvas, player.timeline):
        canvas._canvases[-1]._handle_custom_msg({"event": "client_ready"}, [])
    assert player.wait()
    assert len(frames) == 1
    assert layers.count(0) == 1


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A player on a screen of two pixels per px, whose video has two pixels for each px of the canvas."""
    path = tmp_path / "large.mp4"
    with VideoWriter(path, SIZE, 30) as writer:
        for frame in range(4):
            writer.write(numbered(frame))
    made = Player(path, width=SIZE[1] // 2)
    answered(made.input.guard, monkeypatch)
    yield made
    made.close()


def test_a_sharp_screen_has_all_pixels_of_a_frame_that_is_looked_at(large):
    assert (large.canvas.width, large.timeline.width) == (SIZE[1], SIZE[1])
    large.state.step(1)
    assert shown(large).shape == (*SIZE, 3)


def test_playing_and_a_slow_way_send_no_more_on_a_sharp_screen(large, monkeypatch):
    monkeypatch.setattr(large.input, "quick_seconds", 0.0)
    for _ in range(2):  # one that takes long may be an accident
        large.state.step(1)
        large.wait()
    sent = frames_sent(large.canvas, monkeypatch)
    large.state.step(1)
    large.wait()
    large.state.playing = True
    large.state.frame = 0
    large.wait()
    large.state.playing = False
    large.wait()
    assert sent
    assert {image.shape for image in sent} == {(SIZE[0] // 2, SIZE[1] // 2, 3)}


def test_a_frame_that_stays_is_not_sent_again(player, monkeypatch):
    player.wait()
    sent = frames_sent(player.canvas, monkeypatch)
    player.pcutoff.value = 0.05
    player.wait()
    assert not sent
    player.input._from_guard(None, {"type": "resized"}, [])  # the page has emptied the canvas
    player.wait()
    assert len(sent) == 1


def test_snapshot_shows_frame_pose_and_timeline(player):
    player.state.go(10)
    picture = np.array(player.snapshot())
    height, width = player.state.canvas_size
    assert picture.shape == (height + player.timeline.height, width, 3)
    x, y = (int(v) for v in player.state.fit.to_canvas((30.0, 60.0)))
    assert abs(picture[height - 5, 5].astype(int) - 90).max() <= 6
    assert abs(picture[y, x].astype(int) - 90).max() > 30
    playhead = picture[height + 2, round((10 + 0.5) / FRAMES * width)]
    assert playhead.min() > 200


def test_where_no_front_end_is_the_picture_is_shown(player, monkeypatch):
    monkeypatch.setenv("DLCNB_HEADLESS", "1")
    bundle = player._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.width == player.canvas.width
    assert "application/vnd.jupyter.widget-view+json" not in bundle


def test_a_project_gives_labels_skeleton_and_pcutoff(video, poses, tmp_path):
    project = Project.create(
        "reach", "ada", [video], ["snout", "tail"], parent=tmp_path, skeleton=[("snout", "tail")], pcutoff=0.3
    )
    folder = project.labeled_dir(video)
    names = tuple(f"labeled-data/m1/img{frame:02d}.png" for frame in (3, 30))
    folder.mkdir(parents=True, exist_ok=True)
    Labels(("snout", "tail"), "ada", names, np.zeros((2, 2, 2))).write(folder)
    player = Player(video, poses, project=project)
    assert player.state.marks["labeled"].tolist() == [3, 30]
    assert player.state.pcutoff == player.pcutoff.value == 0.3
    assert player._edges.tolist() == [[0, 1]]
    player.close()


def test_poses_from_a_table(video, poses, tmp_path):
    _, table = poses.write(tmp_path / "m1net")
    player = Player(video, table)
    assert player.bodyparts == ("snout", "tail")
    player.close()


class Damaged(VideoReader):
    """A video whose frame 7 cannot be decoded."""

    def _decode(self, cursor, i):
        return None if i == 7 else super()._decode(cursor, i)


def test_a_damaged_frame_is_said_and_the_next_one_works(video, caplog):
    player = Player(Damaged(video))
    player.state.go(7)
    assert player.wait()
    assert "frame 7" in player.status_line.value
    assert 'role="alert"' in player.status_line.value
    assert player.snapshot().size[0] > 0
    player.state.go(8)
    assert shows(player, 8)
    assert player.status_line.value == ""
    player.close()


def test_a_video_that_cannot_be_opened_is_one_clear_error(tmp_path):
    (tmp_path / "notes.mp4").write_text("not a video")
    with pytest.raises(VideoError):
        Player(tmp_path / "notes.mp4")


def test_an_error_in_a_gesture_is_shown_not_lost(player, monkeypatch):
    monkeypatch.setattr(player.state, "step", lambda count: 1 / 0)
    key(player, "ArrowRight")
    assert "division by zero" in player.status_line.value


def test_one_frame_is_a_video_too(tmp_path):
    with VideoWriter(tmp_path / "one.mp4", SIZE, 30) as writer:
        writer.write(np.zeros((*SIZE, 3), np.uint8))
    player = Player(tmp_path / "one.mp4")
    for name in player.buttons:
        key(player, name)
    player.pause()
    assert player.wait()
    assert player.state.frame == 0
    player.close()


def test_the_picture_is_never_wider_than_960(tmp_path):
    with av.open(str(tmp_path / "wide.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((1080, 1920, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    player = Player(tmp_path / "wide.mp4")
    assert player.state.canvas_size == (540, 960)
    player.close()


def test_closing_the_widget_closes_the_video_that_it_opened_and_no_other(video):
    player = Player(video)
    assert player.wait()
    player.close()
    with pytest.raises(VideoError, match="closed"):
        player.reader.read(0)
    with VideoReader(video) as reader:
        Player(reader).close()
        assert reader.read(0) is not None
