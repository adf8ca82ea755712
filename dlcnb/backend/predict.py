"""Frames -> points and likelihood, with the weights of one snapshot."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mxnet.gluon import SymbolBlock

from dlcnb import geometry, targets
from dlcnb.backend import mx, runs
from dlcnb.backend.devices import pick_device
from dlcnb.backend.network import PoseNet, to_tensor
from dlcnb.backend.quantize import CALIBRATION_FRAMES, load_quantized, quantize
from dlcnb.evaluate import Evaluation
from dlcnb.labels import Labels
from dlcnb.project import ProjectError, run_info
from dlcnb.trainset import TrainSet, resize
from dlcnb.video import VideoReader

__all__ = ["Maps", "Predictor", "VideoStep", "evaluate_run", "predict_maps", "predict_video"]


class Maps:
    """The network's output for a batch of equally large images, maybe still being computed."""

    def __init__(self, output, ratio, shape):
        self._output, self.ratio, self._shape = output, ratio, shape

    def arrays(self):
        """``(score, locref)``: float ``(B, K, h, w)`` probabilities and ``(B, K, 2, h, w)``; waits for the result."""
        maps = self._output.asnumpy()
        parts = maps.shape[1] // 3
        rows, columns = targets.grid_size(self._shape)
        maps = maps[:, :, :rows, :columns]  # the rest lies in the padding
        score = 1 / (1 + np.exp(-np.clip(maps[:, :parts], -60, 60)))
        locref = maps[:, parts:].reshape(len(maps), parts, 2, rows, columns)
        return score, locref

    def points(self):
        """``(points, likelihood)``: ``(B, K, 2)`` px of the original images, and ``(B, K)``."""
        points, likelihood = targets.decode(*self.arrays())
        return geometry.unscale(points, self.ratio), likelihood


def predict_maps(net, images, input_scale, device, forward=None):
    """Run a network on uint8 images ``(H, W, 3)`` of one size; returns `Maps` at once (MXNet computes behind)."""
    resized = [resize(image, input_scale) for image in images]
    batch = np.stack([image for image, _ in resized])
    output = (forward or net)(to_tensor(batch, net, device, net.multiple))
    if output.shape[1] > 3 * net.parts:  # while training with intermediate supervision
        output = output[:, : 3 * net.parts]
    return Maps(output, resized[0][1], batch.shape[1:3])


