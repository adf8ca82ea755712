"""Everything a training run depends on, in one frozen dataclass, and presets of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

from dlcnb.machine.gpus import is_device
from dlcnb.project import nearest

__all__ = [
    "BACKBONES",
    "KVSTORES",
    "OPTIMIZERS",
    "PRECISIONS",
    "PRESETS",
    "WEIGHTS_SOURCES",
    "TrainConfig",
    "is_kept",
    "kept_steps",
    "merged",
]

BACKBONES = ("efficientnet-lite0", "resnet-50", "resnet-101")
OPTIMIZERS = ("adam", "sgd")
PRECISIONS = ("fp32", "fp16", "auto")
KVSTORES = ("device", "dist_sync")
MOST_EXAMPLES = 4096  # of a batch: a damaged setting would claim all memory
WEIGHTS_SOURCES = ("torchvision", "gluon")  # who publishes ImageNet weights that can be fetched
PRESETS: dict[str, dict[str, Any]] = {  # settings that differ from the defaults
    "quick": {"minutes": 10.0},
    "workshop": {"minutes": 3.0, "validate_every": 15.0},
    "paper": {  # Mathis et al. 2018, Methods; rates of DeepLabCut's schedule
        "backbone": "resnet-50",
        "steps": 500_000,
        "batch_size": 1,
        "crop_size": None,
        "input_scale": 0.8,
        "scale_jitter": (0.5, 1.5),
        "rotation": 25.0,
        "brightness": 0.0,
        "mirror": False,
        "radius": 17.0,
        "locref_weight": 0.05,
        "spatial_weight": 0.0,
        "balanced": False,
        "head_width": 64,
        "head_rate": 1.0,
        "score_weight": 1.0,
        "optimizer": "sgd",
        "schedule": ((10_000, 0.005), (430_000, 0.02), (730_000, 0.002), (1_030_000, 0.001)),
        "average": 0.0,
        "freeze": 0,
    },
}


_BEFORE = {  # of runs that don't say
    "head_width": 64,
    "head_rate": 1.0,
    "spatial_weight": 0.0,
    "score_weight": 1.0,
    "balanced": False,
}
CHOICES = {"backbone": BACKBONES, "optimizer": OPTIMIZERS, "precision": PRECISIONS, "kvstore": KVSTORES}


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
    batch_size, crop_size : examples per step, and their size in px at ``input_scale``: a side or (height, width).
        ``crop_size=None`` trains on whole frames of random scale, one a step, as the paper does; "auto" = chosen from
        the data.
    input_scale : frames are resized by this before the network sees them (the paper's scale factor, 0.8).
    scale_jitter, rotation, anywhere, brightness, noise, mirror : see `dlcnb.augment.Augmentation`; ``mirror``
        swaps left and right bodyparts, and only happens where that is right (`dlcnb.trainset.plan`).
    balanced : frames are drawn so that every bodypart is seen equally often, rare ones too; else all frames equally.
    radius : px of the *original* frame within which a score-map is 1 (the paper's 17, scaled by ``input_scale``).
    intermediate : a second set of score-maps is trained from conv4 (the paper's ResNet-101ws).
    locref_weight : weight of the location refinement loss (paper: 0.05).
    spatial_weight : weight of a cross-entropy over *places*: of all cells of a score-map, those of the disc shall have
        the probability. Bodyparts are found in a fraction of the steps, since background does not drown them. 0 = the
        paper's loss.
    score_weight : the cross-entropy of the score-maps' cells, which makes their heights probabilities, counts once in
        the first 40 % of the budget and ever more after it, at the end so many times: a young network would find no
        bodypart with it. 1 = the paper's loss.
    head_width : channels of the layers that join the feature maps of a backbone that goes on to stride 32.
    optimizer : "adam" or "sgd" (momentum 0.9).
    learning_rate : peak of the schedule: linear warm-up, flat, cosine to 1 %.
    head_rate : the head, which begins from random weights, learns at so many times the learning rate; one that a
        snapshot brings along (``start_from``) learns at the learning rate itself.
    schedule : instead of it, ``((step, rate), …)``: each rate holds until its step, the last for good.
    average : share of the finished steps that the averaged weights look back on; 0 = no averaging.
    freeze : backbone stages whose weights stay at their ImageNet values.
    pretrained : start from ImageNet weights.
    weights : where they come from: a file (torchvision's .pth, .safetensors, or .params of GluonCV's v1b nets), or
        "torchvision" or "gluon": as published, fetched once and checked. None = those at hand, else torchvision's.
    start_from : snapshot (or run) to fine-tune; bodyparts that it doesn't know start anew.
    validate_every : seconds between validations (with ``steps``: a twentieth of them if that is later).
    keep : steps whose snapshots are never deleted, or "curve" for 10, 20, 50, 100, 200, 500 …; None = the newest few
        and the best stay.
    device : "auto", "cpu", "gpu(0)", or several GPUs that share each batch: "gpu(0),gpu(1)".
    precision : one of `PRECISIONS`: "fp16" computes in half precision where it is safe (AMP), on GPUs only; "auto" does
        so on GPUs with tensor cores.
    kvstore : one of `KVSTORES`: "device" sums the gradients of this process's devices; "dist_sync" those of ``workers``
        processes, on one or several machines, which share each batch (see docs/cluster.md). It needs ``steps``.
    workers : how many processes.
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
    batch_size: int | None = None
    crop_size: int | tuple[int, int] | str | None = "auto"
    input_scale: float | None = None
    scale_jitter: tuple[float, float] | None = None
    rotation: float | None = None
    anywhere: float = 0.3
    brightness: float = 0.2
    noise: float = 0.0
    mirror: bool | None = None
    balanced: bool = True
    radius: float | None = None
    locref_weight: float = 1.0
    spatial_weight: float = 1.0
    score_weight: float = 40.0
    head_width: int | None = None
    intermediate: bool = False
    optimizer: str = "adam"
    learning_rate: float = 5e-4
    head_rate: float = 6.0
    schedule: tuple[tuple[int, float], ...] | None = None
    average: float = 0.1
    freeze: int = 4
    pretrained: bool = True
    weights: str | None = None
    start_from: str | None = None
    validate_every: float = 30.0
    keep: tuple[int, ...] | str | None = None
    device: str = "auto"
    precision: str = "fp32"
    kvstore: str = "device"
    workers: int = 1

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise ValueError("A training run needs an end: give minutes=… or steps=….")
        self._check_numbers()
        self._check_lists()
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                hint = nearest(str(value), choices)
                raise ValueError(f"Unknown {name} {value!r}{hint}. Expected one of {', '.join(choices)}.")
        if not is_device(self.device):
            raise ValueError(f"Unknown device {self.device!r}. Expected auto, cpu, gpu(0), or several: gpu(0),gpu(1).")
        positive = (
            "minutes",
            "steps",
            "batch_size",
            "input_scale",
            "radius",
            "head_width",
            "learning_rate",
            "head_rate",
            "score_weight",
        )
        for name in positive:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be greater than 0, but is {value!r}.")
        if not 0 < self.train_fraction <= 1:
            raise ValueError(f"train_fraction must be in 0..1 (0.95 = 95 %), but is {self.train_fraction!r}.")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be in 0..1, but is {self.validation_fraction!r}.")
        self._check_crops()
        self._check_split()
        self._check_workers()

    def _check_numbers(self) -> None:
        for field in fields(self):
            kind, _, optional = str(field.type).partition(" | ")
            value = getattr(self, field.name)
            if kind not in ("int", "float") or optional not in ("", "None") or (optional and value is None):
                continue
            if not isinstance(value, Real) or isinstance(value, bool):
                raise ValueError(f"{field.name} must be a number, but is {value!r}.")

    def _check_lists(self) -> None:
        """Names, paths and rates, which a file of settings that somebody edited may have as anything."""
        if self.bodyparts is not None and not _are(self.bodyparts, str):
            raise ValueError(f"bodyparts must be a list of names, but is {self.bodyparts!r}.")
        for name in ("weights", "start_from"):
            if not isinstance(path := getattr(self, name), (str, os.PathLike, type(None))):
                raise ValueError(f"{name} must be a path or a name, but is {path!r}.")
        steps = self.schedule
        if steps is not None and not (_are(steps, (list, tuple)) and all(len(s) == 2 and _are(s, Real) for s in steps)):
            raise ValueError(f"schedule must be pairs of step and rate, ((10000, 0.005), …), but is {steps!r}.")

    def _check_crops(self) -> None:
        if self.crop_size is None and self.batch_size not in (None, 1):
            raise ValueError(
                "Whole frames (crop_size=None) are trained on one at a time: "
                f"batch_size must be 1, not {self.batch_size}."
            )
        if self.batch_size is not None and self.batch_size > MOST_EXAMPLES:
            raise ValueError(f"batch_size must be at most {MOST_EXAMPLES}, but is {self.batch_size!r}.")
        if self.crop_size not in (None, "auto"):
            sides = self.crop_size if isinstance(self.crop_size, (list, tuple)) else (self.crop_size,)
            if len(sides) not in (1, 2) or any(isinstance(s, str) or s <= 0 or s % 32 for s in sides):
                raise ValueError(
                    f'crop_size must be "auto", a multiple of 32 px or (height, width) of such, not {self.crop_size!r}.'
                )
        for name in ("scale_jitter", "schedule", "crop_size"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _tuples(getattr(self, name)))

    def _check_split(self) -> None:
        if self.bodyparts is not None:
            object.__setattr__(self, "bodyparts", tuple(self.bodyparts))
        if isinstance(self.keep, int) and not isinstance(self.keep, bool):
            object.__setattr__(self, "keep", (self.keep,))
        elif isinstance(self.keep, (list, tuple)):
            object.__setattr__(self, "keep", tuple(map(int, self.keep)))
        elif self.keep not in (None, "curve"):
            raise ValueError(f'keep: expected steps, such as 100,1000, or "curve"; found {self.keep!r}.')
        if self.folds is None:
            if self.fold:
                raise ValueError(f"fold={self.fold} needs folds=…, the number of parts.")
            return
        if self.leave_out is not None:
            raise ValueError("folds and leave_out are two ways to choose the test split: give one of them.")
        if self.folds < 2 or not 0 <= self.fold < self.folds:
            raise ValueError(f"Expected folds >= 2 and fold from 0 to folds - 1, found {self.folds} and {self.fold}.")
        object.__setattr__(self, "train_fraction", 1 - 1 / self.folds)

    def _check_workers(self) -> None:
        if self.kvstore == "device":
            if self.workers != 1:
                raise ValueError(f'workers={self.workers!r} needs kvstore="dist_sync".')
            return
        if self.workers < 1 or (self.batch_size is not None and self.batch_size < self.workers):
            raise ValueError(f"{self.workers} workers can't share a batch of {self.batch_size}. Raise batch_size.")
        if self.steps is None or self.minutes is not None:
            raise ValueError('kvstore="dist_sync" needs steps=…, not minutes: the clocks of machines differ.')

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """A configuration from plain values; an unknown key is an error that names the nearest known one."""
        known = {field.name for field in fields(cls)}
        for key in values:
            if key not in known:
                raise ValueError(f"Unknown training setting {key!r}{nearest(key, sorted(known)) or '.'}")
        return cls(**values)

    @classmethod
    def saved(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The configuration of a run's ``pose_cfg.yaml``; settings that dlcnb did not have yet are as it then was."""
        return cls.from_dict({**_BEFORE, **values})

    @classmethod
    def preset(cls, name: str, **changes: Any) -> TrainConfig:
        """The configuration of one of `PRESETS`, with some settings changed; an unknown name is a ValueError."""
        if name not in PRESETS:
            raise ValueError(
                f"Unknown preset {name!r}{nearest(name, PRESETS) or '.'} Expected one of {', '.join(PRESETS)}."
            )
        return cls.from_dict(merged(PRESETS[name], changes))

    def changed(self, **changes: Any) -> TrainConfig:
        """This configuration with some settings changed, see `merged`."""
        return self.from_dict(merged(self.to_dict(), changes))

    def to_dict(self) -> dict[str, Any]:
        """Plain values (numbers, strings, lists), ready for YAML or JSON."""
        return {k: _lists(v) for k, v in asdict(self).items()}

    @property
    def seen_at(self) -> float:
        """``input_scale``; raises ValueError where it is not chosen yet (`dlcnb.trainset.plan` does)."""
        if self.input_scale is None:
            raise ValueError("input_scale is open: dlcnb.trainset.plan chooses it from the data.")
        return self.input_scale

    @property
    def crop_shape(self) -> tuple[int, int]:
        """``(height, width)`` of a training crop, px; raises ValueError where there is none, or none chosen yet."""
        if self.crop_size is None or isinstance(self.crop_size, str):
            raise ValueError(f"crop_size={self.crop_size!r} has no shape.")
        return self.crop_size if isinstance(self.crop_size, tuple) else (self.crop_size, self.crop_size)

    def wanted(self, changes: TrainConfig | Mapping[str, Any] | None) -> dict[str, Any]:
        """The settings that are to change; those that a whole configuration leaves open are as they are here."""
        if changes is None or isinstance(changes, Mapping):
            return dict(changes or {})
        before, after = self.to_dict(), changes.to_dict()
        given = {key: value for key, value in after.items() if value != before[key] and value is not None}
        if after["crop_size"] not in ("auto", before["crop_size"]):
            given["crop_size"] = after["crop_size"]  # here None means something: whole frames
        elif given.get("crop_size") == "auto":
            del given["crop_size"]
        return {**given, "minutes": after["minutes"], "steps": after["steps"]}


