"""The analysis of videos by several networks: the median of their points, and how far they lie apart beside it.

The networks are loaded one after the other, so that memory is that of one. Each predicts in parts that survive a crash.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.analysis.local import predict_missing
from dlcnb.jobs.analysis.parts import Parts
from dlcnb.jobs.analysis.plan import Plan, Progress, finish, finished, network_key, output_path, plan
from dlcnb.jobs.stop import at_once, until
from dlcnb.poses import Poses, Spread, combine, write_chunks
from dlcnb.poses.spread import spread_path
from dlcnb.project.names import RUN
from dlcnb.run import Run
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    from dlcnb.backend import Predictor
    from dlcnb.jobs.analysis.plan import Settings
    from dlcnb.jobs.events import EventLog
    from dlcnb.jobs.stop import StopRequest

__all__ = ["Ensemble", "checked_runs", "ensemble_scorer"]


class Ensemble:
    """Several networks that analyze videos together.

    Parameters
    ----------
    runs : folders of their training runs.
    load : function (run) -> `dlcnb.backend.Predictor`.

    Raises
    ------
    ValueError
        If they don't find the same bodyparts.
    """

    def __init__(self, runs: Sequence[Path], load: Callable[[Path], Predictor]) -> None:
        self._runs, self._load = list(runs), load
        self._keys = [network_key(load(run)) for run in runs]
        parts = [tuple(key["bodyparts"]) for key in self._keys]
        for run, found in zip(self._runs, parts, strict=True):
            if found != parts[0]:
                raise ValueError(
                    f"The networks of an ensemble find the same bodyparts; {self._runs[0]} finds "
                    f"{', '.join(parts[0])}, {run} {', '.join(found)}. Choose runs of one kind."
                )
        engines = sorted({str(key["engine"]) for key in self._keys})
        self.scorer = ensemble_scorer(self._runs)
        self._key = {
            "scorer": self.scorer,
            "bodyparts": self._keys[0]["bodyparts"],
            "engine": "+".join(engines),
            "ensemble": self._keys,
        }

    def analyze(
        self, video: str | Path, folder: str | Path | None, settings: Settings, events: EventLog, stop: StopRequest
    ) -> dict[str, Any] | None:
        """Analyze one video; returns what `dlcnb.jobs.analysis.local.analyze_video` does, with ``networks`` (how many)
        and ``spread`` (the table of how far they lie apart); None if it was stopped.
        """
        output = output_path(video, self.scorer, settings, folder)
        more = {"networks": len(self._runs), "spread": str(spread_path(output))}
        with VideoReader(video) as reader, ExitStack() as stack:
            whole = plan(self._key, reader, output, settings)
            if not settings.again and spread_path(output).exists() and (found := finished(whole)):
                return {**found, **more}
            stack.enter_context(whole.parts)  # keeps other processes from the table
            members = _Members([stack.enter_context(one.parts) for one in self._plans(reader, output, settings)])
            if settings.again:
                members.clear()
            reused, began = members.done // len(self._runs), time.monotonic()
            progress = _Share(Progress(events, video, stop), len(self._runs))
            for n, run in enumerate(self._runs):
                one = replace(whole, key={**self._keys[n], **settings.key(reader)}, parts=members.parts[n])
                if not self._predict(run, reader, one, progress.of(n), stop):
                    return None
            spreads = until(stop, members.spreads(self._key["bodyparts"], self.scorer))
            write_chunks(spread_path(output), spreads, len(reader))
            together = replace(whole, parts=members)  # type: ignore[arg-type]  # it gives all that finish() asks of parts
            return {**finish(together, reused, time.monotonic() - began, stop), **more}

    def _predict(
        self, run: Path, reader: VideoReader, planned: Plan, progress: Callable[[int, int], None], stop: StopRequest
    ) -> bool:
        """Predict what one network lacks; False if it was stopped."""
        if not planned.parts.missing():
            progress(planned.parts.total, planned.parts.total)
            return True
        with at_once(stop):
            predictor = self._load(run)
        return predict_missing(predictor, reader, planned, progress, stop)

    def _plans(self, reader: VideoReader, output: Path, settings: Settings) -> Iterator[Plan]:
        """What each network is to do; its parts are named by the table of all, and its number."""
        for n, key in enumerate(self._keys):
            yield plan(key, reader, output.with_name(f"{output.stem}-{n + 1}{output.suffix}"), settings)


@dataclass(frozen=True)
class _Members:
    """The parts of all networks, which give the poses of the ensemble as `Parts` gives those of one."""

    parts: list[Parts]

    @property
    def total(self) -> int:
        return self.parts[0].total

    @property
    def done(self) -> int:
        return sum(one.done for one in self.parts)

    def damaged(self) -> list[int]:
        return self.parts[0].damaged()

    def poses(self, bodyparts: Sequence[str], scorer: str) -> Iterator[Poses]:
        for points, likelihood, _, _ in self._combined():
            yield Poses(tuple(bodyparts), scorer, points, likelihood)

    def spreads(self, bodyparts: Sequence[str], scorer: str) -> Iterator[Spread]:
        for _, _, px, networks in self._combined():
            yield Spread(tuple(bodyparts), scorer, px, networks)

    def clear(self) -> None:
        for one in self.parts:
            one.clear()

    def _combined(self) -> Iterator[tuple[Any, Any, Any, Any]]:
        for chunks in zip(*(one.chunks() for one in self.parts), strict=True):
            yield combine([points for points, _ in chunks], [likelihood for _, likelihood in chunks])


@dataclass(frozen=True)
class _Share:
    """Progress over all networks, told in frames of the video."""

    tell: Progress
    networks: int

    def of(self, number: int) -> Callable[[int, int], None]:
        """The progress of one network."""
        return lambda done, total: self.tell((number * total + done) // self.networks, total)


def checked_runs(options: Mapping[str, Any]) -> list[str]:
    """The runs of an ensemble among the options of an analysis, absolute; ValueError for what can't be.

    The checks of what does not go with several networks are here, too.
    """
    runs = [str(Path(run).resolve()) for run in options["ensemble"]]
    if len(set(runs)) < 2 or len(set(runs)) < len(runs):
        raise ValueError(f"An ensemble is two or more networks, each once; found {', '.join(runs) or 'none'}.")
    for name, words in (("animals", "several animals"), ("scheduler", "a cluster"), ("score_maps", "score-maps")):
        if options.get(name):
            raise ValueError(f"An ensemble and {words} don't go together: give one of them.")
    for run in runs:
        Run(run).find(options.get("snapshot", "best"))
    return runs


def ensemble_scorer(runs: Sequence[Path]) -> str:
    """The name of an ensemble's predictions: ``DLC_Ensemble<n>_<Task><date><experiment>``, or with its shuffles.

    Trials of one experiment go by its name, and by that of their condition where it is the same.
    """
    project = Run(runs[0]).project
    names = [Path(run).resolve().parent.name for run in runs]
    shuffles = [match["shuffle"] for name in names if (match := RUN.fullmatch(name))]
    if len(shuffles) == len(runs):
        which = "shuffles" + "-".join(shuffles)
    else:
        conditions = {name.rsplit("-", 1)[0] for name in names}
        folders = dict.fromkeys(Path(run).resolve().parents[1].name for run in runs)
        which = "-".join([*folders, *(conditions if len(conditions) == 1 else ())])
    return f"DLC_Ensemble{len(runs)}_{project.task}{project.date}{re.sub(r'[^0-9A-Za-z.-]+', '', which)}"
