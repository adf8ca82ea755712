"""Labels -> examples: the split into train and test, and the frames themselves."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from cachetools import LRUCache
from numpy.typing import ArrayLike, NDArray

from dlcnb.augment import Augmentation, halve
from dlcnb.files import alike, quoted
from dlcnb.labels import LabelError, Labels, current_labels, image_problem, image_size, read_image
from dlcnb.project import Project, ProjectError, is_video, nearest, video_stem
from dlcnb.trainset.cautions import few_to_test, sizes_that_differ, swapped_twins
from dlcnb.trainset.config import TrainConfig
from dlcnb.trainset.looks import LOOKED_AT, colors_at, unlike_twins
from dlcnb.trainset.plan import Plan, plan
from dlcnb.trainset.sides import mirror_order
from dlcnb.trainset.survey import spacing

_SIZED = 500  # frames whose sizes are looked at
_AROUND, _LEAST_AROUND = 0.2, 2.0  # how far from a bodypart its colour is looked at: share of the spacing, and px

__all__ = ["Split", "TrainSet", "choose_split", "folds", "leave_one_video_out", "resize", "split"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """Indices (int arrays, sorted) of the frames of the training and the test split."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    fraction: float
    seed: int


def split(n: int, fraction: float, seed: int) -> Split:
    """Split ``n`` frames at random as DeepLabCut does: the same seed gives the same split.

    Raises ValueError if the fraction leaves no frame to train on.
    """
    order = np.random.RandomState(seed).permutation(n)
    count = int(round(n * fraction))
    if count < 1:
        raise ValueError(f"A training fraction of {fraction} of {n} labeled frames leaves none to train on.")
    return Split(np.sort(order[:count]), np.sort(order[count:]), fraction, seed)


def folds(n: int, k: int, seed: int) -> list[Split]:
    """The ``k`` splits of k-fold cross-validation of ``n`` frames: each frame is in exactly one test split.

    Raises ValueError if there are fewer frames than folds.
    """
    if not 2 <= k <= n:
        raise ValueError(f"{n} labeled frames can't be split into {k} folds. Choose 2 to {n}, or label more frames.")
    from sklearn.model_selection import KFold  # here: it takes a while to load

    parts = KFold(k, shuffle=True, random_state=seed).split(np.zeros(n))
    return [Split(train, test, 1 - len(test) / n, seed) for train, test in parts]


def leave_one_video_out(images: Sequence[str]) -> dict[str, Split]:
    """For each video the split whose test frames are all of that video's, as a new recording would be.

    Parameters
    ----------
    images : names as in the label tables, ``labeled-data/<video>/img0000.png``.

    Returns
    -------
    dict, video -> Split, in the order of the videos' first frames.

    Raises ValueError if all frames are of one video.
    """
    from sklearn.model_selection import LeaveOneGroupOut  # here: it takes a while to load

    videos = [name.rsplit("/", 2)[-2] for name in images]
    names = list(dict.fromkeys(videos))
    if len(names) < 2:
        raise ValueError(f"Leaving one video out needs labeled frames of two or more videos; found {len(names)}.")
    groups = [names.index(video) for video in videos]
    parts = LeaveOneGroupOut().split(videos, groups=groups)
    return {
        name: Split(train, test, len(train) / len(videos), 0) for name, (train, test) in zip(names, parts, strict=True)
    }


