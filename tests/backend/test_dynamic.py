"""Dynamic cropping: where the next crop lies, and that the poses depend on the frames alone."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.networks import add_network

from dlcnb import Poses, VideoReader, VideoWriter, geometry
from dlcnb.backend.dynamic import LOOK_AHEAD, RECHECK, RESET, SIDES, Dynamic, Follower
from dlcnb.project import Project

SIZE, SMALL = (480, 640), (240, 320)


def animal(x, y, count=LOOK_AHEAD, step=0.0):
    """Poses (n, 3, 2) of an animal of 60 px at (x, y), walking to the right, and their likelihood."""
    shape = np.array([[-30.0, 0], [30, 0], [0, 20]])
    places = np.array([[x + n * step, y] for n in range(count)])
    return places[:, None] + shape, np.full((count, 3), 0.9)


@pytest.fixture
def follower():
    return Follower(SIZE, 1.0, Dynamic())


def corners(crop):
    left, top, width, height = crop
    return np.array([[left, top], [left + width - 1, top + height - 1]])


@pytest.mark.parametrize("at", [(320, 240), (40, 30), (600, 450)])
def test_the_crop_holds_the_animal_and_lies_in_the_frame(follower, at):
    points, likelihood = animal(*at)
    follower.follow(points, likelihood)
    low, high = corners(follower.crop)
    inside = points[-1].clip(0, [639, 479])
    assert (low <= inside.min(0)).all()
    assert (high >= inside.max(0)).all()
    assert (low >= 0).all()
    assert (high <= [639, 479]).all()
    assert follower.crop[2] == follower.crop[3] == SIDES[0]
    assert not follower.lost(points, likelihood).any()


def test_the_crop_reaches_to_where_the_animal_goes(follower):
    points, likelihood = animal(300, 240, step=12.0)
    follower.follow(points, likelihood)
    ahead = points[-1] + [12.0 * LOOK_AHEAD, 0]
    low, high = corners(follower.crop)
    assert (ahead >= low).all()
    assert (ahead <= high).all()


def test_an_animal_at_the_border_of_the_crop_is_lost(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    points[1] += [corners(follower.crop)[1][0] - points[1, :, 0].max() - 3, 0]
    points[2], likelihood[2] = points[2] - 20, 0.1
    assert follower.lost(points, likelihood).tolist() == [False, True, True, False]


def test_the_crop_moves_after_an_animal_that_nears_its_border(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    before, border = follower.crop, corners(follower.crop)[1][0]
    points[2:, :, 0] += border - 3 - points[2, :, 0].max()
    assert not follower.move(points, likelihood, 1)  # nothing leaves the crop yet
    assert follower.crop == before
    assert follower.move(points, likelihood, 2)
    assert not follower.lost(points, likelihood)[2:].any()


def test_the_crop_does_not_move_where_a_bodypart_must_be_looked_for_or_none_is_large_enough(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    before, border = follower.crop, corners(follower.crop)[1][0]
    points[1:, :, 0] += border - 3 - points[1, :, 0].max()
    gone = likelihood.copy()
    points[3, 0], gone[3, 0] = (5, 5), 0.1
    assert not follower.move(points, gone, 3)
    large = points + np.array([[-300, 0], [0, 0], [0, 0]])
    assert not follower.move(large, likelihood, 1)
    assert follower.crop == before


def test_the_border_of_the_frame_loses_nobody(follower):
    points, likelihood = animal(29, 240)
    follower.follow(points, likelihood)
    assert points[..., 0].min() < 0
    assert not follower.lost(points, likelihood).any()


def test_nobody_large_or_gone_means_the_whole_frame(follower):
    points, likelihood = animal(320, 240)
    large = points + np.array([[-150, 0], [150, 0], [0, 0]])
    for wrong in ((points, likelihood * 0.1), (points * np.nan, likelihood * np.nan), (large, likelihood)):
        follower.follow(points, likelihood)
        assert follower.crop is not None
        follower.follow(*wrong)
        assert follower.crop is None


def test_a_bodypart_is_lost_by_the_first_frame_that_does_not_have_it_any_more(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    points[1:3, 0] += [40, 0]
    likelihood[1:3, 0] = 0.1
    assert follower.lost(points, likelihood).tolist() == [False, True, False, False]
    points[1, 0], likelihood[1, 0] = (280, 240), 0.9  # the whole frame has it: the next one loses it
    assert follower.lost(points, likelihood)[2:].tolist() == [True, False]


def test_an_unsure_bodypart_that_goes_along_with_the_others_is_looked_for_now_and_then(follower):
    whole = []
    for n in range(0, 4 * RECHECK, LOOK_AHEAD):
        points, likelihood = animal(100 + 3 * n, 240, step=3.0)
        if n:
            likelihood[:, 0] = 0.1
        if follower.crop is None:
            whole.append(n)
        else:
            assert not follower.lost(points, likelihood).any()
        follower.follow(points, likelihood)
    assert whole == [0, RECHECK + LOOK_AHEAD, 2 * RECHECK + LOOK_AHEAD, 3 * RECHECK + LOOK_AHEAD]


def test_the_crop_holds_an_unsure_bodypart_that_goes_along(follower):
    points, likelihood = animal(320, 240)
    points[:, 0] -= [100, 0]
    follower.follow(points, likelihood)
    likelihood[:, 0] = 0.1
    follower.follow(points, likelihood)
    low, high = corners(follower.crop)
    assert (low < points[-1].min(0)).all()
    assert (high > points[-1].max(0)).all()


def test_the_crop_holds_the_place_where_a_hidden_bodypart_would_be(follower):
    points, likelihood = animal(320, 240)
    points[:, 0] -= [60, 0]
    follower.follow(points, likelihood)
    hidden, unsure = points + [16, 0], likelihood.copy()
    hidden[:, 0], unsure[:, 0] = (5, 5), 0.1
    for _ in range(2):  # the first time it is looked for in the whole frame
        follower.follow(hidden, unsure)
    low, high = corners(follower.crop)
    assert (low < points[-1, 0] + [16, 0]).all()
    assert (high > hidden[-1, 1:].max(0)).all()


def test_a_hidden_bodypart_that_was_far_off_does_not_make_the_crop_the_whole_frame(follower):
    points, likelihood = animal(320, 240)
    points[:, 0] = 620, 20
    follower.follow(points, likelihood)
    assert follower.crop is None
    likelihood[:, 0] = 0.1
    points[:, 0] = 300, 230
    for _ in range(2):
        follower.follow(points, likelihood)
    assert follower.crop[2] == SIDES[0]


def test_what_is_found_farther_off_than_any_label_is_not_followed():
    points, likelihood = animal(320, 240)  # 60 px wide, 20 px high
    follower = Follower(SIZE, 1.0, Dynamic(), widest_px=64.0)
    points[:, 2], likelihood[:, 2] = (600, 20), 0.6
    for _ in range(2):  # what is missing is looked for once
        follower.follow(points, likelihood)
    assert follower.crop[2] == SIDES[0]
    assert not follower.lost(points, likelihood).any()
    points[:, 2] = 320, 150  # the animal stretches, or comes nearer to the camera
    follower.follow(points, likelihood)
    assert corners(follower.crop)[0][1] < 150


def test_of_two_places_far_from_each_other_the_likelier_one_is_followed():
    follower = Follower(SIZE, 1.0, Dynamic(), widest_px=64.0)
    points = np.array([[[50.0, 50], [600, 400]]] * LOOK_AHEAD)
    for _ in range(2):
        follower.follow(points, np.array([[0.6, 0.9]] * LOOK_AHEAD))
    low, high = corners(follower.crop)
    assert (low < [600, 400]).all()
    assert (high > [600, 400]).all()


def test_a_bodypart_that_comes_and_goes_is_no_walk(follower):
    points, likelihood = animal(320, 240)
    points[:, 0] -= [30, 0]
    likelihood[0, 0] = 0.1  # unsure in the first frame: without it the others have another middle
    follower.follow(points, likelihood)
    assert follower.crop[2] == SIDES[0]


def test_a_hidden_bodypart_is_looked_for_in_the_whole_frame_from_time_to_time(follower):
    points, likelihood = animal(320, 240)
    points[:, 0], likelihood[:, 0] = (5, 5), 0.1
    whole = []
    for n in range(0, 4 * RECHECK, LOOK_AHEAD):
        if follower.crop is None:
            whole.append(n)
        else:
            assert not follower.lost(points, likelihood).any()
        follower.follow(points, likelihood)
    assert np.diff(whole).tolist() == [4, 8, 16, RECHECK, RECHECK, RECHECK]


def test_a_bodypart_that_was_unsure_for_a_moment_is_looked_for_at_once(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    for _ in range(3):
        elsewhere, unsure = points.copy(), likelihood.copy()
        elsewhere[-1, 2], unsure[-1, 2] = (320, 190), 0.2
        follower.follow(elsewhere, unsure)
        assert follower.crop is None
        follower.follow(points, likelihood)
        assert follower.crop is not None


def test_an_unsure_bodypart_does_not_pull_the_crop(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    before = follower.crop
    points[:, 0], likelihood[:, 0] = (5, 5), 0.2
    follower.follow(points, likelihood)  # then it is looked for in the whole frame
    follower.follow(points, likelihood)
    assert follower.crop[2:] == before[2:]


def test_the_sides_of_crops_are_few_and_those_of_the_input(follower):
    half = Follower(SIZE, 0.5, Dynamic())
    half.follow(*animal(320, 240))
    assert half.crop[2:] == (2 * SIDES[0], 2 * SIDES[0])


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"threshold": 1.5}, {"margin": -1}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="dynamic cropping"):
        Dynamic(**wrong)


# --- with a network that finds a bright spot


class Spot:
    """Finds the brightest place of an image, as a Predictor finds bodyparts."""

    bodyparts = ("spot",)
    widest_px = math.nan
    likelihood = None  # no calibration

    class config:
        input_scale = seen_at = 1.0

    def __init__(self):
        self.seen = []

    def maps(self, images):
        self.seen += [image.shape[:2] for image in images]
        return SpotMaps(images)

    def predict(self, images):
        return self.maps(images).points()


class SpotMaps:
    def __init__(self, images):
        self.images = images

    def points(self):
        gray = [image.astype(float).sum(2) for image in self.images]
        places = [np.argwhere(one >= one.max() - 60)[:, ::-1].mean(0) for one in gray]
        return np.array(places)[:, None], np.array([[min(one.max() / 700, 1.0)] for one in gray])


@pytest.fixture(scope="module")
def spot_video(tmp_path_factory):
    """A spot that wanders about, is away for a while, and jumps; (path, true places, NaN = away)."""
    count = RESET + 60
    t = np.arange(count)
    places = np.stack([160 + 130 * np.sin(t / 40), 120 + 90 * np.cos(t / 55)], -1)
    places[60:80] = np.nan
    places[150:] = [320, 240] - places[150:]
    path = tmp_path_factory.mktemp("spot") / "spot.mp4"
    rows, columns = np.mgrid[:240, :320]
    with VideoWriter(path, SMALL, 30) as writer:
        for x, y in places:
            near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 50) if np.isfinite(x) else np.zeros(SMALL)
            writer.write(np.repeat((40 + 215 * near)[..., None], 3, 2).astype(np.uint8))
    return path, places


def poses(video, dynamic=(0.5, 10), **stretch):
    from dlcnb.backend import predict_video

    spot = Spot()
    steps = list(predict_video(spot, video, dynamic=dynamic, **stretch))
    return np.concatenate([s.points for s in steps]), steps, spot


@pytest.mark.mxnet
def test_the_animal_is_followed_lost_and_found_again(spot_video):
    path, places = spot_video
    points, steps, spot = poses(path)
    there = np.isfinite(places[:, 0])
    error = np.linalg.norm(points[there, 0] - places[there], axis=-1)
    assert error.max() < 1.5
    assert [s.first for s in steps] == np.cumsum([0, *(len(s.points) for s in steps[:-1])]).tolist()
    assert steps[-1].done == steps[-1].total == len(places)
    small = [size for size in spot.seen if size != SMALL]
    assert len(small) > 0.8 * len(places)
    assert {height for height, _ in small} <= set(SIDES)


@pytest.mark.mxnet
def test_an_animal_that_nears_the_border_of_a_crop_is_not_looked_for_in_the_whole_frame(tmp_path):
    path = tmp_path / "fast.mp4"
    x = np.repeat(np.arange(40.0, 300, 60), LOOK_AHEAD)[LOOK_AHEAD - 1 :]  # it jumps whenever a group begins
    rows, columns = np.mgrid[:240, :320]
    with VideoWriter(path, SMALL, 30) as writer:
        for one in x:
            near = np.exp(-((columns - one) ** 2 + (rows - 120) ** 2) / 50)
            writer.write(np.repeat((40 + 215 * near)[..., None], 3, 2).astype(np.uint8))
    points, _, spot = poses(path)
    assert np.abs(points[:, 0] - np.stack([x, np.full(len(x), 120)], -1)).max() < 1.5
    assert spot.seen.count(SMALL) == 1


@pytest.mark.mxnet
def test_pieces_give_what_the_whole_gives(spot_video):
    path, places = spot_video
    whole, _, _ = poses(path)
    with VideoReader(path) as reader:
        for start, stop in ((0, RESET), (RESET, len(places)), (100, 120), (RESET - 5, RESET + 5)):
            piece, steps, _ = poses(reader, start=start, stop=stop)
            np.testing.assert_array_equal(piece, whole[start:stop])
            assert steps[0].first == start


@pytest.mark.mxnet
def test_dynamic_and_several_animals_exclude_each_other(spot_video):
    from dlcnb.backend import predict_video

    with pytest.raises(ValueError, match="not both"):
        predict_video(Spot(), spot_video[0], dynamic=(0.5, 10), animals=2)


def test_work_by_turns_keeps_its_order_and_is_closed_when_it_is_left():
    from dlcnb.backend.predict import in_turns

    log = []

    def work(name, lengths):
        try:
            for n, length in enumerate(lengths):
                log.append(f"{name} starts {n}")
                yield None
                yield from [f"{name}{n}"] * length
        finally:
            log.append(f"{name} closed")

    lengths = {"a": (1, 2), "b": (1,), "c": (0, 1, 1)}
    items = [f"{name}{n}" for name, each in lengths.items() for n, length in enumerate(each) for _ in range(length)]
    assert list(in_turns((work(*one) for one in lengths.items()), 2)) == items
    assert log[:3] == ["a starts 0", "b starts 0", "a starts 1"]
    assert log.index("c starts 0") < log.index("a closed") + 2
    log.clear()
    left = in_turns((work(*one) for one in lengths.items()), 2)
    assert next(left) == "a0"
    left.close()
    assert log == ["a starts 0", "b starts 0", "a starts 1", "b closed", "a closed"]


def test_a_crop_changes_no_coordinates(follower):
    points, likelihood = animal(320, 240)
    follower.follow(points, likelihood)
    left, top, *_ = follower.crop
    np.testing.assert_array_equal(geometry.uncrop(geometry.crop(points, left, top), left, top), points)


@pytest.fixture(scope="module")
def labeled_spot(spot_video, tmp_path_factory):
    """A project with labels of that spot, and a `Spot` that stands for its network."""
    from support.networks import add_network

    from dlcnb import Project, frames
    from dlcnb.labels import Labels
    from dlcnb.run import Run

    path, places = spot_video
    project = Project.create("spot", "Ann", [path], Spot.bodyparts, parent=tmp_path_factory.mktemp("labeled"))
    chosen = range(0, 60, 10)
    frames.extract(project, project.videos[0], chosen)
    folder = project.labeled_dir(project.videos[0])
    images = sorted(image.relative_to(project.root).as_posix() for image in folder.glob("*.png"))
    Labels(Spot.bodyparts, "Ann", tuple(images), places[list(chosen), None]).write(folder)
    spot = Spot()
    spot.run, spot.step, spot.engine = add_network(project), 1, "fp32"
    Run(spot.run).write_split({"train": images[:3], "validation": [], "test": images[3:]})
    return spot


@pytest.mark.mxnet
def test_an_animal_is_followed_where_crops_are_small_and_as_good(labeled_spot):
    from dlcnb.backend import following

    dynamic, reason = following(labeled_spot)
    assert dynamic == (0.5, 10), reason
    assert "followed with a crop of 21 % of the pixels" in reason
    looked = len(labeled_spot.seen)
    assert following(labeled_spot) == (dynamic, reason)
    assert len(labeled_spot.seen) == looked  # it was kept


@pytest.mark.mxnet
def test_a_network_that_is_less_sure_is_taken_at_its_word(labeled_spot, monkeypatch):
    from dlcnb.backend import following

    def maps(images):
        found = SpotMaps(images)
        points, likelihood = found.points()
        found.points = lambda: (points, 0.4 * likelihood)
        return found

    monkeypatch.setattr(labeled_spot, "maps", maps)
    monkeypatch.setattr(labeled_spot, "engine", "unsure")  # of which nothing is kept
    dynamic, reason = following(labeled_spot)
    assert dynamic is not None, reason
    assert dynamic[0] == pytest.approx(0.2, abs=0.02)


@pytest.mark.mxnet
def test_what_is_wrong_in_the_file_of_what_was_measured_is_measured_again(labeled_spot):
    from dlcnb.backend import following
    from dlcnb.run import Run

    found = following(labeled_spot)
    file = Run(labeled_spot.run).snapshot(1).with_suffix(".engines.json")
    key = next(key for key in json.loads(file.read_text()) if key.startswith("following, fp32"))
    beyond = {"threshold": 7, "pixels": 0.1, "mean_px": 1.0, "whole_mean_px": 1.0}
    for wrong in (None, [], {"pixels": "all"}, {"pixels": 0.1}, beyond):
        file.write_text(json.dumps({key: wrong}))
        assert following(labeled_spot) == found
    kept = file.read_text()
    file.unlink()
    file.mkdir()  # where nothing can be kept
    assert following(labeled_spot) == found
    file.rmdir()
    file.write_text(kept)


@pytest.mark.mxnet
def test_it_is_not_where_crops_make_the_error_larger(labeled_spot, monkeypatch):
    from dlcnb.backend import following

    def maps(images):
        found = SpotMaps(images)
        if images[0].shape[:2] == SMALL:
            return found
        points, likelihood = found.points()
        found.points = lambda: (points + 3.0, likelihood)
        return found

    monkeypatch.setattr(labeled_spot, "maps", maps)
    monkeypatch.setattr(labeled_spot, "engine", "another")  # of which nothing is kept
    dynamic, reason = following(labeled_spot)
    assert dynamic is None
    assert "is larger in crops" in reason


@pytest.mark.mxnet
def test_without_labels_to_compare_on_whole_frames_are_taken(tmp_path):
    from support.networks import network_project

    from dlcnb import Predictor
    from dlcnb.backend import following

    predictor = Predictor(network_project(tmp_path).last_run(), engine="auto")
    assert predictor.engine == "fp32"
    dynamic, reason = following(predictor)
    assert dynamic is None
    assert "can't be compared with them on labeled frames: no labels by" in reason


@pytest.mark.mxnet
def test_where_crops_can_not_be_compared_the_true_cause_is_told(labeled_spot, monkeypatch):
    from dlcnb.backend import following
    from dlcnb.run import Run

    monkeypatch.setattr(labeled_spot, "engine", "a third")
    split = Run(labeled_spot.run).split_file
    kept = split.read_text()
    split.unlink()
    dynamic, reason = following(labeled_spot)
    split.write_text(kept)
    assert dynamic is None
    assert f"it has no {split.name}" in reason


# --- killed after a crop was moved


WORKER = """
import sys
from dlcnb import Predictor
from dlcnb.backend.dynamic import Follower
from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Settings

