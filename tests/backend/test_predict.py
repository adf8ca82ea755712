import json
import shutil
import sys
import threading

import numpy as np
import pytest

from dlcnb.files import atomic_path
from dlcnb.run import Run
from dlcnb.trainset import TrainSet

pytestmark = pytest.mark.mxnet


def test_a_short_training_already_finds_the_animal(trained):
    from dlcnb import evaluate_run

    project, run = trained
    evaluation = evaluate_run(project, run)
    assert np.nanmedian(evaluation.errors[~evaluation.is_test]) < 25
    assert evaluation.is_test.sum() == 4


def test_prediction_does_not_depend_on_the_batch(trained, arena_project):
    from dlcnb import Predictor, VideoReader

    predictor = Predictor(trained[1])
    with VideoReader(arena_project.videos[0]) as reader:
        images = [reader.read(i) for i in range(5)]
    together, p = predictor.predict(images)
    apart = [predictor.predict([image]) for image in images]
    np.testing.assert_allclose(together, np.concatenate([a for a, _ in apart]), atol=1e-2)
    np.testing.assert_allclose(p, np.concatenate([q for _, q in apart]), atol=1e-4)


def test_a_fused_network_computes_the_same(trained, arena_project):
    from dlcnb import Predictor, VideoReader
    from dlcnb.backend.maps import predict_maps

    predictor = Predictor(trained[1])
    with VideoReader(arena_project.videos[0]) as reader:
        image = reader.read(0)
    fused = predictor.maps([image]).arrays()
    plain = predict_maps(predictor._net, [image], 0.5, predictor.device).arrays()
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_predict_video_covers_every_frame_in_order(trained, arena_project):
    from dlcnb import Predictor, VideoReader, predict_video

    predictor = Predictor(trained[1])
    video = arena_project.videos[0]
    with VideoReader(video) as reader:
        end = len(reader)
        start = end - 100
        steps = list(predict_video(predictor, reader, batch=7, start=start))
    assert [s.first for s in steps] == list(range(start, end, 7))
    assert steps[-1].done == steps[-1].total == 100
    assert sum(len(s.points) for s in steps) == 100


def test_scorer_names_network_run_and_snapshot(trained):
    from dlcnb import Predictor

    scorer = Predictor(trained[1]).scorer
    assert scorer.startswith("DLC_EfficientnetLite0_")
    assert scorer.endswith("shuffle1_snapshot_200")


def test_a_snapshot_of_another_project_is_refused(trained, tmp_path):
    from dlcnb import Predictor
    from dlcnb.project import ProjectError

    run = shutil.copytree(trained[1], tmp_path / "train")
    text = (run / "pose_cfg.yaml").read_text()
    (run / "pose_cfg.yaml").write_text(text.replace("- tailbase\n", "- tailbase\n- tailtip\n"))
    with pytest.raises(ProjectError, match="tailtip"):
        Predictor(run)


def test_a_damaged_snapshot_is_refused(trained, tmp_path):
    from dlcnb import Predictor
    from dlcnb.project import ProjectError

    run = shutil.copytree(trained[1], tmp_path / "train")
    path = run / "snapshot-200.params"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ProjectError, match="damaged"):
        Predictor(run)


def test_a_missing_snapshot_names_those_there_are(trained):
    from dlcnb import Predictor
    from dlcnb.project import ProjectError

    with pytest.raises(ProjectError, match="200"):
        Predictor(trained[1], "999")


def test_a_project_with_other_bodyparts_is_refused(trained):
    from dlcnb import Project, evaluate_run
    from dlcnb.project import ProjectError

    project, run = trained
    config = run / "pose_cfg.yaml"
    before = config.read_text()
    try:
        config.write_text(before.replace("- snout", "- nose"))
        with pytest.raises(ProjectError, match="nose"):
            evaluate_run(Project.open(project.root), run)
    finally:
        config.write_text(before)


