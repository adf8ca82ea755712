"""The training monitor in JupyterLab: a recorded run that grows, and a real one from Start to Stop."""

import importlib.util

import pytest
from support.page import settle

RECORDED = """
import os, pathlib, tempfile
import numpy as np
from dlcnb import Project, TrainingMonitor, VideoWriter, jobs
from dlcnb.jobs.job import claim
folder = pathlib.Path(tempfile.mkdtemp())
with VideoWriter(folder / "mouse.mp4", (48, 64), 25) as video:
    for value in range(5):
        video.write(np.full((48, 64, 3), 40 * value, np.uint8))
project = Project.create("reach", "ada", [folder / "mouse.mp4"], ["paw", "nose"], parent=folder)
run = project.new_run(0.95)
(run / "job.json").write_text('{"kind": "train"}')
claim(run, os.getpid(), 0)
log = jobs.EventLog(run, steps_per_second=1e9)
log.write("start")
def steps(first, last):
    for step in range(first, last):
        checked = step % 50 == 0
        log.step(step=step, seconds=step / 5, loss=1 / step, part_loss=0.9 / step, locref_loss=0.1 / step,
                 learning_rate=1e-3, progress=step / 1000, seconds_left=(1000 - step) / 5, snapshot=None, rss_mb=812.5,
                 validation={"mean_px": 500 / step, "n": 9} if checked else None,
                 best={"step": step, "val_mean_px": 500 / step} if checked else None)
steps(1, 201)
m = TrainingMonitor(project)
"""
TRAINING = """
import pathlib, tempfile
from dlcnb import TrainingMonitor, sampledata
arena = sampledata.Arena(seed=0, n_frames=60, size=(120, 160))
project = sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=20, arena=arena)
m = TrainingMonitor(project)
"""
CURVES = ".dlcnb .bqplot path.line"
CELLS = ".jp-Notebook .jp-Cell"


def curve(lab, number=0):
    """The curve's path on the page; number 0 and 1 are the loss and its mean, 2 the validation error."""
    return lab.page.locator(CURVES).nth(number).get_attribute("d") or ""


def until_longer(lab, path):
    lab.page.wait_for_function(
        "([selector, n]) => (document.querySelector(selector)?.getAttribute('d') || '').length > n",
        arg=[CURVES, len(path)],
    )


@pytest.fixture
def recorded(lab, request):
    """The page with a monitor on a run that this test's kernel writes."""
    lab.open(request.node.name, RECORDED, "m")
    lab.page.locator(".dlcnb .bqplot").nth(1).wait_for()
    until_longer(lab, "")
    return lab


def test_a_run_under_way_grows_on_the_page_and_ends(recorded):
    page, before = recorded.page, curve(recorded)
    page.locator(".dlcnb").get_by_text("best 2.50 px at step 200").wait_for()
    assert page.locator('.dlcnb button:has-text("Start")').is_disabled()
    recorded.ask("steps(201, 351)")
    until_longer(recorded, before)
    page.locator(".dlcnb").get_by_text("best 1.43 px at step 350").wait_for()
    page.locator(".dlcnb").get_by_text("training · 35% · 2:10 left").wait_for()
    recorded.ask("log.write('done')")
    page.locator(".dlcnb").get_by_text("finished").wait_for()
    assert page.locator('.dlcnb button:has-text("Start")').is_enabled()


def test_stop_and_an_error_of_the_worker(recorded):
    page = recorded.page
    page.locator('.dlcnb button:has-text("Stop")').click()
    stopping = page.locator('.dlcnb button:has-text("stopping…")')
    stopping.wait_for()
    assert stopping.evaluate("one => one.scrollWidth <= one.clientWidth")  # has room for its word
    assert recorded.ask("(run / 'stop').exists()")
    recorded.ask("log.write('error', message='No space is left: free some and resume.')")
    alert = page.locator('.dlcnb [role="alert"]')
    alert.wait_for()
    assert "No space is left" in alert.inner_text()


def test_keys_after_a_click_never_reach_the_notebook(recorded):
    recorded.page.locator('.dlcnb button[title*="Look for runs"]').click()
    for key in ("b", "a", "d", "d", "x"):
        recorded.page.keyboard.press(key)
    recorded.page.locator(".dlcnb input[type=number], .dlcnb input[type=text]").first.click()
    recorded.page.keyboard.press("b")
    assert recorded.page.locator(CELLS).count() == 2


