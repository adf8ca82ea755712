"""The command line: output, JSON, exit codes, progress, Ctrl-C."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from support.commands import DLCNB, TIMEOUT, run
from support.projects import copy_of

import dlcnb
from dlcnb import jobs, sampledata
from dlcnb.cli.console import Console, clock, command, table
from dlcnb.cli.jobs import run_job
from dlcnb.cli.lab import copy_notebooks, jupyter_command, lab, studio_address
from dlcnb.cli.networks import network_of
from dlcnb.evaluate import CalibratedLikelihood, Evaluation
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.poses import find_poses
from dlcnb.project import Project
from dlcnb.run import Run

COMMANDS = ["add-videos", "analyze", "demo", "doctor", "evaluate", "experiment", "extract"]
COMMANDS += ["filter", "lab", "label-video", "merge", "new", "outliers", "plot", "studio", "train"]
SMALL = ["--input-scale", 0.4, "--crop-size", 96, "--batch-size", 2]  # a network that is quick


def run_json(*arguments, code=0):
    """The one JSON object on standard output."""
    return json.loads(run(*arguments, "--json", code=code).stdout)


def fails(*arguments):
    """The one line on standard error of a command that fails."""
    done = run(*arguments, code=1)
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("dlcnb: error: ")
    assert "Traceback" not in done.stderr
    return lines[-1]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A short video of the arena."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    sampledata.make_arena(path, sampledata.Arena(seed=1, n_frames=40, size=(120, 160)))
    return path


@pytest.fixture
def project(arena_project, tmp_path):
    """A copy of the synthetic project, to write to."""
    return copy_of(arena_project, tmp_path)


# ---- usage


def test_help_lists_every_command():
    text = run("--help").stdout
    assert all(f"\n  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(name):
    assert "--json" in run(name, "--help").stdout


def test_version():
    assert dlcnb.__version__ in run("--version").stdout


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["new", "task"], ["train"], ["train", "p", "--minutes", "-1"], ["extract", "p", "--how", "magic"]],
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert "Error" in run(*arguments, code=2).stderr


@pytest.mark.parametrize(
    "wrong", [["--dynamic-margin", 3], ["--score-maps", "a,b"], ["--animals", 1], ["--crop", "1,2"]]
)
def test_wrong_ways_to_analyze_are_named(project, clip, wrong):
    assert wrong[0] in run("analyze", project.root, clip, *wrong, code=2).stderr


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (["--backbone", "resnet-5"], "resnet-50"),
        (["--device", "gpu0"], "gpu(0)"),
        (["--folds", "3", "--fold", "3"], "fold"),
        (["--folds", "3", "--train-fraction", "0.5"], "--train-fraction"),
        (["--leave-out", "nosuch"], "labeled frames"),
        (["--weights", "nosuch.pth"], "torchvision or gluon"),
        (["--start-from", "nosuch"], "nosuch"),
        (["--kvstore", "dist_sync", "--workers", "2", "--minutes", "3"], "steps"),
        (["--join", "--steps", "3"], "--join"),
        (["--minutes", "-1"], "minutes"),
        (["--radius", "wide"], "--radius"),
    ],
)
def test_settings_that_cannot_be_are_wrong_usage_and_leave_no_run(project, settings, hint):
    assert hint in run("train", project.root, *settings, code=2).stderr
    assert project.runs() == []


def test_a_video_in_the_place_of_the_project_is_named(project, clip):
    assert f"no project in {clip}" in fails("analyze", clip, project.root)


def test_a_project_that_is_not_there_is_wrong_usage(tmp_path):
    assert "does not exist: expected a project's folder" in run("train", tmp_path / "nowhere", code=2).stderr
    assert "gpu0" in run("evaluate", tmp_path, "--device", "gpu0", code=2).stderr


@pytest.mark.skipif(os.name == "nt", reason="these are paths there")
@pytest.mark.parametrize("path", ["C:\\data\\reach-me", "C:/data/reach-me", "\\\\lab\\share\\reach-me"])
def test_a_windows_path_elsewhere_gets_a_hint(path, project):
    assert "Windows path" in " ".join(run("extract", path, code=2).stderr.split())
    assert "Windows path" in " ".join(run("analyze", project.root, path + "\\a.mp4", code=2).stderr.split())


def test_train_help_tells_the_defaults():
    text = " ".join(run("train", "--help").stdout.split())
    assert "the first TrainingFraction of config.yaml, or 0.95" in text
    assert "--leave-out VIDEO" in text


def test_a_folder_that_is_no_project_is_one_clear_line(tmp_path):
    for arguments in (["train", tmp_path, "--steps", 1], ["extract", tmp_path], ["analyze", tmp_path, "a.mp4"]):
        assert "config.yaml" in fails(*arguments)


def test_a_failure_is_one_json_object_too(tmp_path):
    done = run("extract", tmp_path, "--json", code=1)
    assert json.loads(done.stdout)["error"] in done.stderr.splitlines()[-1]
    assert run("extract", "--json", code=2).stdout == ""
    assert run("extract", tmp_path, code=1).stdout == ""


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in run("extract", tmp_path, "--debug", code=1).stderr


# ---- a project's life


def test_new_extract_doctor(clip, tmp_path):
    made = run_json(
        "new",
        "reach",
        "--scorer",
        "me",
        "--bodyparts",
        "paw, wrist",
        "--skeleton",
        "paw-wrist",
        "--parent",
        tmp_path,
        clip,
    )
    project = Project.open(made["project"])
    assert project.bodyparts == ("paw", "wrist")
    assert project.skeleton.edges == (("paw", "wrist"),)
    (found,) = run_json("extract", project.root, "--how", "uniform", "--count", 5)["videos"]
    assert len(found["frames"]) == 5
    assert len(list(Path(found["folder"]).glob("img*.png"))) == 5
    assert run_json("doctor", project.root)["ok"]


def test_kmeans_is_the_default_and_repeatable(clip, tmp_path):
    made = run_json("new", "reach", "--scorer", "me", "--bodyparts", "paw", "--parent", tmp_path, clip)
    first, second = (run_json("extract", made["project"], "--count", 4)["videos"][0] for _ in range(2))
    assert first["frames"] == second["frames"]
    assert (len(first["frames"]), first["new"], first["total"]) == (4, 4, 4)
    assert (second["new"], second["total"]) == (0, 4)


def test_extract_says_what_is_new_and_doctor_that_nothing_is_labeled(clip, tmp_path):
    made = run_json("new", "reach", "--scorer", "me", "--bodyparts", "paw", "--parent", tmp_path, clip)
    assert "no frame is labeled yet" in run("doctor", made["project"]).stdout
    line = ["extract", made["project"], "--how", "uniform"]
    assert "4 frames of clip.mp4 chosen, 4 of them new; 4 in " in run(*line, "--count", 4).stdout
    everything = run(*line, "--count", 5000).stdout
    assert "(the video has no 5000 different frames)" in everything
    assert "label it as me" in run("doctor", made["project"]).stdout


def test_an_edge_of_unknown_bodyparts_is_wrong_usage(clip, tmp_path):
    line = [
        "new",
        "reach",
        "--scorer",
        "me",
        "--bodyparts",
        "paw,wrist",
        "--skeleton",
        "paw-knee",
        "--parent",
        tmp_path,
    ]
    assert "paw, wrist" in run(*line, clip, code=2).stderr
    assert not any(tmp_path.iterdir())


def test_add_videos(clip, project, tmp_path):
    added = run_json("add-videos", project.root, clip, "--copy")["videos"]
    assert Path(added[0]).name == "clip.mp4"
    assert len(Project.open(project.root).videos) == 2
    assert "Already there: " in run("add-videos", project.root, clip).stdout
    assert run_json("add-videos", project.root, clip) == {"project": str(project.root), "videos": added, "added": []}
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    assert "text.mp4" in fails("add-videos", project.root, text)
    assert len(Project.open(project.root).videos) == 2


def test_doctor_finds_and_repairs_a_moved_project(project):
    findings = run_json("doctor", project.root)["findings"]
    assert any("project_path" in f["message"] for f in findings)
    assert any(f["repaired"] for f in run_json("doctor", project.root, "--repair")["findings"])
    assert not any("project_path" in f["message"] for f in run_json("doctor", project.root)["findings"])


def test_doctor_without_a_project_checks_the_installation():
    findings = json.loads(subprocess.run([*DLCNB, "doctor", "--json"], capture_output=True, text=True).stdout)[
        "findings"
    ]
    assert any("Python" in f["message"] for f in findings)


def test_doctor_of_nothing_fails(tmp_path):
    found = json.loads(run("doctor", tmp_path / "gone", "--json", code=1).stdout)
    assert found["ok"] is False
    assert found["error"].startswith("1 of 1 checks failed")


# ---- the network


def test_training_without_labels_is_refused_before_a_run_is_made(clip, tmp_path):
    made = run_json("new", "reach", "--scorer", "me", "--bodyparts", "paw", "--parent", tmp_path, clip)
    assert "label" in fails("train", made["project"], "--steps", 1)
    assert Project.open(made["project"]).runs() == []


def test_evaluating_and_analyzing_before_training_is_one_clear_line(project, clip):
    assert "train" in fails("evaluate", project.root)
    assert "train" in fails("analyze", project.root, clip)
    assert "no video 'nobody.mp4'" in fails("analyze", project.root, clip, "nobody.mp4")


@pytest.fixture(scope="module")
def trained_in_a_shell(arena_project, tmp_path_factory):
    """(project, `dlcnb train` that has ended): a few steps, enough to have every file; Python tells what it imports."""
    project = copy_of(arena_project, tmp_path_factory.mktemp("trained"))
    options = ["--steps", "4", "--train-fraction", "0.75", *map(str, SMALL), "--json"]
    line = [DLCNB[0], "-X", "importtime", *DLCNB[1:], "train", str(project.root), *options]
    return project, subprocess.run(line, check=True, capture_output=True, text=True, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def trained(trained_in_a_shell):
    """(project, JSON of its `dlcnb train`)."""
    project, done = trained_in_a_shell
    return project, json.loads(done.stdout)


@pytest.mark.mxnet
def test_train_json(trained):
    project, report = trained
    assert set(report) == {"run", "steps", "seconds", "best", "peak_rss_mb"}
    assert report["steps"] == 4
    assert set(report["best"]) == {"step", "val_mean_px"}
    assert report["peak_rss_mb"] > 100
    assert Path(report["run"]) == project.last_run()
    assert len(jobs.history(report["run"])["step"]) > 0


@pytest.mark.mxnet
def test_evaluate_json(trained):
    project, _ = trained
    done = run("evaluate", project.root, "--plots", "--json")
    report = json.loads(done.stdout)
    assert "shuffle 1, snapshot best (step " in done.stderr
    assert {"snapshot", "step", "train", "test", "bodyparts", "pcutoff", "test_pcutoff"} <= set(report)
    assert set(report["train"]) == {"mean_px", "rms_px", "median_px", "n"}
    assert set(report["test"]) == {"mean_px", "rms_px", "median_px", "n", "ci95"}
    assert set(report["bodyparts"]) == set(project.bodyparts)
    assert set(report["bodyparts"]["snout"]) == {"train_mean_px", "test_mean_px"}
    assert report["test"]["n"] == 4 * len(project.bodyparts)
    assert Path(report["folder"]) == project.evaluation_dir(project.last_run())
    assert set(report["test_pck"]) == {"2", "5", "10", "20"}
    assert {"epsilon_px", "auc", "suggested_pcutoff", "at_pcutoff"} <= set(report["calibration"])
    assert report["human"] is None
    assert report["steps_behind"] == report["step"]  # it goes on from no other network
    assert [Path(plot).stat().st_size > 5000 for plot in report["plots"]] == [True] * 4
    names = {path.name.split("-", 2)[2] for path in Path(report["folder"]).glob("evaluation-4-*")}
    assert {"details.json", "frames.csv", "keypoint-results.csv", "maps.zip", "pck.png"} <= names


@pytest.mark.mxnet
def test_raw_likelihood_of_evaluate_and_analyze(trained, clip, tmp_path):
    project, _ = trained
    curve = CalibratedLikelihood(0.5, -0.7, 12.0, 40, 30)
    path = Run(project.last_run()).likelihood(4)
    curve.write(path)
    try:
        ours, theirs = (_evaluated_and_analyzed(project, clip, tmp_path, *raw) for raw in ((), ("--raw-likelihood",)))
    finally:
        path.unlink()
    np.testing.assert_array_equal(ours[0].predicted, theirs[0].predicted)
    np.testing.assert_allclose(ours[0].likelihood, curve(theirs[0].likelihood), atol=1e-6)
    np.testing.assert_array_equal(ours[1].points, theirs[1].points)
    np.testing.assert_allclose(ours[1].likelihood, curve(theirs[1].likelihood), atol=1e-6)


def _evaluated_and_analyzed(project, clip, tmp_path, *options):
    """(Evaluation, Poses) that the commands write with these options."""
    report = run_json("evaluate", project.root, *options)
    evaluation = Evaluation.read(Path(report["folder"]) / f"evaluation-{report['step']}.json")
    out = tmp_path / f"out{len(options)}"
    (video,) = run_json("analyze", project.root, clip, "--engine", "fp32", "--out", out, *options)["videos"]
    return evaluation, dlcnb.Poses.read(video["output"])


@pytest.mark.mxnet
def test_evaluate_all_and_an_unknown_snapshot(trained):
    project, _ = trained
    assert "test px" in run("evaluate", project.root, "--snapshot", "all").stdout
    assert "best" in fails("evaluate", project.root, "--snapshot", "999")


@pytest.mark.mxnet
def test_analyze_and_what_follows(trained, clip, tmp_path):
    project, _ = trained
    video = shutil.copy(clip, tmp_path)
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video")
    done = run("analyze", project.root, bad, video, "--json", code=1)
    report = json.loads(done.stdout)
    (one,) = report["videos"]
    assert set(one) >= {"video", "frames", "seconds", "fps", "engine", "output"}
    assert (one["damaged"], one["reused"]) == ([], 0)
    assert one["frames"] == 40
    assert one["engine"] in ("fp32", "int8", "openvino", "openvino-int8", "onnx")  # auto: the fastest here
    assert report["failed"][0]["video"] == str(bad)
    assert report["error"] in done.stderr.splitlines()[-1]
    assert report["error"].startswith("1 of 2 videos could not be analyzed")
    assert find_poses(video).stem == Path(one["output"]).stem
    (smooth,) = run_json("filter", project.root, video)["videos"]
    assert smooth["output"].endswith("_filtered.h5")
    plots = run_json("plot", project.root, video, "--filtered")["videos"][0]["plots"]
    assert sorted(Path(p).stem for p in plots) == [
        "hist_filtered",
        "plot-likelihood_filtered",
        "plot_filtered",
        "trajectory_filtered",
    ]
    labeled = run_json("label-video", project.root, video, "--pcutoff", 0)["videos"][0]["output"]
    assert labeled.endswith("_labeled.mp4")
    with dlcnb.VideoReader(labeled) as reader:
        assert len(reader) == 40


@pytest.mark.mxnet
def test_the_process_of_the_command_never_loads_mxnet(trained_in_a_shell):
    _, done = trained_in_a_shell
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "dlcnb.cli.console" in imported
    assert not {"mxnet", "dlcnb.backend"} & imported


@pytest.mark.mxnet
def test_resume_goes_on_with_a_run(trained):
    project, report = trained
    more = run_json("train", project.root, "--resume", "--steps", 6)
    assert more["run"] == report["run"]
    assert more["steps"] == 6
    np.testing.assert_array_equal(np.diff(jobs.history(more["run"])["step"]) > 0, True)
    assert "shuffle 7" in fails("train", project.root, "--resume", "--shuffle", 7)


@pytest.mark.mxnet
def test_one_fold_and_a_video_left_out(project):
    (folder,) = project.labeled_dirs()
    run("train", project.root, "--steps", 1, *SMALL, "--folds", 4, "--fold", 1)
    parts = json.loads((project.last_run() / "split.json").read_text())
    assert len(parts["test"]) == 4
    message = fails("train", project.root, "--steps", 1, "--leave-out", f"videos/{folder.name}.mp4")
    assert "two or more videos" in message


@pytest.mark.mxnet
def test_a_run_that_was_stopped_is_not_used_without_a_word(trained, tmp_path, capsys):
    project = Project.open(shutil.copytree(trained[0].root, tmp_path / "project", symlinks=True))

    def told(shuffle=None):
        """What `dlcnb evaluate` and `dlcnb analyze` say of their network before they begin."""
        network_of(Console(), project, shuffle, "best")
        return capsys.readouterr().err

    said = told()
    best = json.loads((project.last_run() / "best.json").read_text())
    assert f"shuffle 1, snapshot best (step {best['step']})" in said
    assert "note:" not in said
    job = jobs.start("train", project, steps=100_000, batch_size=1, crop_size=96, input_scale=0.4)
    next(e for e in job.follow(TIMEOUT) if e["event"] == "step")
    assert job.stop(wait=True, timeout=TIMEOUT) == "stopped"
    said = told()
    assert "shuffle 2" in said
    assert f"note: this run was stopped at step {job.result['steps']}" in said
    assert "--shuffle 1" in said
    assert "note:" not in told(2)


# ---- Ctrl-C


@pytest.fixture
def training(project):
    """(process, job) of a long `dlcnb train` that has made its first step."""
    line = [*DLCNB, "train", str(project.root), "--steps", "100000", *map(str, SMALL)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().startswith("Training in ")
    job = jobs.attach(project.last_run())
    next(e for e in job.follow(TIMEOUT) if e["event"] == "step")
    yield process, job
    process.kill()
    process.communicate()
    job.kill()


@pytest.mark.mxnet
def test_ctrl_c_stops_with_a_snapshot(training):
    process, job = training
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert "Stopping after this step" in stderr
    assert f"`dlcnb train {job.folder.parents[3]} --resume` goes on" in stderr.splitlines()[-1]
    assert job.status == "stopped"
    assert list(job.folder.glob("snapshot-*.params"))


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where these tests run behind a shell that has told them to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_that_leaves_half_a_library_behind_is_ctrl_c():
    group = click.Group()

    @command("load", "Load.", group=group)
    def load(console):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise NameError("name '_half' is not defined")

    done = CliRunner().invoke(group, ["load"])
    assert done.exit_code == 130
    assert done.stderr == "dlcnb: error: Interrupted.\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.mxnet
def test_ctrl_c_in_an_analysis_says_what_is_kept(trained, tmp_path, capsys):
    video, interrupted = tmp_path / "long.mp4", []
    sampledata.make_arena(video, sampledata.Arena(seed=1, n_frames=2000, size=(96, 128)))

    def interrupt(event):
        if event["event"] == "progress" and event["done"] >= 512 and not interrupted:
            interrupted.append(event)
            signal.raise_signal(signal.SIGINT)

    job = jobs.start("analyze", trained[0], videos=[video])
    with pytest.raises(RuntimeError, match=r"(512|1024|1536) of 2000 frames of long\.mp4 are kept; the same command"):
        run_job(Console(), job, interrupt)
    assert "Stopping as soon as it can." in capsys.readouterr().err


@pytest.mark.mxnet
def test_ctrl_c_twice_leaves_the_worker_to_itself(training):
    process, job = training
    worker = psutil.Process(job.pid)
    worker.suspend()
    process.send_signal(signal.SIGINT)
    assert any(line.startswith("Stopping after this step") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert f"process {job.pid}) goes on by itself" in stderr
    assert job.status == "running"
    worker.resume()
    assert job.wait(TIMEOUT) == "stopped"


@pytest.mark.mxnet
def test_the_end_of_the_command_does_not_end_the_worker(training):
    process, job = training
    process.kill()
    process.wait()
    step = job.events()[-1]["step"]
    next(e for e in job.follow(TIMEOUT) if e.get("step", 0) > step)
    assert job.stop(wait=True, timeout=TIMEOUT) == "stopped"


# ---- progress


def on_a_terminal(*arguments):
    """What ``dlcnb`` writes to standard error if that is a terminal."""
    main, other = pty.openpty()
    process = subprocess.Popen([*DLCNB, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=other)
    os.close(other)
    written = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        written += part
    os.close(main)
    assert process.wait() == 0
    return written.decode()


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(clip, tmp_path):
    made = run_json("new", "reach", "--scorer", "me", "--bodyparts", "paw", "--parent", tmp_path, clip)
    line = ["extract", made["project"], "--count", 3]
    assert "%" in on_a_terminal(*line)
    assert run(*line).stderr == ""


def test_a_pipe_gets_a_line_at_every_tenth_or_half_minute(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("dlcnb.cli.console.time.monotonic", lambda: now[0])
    console, quiet = Console(), Console(as_json=True)
    for seconds in range(101):
        now[0] = float(seconds)
        console.progress_line(seconds / 100, f"step {seconds}")
        quiet.progress_line(seconds / 100, f"step {seconds}")
    assert capsys.readouterr().err.splitlines() == [f" {n} %  step {n}" for n in range(10, 100, 10)]
    now[0] = 0.0
    slow = Console()
    for seconds in range(0, 91, 5):
        now[0] = float(seconds)
        slow.progress_line(0.01, f"{seconds} s")
    assert capsys.readouterr().err.splitlines() == [f"  1 %  {n} s" for n in (30, 60, 90)]


def test_clock_and_table():
    assert [clock(s) for s in (None, 0, 75.3, 4000)] == ["", "0:00", "1:15", "1:06:40"]
    assert table([("a", 1), ("long", 22)]) == "a      1\nlong  22"
    lines = table([("video", "s", "output"), ("a.mp4", 12, "/long/path"), ("b.mp4", "–", "/p")]).splitlines()
    assert lines == ["video   s  output", "a.mp4  12  /long/path", "b.mp4   –  /p"]


# ---- lab


def test_notebooks_are_copied_and_never_overwritten(tmp_path):
    paths = copy_notebooks(tmp_path / "mine")
    assert paths[0].name == "00_tour.ipynb"
    paths[0].write_text("changed")
    assert copy_notebooks(tmp_path / "mine") == paths
    assert paths[0].read_text() == "changed"


def wait_until_it_listens(process, port):
    """Jupyter announces its address a moment before it answers there."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("JupyterLab ended")