def kept_steps(keep: Sequence[int] | str | None, last: int) -> list[int]:
    """Steps up to ``last`` whose snapshots stay for good: those of ``keep``, or 10, 20, 50, 100 … of "curve"."""
    steps = [digit * 10**power for power in range(1, 10) for digit in (1, 2, 5)] if isinstance(keep, str) else keep
    return [step for step in steps or () if step <= last]


def is_kept(step: int, keep: Sequence[int] | str | None) -> bool:
    """Whether a snapshot stays for good, see `kept_steps`."""
    return step in kept_steps(keep, step)


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with some changed: a new budget takes the place of the old one, a learning rate that of a schedule.

    Parameters
    ----------
    values, changes : {name of a setting: value}; neither is altered.

    Returns
    -------
    dict
        Without the old ``minutes`` and ``steps`` if ``changes`` has one of them, and without the old ``schedule`` if it
        has a ``learning_rate``.
    """
    dropped = set()
    if changes.get("minutes") or changes.get("steps"):
        dropped |= {"minutes", "steps"}
    if changes.get("learning_rate"):
        dropped.add("schedule")  # which would overrule it
    return {**{name: value for name, value in values.items() if name not in dropped}, **changes}


def _tuples(value: Any) -> Any:
    """Lists, however deep, as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _lists(value: Any) -> Any:
    """Tuples, however deep, as lists."""
    return list(map(_lists, value)) if isinstance(value, (list, tuple)) else value


def _are(values: object, kind: type | tuple[type, ...]) -> bool:
    """Whether this is a list or tuple of one kind of thing."""
    return isinstance(values, (list, tuple)) and all(isinstance(value, kind) for value in values)