def test_what_folds_is_reached_by_tab_and_opened_by_enter_and_space(recorded):
    page = recorded.page
    page.locator('.dlcnb button[title*="Look for runs"]').focus()
    seen = []
    for title, key in (("More settings", "Enter"), ("Compare with other runs", "Space"), ("What was decided", "Enter")):
        for _ in range(20):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.innerText || document.activeElement.title"))
            if seen[-1].startswith(title):
                break
        assert seen[-1].startswith(title), seen
        for opened in ("true", "false"):
            page.keyboard.press(key)
            page.locator(f'.dlcnb [role=button][aria-expanded="{opened}"]', has_text=title).wait_for()
    assert page.locator(CELLS).count() == 2


def test_a_reloaded_page_shows_the_curves_again(recorded):
    recorded.reload()
    recorded.page.locator(".dlcnb .bqplot").nth(1).wait_for()
    until_longer(recorded, "")


def test_nothing_hangs_over_the_edge(recorded):
    try:
        for width in (1280, 800):
            recorded.page.set_viewport_size({"width": width, "height": 900})
            assert not settle(recorded.page)
            root = recorded.page.locator(".dlcnb").bounding_box()
            for made in recorded.page.locator(".dlcnb .bqplot:visible, .dlcnb button:visible").all():
                box = made.bounding_box()
                assert box["x"] + box["width"] <= root["x"] + root["width"] + 1
                assert min(box["width"], box["height"]) >= 24
    finally:
        recorded.page.set_viewport_size({"width": 1280, "height": 1300})


PREVIEW = """
import cv2
names = [f"labeled-data/mouse/img{n}.png" for n in range(5)]
project.labeled_dir("mouse").mkdir(exist_ok=True)
for name in names:
    cv2.imwrite(str(project.root / name), np.full((48, 64, 3), 120, np.uint8))
labels = np.tile([[20.0, 20.0], [40.0, 30.0]], (5, 1, 1))
(run / "pose_cfg.yaml").write_text("input_scale: 1.0")
np.savez(run / "validation.npz", step=50, images=np.array(names), labels=labels, points=labels + 2,
         likelihood=np.ones((5, 2)), score_maps=np.full((5, 2, 6, 8), 0.3, np.float16))
other = project.new_run(0.95)
(other / "job.json").write_text('{"kind": "train"}')
beside = jobs.EventLog(other, steps_per_second=1e9)
for step in range(1, 400):
    beside.step(step=step, loss=2 / step, validation={"mean_px": 900 / step, "n": 9} if step % 50 == 0 else None)
beside.write("done")
m.refresh()
"""


def test_frames_with_score_maps_other_runs_and_more_curves(lab):
    lab.open("previewed", RECORDED + PREVIEW, "m")
    page = lab.page
    picture = page.locator(".dlcnb img")
    picture.wait_for()
    page.wait_for_function("() => document.querySelector('.dlcnb img').naturalWidth > 900")
    page.locator(".dlcnb").get_by_text("validation frames").wait_for()
    before = picture.get_attribute("src")
    page.locator('.dlcnb select:has(option:text("score-maps, log"))').select_option(label="score-maps, log")
    page.wait_for_function("src => document.querySelector('.dlcnb img').src !== src", arg=before)
    page.locator('.dlcnb button:has-text("learning rate")').click()
    page.locator(".dlcnb .bqplot").nth(2).wait_for()
    page.locator('.dlcnb button:has-text("parts of the loss")').click()
    page.locator(".dlcnb").get_by_text("location refinement").wait_for()
    page.locator(".dlcnb").get_by_text("Compare with other runs").click()
    page.locator('.dlcnb input[type="checkbox"]:visible').first.check()
    lab.until("len(m.curves.earlier) == 1 and len(m.curves.earlier[0][0].x) > 10")


def test_one_validation_frame_has_its_shape_and_is_sharp_on_a_fine_screen(lab):
    one = PREVIEW.replace("range(5)", "range(1)").replace("(5, ", "(1, ")
    lab.open("previewed", RECORDED + one, "m")
    lab.page.wait_for_function("() => document.querySelector('.dlcnb img')?.naturalWidth > 0")
    wide, tall, shown_wide, shown_tall = lab.page.locator(".dlcnb img").evaluate(
        "one => [one.naturalWidth, one.naturalHeight, one.clientWidth, one.clientHeight]"
    )
    assert shown_wide == pytest.approx(wide / 2, abs=1)
    assert shown_tall == pytest.approx(tall / 2, abs=1)


