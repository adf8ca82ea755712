"""Analyses that are killed, stopped, short of disk, or given broken videos."""

import json
import os
import subprocess
import sys
import threading
from contextlib import closing, suppress

import numpy as np
import psutil
import pytest
from support.networks import network_project
from support.projects import write_noise

from dlcnb import Poses, VideoReader, jobs
from dlcnb.jobs.analysis import parts as parts_module
from dlcnb.jobs.analysis.parts import Parts, PartsError

TIMEOUT = 120
PARTS = ("snout", "tail")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a network of random weights, which is as quick as a trained one."""
    return network_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def predictor(project):
    from dlcnb import Predictor

    return Predictor(project.last_run())


def truth(predictor, video):
    """What an analysis in one go without parts would give."""
    from dlcnb import predict_video

    steps = list(predict_video(predictor, video))
    return np.concatenate([s.points for s in steps]), np.concatenate([s.likelihood for s in steps])


def bytes_of(output):
    return [path.read_bytes() for path in (output, output.with_suffix(".csv"))]


# --- parts


def some(first, stop):
    return np.full((stop - first, 1, 2), float(first)), np.ones((stop - first, 1))


def test_parts_are_found_again(tmp_path):
    with Parts(tmp_path / "a.h5", {"a": 1}, 25, 8) as parts:
        assert parts.missing() == [(0, 25)]
        parts.add(8, *some(8, 16), damaged=[9])
        assert parts.missing() == [(0, 8), (16, 25)]
    with Parts(tmp_path / "a.h5", {"a": 1}, 25, 8) as parts:
        assert parts.done == 8
        assert parts.damaged() == [9]
        for first in (0, 16, 24):
            parts.add(first, *some(first, min(first + 8, 25)))
        (poses,) = parts.poses(("snout",), "DLC_x")
        np.testing.assert_array_equal(poses.points[:, 0, 0], np.arange(25) // 8 * 8)
        parts.clear()
    assert not list(tmp_path.iterdir())


def test_parts_of_something_else_are_not_used(tmp_path):
    with Parts(tmp_path / "a.h5", {"a": 1}, 16, 8) as parts:
        parts.add(0, *some(0, 8))
    with Parts(tmp_path / "a.h5", {"a": 2}, 16, 8) as parts:
        assert parts.done == 0


def test_a_torn_part_is_made_again(tmp_path):
    with Parts(tmp_path / "a.h5", {}, 16, 8) as parts:
        parts.add(0, *some(0, 8))
        path = parts.folder / "000000000.npz"
        path.write_bytes(path.read_bytes()[:-30])
    with Parts(tmp_path / "a.h5", {}, 16, 8) as parts:
        assert parts.missing() == [(0, 16)]


def test_parts_of_other_shapes_are_made_again(tmp_path):
    key = {"bodyparts": ["a", "b"]}
    for shape, trust in (((8, 1, 2), (8, 1)), ((8, 2, 2), (8, 1)), ((8, 2, 3), (8, 2))):
        with Parts(tmp_path / "a.h5", key, 8, 8) as parts:
            parts.add(0, np.zeros(shape), np.ones(trust))
        with Parts(tmp_path / "a.h5", key, 8, 8) as parts:
            assert parts.missing() == [(0, 8)]


def test_a_link_in_place_of_the_parts_harms_nothing_outside(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "mine.npz").write_bytes(b"mine")
    (tmp_path / ".dlcnb-parts-a").symlink_to(home)
    with pytest.raises(PartsError, match="found a link; remove it"):
        Parts(tmp_path / "a.h5", {}, 16, 8).__enter__()
    (tmp_path / ".dlcnb-parts-b").mkdir()
    (tmp_path / ".dlcnb-parts-b" / "lock").symlink_to(home / "mine.npz")
    with pytest.raises(ValueError, match="found a link"):
        Parts(tmp_path / "b.h5", {}, 16, 8).__enter__()
    assert [(path.name, path.read_bytes()) for path in home.iterdir()] == [("mine.npz", b"mine")]


def test_two_at_one_table_are_refused(tmp_path):
    with Parts(tmp_path / "a.h5", {}, 16, 8), pytest.raises(PartsError, match=f"another process .{os.getpid()}"):
        Parts(tmp_path / "a.h5", {}, 16, 8).__enter__()


def test_a_part_has_its_place(tmp_path):
    with Parts(tmp_path / "a.h5", {}, 16, 8) as parts, pytest.raises(PartsError, match="expected frames"):
        parts.add(4, *some(4, 12))


# --- one video


pytestmark = pytest.mark.mxnet


def analyze(predictor, video, output, stop=False, progress=None, **settings):
    from dlcnb.jobs.analysis.local import analyze_video
    from dlcnb.jobs.analysis.plan import Settings

    settings = Settings(**{"part": 16, **settings})
    return analyze_video(predictor, video, output, settings, progress=progress, stop=stop)


class Stop:
    """True once so many frames are done."""

    def __init__(self, after):
        self.after, self.done = after, 0

    def __call__(self, done, total):
        self.done = done

    def __bool__(self):
        return self.done >= self.after


def test_tables_of_another_video_of_that_name_are_not_replaced(tmp_path):
    from dlcnb.jobs.analysis.plan import Settings, plan

    first, second = write_noise(tmp_path / "mouse.mp4", 4), write_noise(tmp_path / "mouse.avi", 6)
    note = {"result": {"video": str(first)}, "key": {"video": {"bytes": first.stat().st_size}}}
    output = tmp_path / "mouseDLC_net.h5"
    output.with_name("mouseDLC_net_meta.json").write_text(json.dumps(note))
    network = {"bodyparts": ["nose"], "engine": "fp32"}
    with VideoReader(first) as reader:
        assert plan(network, reader, output, Settings()).video == first
    with VideoReader(second) as reader, pytest.raises(FileExistsError, match=r"of another video .*mouse\.mp4; rename"):
        plan(network, reader, output, Settings())


def test_the_tables_are_those_of_one_go(predictor, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 70)
    result = analyze(predictor, video, tmp_path / "a.h5")
    poses = Poses.read(tmp_path / "a.h5")
    points, likelihood = truth(predictor, video)
    np.testing.assert_array_equal(poses.points, points)
    np.testing.assert_array_equal(poses.likelihood, likelihood)
    assert (poses.bodyparts, poses.scorer) == (PARTS, predictor.scorer)
    np.testing.assert_array_equal(Poses.read(tmp_path / "a.csv").points, points)
    assert result["frames"] == 70
    assert result["reused"] == 0
    assert result["damaged"] == []
    assert not list(tmp_path.glob(".dlcnb*"))


def test_a_stopped_analysis_goes_on_with_the_same_tables(predictor, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 70)
    whole, pieces = tmp_path / "whole.h5", tmp_path / "pieces.h5"
    analyze(predictor, video, whole)
    seen = []
    for after in (20, 40, 60):
        stop = Stop(after)
        assert analyze(predictor, video, pieces, stop, progress=stop) is None
        seen.append(stop.done)
    assert seen == [16, 32, 64]  # what is kept: whole parts
    assert not pieces.exists()
    first = []
    result = analyze(predictor, video, pieces, progress=lambda done, total: first.append(done))
    assert result["reused"] == 64
    assert first == [70]  # nothing was predicted twice
    assert bytes_of(pieces) == bytes_of(whole)


def test_dynamic_cropping_goes_on_with_the_same_tables(predictor, tmp_path):
    from dlcnb.backend.dynamic import RESET

    video = write_noise(tmp_path / "a.mp4", RESET + 20, size=(288, 352))
    whole, pieces = tmp_path / "whole.h5", tmp_path / "pieces.h5"
    analyze(predictor, video, whole, dynamic=(0.3, 5), batch=3)
    stop = Stop(RESET + 1)
    assert analyze(predictor, video, pieces, stop, progress=stop, dynamic=(0.3, 5)) is None
    result = analyze(predictor, video, pieces, dynamic=(0.3, 5))
    assert result["reused"] == RESET
    assert bytes_of(pieces) == bytes_of(whole)
    assert analyze(predictor, video, pieces, dynamic=(0.4, 5))["reused"] == 0  # other settings


def test_a_part_of_the_frames_gives_points_in_the_whole_frame(predictor, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 20)
    crop = [8, 56, 4, 44]
    result = analyze(predictor, video, tmp_path / "a.h5", crop=lambda _video, _size: crop)
    assert result["crop"] == crop
    with VideoReader(video) as reader:
        images = [reader.read(n)[4:44, 8:56] for n in range(8)]
    points, likelihood = predictor.predict(images)
    poses = Poses.read(tmp_path / "a.h5")
    np.testing.assert_allclose(poses.points[:8], points + (8, 4), atol=1e-4)
    np.testing.assert_allclose(poses.likelihood[:8], likelihood, atol=1e-6)
    again = analyze(predictor, video, tmp_path / "a.h5")  # another part: other poses
    assert again["reused"] == 0
    assert "x 8 to 56, y 4 to 44" in again["replaced"]


@pytest.mark.parametrize(("crop", "part"), [(None, [8, 56, 4, 44]), ("whole", None), ((0, 40, 0, 30), [0, 40, 0, 30])])
def test_what_config_yaml_crops_is_cropped_unless_something_else_is_asked_for(tmp_path, crop, part):
    from dlcnb import Project
    from dlcnb.jobs.analysis.plan import settings_of

    project = Project.create("arena", "Ann", [write_noise(tmp_path / "a.mp4", 4)], PARTS, parent=tmp_path)
    project.config.update(cropping=True, x1=8, x2=56, y1=4, y2=44)
    with VideoReader(project.videos[0]) as reader:
        assert settings_of({"crop": crop, "dynamic": "auto"}, project).key(reader).get("crop") == part


def test_several_animals_get_a_table_for_several(predictor, tmp_path):
    from dlcnb import MultiAnimalPoses
    from dlcnb.jobs.analysis.plan import Settings, output_path

    video = write_noise(tmp_path / "a.mp4", 70)
    whole, pieces = (output_path(video, name, Settings(animals=3)) for name in ("whole", "pieces"))
    assert whole.name == "awhole_el.h5"
    analyze(predictor, video, whole, animals=3)
    stop = Stop(40)
    assert analyze(predictor, video, pieces, stop, progress=stop, animals=3) is None
    assert analyze(predictor, video, pieces, animals=3)["reused"] >= 32
    assert bytes_of(pieces) == bytes_of(whole)
    poses = MultiAnimalPoses.read(whole)
    assert poses.individuals == ("individual1", "individual2", "individual3")
    assert poses.points.shape == (70, 3, len(PARTS), 2)
    assert np.isfinite(poses.points).any()
    np.testing.assert_array_equal(MultiAnimalPoses.read(whole.with_suffix(".csv")).points, poses.points)


def test_dynamic_cropping_of_several_animals_is_refused(project, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 10)
    with pytest.raises(ValueError, match="not both"):
        jobs.start("analyze", project, videos=[video], dynamic=(0.5, 10), animals=2)


def test_a_finished_video_is_not_done_again(predictor, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 20)
    output = tmp_path / "a.h5"
    first = analyze(predictor, video, output)
    again = analyze(predictor, video, output, progress=lambda done, total: pytest.fail("predicted again"))
    assert again == {**first, "reused": 20}
    assert analyze(predictor, video, output, again=True)["reused"] == 0
    other = analyze(predictor, video, output, dynamic=(0.4, 5))
    assert (other["reused"], other["replaced"]) == (0, "engine fp32, whole frames")
    assert analyze(predictor, video, output, dynamic=(0.4, 5))["replaced"] is None
    other = analyze(predictor, video, output, batch=4)
    assert (other["reused"], other["replaced"]) == (0, "engine fp32, dynamic cropping (threshold 0.4, margin 5 px)")
    output.with_suffix(".csv").write_text("edited")
    assert analyze(predictor, video, output, batch=4)["reused"] == 0
    write_noise(video, 21)
    assert analyze(predictor, video, output, batch=4)["frames"] == 21


def test_other_weights_of_the_same_name_are_seen(predictor, project, tmp_path):
    from dlcnb import Predictor

    video = write_noise(tmp_path / "a.mp4", 40)
    stop = Stop(20)
    analyze(predictor, video, tmp_path / "a.h5", stop, progress=stop)
    path = project.last_run() / "snapshot-1.params"
    before = path.read_bytes()
    try:
        predictor._net.head.out.bias.set_data(predictor._net.head.out.bias.data() + 1)
        predictor._net.save_parameters(str(path))
        other = Predictor(project.last_run())
        assert analyze(other, video, tmp_path / "a.h5")["reused"] == 0
    finally:
        path.write_bytes(before)
        predictor._net.load_parameters(str(path))


def damage(path, frame):
    """Garble the packet of one frame of a video that has none but key frames."""
    import av

    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    position, size = packets[frame]
    data = bytearray(path.read_bytes())
    data[position : position + size] = bytes(size)
    path.write_bytes(data)


@pytest.fixture
def damaged_video(tmp_path):
    """40 frames of motion JPEG, of which 17 and 33 are damaged."""
    import av

    path = tmp_path / "damaged.avi"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for _ in range(40):
            image = np.repeat(np.repeat(rng.integers(0, 256, (8, 12, 3), dtype=np.uint8), 8, 0), 8, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    for frame in (17, 33):
        damage(path, frame)
    with VideoReader(path) as reader:
        assert [i for i, image in reader.frames() if image is None] == [17, 33]
    return path


def test_damaged_frames_are_nan_rows_and_told_of(predictor, damaged_video, tmp_path):
    stop = Stop(32)
    analyze(predictor, damaged_video, tmp_path / "a.h5", stop, progress=stop)
    result = analyze(predictor, damaged_video, tmp_path / "a.h5")
    assert result["damaged"] == [17, 33]
    poses = Poses.read(tmp_path / "a.h5")
    gone = np.isnan(poses.points).all((1, 2)) & np.isnan(poses.likelihood).all(1)
    assert np.flatnonzero(gone).tolist() == [17, 33]
    with VideoReader(damaged_video) as reader:  # the series is not shifted
        expected, _ = predictor.predict([reader.read(34)])
    np.testing.assert_allclose(poses.points[34], expected[0], atol=1e-4)


def test_a_variable_frame_rate_keeps_a_row_per_frame(predictor, tmp_path):
    times = np.cumsum(np.tile([0.03, 0.2, 0.03, 0.07], 10)) - 0.03
    video = write_noise(tmp_path / "a.mp4", 40, times=times)
    analyze(predictor, video, tmp_path / "a.h5")
    with VideoReader(video) as reader:
        assert reader.is_vfr
        np.testing.assert_allclose(reader.times, times, atol=1e-3)
        assert len(Poses.read(tmp_path / "a.h5")) == len(reader) == 40
        expected, _ = predictor.predict([reader.read(31)])
    np.testing.assert_allclose(Poses.read(tmp_path / "a.h5").points[31], expected[0], atol=1e-4)


# --- disks


def test_a_disk_too_small_is_told_of_before_the_work(predictor, tmp_path, mounted):
    video = write_noise(tmp_path / "a.mp4", 400)
    with mounted(tmp_path / "small", "size=32k") as folder:
        with pytest.raises(OSError, match=r"disk is full\. They need about 0\.\d MB"):
            analyze(predictor, video, folder / "a.h5", progress=lambda done, total: pytest.fail("work was done"))
        assert not list(folder.iterdir())


def test_a_disk_that_fills_up_loses_nothing(predictor, tmp_path, mounted):
    video = write_noise(tmp_path / "a.mp4", 200)
    with mounted(tmp_path / "small", "size=512k") as folder:
        old = folder / "a.csv"
        old.write_text("older tables")

        def fill(done, total):
            if done > 100:
                with suppress(OSError), open(folder / "filler", "ab", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass

        with pytest.raises(OSError, match="disk is full"):
            analyze(predictor, video, folder / "a.h5", progress=fill)
        assert old.read_text() == "older tables"
        assert not (folder / "a.h5").exists()
        (folder / "filler").unlink()
        result = analyze(predictor, video, folder / "a.h5")
        assert 96 <= result["reused"] < 200
    assert result["frames"] == 200


def test_a_disk_that_is_full_at_the_very_end_loses_nothing(predictor, tmp_path, mounted):
    video = write_noise(tmp_path / "a.mp4", 600)
    with mounted(tmp_path / "small", "size=600k") as folder:

        def fill(done, total):
            if done == total and not (folder / "filler").exists():
                with suppress(OSError), open(folder / "filler", "ab", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass
                os.truncate(folder / "filler", (folder / "filler").stat().st_size - 8192)

        with pytest.raises(OSError, match=r"disk is full\. Nothing was written"):
            analyze(predictor, video, folder / "a.h5", progress=fill)
        assert {p.name for p in folder.iterdir()} == {"filler", ".dlcnb-parts-a"}
        (folder / "filler").unlink()
        assert analyze(predictor, video, folder / "a.h5")["reused"] == 600


def test_a_read_only_folder_is_told_of_before_the_work(predictor, tmp_path, mounted):
    video = write_noise(tmp_path / "a.mp4", 20)
    with mounted(tmp_path / "fixed", "ro") as folder, pytest.raises(OSError, match=r"(?i)read-only|permission"):
        analyze(predictor, video, folder / "a.h5", progress=lambda done, total: pytest.fail("work was done"))


# --- jobs


def test_score_maps_of_chosen_frames(project, predictor, tmp_path):
    from dlcnb.evaluate import ScoreMaps
    from dlcnb.jobs.kinds.analyze import analyze as work

    video = write_noise(tmp_path / "a.mp4", 20)
    options = {"run": str(project.last_run()), "videos": [str(video)], "score_maps": [3, 17]}
    with closing(jobs.EventLog(tmp_path)) as events:
        ending, result = work({"project": str(project.root), "options": options}, events, stop=False)
    assert ending == "done"
    (done,) = result["videos"]
    maps = ScoreMaps(done["score_maps"])
    assert maps.images == ("3", "17")
    with VideoReader(video) as reader:
        expected, _ = predictor.maps([reader.read(17)]).arrays()
    np.testing.assert_allclose(maps.score("17"), expected[0], atol=0.03)


def test_a_bad_video_does_not_keep_the_rest_from_being_done(project, tmp_path):
    good = [write_noise(tmp_path / f"{name}.mp4", 20) for name in ("a", "c")]
    bad = tmp_path / "b.mp4"
    bad.write_bytes(good[0].read_bytes()[:1500])
    job = jobs.start("analyze", project, videos=[good[0], bad, good[1]])
    assert job.wait(TIMEOUT) == "done"
    assert [v["video"] for v in job.result["videos"]] == [str(v) for v in good]
    (failed,) = job.result["failed"]
    assert failed["video"] == str(bad)
    assert str(bad) in failed["message"]
    again = jobs.start("analyze", project, videos=[good[0], bad, good[1]])
    again.wait(TIMEOUT)
    assert [v["reused"] for v in again.result["videos"]] == [20, 20]


WORKER = """
import sys
from dlcnb import Predictor
from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Settings