class Predictor:
    """A trained network, ready to predict.

    Parameters
    ----------
    run : folder of a training run (``…/train``).
    snapshot : "best", "last" or a step.
    device : "auto", "cpu" or "gpu(0)".
    engine : "fp32", or "int8" (CPU only): whole numbers in all but the first and last convolutions, about twice as
        fast. It is calibrated once with the project's training frames and kept beside the snapshot.

    Attributes
    ----------
    bodyparts : K names.
    step : training step of the snapshot.
    scorer : the name that DeepLabCut gives the predictions of this network.

    Raises
    ------
    ProjectError
        The folder is not a run, the snapshot is missing, or it does not fit the run's bodyparts.
    ValueError
        The engine or the device is unknown, or they don't go together.
    """

    def __init__(self, run, snapshot="best", *, device="auto", engine="fp32"):
        self.run = Path(run)
        self.engine = engine
        self.config, self.bodyparts = runs.read_config(run)
        self.step, path = runs.find_snapshot(run, snapshot)
        self.device = pick_device(device)
        self._net = PoseNet(self.config.backbone, len(self.bodyparts))
        try:
            self._net.load_parameters(str(path), ctx=self.device)
        except (AssertionError, ValueError, mx.MXNetError) as error:
            raise ProjectError(
                f"{path.name} does not hold the network of this run ({self.config.backbone}, "
                f"{len(self.bodyparts)} bodyparts: {', '.join(self.bodyparts)}). It is damaged or of another project. "
                "Choose another snapshot."
            ) from error
        self._forward = self._engine(path)
        self._forward.hybridize(static_alloc=True, static_shape=True)

    def _engine(self, snapshot):
        """The network as it is run."""
        on_cpu = self.device.device_type == "cpu"
        if self.engine == "int8" and on_cpu:
            return load_quantized(snapshot, lambda: quantize(self._net, self._calibration()))
        if self.engine != "fp32":
            raise ValueError(f"Engine {self.engine!r} on {self.device}: expected fp32, or int8 on the cpu.")
        return self._fused() if on_cpu else self._net

    def _calibration(self):
        """Some frames that the network was trained on, as it sees them: float32 ``(n, 3, H, W)``."""
        names = json.loads((self.run / "split.json").read_text())["train"]
        root = self.run.resolve().parents[3]
        data = TrainSet(root, Labels(("any",), "any", names, np.full((len(names), 1, 2), np.nan)))
        chosen = range(0, len(names), -(-len(names) // CALIBRATION_FRAMES))
        images = [resize(data.image(i), self.config.input_scale)[0] for i in chosen]
        alike = np.stack([image for image in images if image.shape == images[0].shape])
        return to_tensor(alike, self._net, self.device, self._net.multiple).asnumpy()

    def _fused(self):
        """The network with its operators fused by oneDNN (optimize_for fails on skip connections)."""
        data = mx.sym.var("data", dtype="float32")
        fused = SymbolBlock(self._net(data).get_backend_symbol("MKLDNN"), data)
        mine = self._net.collect_params()
        for name, parameter in fused.collect_params().items():
            parameter._load_init(mine[name].data(self.device), self.device)
        return fused

    @property
    def scorer(self):
        """DeepLabCut's name for these predictions: ``DLC_<network>_<Task><date>shuffle<k>_snapshot_<step>``."""
        info = run_info(self.run)
        network = "".join(part.capitalize() for part in self.config.backbone.split("-"))
        return f"DLC_{network}_{info['task_date']}shuffle{info['shuffle']}_snapshot_{self.step}"

    def maps(self, images):
        """`Maps` of a batch of uint8 images ``(H, W, 3)`` of one size."""
        return predict_maps(self._net, images, self.config.input_scale, self.device, self._forward)

    def predict(self, images):
        """Points and likelihood in images.

        Parameters
        ----------
        images : uint8 ``(B, H, W, 3)`` RGB, or a list of images of one size.

        Returns
        -------
        points : float64 ``(B, K, 2)`` px.
        likelihood : float64 ``(B, K)``, 0..1.
        """
        return self.maps(images).points()


@dataclass(frozen=True)
class VideoStep:
    """Poses of the next frames of a video: ``points (n, K, 2)`` and ``likelihood (n, K)`` from frame ``first`` on.

    Both are NaN in damaged frames. ``done`` of ``total`` frames are predicted so far.
    """

    first: int
    points: np.ndarray
    likelihood: np.ndarray
    done: int
    total: int


def predict_video(predictor, video, *, batch=8, start=0, stop=None):
    """Predict every frame of a video, or of a part of it.

    Parameters
    ----------
    predictor : Predictor.
    video : path, or a VideoReader.
    batch : frames per pass; the result does not depend on it.
    start, stop : the frames to predict, as in `range`; ``stop=None`` is the end.

    Yields
    ------
    VideoStep
        For consecutive frames, in order; together they cover the video, or the part.
    """
    reader = video if isinstance(video, VideoReader) else VideoReader(video)
    stop = len(reader) if stop is None else stop
    waiting = None
    chunk = []
    with closing(reader.frames(start, stop)) as frames:
        for item in frames:
            chunk.append(item)
            if len(chunk) == batch:
                current = _start(predictor, chunk)
                if waiting is not None:
                    yield _finish(predictor, waiting, start, stop)
                waiting, chunk = current, []
        for rest in (waiting, _start(predictor, chunk) if chunk else None):
            if rest is not None:
                yield _finish(predictor, rest, start, stop)


def _start(predictor, chunk):
    """Push the sound frames of a chunk into the network without waiting."""
    sound = [n for n, (_, image) in enumerate(chunk) if image is not None]
    maps = predictor.maps([chunk[n][1] for n in sound]) if sound else None
    return chunk[0][0], len(chunk), sound, maps


def _finish(predictor, started, start, stop):
    first, count, sound, maps = started
    parts = len(predictor.bodyparts)
    points = np.full((count, parts, 2), np.nan)
    likelihood = np.full((count, parts), np.nan)
    if maps is not None:
        points[sound], likelihood[sound] = maps.points()
    return VideoStep(first, points, likelihood, first + count - start, stop - start)


def evaluate_run(project, run=None, snapshot="best", *, device="auto", engine="fp32", on_maps=None):
    """Predict every labeled frame and compare with its labels.

    Frames labeled since the run count as test frames: the network has not seen them.

    Parameters
    ----------
    project : Project.
    run : folder of a training run; default the last.
    snapshot : "best", "last" or a step.
    device, engine : see `Predictor`.
    on_maps : called for each frame as ``on_maps(image, score, ratio)``: its name, its score-maps ``(K, h, w)``, and the
        ``(fx, fy)`` by which the frame was resized for them (see `dlcnb.evaluate.ScoreMapWriter`).

    Raises `ProjectError` if the run's bodyparts are not the project's.
    """
    run = Path(run or project.last_run())
    predictor = Predictor(run, snapshot, device=device, engine=engine)
    data = TrainSet.from_project(project, predictor.config.bodyparts)
    if tuple(data.bodyparts) != tuple(predictor.bodyparts):
        raise ProjectError(
            f"The network was trained for the bodyparts {', '.join(predictor.bodyparts)}, but the project has "
            f"{', '.join(data.bodyparts)}. Evaluate a run of this project, or train a new one."
        )
    seen = json.loads((run / "split.json").read_text())
    seen = {*seen["train"], *seen["validation"]}
    found = []
    for i, name in enumerate(data.images):
        maps = predictor.maps([data.image(i)])
        found.append(maps.points())
        if on_maps is not None:
            on_maps(name, maps.arrays()[0][0], maps.ratio)
    return Evaluation(
        bodyparts=tuple(data.bodyparts),
        images=tuple(data.images),
        labels=data.points,
        predicted=np.concatenate([points for points, _ in found]),
        likelihood=np.concatenate([likelihood for _, likelihood in found]),
        is_test=np.array([name not in seen for name in data.images]),
        pcutoff=project.pcutoff,
        snapshot=f"snapshot-{predictor.step}",
        step=predictor.step,
    )
