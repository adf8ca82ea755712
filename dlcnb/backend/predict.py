"""Frames -> points and likelihood, with the weights of one snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mxnet.gluon import SymbolBlock

from dlcnb import geometry, targets
from dlcnb.backend import mx, runs
from dlcnb.backend.devices import pick_device
from dlcnb.backend.network import PoseNet, to_tensor
from dlcnb.evaluate import Evaluation
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
    return Maps(output, resized[0][1], batch.shape[1:3])


class Predictor:
    """A trained network, ready to predict.

    Parameters
    ----------
    run : folder of a training run (``…/train``).
    snapshot : "best", "last" or a step.
    device : "auto", "cpu" or "gpu(0)".

    Attributes
    ----------
    bodyparts : K names.
    step : training step of the snapshot.
    scorer : the name that DeepLabCut gives the predictions of this network.

    Raises
    ------
    ProjectError
        The folder is not a run, the snapshot is missing, or it does not fit the run's bodyparts.
    """

    def __init__(self, run, snapshot="best", *, device="auto"):
        self.run = Path(run)
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
        self._forward = self._fused() if self.device.device_type == "cpu" else self._net
        self._forward.hybridize(static_alloc=True, static_shape=True)

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
    """Poses of the next frames of a video: ``points (n, K, 2)`` from frame ``first`` on; NaN in damaged frames."""

    first: int
    points: np.ndarray
    likelihood: np.ndarray
    done: int
    total: int


def predict_video(predictor, video, *, batch=8):
    """Predict every frame of a video.

    Parameters
    ----------
    predictor : Predictor.
    video : path, or a VideoReader.
    batch : frames per pass; the result does not depend on it.

    Yields
    ------
    VideoStep
        For consecutive frames, in order; together they cover the video.
    """
    reader = video if isinstance(video, VideoReader) else VideoReader(video)
    waiting = None
    chunk = []
    for item in reader.frames():
        chunk.append(item)
        if len(chunk) == batch:
            current = _start(predictor, chunk)
            if waiting is not None:
                yield _finish(predictor, waiting, len(reader))
            waiting, chunk = current, []
    for rest in (waiting, _start(predictor, chunk) if chunk else None):
        if rest is not None:
            yield _finish(predictor, rest, len(reader))


def _start(predictor, chunk):
    """Push the sound frames of a chunk into the network without waiting."""
    sound = [image for _, image in chunk if image is not None]
    return chunk, predictor.maps(sound) if sound else None


def _finish(predictor, started, total):
    chunk, maps = started
    parts = len(predictor.bodyparts)
    points = np.full((len(chunk), parts, 2), np.nan)
    likelihood = np.zeros((len(chunk), parts))
    sound = [n for n, (_, image) in enumerate(chunk) if image is not None]
    if maps is not None:
        points[sound], likelihood[sound] = maps.points()
    first = chunk[0][0]
    return VideoStep(first, points, likelihood, first + len(chunk), total)


def evaluate_run(project, run=None, snapshot="best", *, device="auto", on_maps=None):
    """Predict every labeled frame and compare with its labels.

    Frames labeled since the run count as test frames: the network has not seen them.

    Parameters
    ----------
    project : Project.
    run : folder of a training run; default the last.
    snapshot : "best", "last" or a step.
    device : "auto", "cpu" or "gpu(0)".
    on_maps : called for each frame as ``on_maps(image, score, ratio)``: its name, its score-maps ``(K, h, w)``, and the
        ``(fx, fy)`` by which the frame was resized for them (see `dlcnb.evaluate.ScoreMapWriter`).

    Raises `ProjectError` if the run's bodyparts are not the project's.
    """
    run = Path(run or project.last_run())
    predictor = Predictor(run, snapshot, device=device)
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