run, video, output = sys.argv[1:]
def progress(done, total):
    print(done, flush=True)
    sys.stdin.readline()
analyze_video(Predictor(run), video, output, Settings(part=16), progress=progress)
"""


class Worker:
    """An analysis in a process of its own that waits for `go` after each batch."""

    def __init__(self, project, video, output):
        line = [sys.executable, "-c", WORKER, str(project.last_run()), str(video), str(output)]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reached = self._next()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def go(self):
        """Let it do one more batch; False once it has finished."""
        self.release()
        self.reached = self._next() or self.reached
        return self.process.poll() is None

    def release(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def _next(self):
        return int(self.process.stdout.readline() or 0)


def killed_and_resumed(project, video, output, goals, seed=0):
    """Kill a worker at a random moment after each of the goals (frames), then let one finish.

    Returns the frames at which the workers began, past the first batch.
    """
    rng, began = np.random.default_rng(seed), []
    for goal in goals:
        with Worker(project, video, output) as worker:
            began.append(worker.reached)
            while worker.reached < goal:
                assert worker.go()
            worker.release()
            threading.Event().wait(rng.uniform(0, 0.05))  # no condition: anywhere in a batch, or in writing a part
    with Worker(project, video, output) as worker:
        began.append(worker.reached)
        worker.process.communicate("\n" * 10_000)
        assert worker.process.returncode == 0
    return began


def test_sigkill_costs_at_most_one_part(project, predictor, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 120)
    analyze(predictor, video, tmp_path / "whole.h5")
    began = killed_and_resumed(project, video, tmp_path / "a.h5", [40, 90])
    assert began[1] >= 32 + 8
    assert began[2] >= 80 + 8
    assert bytes_of(tmp_path / "a.h5") == bytes_of(tmp_path / "whole.h5")


@pytest.mark.slow
def test_random_kills_leave_the_same_tables(project, predictor, tmp_path, kills):
    video = write_noise(tmp_path / "a.mp4", 500)
    analyze(predictor, video, tmp_path / "whole.h5")
    goals = np.sort(np.random.default_rng(1).integers(8, 480, kills))
    killed_and_resumed(project, video, tmp_path / "a.h5", goals, 1)
    assert bytes_of(tmp_path / "a.h5") == bytes_of(tmp_path / "whole.h5")


@pytest.mark.slow
def test_memory_is_flat_over_a_long_video(predictor, tmp_path):
    video = write_noise(tmp_path / "long.mp4", 8_000, size=(32, 48))
    process, seen = psutil.Process(), {}

    def progress(done, total):
        seen[done] = process.memory_info().rss / 2**20

    analyze(predictor, video, tmp_path / "a.h5", progress=progress, part=parts_module.PART)
    memory = np.array(list(seen.values()))
    after = process.memory_info().rss / 2**20
    assert np.median(memory[-100:]) - np.median(memory[300:400]) < 15
    assert after - memory[-1] < 30  # writing the tables, too
    assert len(json.loads((tmp_path / "a_meta.json").read_text())["result"]["damaged"]) == 0