def test_more_settings_unfold_and_a_preset_sets_them(recorded):
    page = recorded.page
    page.locator('.dlcnb select:has(option:text-matches("^paper"))').select_option(
        label="paper: as published, needs a GPU"
    )
    recorded.until("m.settings.preset == 'paper' and m.settings.options()['steps'] == 500000")
    page.locator(".dlcnb").get_by_text("More settings").click()
    rate = page.locator('.dlcnb .widget-vbox:has(> .widget-html span[title*="lower it if the loss jumps"]) input').last
    rate.fill("0.004")
    rate.press("Enter")
    recorded.until("m.settings.options()['learning_rate'] == 0.004")


def test_pause_asks_for_a_snapshot_and_becomes_resume(recorded):
    page = recorded.page
    page.locator('.dlcnb button:has-text("Pause")').click()
    page.locator('.dlcnb button:has-text("pausing…")').wait_for()
    assert recorded.ask("[(run / 'stop').exists(), (run / 'snapshot-200.params').touch(), log.write('stopped')][0]")
    page.locator('.dlcnb button:has-text("Resume")').wait_for()
    page.locator(".dlcnb").get_by_text("paused; Resume goes on exactly there").wait_for()


@pytest.mark.mxnet
@pytest.mark.skipif(importlib.util.find_spec("mxnet") is None, reason="mxnet is not installed")
def test_a_real_training_from_start_to_stop_and_found_again(lab):
    lab.open("training", TRAINING, "m")
    page = lab.page
    page.locator('.dlcnb button:has-text("Start")').click()
    lab.until("m.state.step >= 3 or m.state.status == 'failed'", patience=240_000)
    assert lab.ask("m.state.status") == "running"
    page.locator('.dlcnb button:has-text("Stop")').wait_for()
    before = curve(lab)
    until_longer(lab, before)
    page.locator('.dlcnb button:has-text("Stop")').click()
    page.locator(".dlcnb").get_by_text("stopped; the snapshot is kept").wait_for(timeout=240_000)
    assert lab.ask("len(list(project.last_run().glob('snapshot-*.params')))") >= 1
    steps = lab.ask("m.state.curve('loss')[0].tolist()")
    assert len(steps) >= 2
    again = lab.ask("[m2.state.curve('loss')[0].tolist(), m2.state.status] if (m2 := TrainingMonitor(project)) else 0")
    assert again == [steps, "stopped"]


BESIDE = """
from dlcnb import Labeler, Labels, frames
frames.extract(project, project.videos[0], range(60))
p = Labeler(project)
p.session.go_to_state("new")
image = p.session.cursor.image
m.settings.minutes = 20
def stored():
    labels = Labels.read_project(project)
    return labels.points[list(labels.images).index(image)].tolist() if image in labels.images else []
"""


@pytest.mark.mxnet
@pytest.mark.skipif(importlib.util.find_spec("mxnet") is None, reason="mxnet is not installed")
def test_the_curve_grows_while_a_label_is_placed_beside_it(lab):
    lab.open("beside", TRAINING + BESIDE, "m", "p")
    page = lab.page
    assert lab.ask("stored()") == []
    page.locator('.dlcnb button:has-text("Start")').click()
    try:
        lab.until("m.state.step >= 3 or m.state.status == 'failed'", patience=300_000)
        canvas = page.locator(".dlcnb-labeler canvas").first
        canvas.scroll_into_view_if_needed()
        lab.until("p.input.guard.attached > 0 and p._painter.wait()")
        before, line = lab.ask("float(m.curves.loss.x[-1])"), curve(lab)
        for part in range(4):
            box = canvas.bounding_box()
            page.mouse.click(box["x"] + (0.2 + 0.1 * part) * box["width"], box["y"] + 0.5 * box["height"])
            lab.until(f"p.session.values()[{part}].state == 'placed'")
        lab.until("p.wait(60)")
        x, y = zip(*lab.ask("stored()"), strict=True)
        assert sorted(x) == list(x)
        assert max(y) - min(y) < 1
        lab.until(f"float(m.curves.loss.x[-1]) > {before}")
        page.wait_for_function(
            "([selector, path]) => document.querySelector(selector).getAttribute('d') !== path", arg=[CURVES, line]
        )
        assert lab.ask("m.state.status") == "running"
    finally:
        lab.ask("m.job and m.job.kill()")
