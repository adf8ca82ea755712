"""The validation frames of a run under way: read and drawn; where score-maps and points lie."""

import os

import cv2
import numpy as np
import pytest

from dlcnb.widgets.training.preview import CELL, draw_preview, preview_size, read_preview
from dlcnb.widgets.training.preview_strip import PreviewStrip
from dlcnb.widgets.training.state import TrainingState

SIZE = (120, 160)
PLACE = np.array([[100.0, 40.0], [60.0, 80.0]])


def write(run, step=10, count=3, maps=True, off=(0.0, 0.0)):
    """A preview in a run folder: predictions are ``off`` (x, y) px from the labels."""
    names = []
    for n in range(count):
        names.append(f"labeled-data/mouse/img{n}.png")
        path = run.parents[3] / names[-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((*SIZE, 3), 90, np.uint8))
    labels = np.repeat(PLACE[None], count, axis=0)
    arrays = {
        "step": step, "images": np.array(names), "labels": labels, "points": labels + off,
        "likelihood": np.ones((count, 2)),
    }  # fmt: skip
    if maps:
        y, x = np.mgrid[:15, :20]
        score = [np.exp(-((x * 8 + 3.5 - px) ** 2 + (y * 8 + 3.5 - py) ** 2) / 100) for px, py in PLACE]
        arrays["score_maps"] = np.repeat(np.array(score, np.float16)[None], count, axis=0)
    np.savez_compressed(run / "validation.npz", **arrays)
    (run / "pose_cfg.yaml").write_text("all_joints_names: [paw, nose]\ninput_scale: 1.0\n")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "p/dlc-models-mxnet/iteration-0/run/train"
    folder.mkdir(parents=True)
    return folder


class TestReading:
    def test_what_was_written_is_read(self, run):
        write(run, off=(3.0, 4.0))
        preview = read_preview(run)
        assert (preview.step, len(preview.images)) == (10, 3)
        assert preview.error(0) == pytest.approx(5)

    def test_none_while_there_is_none_or_it_is_damaged(self, run):
        assert read_preview(run) is None
        (run / "validation.npz").write_bytes(b"PK\x03\x04 torn")
        assert read_preview(run) is None

    @pytest.mark.parametrize("log_view", [False, True])
    def test_a_score_map_lies_where_its_peak_is(self, run, log_view):
        write(run)
        score = read_preview(run).score(0, SIZE, log_view=log_view)
        assert score.shape == SIZE
        for x, y in PLACE:
            near = score[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13]
            peak = np.array(np.unravel_index(near.argmax(), near.shape)) - 12
            assert np.abs(peak).max() <= 5  # a cell is 8 px
        assert score[110, 10] == pytest.approx(0, abs=0.02)

    def test_the_logarithm_lifts_what_is_unlikely(self, run):
        write(run)
        plain, lifted = (read_preview(run).score(0, SIZE, log_view=v) for v in (False, True))
        assert (lifted > 0.1).sum() > 2 * (plain > 0.1).sum()


class TestDrawing:
    def test_labels_are_rings_and_predictions_discs(self, run):
        write(run, count=1, off=(20.0, 0.0))
        picture = draw_preview(read_preview(run), run.parents[3], zoomed=False)
        zoom = CELL[1] / SIZE[1]
        (lx, ly), (px, py) = (np.rint((p + 0.5) * zoom).astype(int) for p in (PLACE[0], PLACE[0] + [20, 0]))
        assert np.abs(picture[ly - 3, lx - 3].astype(int) - 90).max() < 12  # nothing within the ring
        assert np.ptp(picture[py, px].astype(int)) > 60  # colour within the disc

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
    @pytest.mark.parametrize("maps", ["off", "log"])
    def test_any_number_of_frames_makes_one_picture(self, run, count, maps):
        write(run, count=count)
        picture = draw_preview(read_preview(run), run.parents[3], score_maps=maps)
        assert picture.dtype == np.uint8
        assert picture.size >= count * CELL[0] * CELL[1] * 3

    @pytest.mark.parametrize("zoomed", [False, True])
    def test_for_a_sharp_screen_it_is_twice_as_fine_and_else_the_same(self, run, zoomed):
        write(run, count=2, off=(8.0, 0.0))
        preview = read_preview(run)
        plain, fine = (draw_preview(preview, run.parents[3], zoomed=zoomed, fine=times) for times in (1, 2))
        assert plain.shape[:2] == preview_size(preview)
        assert fine.shape == (2 * plain.shape[0], 2 * plain.shape[1], 3)
        halved = cv2.resize(fine, plain.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(halved.astype(int) - plain).mean() < 3

    def test_nothing_predicted_or_labeled_and_a_missing_image(self, run):
        write(run, count=2)
        preview = read_preview(run)
        preview.labels[:], preview.points[:] = np.nan, np.nan
        (run.parents[3] / preview.images[1]).unlink()
        assert draw_preview(preview, run.parents[3]).std() > 0


class TestStrip:
    def test_it_is_drawn_once_per_change(self, run):
        state, errors, sent = TrainingState(), [], []
        strip = PreviewStrip(state, errors.append)
        strip.picture.observe(lambda change: sent.append(change.new), "value")
        strip.watch(run)
        assert strip.wait(60)
        assert (strip.children, sent) == ((), [])
        write(run)
        state.apply([{"event": "step", "step": 10, "loss": 1.0, "validation": {"mean_px": 1.0}}])
        assert strip.wait(60)
        assert len(sent) == 1
        assert len(strip.children) == 2
        state.apply([{"event": "step", "step": 11, "loss": 1.0}])
        strip.redraw()
        assert strip.wait(60)
        assert len(sent) == 1
        strip.score_maps.value = "log"
        assert strip.wait(60)
        assert len(sent) == 2
        os.utime(run / "validation.npz", ns=(1, 1))
        strip.redraw()
        assert strip.wait(60)
        assert errors == []
        assert "at step 10" in strip.heading.value
        strip.close()