def choose_split(images: Sequence[str], config: TrainConfig) -> Split:
    """The split that a `TrainConfig` asks for: at random, one of k folds, or a video left out.

    Raises ValueError if the frames don't allow it (too few, no such video).
    """
    if config.leave_out is not None:
        splits = leave_one_video_out(images)
        if config.leave_out not in splits:
            raise ValueError(
                f"There are no labeled frames of the video {config.leave_out!r} to leave out"
                f"{nearest(config.leave_out, splits) or '.'} There are: {', '.join(splits)}."
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

    def __init__(self, root: str | os.PathLike[str], labels: Labels, *, cache_bytes: int = 512 * 2**20) -> None:
        self.root = Path(root)
        self.images = labels.images
        self.points = labels.points
        self.bodyparts = labels.bodyparts
        self._lock = threading.Lock()  # batches are drawn on a thread of their own
        self._cache: LRUCache[tuple[int, int], NDArray[np.uint8]] = LRUCache(
            cache_bytes, getsizeof=lambda image: image.nbytes
        )

    @classmethod
    def from_project(
        cls, project: Project, bodyparts: Sequence[str] | None = None, *, learned: Sequence[str] = ()
    ) -> TrainSet:
        """The frames of a project that carry at least one label, without those that are still in work.

        (A bodypart without a label is trained as absent, so that half-finished frames would teach the wrong thing.)
        Frames whose image is missing or damaged are left out, with a warning.
        Raises `ProjectError` if there are none, `LabelError` if nobody labeled anything.

        ``bodyparts`` keeps these names alone (in the project's order); the frames stay the same. ``learned``: those of
        a training that is to go on, in the order of its score-maps; raises `ProjectError` if they are others by now.
        """
        labels = current_labels(project, finished=True)
        _tell_unlisted(project, labels.images)
        labeled = ~np.isnan(labels.points).all((1, 2))
        if not labeled.any():
            raise ProjectError(
                f"No labeled frames in {project.root}. Extract frames (Videos and frames in Studio, or dlcnb "
                "extract) and label them (tab Label) before training; "
                "frames of which some bodyparts are open, neither placed nor marked not visible, are left out."
            )
        labels = labels.select(np.flatnonzero(labeled & _readable(project, labels, labeled)))
        found = cls(project.root, labels if bodyparts is None else _only(labels, bodyparts))
        if learned and tuple(learned) != tuple(found.bodyparts):
            raise ProjectError(
                f"This training has learned the bodyparts {', '.join(learned)}; the project now has "
                f"{', '.join(found.bodyparts)}, so it can't be resumed. Start a new one, or undo that change."
            )
        return found

    def __len__(self) -> int:
        return len(self.images)

    def sizes(self, indices: Iterable[int] | None = None) -> list[tuple[int, int]]:
        """``(height, width)`` px of some frames (default all), from the heads of their files."""
        return [image_size(self.root / self.images[n]) for n in (range(len(self)) if indices is None else indices)]

    def plan(self, config: TrainConfig, indices: ArrayLike | None = None) -> Plan:
        """What ``config`` leaves open, decided from some frames (default all): a `dlcnb.trainset.Plan`."""
        chosen = np.arange(len(self)) if indices is None else np.asarray(indices)
        some = chosen[:: -(-len(chosen) // _SIZED)]  # files of a large set take long to open
        unlike = self._unlike(chosen) if config.mirror is None else ()
        return plan(config, self.bodyparts, self.points[chosen], self.sizes(some), unlike)

    def _unlike(self, chosen: NDArray[np.intp]) -> tuple[str, ...]:
        """Bodyparts whose twin has another colour, by some of these frames."""
        mirror, radius = mirror_order(self.bodyparts), _AROUND * spacing(self.points[chosen])
        if mirror is None or not np.isfinite(radius):
            return ()
        both = np.isfinite(self.points[chosen]).all(-1)
        twins = mirror != np.arange(len(mirror))
        seen = chosen[(both & both[:, mirror] & twins).any(1)]
        some = seen[:: max(-(-len(seen) // LOOKED_AT), 1)]
        colors = [self._colors(int(n), max(radius, _LEAST_AROUND)) for n in some]
        return unlike_twins(np.array(colors).reshape(len(some), len(mirror), 3), mirror, self.bodyparts)

    def _colors(self, index: int, radius: float) -> NDArray[np.float64]:
        """`colors_at` of the labels of a frame; NaN where its pixels are damaged, which is told when it is drawn."""
        try:
            return colors_at(self.image(index), self.points[index], radius)
        except LabelError:
            return np.full((len(self.bodyparts), 3), np.nan)

    def cautions(self, config: TrainConfig, trained: NDArray[np.intp]) -> list[str]:
        """What to look at before training: twins that look swapped, few frames to test on, sizes that differ.

        ``trained`` are the indices of the frames that are not tested on, the validation part included.
        """
        videos = [self.images[n].split("/")[-2] for n in trained]
        labels = Labels(self.bodyparts, "any", tuple(self.images[n] for n in trained), self.points[trained])
        found = (
            swapped_twins(labels),
            few_to_test(len(trained), len(self) - len(trained), config),
            sizes_that_differ(self.points[trained], videos),
        )
        return [sentence for sentence in found if sentence]

    def shares(self, indices: NDArray[np.intp]) -> NDArray[np.float64]:
        """How often to draw each of some frames so that every bodypart is seen about equally often: ``(n,)``, sum 1.

        A bodypart is chosen, then a frame that shows it; one time in ten any frame, so that those that show none of
        the bodyparts are seen, too.
        """
        there = ~np.isnan(self.points[indices]).any(-1)
        counts = there.sum(0)
        known = counts > 0
        if not known.any():
            return np.full(len(there), 1 / len(there))
        balanced = (there[:, known] / counts[known]).sum(1) / known.sum()
        return np.asarray(0.9 * balanced + 0.1 / len(there))

    def augmentation(self, config: TrainConfig) -> Augmentation:
        """How training crops are drawn, by a configuration with nothing left open."""
        return Augmentation(
            None if config.crop_size is None else config.crop_shape,
            config.seen_at,
            config.scale_jitter or (1.0, 1.0),
            config.rotation or 0.0,
            config.anywhere,
            config.brightness,
            config.noise,
            mirror_order(self.bodyparts) if config.mirror else None,
        )

    def image(self, index: int, halved: int = 0) -> NDArray[np.uint8]:
        """Frame ``index``, uint8 ``(H, W, 3)`` RGB, halved so often; recently used frames are kept in memory.

        Raises `LabelError` if the file can't be read.
        """
        with self._lock:
            image = self._cache.get((index, halved))
        if image is None:
            image = read_image(self.root / self.images[index])
            for _ in range(halved):
                image = halve(image)
            if image.nbytes <= self._cache.maxsize:
                with self._lock:
                    self._cache[index, halved] = image
        return image


def _tell_unlisted(project: Project, images: Sequence[str]) -> None:
    """Say which labels are of videos that config.yaml does not list, as DeepLabCut would not train on them."""
    listed = {video_stem(key) for key in project.video_keys() if is_video(key)}
    unlisted = dict.fromkeys(name for image in images if alike(name := image.split("/")[-2], listed) is None)
    if unlisted and all(map(is_video, project.video_keys())) and listed:
        log.warning(
            "labels of %s are trained on although video_sets in config.yaml does not list it; move its folder out of "
            "labeled-data if that is not meant",
            ", ".join(unlisted),
        )


def _readable(project: Project, labels: Labels, labeled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bool ``(T,)``: labeled frames whose images can be opened; those that can't are told, none at all is an error."""
    images = {t: labels.images[t] for t in np.flatnonzero(labeled)}
    problems = {t: problem for t, image in images.items() if (problem := image_problem(project.root / image))}
    readable = labeled.copy()
    readable[list(problems)] = False
    if problems:
        what = f"{len(problems)} of {len(images)} labeled frames are left out, as their images can't be read"
        cure = f"dlcnb doctor {quoted(project.root)} --repair takes their rows out"
        if not readable.any():
            raise ProjectError(f"{what} ({next(iter(problems.values()))}); restore them.")
        log.warning("%s: %s; or %s", what, next(iter(problems.values())), cure)
    return readable


def _only(labels: Labels, bodyparts: Sequence[str]) -> Labels:
    """Labels of some bodyparts."""
    for name in bodyparts:
        if name not in labels.bodyparts:
            raise ProjectError(
                f"The project has no bodypart {name!r}{nearest(name, labels.bodyparts) or '.'} "
                f"It has: {', '.join(labels.bodyparts)}."
            )
    kept = [k for k, name in enumerate(labels.bodyparts) if name in bodyparts]
    if not kept:
        raise ProjectError("Training needs at least one bodypart, but the list of bodyparts is empty.")
    names = tuple(labels.bodyparts[k] for k in kept)
    return replace(labels, bodyparts=names, points=labels.points[:, kept])


def resize(image: NDArray[np.uint8], factor: float) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """An image resized by ``factor``, by area averaging when it shrinks.

    Returns the image, its size rounded to whole pixels, and the exact ``(fx, fy)`` that points are to be scaled by.
    """
    if factor == 1:
        return image, (1.0, 1.0)
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8), (size[0] / width, size[1] / height)
