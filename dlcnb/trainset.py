"""Labels -> examples: the training configuration, the split into train and test, and the frames themselves."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np

from dlcnb.labels import LabelError, Labels
from dlcnb.project import ProjectError, nearest

__all__ = [
    "BACKBONES",
    "Split",
    "TrainConfig",
    "TrainSet",
    "choose_split",
    "folds",
    "leave_one_video_out",
    "resize",
    "split",
]

BACKBONES = ("efficientnet-lite0", "resnet-50", "resnet-101")


@dataclass(frozen=True)
class TrainConfig:
    """Everything a training run depends on; saved with the run as ``pose_cfg.yaml``.

    The run ends after ``steps`` steps or ``minutes`` of training, whichever comes first; one of the two must be set.
    With ``steps`` alone the same seed gives the same weights on a CPU.

    Attributes
    ----------
    backbone : one of `BACKBONES`.
    minutes, steps : budget.
    train_fraction : share of the labeled frames that is trained on; the rest is the test split.
    split_seed : seed of the split into train and test.
    folds, fold : k-fold cross-validation: the frames fall into ``folds`` parts (shuffled by ``split_seed``), and part
        number ``fold``, from 0, is the test split; ``train_fraction`` follows from it.
    leave_out : name of a video (without suffix) whose frames are the test split; all others are trained on.
    bodyparts : names to train on, some of the project's; None = all of them.
    seed : seed of everything else (validation part, weights of the heads, batches).
    validation_fraction : share of the *training* frames held out to choose the best snapshot.
    batch_size, crop_size : examples per step, px of their sides at ``input_scale``.
    input_scale : frames are resized by this before the network sees them; None = chosen from the data.
    scale_jitter, rotation, anywhere, brightness, noise, mirror : see `dlcnb.augment.Augmentation`; ``mirror``
        swaps left and right bodyparts where both are present.
    radius : px of the *original* frame within which a score-map is 1 (the paper's 17, scaled by ``input_scale``).
    locref_weight : weight of the location refinement loss (paper: 0.05).
    learning_rate : peak of the schedule: linear warm-up, flat, cosine to 1 %.
    average : share of the finished steps that the averaged weights look back on; 0 = no averaging.
    freeze : backbone stages whose weights stay at their ImageNet values.
    pretrained : start from ImageNet weights.
    weights : file of backbone weights (torchvision layout) where they don't come with the package.
    validate_every : seconds between validations (with ``steps``: a twentieth of them if that is later).
    device : "auto", "cpu" or "gpu(0)".
    """

    backbone: str = "efficientnet-lite0"
    minutes: float | None = None
    steps: int | None = None
    train_fraction: float = 0.95
    split_seed: int = 0
    folds: int | None = None
    fold: int = 0
    leave_out: str | None = None
    bodyparts: tuple[str, ...] | None = None
    seed: int = 0
    validation_fraction: float = 0.08
    batch_size: int = 8
    crop_size: int = 256
    input_scale: float | None = None
    scale_jitter: tuple[float, float] = (0.6, 1.5)
    rotation: float = 60.0
    anywhere: float = 0.4
    brightness: float = 0.2
    noise: float = 0.0
    mirror: bool = True
    radius: float = 20.0
    locref_weight: float = 0.03
    learning_rate: float = 1e-3
    average: float = 0.1
    freeze: int = 4
    pretrained: bool = True
    weights: str | None = None
    validate_every: float = 30.0
    device: str = "auto"

    def __post_init__(self):
        if self.minutes is None and self.steps is None:
            raise ValueError("A training run needs an end: give minutes=… or steps=….")
        if self.backbone not in BACKBONES:
            hint = nearest(self.backbone, BACKBONES)
            raise ValueError(f"Unknown backbone {self.backbone!r}{hint}. Expected one of {', '.join(BACKBONES)}.")
        for name in ("minutes", "steps", "batch_size", "input_scale", "radius", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be greater than 0, but is {value!r}.")
        if not 0 < self.train_fraction <= 1:
            raise ValueError(f"train_fraction must be in 0..1 (0.95 = 95 %), but is {self.train_fraction!r}.")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be in 0..1, but is {self.validation_fraction!r}.")
        if self.crop_size % 32:
            raise ValueError(f"crop_size must be a multiple of 32 px, but is {self.crop_size!r}.")
        self._check_split()

    def _check_split(self):
        if self.bodyparts is not None:
            object.__setattr__(self, "bodyparts", tuple(self.bodyparts))
        if self.folds is None:
            if self.fold:
                raise ValueError(f"fold={self.fold} needs folds=…, the number of parts.")
            return
        if self.leave_out is not None:
            raise ValueError("folds and leave_out are two ways to choose the test split: give one of them.")
        if self.folds < 2 or not 0 <= self.fold < self.folds:
            raise ValueError(f"Expected folds >= 2 and fold from 0 to folds - 1, found {self.folds} and {self.fold}.")
        object.__setattr__(self, "train_fraction", 1 - 1 / self.folds)

    @classmethod
    def from_dict(cls, values):
        """A configuration from plain values; an unknown key is an error that names the nearest known one."""
        known = {field.name for field in fields(cls)}
        for key in values:
            if key not in known:
                raise ValueError(f"Unknown training setting {key!r}{nearest(key, sorted(known))}.")
        values = dict(values)
        if "scale_jitter" in values:
            values["scale_jitter"] = tuple(values["scale_jitter"])
        return cls(**values)

    def to_dict(self):
        """Plain values (numbers, strings, lists), ready for YAML or JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def with_input_scale(self, size, points):
        """This configuration with ``input_scale`` chosen, if it was None.

        The longer side is brought to about 480 px, unless that would shrink the animal (the median extent of the
        labeled bodyparts) below 80 px.

        Parameters
        ----------
        size : ``(height, width)`` of the frames, px.
        points : float ``(N, K, 2)`` labels, px, NaN = not there.
        """
        if self.input_scale is not None:
            return self
        some = points[~np.isnan(points).all((1, 2))]
        extent = np.linalg.norm(np.nanmax(some, 1) - np.nanmin(some, 1), axis=-1) if len(some) else np.array([80.0])
        wanted = max(480 / max(size), 80 / max(np.median(extent), 1.0))
        return replace(self, input_scale=float(np.clip(round(wanted * 16) / 16, 0.125, 1.0)))


@dataclass(frozen=True)
class Split:
    """Indices (int arrays, sorted) of the frames of the training and the test split."""

    train: np.ndarray
    test: np.ndarray
    fraction: float
    seed: int


def split(n, fraction, seed):
    """Split ``n`` frames at random as DeepLabCut does: the same seed gives the same split.

    Raises ValueError if the fraction leaves no frame to train on.
    """
    order = np.random.RandomState(seed).permutation(n)
    count = int(round(n * fraction))
    if count < 1:
        raise ValueError(f"A training fraction of {fraction} of {n} labeled frames leaves none to train on.")
    return Split(np.sort(order[:count]), np.sort(order[count:]), fraction, seed)


def folds(n, k, seed):
    """The ``k`` splits of k-fold cross-validation of ``n`` frames: each frame is in exactly one test split.

    Raises ValueError if there are fewer frames than folds.
    """
    if not 2 <= k <= n:
        raise ValueError(f"{n} labeled frames can't be split into {k} folds. Choose 2 to {n}, or label more frames.")
    parts = np.array_split(np.random.RandomState(seed).permutation(n), k)
    everything = np.arange(n)
    return [Split(np.setdiff1d(everything, part), np.sort(part), 1 - len(part) / n, seed) for part in parts]


def leave_one_video_out(images):
    """For each video the split whose test frames are all of that video's, as a new recording would be.

    Parameters
    ----------
    images : names as in the label tables, ``labeled-data/<video>/img0000.png``.

    Returns
    -------
    dict, video -> Split, in the order of the videos' first frames.

    Raises ValueError if all frames are of one video.
    """
    videos = np.array([name.rsplit("/", 2)[-2] for name in images])
    names = list(dict.fromkeys(videos.tolist()))
    if len(names) < 2:
        raise ValueError(f"Leaving one video out needs labeled frames of two or more videos; there is {len(names)}.")
    parts = {name: np.flatnonzero(videos == name) for name in names}
    n = len(videos)
    return {name: Split(np.setdiff1d(np.arange(n), part), part, 1 - len(part) / n, 0) for name, part in parts.items()}


def choose_split(images, config):
    """The split that a `TrainConfig` asks for: at random, one of k folds, or a video left out.

    Raises ValueError if the frames don't allow it (too few, no such video).
    """
    if config.leave_out is not None:
        splits = leave_one_video_out(images)
        if config.leave_out not in splits:
            raise ValueError(
                f"There are no labeled frames of the video {config.leave_out!r} to leave out"
                f"{nearest(config.leave_out, splits)}. There are: {', '.join(splits)}."
            )
        return splits[config.leave_out]
    if config.folds is not None:
        return folds(len(images), config.folds, config.split_seed)[config.fold]
    return split(len(images), config.train_fraction, config.split_seed)


class TrainSet:
    """The labeled frames of a project.

    Attributes
    ----------
    images : names relative to the project, ``labeled-data/<video>/img0000.png``.
    points : float64 ``(N, K, 2)``, px of the frame, NaN = not there.
    bodyparts : K names.
    """

    def __init__(self, root, labels: Labels, *, cache_bytes=512 * 2**20):
        self.root = Path(root)
        self.images = labels.images
        self.points = labels.points
        self.bodyparts = labels.bodyparts
        self._cache = OrderedDict()
        self._cache_bytes = cache_bytes
        self._used = 0

    @classmethod
    def from_project(cls, project, bodyparts=None):
        """The frames of a project that carry at least one label; raises `ProjectError` if there are none.

        ``bodyparts`` keeps these names alone (in the project's order); the frames stay the same.
        """
        labels = Labels.read_project(project)
        labeled = ~np.isnan(labels.points).all((1, 2))
        if not labeled.any():
            raise ProjectError(
                f"No labeled frames in {project.root}. Extract frames (dlcnb extract) and label them before training."
            )
        labels = labels.select(np.flatnonzero(labeled))
        return cls(project.root, labels if bodyparts is None else _only(labels, bodyparts))

    def __len__(self):
        return len(self.images)

    def image(self, index):
        """Frame ``index``, uint8 ``(H, W, 3)`` RGB; recently used frames are kept in memory.

        Raises `LabelError` if the file can't be read.
        """
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        path = self.root / self.images[index]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise LabelError(
                f"Cannot read the labeled frame {path}. Extract it again, or remove its row (dlcnb doctor)."
            )
        self._cache[index] = image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        self._used += image.nbytes
        while self._used > self._cache_bytes and len(self._cache) > 1:
            self._used -= self._cache.popitem(last=False)[1].nbytes
        return image


def _only(labels, bodyparts):
    """Labels of some bodyparts."""
    for name in bodyparts:
        if name not in labels.bodyparts:
            raise ProjectError(
                f"The project has no bodypart {name!r}{nearest(name, labels.bodyparts)}. "
                f"It has: {', '.join(labels.bodyparts)}."
            )
    kept = [k for k, name in enumerate(labels.bodyparts) if name in bodyparts]
    if not kept:
        raise ProjectError("Training needs at least one bodypart, but the list of bodyparts is empty.")
    names = tuple(labels.bodyparts[k] for k in kept)
    return replace(labels, bodyparts=names, points=labels.points[:, kept])


def resize(image, factor):
    """An image resized by ``factor``, by area averaging when it shrinks.

    Returns the image, its size rounded to whole pixels, and the exact ``(fx, fy)`` that points are to be scaled by.
    """
    if factor == 1:
        return image, (1.0, 1.0)
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return resized, (size[0] / width, size[1] / height)
