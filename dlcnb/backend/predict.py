"""Frames -> points and likelihood, with the weights of one snapshot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.choice import choose
from dlcnb.backend.devices import pick_device
from dlcnb.backend.engines import (
    ENGINES,
    Engine,
    MxEngine,
    MxStreams,
    OnnxEngine,
    fused,
    has_onnxruntime,
)
from dlcnb.backend.inputs import Normalized, Pixels
from dlcnb.backend.maps import Maps, resized_batch
from dlcnb.backend.network import PoseNet
from dlcnb.backend.openvino import (
    OpenVinoEngine,
    has_nncf,
    has_openvino,
    load_whole_numbers,
    read_onnx,
    whole_numbers,
)
from dlcnb.backend.quantize import CALIBRATION_FRAMES, load_quantized, quantize
from dlcnb.evaluate import CalibratedLikelihood, Evaluation
from dlcnb.labels import Labels
from dlcnb.project import ProjectError, run_info
from dlcnb.project.names import network_word
from dlcnb.run import Run
from dlcnb.trainset import TrainSet, resize

if TYPE_CHECKING:
    from dlcnb.project import Project


__all__ = ["Predictor", "ahead", "evaluate_run", "in_turns"]

_END = object()
T = TypeVar("T")


def ahead(started: Iterable[T], count: int = 1) -> Iterator[T]:
    """The items of an iterator that starts each when it is asked for it, with ``count`` more started already."""
    waiting: deque[T] = deque()
    for item in started:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting


def in_turns(generators: Iterable[Generator[T | None, None, None]], count: int) -> Generator[T, None, None]:
    """The items of generators, in their order, with ``count`` of them advanced by turns.

    A generator gives None when it has started some work and others may go on meanwhile; that is left out.
    """
    waiting = iter(generators)
    running: deque[tuple[Generator[T | None, None, None], deque[Any]]] = deque()
    try:
        while True:
            running.extend((generator, deque()) for generator in islice(waiting, count - len(running)))
            if not running:
                return
            for generator, items in running:
                items.extend(_until_waiting(generator))
            first = running[0][1]
            while first and first[0] is not _END:
                yield first.popleft()
            if first:
                running.popleft()
    finally:
        for generator, _ in running:
            generator.close()


def _until_waiting(generator: Generator[Any, None, None]) -> Iterator[Any]:
    """The items of a generator before its next None; `_END` after the last."""
    for item in generator:
        if item is None:
            return
        yield item
    yield _END


class Predictor:
    """A trained network, ready to predict.

    Parameters
    ----------
    run : folder of a training run (``…/train``).
    snapshot : "best", "last" or a step.
    device : "auto", "cpu" or "gpu(0)".
    engine : what computes it; on a GPU "fp32", "onnx" or "auto".
        "fp32": MXNet, exact.
        "int8": MXNet with whole numbers in most convolutions, about twice as fast and a little less exact. It is
        calibrated once with the project's training frames and kept beside the snapshot.
        "openvino": OpenVINO (extra ``openvino``), in bf16 where the processor has it; about twice as fast.
        "openvino-int8": the same with whole numbers, calibrated and kept as those of "int8" are; the fastest for
        whole frames, not for crops that follow an animal, and not tried by "auto".
        "onnx": ONNX Runtime (extra ``onnx``), about as fast as fp32; with the extra ``onnx-gpu`` also on NVIDIA cards,
        those included that MXNet can't use.
        "auto": the fastest that is exact enough (see `dlcnb.backend.choice`), measured once for each snapshot and kind
        of processor.
    raw_likelihood : leave the likelihood as the network gives it, even where validation frames told what it is worth.

    Attributes
    ----------
    bodyparts : K names.
    widest_px : how far the animal reaches at most in the frames trained on, px; NaN = not known.
    step : training step of the snapshot.
    engine : the one that is used.
    scorer : the name that DeepLabCut gives the predictions of this network.
    likelihood : `dlcnb.evaluate.CalibratedLikelihood`, or None where the likelihood is the network's own.

    Raises
    ------
    ProjectError
        The folder is not a run, the snapshot is missing, or it does not fit the run's bodyparts.
    ValueError
        The engine or the device is unknown, or they don't go together.
    ImportError
        OpenVINO or ONNX Runtime is not installed; the message names the extra.
    """

    def __init__(
        self,
        run: str | Path | Run,
        snapshot: str | int = "best",
        *,
        device: str = "auto",
        engine: str = "fp32",
        raw_likelihood: bool = False,
    ) -> None:
        found = Run(run)
        self.run = found.folder
        self.config, self.bodyparts, self.widest_px = found.config, found.bodyparts, found.widest_px
        self.step, path = found.find(snapshot)
        self._digest = found.verified(self.step)
        self.likelihood = None if raw_likelihood else CalibratedLikelihood.read(found.likelihood(self.step))
        self.device = pick_device("cpu" if engine == "onnx" else device)  # MXNet's
        self.engine = self._checked(engine, path, device)
        self._net = PoseNet(self.config.backbone, len(self.bodyparts), head_width=self.config.head_width)
        try:
            self._net.load_parameters(str(path), ctx=self.device)
        except (AssertionError, ValueError, mx.MXNetError) as error:
            raise ProjectError(
                f"{path.name} does not hold the network of this run ({self.config.backbone}, "
                f"{len(self.bodyparts)} bodyparts: {', '.join(self.bodyparts)}). It is damaged, or belongs to another "
                "project. Choose another snapshot."
            ) from error
        self._engine = self._make_engine(path, device)

    def _checked(self, engine: str, snapshot: Path, device: str) -> str:
        """The engine to use; ValueError if it is unknown, or not for this device."""
        on_cpu = self.device.device_type == "cpu"
        if engine not in ENGINES or (not on_cpu and engine not in ("fp32", "auto")):
            raise ValueError(
                f"Engine {engine!r} on {self.device}: expected fp32, onnx or auto; on the cpu also int8, "
                "openvino or openvino-int8."
            )
        if engine != "auto":
            return engine
        if not on_cpu:
            return "fp32"
        return choose(
            lambda name: Predictor(self.run, self.step, device=device if name == "onnx" else "cpu", engine=name),
            self.run,
            snapshot,
            self._digest,
            device=device if device == "auto" else "cpu",
        )

    def _make_engine(self, snapshot: Path, device: str) -> Engine:
        if self.engine not in ("fp32", "int8"):
            return self._onnx_engine(snapshot, device)
        if self.device.device_type != "cpu":
            return MxEngine(self._net, self.device)
        if self.engine == "int8":
            network = load_quantized(snapshot, lambda: quantize(self._net, self._calibration()), self._digest)
            return MxStreams(Pixels(self._net), network)
        return MxStreams(Normalized(self._net), fused(self._net, self.device))

    def _onnx_engine(self, snapshot: Path, device: str) -> Engine:
        """What computes the network as an ONNX model; ImportError if a package is missing."""
        from dlcnb.backend.export import onnx_model

        there, extra, packages = {
            "onnx": (has_onnxruntime, "onnx", "onnxruntime and onnx"),
            "openvino": (has_openvino, "openvino", "openvino and onnx"),
            "openvino-int8": (has_nncf, "openvino", "openvino, nncf and onnx"),
        }[self.engine]
        if not there():
            raise ImportError(
                f"The engine {self.engine} needs the packages {packages}. Install them with: "
                f"pip install 'dlcnb[{extra}]'"
            )
        multiple = self._net.multiple
        if self.engine == "onnx":
            return OnnxEngine(onnx_model(self), multiple, device)
        if self.engine == "openvino":
            return OpenVinoEngine(read_onnx(onnx_model(self)), multiple)

        def made() -> Any:
            return whole_numbers(read_onnx(onnx_model(self)), self._calibration(), multiple)

        return OpenVinoEngine(load_whole_numbers(snapshot, made, self._digest), multiple)

    def _calibration(self) -> NDArray[np.uint8]:
        """Some frames that the network was trained on, resized as it sees them: uint8 ``(n, H, W, 3)``."""
        run = Run(self.run)
        names = tuple(run.split["train"])
        data = TrainSet(run.root, Labels(("any",), "any", names, np.full((len(names), 1, 2), np.nan)))
        chosen = range(0, len(names), -(-len(names) // CALIBRATION_FRAMES))
        images = [resize(data.image(i), self.config.seen_at)[0] for i in chosen]
        return np.stack([image for image in images if image.shape == images[0].shape])

    @property
    def scorer(self) -> str:
        """DeepLabCut's name for these predictions: ``DLC_<network>_<Task><date>shuffle<k>_snapshot_<step>``.

        For a run of an experiment the name of both stands in place of the shuffle.
        """
        return f"DLC_{network_word(self.config.backbone)}_{_which(Run(self.run))}_snapshot_{self.step}"

    def maps(self, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> Maps:
        """`Maps` of a batch of uint8 images ``(H, W, 3)`` of one size, at once; they are computed behind."""
        batch, ratio = resized_batch(images, self.config.seen_at)
        return Maps(self._engine.run(batch), ratio, batch.shape[1:3])

    def predict(
        self, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points and likelihood in images.

        Parameters
        ----------
        images : uint8 ``(B, H, W, 3)`` RGB, or a list of images of one size.

        Returns
        -------
        points : float64 ``(B, K, 2)`` px.
        likelihood : float64 ``(B, K)``, 0..1.
        """
        points, likelihood = self.maps(images).points()
        return points, self.calibrated(likelihood)

    def calibrated(self, likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
        """What heights of peaks, of any shape, are worth: chances to be right, or the same where that is not known."""
        return likelihood if self.likelihood is None else self.likelihood(likelihood)


def evaluate_run(  # noqa: PLR0913
    project: Project,
    run: str | Path | None = None,
    snapshot: str | int = "best",
    *,
    device: str = "auto",
    engine: str = "fp32",
    raw_likelihood: bool = False,
    on_maps: Callable[[str, NDArray[np.float32], tuple[float, float]], None] | None = None,
    on_frame: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Predict the labeled frames of the run's split and compare with their labels.

    Test frames are those that the split held out. Frames labeled since are left out, and counted (``labeled_since`` of
    the evaluation): often they are chosen because the network is wrong there, or have its own predictions as labels.

    Parameters
    ----------
    project, run, snapshot : a training run's folder, default the last; "best", "last" or a step.
    device, engine, raw_likelihood : see `Predictor`.
    on_maps : called for each frame as ``on_maps(image, score, ratio)``: its name, its score-maps ``(K, h, w)``, and the
        ``(fx, fy)`` by which the frame was resized for them (see `dlcnb.evaluate.ScoreMapWriter`).
    on_frame : called after each frame as ``on_frame(done, total)``.

    Raises `ProjectError` if the run's bodyparts are not the project's, or no labeled frame is in its split.
    """
    run = Path(run or project.last_run())
    predictor = Predictor(run, snapshot, device=device, engine=engine, raw_likelihood=raw_likelihood)
    data = _labeled(project, predictor)
    rows, tested = _of_split(data, Run(run))
    images, found = tuple(data.images[i] for i in rows), []
    started = (predictor.maps([data.image(i)]) for i in rows)
    for name, maps in zip(images, ahead(started, 4), strict=True):
        found.append(maps.points())
        if on_maps is not None:
            on_maps(name, maps.arrays()[0][0], maps.ratio)
        if on_frame is not None:
            on_frame(len(found), len(images))
    return Evaluation(
        bodyparts=tuple(data.bodyparts),
        images=images,
        labels=data.points[rows],
        predicted=np.concatenate([points for points, _ in found]),
        likelihood=predictor.calibrated(np.concatenate([likelihood for _, likelihood in found])),
        is_test=tested,
        pcutoff=project.pcutoff,
        snapshot=f"snapshot-{predictor.step}",
        step=predictor.step,
        labeled_since=len(data) - len(rows),
    )


def _of_split(data: TrainSet, run: Run) -> tuple[list[int], NDArray[np.bool_]]:
    """Indices (n) of the labeled frames that are in the run's split, and (n,) bool: it held them out to test."""
    parts = run.split
    known, test = {name for names in parts.values() for name in names}, set(parts["test"])
    rows = [i for i, name in enumerate(data.images) if name in known]
    if not rows:
        raise ProjectError(
            f"None of the {len(data)} labeled frames is among those that {run.folder} was trained or tested on. "
            "Put their labels back, or train again."
        )
    return rows, np.array([data.images[i] in test for i in rows])


def _labeled(project: Project, predictor: Predictor) -> TrainSet:
    """The labeled frames of a project with the bodyparts of a network, which must be its own."""
    data = TrainSet.from_project(project, predictor.config.bodyparts)
    if tuple(data.bodyparts) != tuple(predictor.bodyparts):
        raise ProjectError(
            f"The network was trained for the bodyparts {', '.join(predictor.bodyparts)}, but the project has "
            f"{', '.join(data.bodyparts)}. Evaluate a run of this project, or train a new one."
        )
    return data


def _which(run: Run) -> str:
    """What sets a run apart in names of tables: ``<Task><date>shuffle<k>``, or ``<Task><date><experiment>-<trial>``."""
    try:
        info = run_info(run.folder)
    except ProjectError:
        project, experiment = run.project, run.folder.resolve().parents[1].name
        return f"{project.task}{project.date}{experiment}-{run.name}"
    return f"{info['task_date']}shuffle{info['shuffle']}"
