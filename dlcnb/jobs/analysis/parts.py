"""Finished parts of the poses of one video, kept beside its tables until all are there.

A part is ``<first frame>.npz`` in the hidden folder ``.dlcnb-parts-<table>``; ``key.json`` tells what they were made
from. Whoever comes next with the same key, after a crash or a stop, goes on from there.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import atomic_write, read_arrays, read_json
from dlcnb.labels.inside import open_plain
from dlcnb.poses import Poses

__all__ = ["PART", "Parts", "PartsError"]

PART = 512  # frames, about: what a crash costs at most
_WRITE = 16  # parts that are written to the tables together

log = logging.getLogger(__name__)


class PartsError(ValueError):
    """The poses of a video can't be collected now."""


class Parts:
    """The parts of one video; a context manager that keeps other processes out.

    Parameters
    ----------
    output : path of the h5 table that they are for.
    key : dict of JSON values
        What the poses depend on. Parts with another key are deleted.
    total : frames of the video.
    size : frames of a part (the last may be shorter).

    Raises
    ------
    PartsError
        On entering, if another process works on the same table.
    """

    def __init__(self, output: Path, key: Mapping[str, Any], total: int, size: int) -> None:
        self.output = Path(output)
        self.folder = self.output.with_name(f".dlcnb-parts-{self.output.stem}")
        self.total, self.size = total, size
        self._key = {**key, "part": size}
        self._lock: TextIO | None = None
        self._there: set[int] = set()

    def __enter__(self) -> Parts:
        if self.folder.is_symlink():
            raise PartsError(f"expected a folder of parts at {self.folder}, found a link; remove it")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.folder / "lock", self.output)
        if _read_json(self.folder / "key.json") != self._key:
            for path in self.folder.glob("*.npz"):
                path.unlink()
            atomic_write(self.folder / "key.json", json.dumps(self._key))
        self._there = {first for first in range(0, self.total, self.size) if self._sound(first)}
        return self

    def __exit__(self, *_: object) -> None:
        if not self._there:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    @property
    def done(self) -> int:
        """Frames that are there."""
        return sum(self._stop(first) - first for first in self._there)

    def missing(self) -> list[tuple[int, int]]:
        """(first, stop) of the stretches of frames that are not there, in order; they begin where a part begins."""
        stretches: list[tuple[int, int]] = []
        for first in range(0, self.total, self.size):
            if first in self._there:
                continue
            if stretches and stretches[-1][1] == first:
                stretches[-1] = (stretches[-1][0], self._stop(first))
            else:
                stretches.append((first, self._stop(first)))
        return stretches

    def add(
        self, first: int, points: NDArray[np.float64], likelihood: NDArray[np.float64], damaged: Sequence[int] = ()
    ) -> None:
        """Keep a part.

        Parameters
        ----------
        first : its first frame, a multiple of ``size``.
        points : ``(n, K, 2)`` px, or ``(n, N, K, 2)``; all frames of the part.
        likelihood : ``(n, K)``, or ``(n, N, K)``
        damaged : numbers of the damaged frames in it.

        Raises `OSError` with a clear message for a full disk.
        """
        if first % self.size or first + len(points) != self._stop(first):
            raise PartsError(f"expected frames {first}-{self._stop(first)} in a part, found {len(points)} from {first}")
        data = io.BytesIO()
        np.savez(data, points=points, likelihood=likelihood, damaged=np.asarray(damaged, int))
        atomic_write(self._path(first), data.getvalue())
        self._there.add(first)

    def damaged(self) -> list[int]:
        """Numbers of all damaged frames (list of int, ascending)."""
        return [int(n) for first in sorted(self._there) for n in self._read(first)["damaged"]]

    def poses(self, bodyparts: Sequence[str], scorer: str) -> Iterator[Any]:
        """Yield all as `Poses` of consecutive frames, some thousand at a time."""
        for points, likelihood in self.chunks():
            yield Poses(tuple(bodyparts), scorer, points, likelihood)

    def chunks(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Yield all as (points, likelihood) of consecutive frames, some thousand at a time."""
        firsts = range(0, self.total, self.size)
        for n in range(0, len(firsts), _WRITE):
            yield self._joined(firsts[n : n + _WRITE])

    def sample(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(points, likelihood) of some thousand frames, in stretches from all over the video."""
        firsts = range(0, self.total, self.size)
        return self._joined([firsts[n] for n in sorted({*np.linspace(0, len(firsts) - 1, _WRITE).astype(int)})])

    def _joined(self, firsts: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        parts = [self._read(first) for first in firsts]
        return tuple(np.concatenate([part[name] for part in parts]) for name in ("points", "likelihood"))

    def clear(self) -> None:
        """Delete all: they are not wanted, or the tables are written."""
        for first in self._there:
            self._path(first).unlink(missing_ok=True)
        self._there.clear()

    def _stop(self, first: int) -> int:
        return min(first + self.size, self.total)

    def _path(self, first: int) -> Path:
        return self.folder / f"{first:09d}.npz"

    def _read(self, first: int) -> dict[str, NDArray[Any]]:
        return read_arrays(self._path(first))

    def _fits(self, part: Mapping[str, NDArray[Any]], frames: int) -> bool:
        """Whether a part has points and likelihoods of so many frames, of the bodyparts that are looked for."""
        points, likelihood, damaged = part["points"], part["likelihood"], part["damaged"]
        known = self._key.get("bodyparts")
        return (
            all(array.dtype.kind in "fiu" for array in (points, likelihood, damaged))
            and points.ndim in (3, 4)
            and (len(points), points.shape[-1]) == (frames, 2)
            and (known is None or points.shape[-2] == len(known))
            and likelihood.shape == points.shape[:-1]
            and damaged.ndim == 1
        )

    def _sound(self, first: int) -> bool:
        """Whether a part is there and whole; a damaged one is deleted."""
        try:
            if self._fits(self._read(first), self._stop(first) - first):
                return True
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError) as error:
            log.info("%s is damaged (%s) and is computed again", self._path(first), error)
        self._path(first).unlink()
        return False


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except (FileNotFoundError, ValueError):
        return None


def _locked(path: Path, output: Path) -> TextIO:
    """An open file that this process alone holds locked (where the system has such locks), until it ends."""
    file = os.fdopen(open_plain(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "a+")  # a link may lead anywhere
    with suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read() or "?"
            file.close()
            raise PartsError(
                f"{output} is being made by another process ({who}). Wait until it is done, or stop it."
            ) from None
        except OSError as error:  # a file system without locks
            log.info("%s can't be locked: %s", path, error)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