run, video, output, tests = sys.argv[1:]
sys.path[:0] = [tests, f"{tests}/backend"]
from test_dynamic import Spot

move = Follower.move
def told(*found):
    moved = move(*found)
    if moved:  # a test may let it go on, or kill it here, where the rest of the group is not computed yet
        print("moved", flush=True)
        sys.stdin.readline()
    return moved

Follower.move = told
predictor = Predictor(run)
predictor.maps = Spot().maps
analyze_video(predictor, video, output, Settings(dynamic=(0.5, 10)))
"""


def moves_until(limit, run, video, output):
    """Analyze in a process of its own that is killed at the so manieth move of a crop; how many it came to."""
    line = [sys.executable, "-c", WORKER, str(run), str(video), str(output), str(Path(__file__).parents[1])]
    count = 0
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        while worker.stdout.readline():
            count += 1
            if count == limit:
                worker.kill()
                break
            worker.stdin.write("\n")
            worker.stdin.flush()
    assert worker.returncode == (-9 if count == limit else 0)
    return count


@pytest.mark.mxnet
@pytest.mark.slow
def test_an_analysis_killed_after_a_crop_moved_gives_the_same_tables_when_it_goes_on(tmp_path):
    path = tmp_path / "fast.mp4"
    there = np.arange(40.0, 300, 60)
    walk = np.repeat(np.concatenate([there, there[-2:0:-1]]), LOOK_AHEAD)
    x = np.resize(np.concatenate([walk[LOOK_AHEAD - 1 :], walk[: LOOK_AHEAD - 1]]), RESET + 20)  # jumps as groups begin
    rows, columns = np.mgrid[:240, :320]
    with VideoWriter(path, SMALL, 30) as writer:
        for one in x:
            near = np.exp(-((columns - one) ** 2 + (rows - 120) ** 2) / 50)
            writer.write(np.repeat((40 + 215 * near)[..., None], 3, 2).astype(np.uint8))
    project = Project.create("spot", "ada", [path], ["spot"], parent=tmp_path)
    run = add_network(project, input_scale=1.0)
    whole, pieces = tmp_path / "whole.h5", tmp_path / "pieces.h5"
    moves = moves_until(None, run, path, whole)
    assert moves > RESET / LOOK_AHEAD / 2
    moves_until(moves // 2, run, path, pieces)
    assert not pieces.exists()
    moves_until(None, run, path, pieces)
    for suffix in (".h5", ".csv"):
        assert pieces.with_suffix(suffix).read_bytes() == whole.with_suffix(suffix).read_bytes()
    places = Poses.read(pieces).points[:, 0]
    assert np.abs(places - np.stack([x, np.full(len(x), 120)], -1)).max() < 1.5
