"""A recipe for the data at hand: what a training run leaves open, decided from labels and frames, each with its reason.

Nothing here is tuned to an animal. Lengths are set against the animal's own size and the spacing of its bodyparts, so a
project whose frames are resized, turned or padded gets the same recipe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.targets import STRIDE
from dlcnb.trainset.config import TrainConfig
from dlcnb.trainset.sides import mirror_order, one_sided
from dlcnb.trainset.survey import Survey, survey

__all__ = ["OPEN", "Plan", "plan"]

_APART = 1.5 * STRIDE  # px of the network's input: neighbouring bodyparts are brought this far apart, if it can be had
_LEAST_ANIMAL, _MOST_ANIMAL = (100.0, 200.0), 320.0  # px of the input: least size (few parts, many parts), most
_MOST_AREA = 640 * 480  # px of a whole frame at the input, so that analysis stays quick
_MOST_SCALE = 4.0
_WHOLE = 352 * 352  # px of the input: frames up to this size are trained on whole
_CROP = (256, 384)  # px: side of a crop, least and most
_BATCH = 8 * 256 * 256  # px of input in a step
_RADIUS = (8.0, 16.0)  # px of the input: least and most radius of a disc
_UPRIGHT = 15.0  # degrees: an animal whose direction varies less is seen by a camera that looks at one place


@dataclass(frozen=True)
class Plan:
    """A recipe.

    Attributes
    ----------
    config : the configuration with nothing left open.
    decisions : one sentence for each choice that was made, with its reason.
    warnings : what is likely to keep the network from learning, in sentences that say what to do.
    """

    config: TrainConfig
    decisions: tuple[str, ...]
    warnings: tuple[str, ...]


def plan(
    config: TrainConfig,
    bodyparts: Sequence[str],
    points: NDArray[np.float64],
    frame_sizes: Sequence[tuple[int, int]],
    unlike: Sequence[str] = (),
) -> Plan:
    """Decide what ``config`` leaves open; what it sets stays as it is.

    Parameters
    ----------
    config : `TrainConfig`; open are ``crop_size`` "auto", and those of `OPEN` that are None.
    bodyparts : K names.
    points : float ``(N, K, 2)`` px: the labels of the frames to train on, NaN = not there.
    frame_sizes : N times ``(height, width)``, px.
    unlike : bodyparts whose twin on the other side has another colour (`dlcnb.trainset.looks.unlike_twins`).
    """
    facts = survey(points, frame_sizes, mirror_order(bodyparts))
    values: dict[str, Any] = {}
    reasons: list[str] = []
    if unlike and config.mirror is None:
        config = replace(config, mirror=False)
        reasons.append(f"Frames are not mirrored: {' and '.join(unlike[:2])} have colours of their own.")
    for name, choose in _CHOICES.items():
        if getattr(config, name) in (None, "auto") and not (name == "crop_size" and config.crop_size is None):
            chosen, reason = choose(facts, replace(config, **values), bodyparts)
            values[name] = chosen
            reasons.append(reason)
    return Plan(replace(config, **values), tuple(reasons), tuple(_warnings(facts, bodyparts, config)))


def _scale(facts: Survey, _config: TrainConfig, bodyparts: Sequence[str]) -> tuple[float, str]:
    height, width = np.median(facts.frame_sizes, 0)
    if not facts.animal_px > 0:
        scale = _rounded(min(1.0, 640 / max(height, width)))
        return scale, f"Frames are seen at {_times(scale)}: one bodypart does not tell how large the animal is."
    few, many = _LEAST_ANIMAL
    least = min(many, few * math.sqrt(len(bodyparts) / 4)) if len(bodyparts) > 4 else few
    apart = _APART / facts.spacing_px if facts.spacing_px > 0 else 0.0
    quick = math.sqrt(_MOST_AREA / (height * width))
    wanted = min(max(least / facts.animal_px, min(apart, quick)), _MOST_ANIMAL / facts.animal_px, _MOST_SCALE)
    scale = _rounded(wanted)
    why = f"the animal is {facts.animal_px:.0f} px large, neighbouring bodyparts are {facts.spacing_px:.0f} px apart"
    return scale, f"Frames are seen at {_times(scale)}: {why}."


def _crop(facts: Survey, config: TrainConfig, _bodyparts: Sequence[str]) -> tuple[tuple[int, int], str]:
    scale = config.input_scale or 1.0
    height, width = (max(_up(side * scale), 64) for side in np.percentile(facts.frame_sizes, 90, axis=0))
    if height * width <= _WHOLE:
        return (height, width), f"Whole frames are trained on, {width}×{height} px as the network sees them."
    size = facts.animal_px * scale if facts.animal_px > 0 else 0.0
    side = int(np.clip(_up(1.6 * size), *_CROP))
    crop = min(side, height), min(side, width)
    return (
        crop,
        f"Crops of {crop[1]}×{crop[0]} px around the bodyparts are trained on: the animal is {size:.0f} px there.",
    )


def _batch(_facts: Survey, config: TrainConfig, _bodyparts: Sequence[str]) -> tuple[int, str]:
    if config.crop_size is None:
        return 1, "Each step has one frame: frames are trained on whole, at random scales."
    height, width = config.crop_shape
    count = int(np.clip(round(_BATCH / (height * width)), 4, 16))
    return max(count, config.workers), f"{max(count, config.workers)} examples a step."


def _radius(facts: Survey, config: TrainConfig, _bodyparts: Sequence[str]) -> tuple[float, str]:
    scale = config.input_scale or 1.0
    apart = facts.spacing_px * scale
    seen = float(np.clip(0.8 * apart, *_RADIUS)) if apart > 0 else 1.5 * STRIDE
    radius = _rounded(seen / scale)
    return radius, f"A bodypart's disc has a radius of {radius:g} px: {seen:.0f} px as the network sees it."


def _jitter(facts: Survey, _config: TrainConfig, _bodyparts: Sequence[str]) -> tuple[tuple[float, float], str]:
    if facts.turn < _UPRIGHT and (facts.frame_sizes.max(0) < 1.2 * facts.frame_sizes.min(0)).all():
        return (0.9, 1.1), "Frames are shrunk and enlarged by up to 10 %: the view hardly changes."
    return (0.8, 1.3), "Frames are shrunk to 0.8 and enlarged to 1.3 times: the view changes."


def _rotation(facts: Survey, _config: TrainConfig, _bodyparts: Sequence[str]) -> tuple[float, str]:
    if not math.isfinite(facts.turn):
        return 30.0, "Frames are turned by up to 30°: one bodypart does not tell in what directions the animal is seen."
    if facts.turn >= 75:
        return 180.0, "Frames are turned all around: the animal is seen from all sides."
    rotation = float(max(5, 5 * round(1.5 * facts.turn / 5)))
    return (
        rotation,
        f"Frames are turned by up to {rotation:g}°: the animal's direction varies by {abs(facts.turn):.0f}°.",
    )


def _mirror(facts: Survey, _config: TrainConfig, bodyparts: Sequence[str]) -> tuple[bool, str]:
    alone = one_sided(bodyparts)
    if facts.mirror is not None:
        names = ", and left and right change names" if (facts.mirror != np.arange(len(bodyparts))).any() else ""
        return True, f"Frames are mirrored{names}: mirrored postures look like real ones."
    if alone:
        return False, f"Frames are not mirrored: {', '.join(alone[:3])} would need a twin on the other side."
    return False, "Frames are not mirrored: mirrored postures would look like no labeled posture."


def _width(_facts: Survey, _config: TrainConfig, bodyparts: Sequence[str]) -> tuple[int, str]:
    width = int(np.clip(32 * round(4 * len(bodyparts) / 32), 64, 192))
    return width, f"The head has {width} channels for {len(bodyparts)} bodyparts."


_CHOICES = {  # in the order in which one depends on the other
    "input_scale": _scale,
    "crop_size": _crop,
    "batch_size": _batch,
    "radius": _radius,
    "scale_jitter": _jitter,
    "rotation": _rotation,
    "mirror": _mirror,
    "head_width": _width,
}
OPEN = tuple(_CHOICES)  # the settings that are decided from the data


def _warnings(facts: Survey, bodyparts: Sequence[str], config: TrainConfig) -> list[str]:
    found = []
    if facts.frames < 10:
        frames = "1 frame" if facts.frames == 1 else f"{facts.frames} frames"
        found.append(f"Only {frames} to train on. Label 20 or more, of different postures.")
    never = [name for name, count in zip(bodyparts, facts.counts, strict=True) if count == 0]
    rare = [f"{name} ({count})" for name, count in zip(bodyparts, facts.counts, strict=True) if 0 < count < 5]
    if never:
        found.append(
            f"No frame to train on shows {', '.join(never)}: the network can't learn it. Label it, or remove it."
        )
    if rare:
        found.append(f"Few frames show {', '.join(rare)}. Label more frames that do.")
    low, high = np.percentile(facts.frame_sizes.prod(1), [0, 100]) if facts.frames else (1, 1)
    if high > 4 * low:
        found.append(
            "The largest frames have over four times the pixels of the smallest: the animal's size may differ."
        )
    return found


def _up(side: float) -> int:
    """The next multiple of 32 px."""
    return 32 * math.ceil(round(side) / 32)


def _rounded(value: float) -> float:
    """Two significant digits."""
    return float(f"{value:.2g}")


def _times(scale: float) -> str:
    """A scale in words."""
    if scale == 1:
        return "their own size"
    return f"{scale:g} times their size"