def test_lab_without_jupyterlab_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyterlab", None)  # as where it is not installed
    told = CliRunner().invoke(lab, ["--dir", str(tmp_path / "mine")])
    assert told.exit_code == 1
    assert "pip install 'dlcnb[lab]'" in told.stderr
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_lab_keeps_its_token(tmp_path):
    line = [*DLCNB, "lab", "--dir", "mine", "--no-browser", "--json", "--", "--allow-root"]
    process = subprocess.Popen(
        [*map(str, line)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        assert json.loads(process.stdout.readline())["folder"] == str(tmp_path / "mine")
        address = next(line.split()[-1] for line in process.stderr if "127.0.0.1" in line and "?token=" in line)
        base, token = address.split("/lab")[0], address.split("?token=")[1]
        assert len(token) > 20
        wait_until_it_listens(process, int(base.rsplit(":", 1)[1]))
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{base}/api/contents")
        headers = {"Authorization": f"token {token}"}
        request = urllib.request.Request(f"{base}/api/contents/mine", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert "00_tour.ipynb" in answer.read().decode()
        request = urllib.request.Request(f"{base}/dlcnb/%2Fthe%20mouse", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.url.endswith("/lab?dlcnb=%2Fthe+mouse")
    finally:
        process.terminate()
        process.communicate()


def test_lab_opens_where_the_user_is(tmp_path):
    line = jupyter_command(tmp_path, "/lab", port=9999, no_browser=True)
    assert f"--ServerApp.root_dir={tmp_path}" in line
    assert "--LabApp.default_url=/lab" in line
    assert not any("token" in part for part in line)


def test_a_port_that_is_taken_is_told_before_jupyter_is(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for name in ("lab", "studio"):
            said = fails(name, "--port", port, "--", "--allow-root")
            assert f"Port {port} is in use" in said
            assert "leave it out for the first that is free" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", ".", "--minutes"), "a number or none"),
        (("train", ".", "--steps"), "an integer or none"),
        (("demo", "--minutes"), "a number"),
        (("extract", ".", "--count"), "a whole number"),
    ],
)
def test_what_is_no_number_is_told_with_what_was_expected(arguments, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = run(*arguments, "abc", code=2).stderr
    assert f"Invalid value for '{arguments[-1]}': expected {expected}, found 'abc'; it is written like " in said


def test_studio_is_opened_on_a_project_that_is_one(tmp_path):
    assert studio_address(tmp_path / "a b") == "/dlcnb/" + str(tmp_path / "a b").replace("/", "%2F").replace(" ", "%20")
    assert studio_address(None) == "/dlcnb/"
    assert "config.yaml" in fails("studio", tmp_path / "nowhere", "--", "--allow-root")


# ---- export


def test_rows_without_a_point_are_not_exported(project):
    images = run_json("export", project.root, "--to", "coco")["images"]
    store = LabelStore(project, "arena")
    labeled = [name for name, points in zip(store.images, store.points, strict=True) if np.isfinite(points).any()]
    clear = [Edit(name, part, None) for name in labeled for part in project.bodyparts]
    store.apply(clear[: len(project.bodyparts)])
    store.save()
    assert run_json("export", project.root, "--to", "coco")["images"] == images - 1
    store.apply(clear)
    store.save()
    assert "label frames first" in fails("export", project.root, "--to", "coco")


def test_export_labels_and_what_is_wrong_with_the_request(project, tmp_path):
    report = run_json("export", project.root, "--to", "coco")
    data = json.loads(Path(report["output"]).read_text())
    assert Path(report["output"]).parent == project.root / "exports"
    assert len(data["images"]) == report["images"] > 0
    (project.root / data["images"][0]["file_name"]).unlink()
    assert run_json("export", project.root, "--to", "coco")["images"] == report["images"] - 1  # what is in the file
    assert "no labels by 'nobody'" in fails("export", project.root, "--to", "coco", "--scorer", "nobody")
    assert "no videos" in run("export", project.root, "a.mp4", "--to", "onnx", code=2).stderr
    assert "no trained network" in fails("export", project.root, "--to", "onnx")


def test_export_poses(project, clip, tmp_path):
    from dlcnb import Poses, VideoReader

    video, other = shutil.copy(clip, tmp_path), tmp_path / "other.mp4"
    with VideoReader(video) as reader:
        count = len(reader)
    points = np.random.default_rng(0).uniform(0, 99, (count, len(project.bodyparts), 2))
    likelihood = np.linspace(0, 1, points[..., 0].size).reshape(points.shape[:2])
    table, _ = Poses(project.bodyparts, "DLC_x", points, likelihood).write(video)
    done = run("export", project.root, video, other, "--to", "coco", "--pcutoff", 0.5, "--json", code=1)
    report = json.loads(done.stdout)
    (one,) = report["videos"]
    assert one["output"] == str(table.with_suffix(".json"))
    assert report["failed"][0]["video"] == str(other)
    annotations = json.loads(table.with_suffix(".json").read_text())["annotations"]
    assert sum(a["num_keypoints"] for a in annotations) == (likelihood >= 0.5).sum()
    out = tmp_path / "out"
    assert run_json("export", project.root, video, "--to", "coco", "--out", out)["videos"][0]["frames"] == count
    assert [p.suffix for p in out.iterdir()] == [".json"]


def test_export_poses_of_a_video_by_its_name(project, tmp_path):
    from dlcnb import Poses, VideoReader

    with VideoReader(project.videos[0]) as reader:
        shape = (len(reader), len(project.bodyparts))
    table, _ = Poses(project.bodyparts, "DLC_x", np.ones((*shape, 2)), np.ones(shape)).write(tmp_path / "arena.mp4")
    report = run_json("export", project.root, "arena.mp4", "--to", "coco", "--tables", tmp_path)
    assert report["videos"][0]["output"] == str(table.with_suffix(".json"))
    wrong = run("export", project.root, "nothere.mp4", "--to", "coco", code=1)
    assert "no video 'nothere.mp4'" in wrong.stderr
    assert not wrong.stdout


@pytest.mark.mxnet
def test_export_the_network(trained, tmp_path):
    pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    project, _ = trained
    report = run_json("export", project.root, "--to", "onnx", "--snapshot", "last", "--out", tmp_path)
    assert Path(report["output"]).stat().st_size > 1e6
    assert Path(report["output"]).parent == tmp_path
    if report["difference"] is not None:
        assert report["difference"] <= 1e-4