def test_a_full_disk_is_told_and_keeps_no_int8_network_from_working(trained, tmp_path, mounted, caplog):
    from dlcnb import Predictor
    from dlcnb.backend import mx
    from dlcnb.backend.quantize import load_quantized
    from dlcnb.backend.runs import save_arrays

    _, run = trained
    predictor = Predictor(run, engine="int8")
    snapshot, digest = Run(run).snapshot(predictor.step), Run(run).verified(predictor.step)
    made = load_quantized(snapshot, None, digest)
    with mounted(tmp_path / "disk", "size=64k") as disk:
        with (
            pytest.raises(OSError, match=r"cannot write .*a\.params: the disk is full"),
            atomic_path(disk / "a.params") as temporary,
        ):
            save_arrays(temporary, {"a": mx.nd.zeros(100_000)})
        assert load_quantized(disk / snapshot.name, lambda: made, digest) is made
        assert not list(disk.iterdir())
    assert "the int8 network is not kept, and made again next time: cannot write" in caplog.text


def test_int8_is_made_once_kept_and_close_to_fp32(trained):
    from dlcnb import Predictor, evaluate_run

    project, run = trained
    images = [np.asarray(TrainSet.from_project(project).image(0))]
    first = Predictor(run, engine="int8")
    kept = sorted(path.name for path in run.glob("*int8*"))
    assert kept == [f"snapshot-{first.step}.int8-pixels.json", f"snapshot-{first.step}.int8-pixels.params"]
    made = (run / kept[0]).stat().st_mtime_ns
    again = Predictor(run, engine="int8")
    assert (run / kept[0]).stat().st_mtime_ns == made
    np.testing.assert_array_equal(first.predict(images)[0], again.predict(images)[0])
    whole, exact = (np.nanmedian(evaluate_run(project, run, engine=e).errors) for e in ("int8", "fp32"))
    assert whole < exact + 2


@pytest.mark.parametrize(("engine", "share"), [("openvino", 0.1), ("openvino-int8", 0.25)])
def test_openvino_is_close_to_fp32_whatever_the_batch(trained, engine, share):
    pytest.importorskip("nncf", reason="the extra 'openvino' is not installed")
    from dlcnb import Predictor, evaluate_run

    project, run = trained[:2]
    whole, exact = (np.nanmedian(evaluate_run(project, run, engine=e).errors) for e in (engine, "fp32"))
    assert abs(whole - exact) < share * exact  # a young network, whose maps are flat
    predictor = Predictor(run, engine=engine)
    images = np.random.default_rng(0).integers(0, 256, (5, 100, 140, 3), dtype=np.uint8)
    points, likelihood = predictor.predict(images)
    for n, image in enumerate(images):
        one, sure = predictor.predict([image])
        np.testing.assert_array_equal(one[0], points[n])
        np.testing.assert_array_equal(sure[0], likelihood[n])


def test_openvino_keeps_its_int8_network(trained):
    pytest.importorskip("nncf", reason="the extra 'openvino' is not installed")
    from dlcnb import Predictor

    run = trained[1]
    images = np.random.default_rng(1).integers(0, 256, (1, 96, 128, 3), dtype=np.uint8)
    expected = Predictor(run, engine="openvino-int8").predict(images)[0]
    (graph,) = run.glob("snapshot-*.openvino-int8.xml")
    made = graph.stat().st_mtime_ns
    np.testing.assert_array_equal(Predictor(run, engine="openvino-int8").predict(images)[0], expected)
    assert graph.stat().st_mtime_ns == made
    graph.with_suffix(".bin").write_bytes(b"damaged")
    np.testing.assert_array_equal(Predictor(run, engine="openvino-int8").predict(images)[0], expected)
    assert graph.stat().st_mtime_ns > made


def test_openvino_calibrates_in_silence_and_silences_nobody_else(trained, capfd):
    pytest.importorskip("nncf", reason="the extra 'openvino' is not installed")
    from dlcnb import Predictor

    run, ended, told = trained[1], threading.Event(), []

    def talk():
        while not ended.is_set():
            sys.stdout.write(f"{len(told)}\n")
            told.append(len(told))
            ended.wait(0.05)

    for path in run.glob("snapshot-*.openvino-int8.*"):
        path.unlink()
    capfd.readouterr()
    talking = threading.Thread(target=talk)
    talking.start()
    try:
        Predictor(run, engine="openvino-int8")
    finally:
        ended.set()
        talking.join()
    out, err = capfd.readouterr()
    assert out.split() == list(map(str, told))
    assert not err


def test_onnx_is_close_to_fp32_whatever_the_batch(trained):
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    from dlcnb import Predictor, evaluate_run

    project, run = trained[:2]
    there, exact = (evaluate_run(project, run, engine=e, device="cpu").errors for e in ("onnx", "fp32"))
    np.testing.assert_allclose(there, exact, atol=0.02)
    images = np.random.default_rng(0).integers(0, 256, (5, 100, 140, 3), dtype=np.uint8)
    predictor = Predictor(run, engine="onnx", device="cpu")
    points, likelihood = predictor.predict(images)
    for n, image in enumerate(images):
        one, sure = predictor.predict([image])
        np.testing.assert_array_equal(one[0], points[n])
        np.testing.assert_array_equal(sure[0], likelihood[n])


@pytest.mark.cuda
def test_onnx_on_a_card_finds_what_the_cpu_finds(trained):
    runtime = pytest.importorskip("onnxruntime", reason="the extra 'onnx-gpu' is not installed")
    from dlcnb import evaluate_run
    from dlcnb.backend.devices import pick_card

    if pick_card("auto", runtime.get_available_providers()) is None:
        pytest.skip("no card that ONNX Runtime can use")
    project, run = trained[:2]
    card, exact = (np.nanmedian(evaluate_run(project, run, engine="onnx", device=d).errors) for d in ("gpu(0)", "cpu"))
    assert abs(card - exact) < 0.5


@pytest.mark.parametrize(
    ("engine", "extra"), [("openvino", "openvino"), ("openvino-int8", "openvino"), ("onnx", "onnx")]
)
def test_without_its_packages_an_engine_names_the_extra(trained, monkeypatch, engine, extra):
    from dlcnb import Predictor
    from dlcnb.backend import predict

    monkeypatch.setattr(predict, "has_openvino", lambda: False)
    monkeypatch.setattr(predict, "has_nncf", lambda: False)
    monkeypatch.setattr(predict, "has_onnxruntime", lambda: False)
    with pytest.raises(ImportError, match=rf"pip install 'dlcnb\[{extra}\]'"):
        Predictor(trained[1], engine=engine)


def test_auto_measures_once_and_takes_an_exact_engine(trained, monkeypatch):
    from dlcnb import Predictor
    from dlcnb.backend import choice

    run = trained[1]
    chosen = Predictor(run, engine="auto")
    (kept,) = run.glob("snapshot-*.engines.json")
    (found,) = json.loads(kept.read_text()).values()
    assert found["engine"] == chosen.engine
    assert "fp32" in found["frames_per_second"]
    assert found["mean_px"][chosen.engine] <= found["mean_px"]["fp32"] + choice.WORSE
    monkeypatch.setattr(choice, "_measure", lambda *_: pytest.fail("measured again"))
    assert Predictor(run, engine="auto").engine == chosen.engine
    monkeypatch.setattr(choice.processors, "kind", lambda: "another machine")
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        Predictor(run, engine="auto")


def test_an_unknown_engine_names_the_choices(trained):
    from dlcnb import Predictor

    with pytest.raises(ValueError, match="expected fp32, onnx or auto; on the cpu also int8, openvino or openvino-"):
        Predictor(trained[1], engine="int4")
