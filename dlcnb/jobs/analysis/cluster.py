"""The analysis of `dlcnb.jobs.analysis.local` on the workers of a Dask cluster: many videos, and long videos in pieces.

A task predicts a piece of one video. Its worker keeps the network loaded for the next one. What comes back is kept in
parts beside the tables, as on one machine: a lost scheduler costs nothing but the pieces under way, and the tables
are the same. Workers and the client must see videos, project and tables under the same paths.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.analysis.local import predict_parts
from dlcnb.jobs.analysis.plan import DEFAULTS, Plan, Progress, finish, finished, network_key, output_path, plan
from dlcnb.jobs.explain import explain
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    from distributed import Client, Future

    from dlcnb.backend import Predictor
    from dlcnb.jobs.analysis.plan import Settings

__all__ = ["ClusterError", "analyze", "connect", "run"]

PIECE = 4096  # frames of a task, about: minutes of work, of which a lost worker costs one
AHEAD = 2  # tasks per worker that are handed out before one is done
RETRIES = 3
_TICK = 0.5  # s between looks at whether to stop
_NO_WORKERS = 30.0  # s without any worker, after which somebody is told

log = logging.getLogger(__name__)


class ClusterError(RuntimeError):
    """No cluster, or one that can't do the work; the message says what to do."""


@contextmanager
def connect(address: str, timeout: float = 30) -> Iterator[Client]:
    """A Dask client for the scheduler at ``address``; raises `ClusterError` if there is none."""
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"Expected a Dask scheduler at {address}, found none ({error}). Start one (dask scheduler), or give the "
            "address that it shows, such as tcp://host:8786."
        ) from error
    with client:
        yield client


def run(
    address: str, run: str | Path, videos: Sequence[str], settings: Settings = DEFAULTS, **options: Any
) -> tuple[str, dict[str, Any]]:
    """`analyze` on the scheduler at an address."""
    with connect(address) as client:
        return analyze(client, run, videos, settings, **options)


def analyze(
    client: Client, run: str | Path, videos: Sequence[str], settings: Settings = DEFAULTS, **options: Any
) -> tuple[str, dict[str, Any]]:
    """Predict every frame of videos on a cluster and write their tables.

    Parameters
    ----------
    client : distributed.Client
    run : folder of a training run (``…/train``).
    videos : paths.
    settings : `dlcnb.jobs.analysis.plan.Settings`, optional.
    snapshot : "best" (default), "last" or a step.
    device, engine, raw_likelihood : see `dlcnb.Predictor`; on the workers. "auto" is settled by the first of them.
    folder : where the tables go; default beside each video.
    piece : frames of a task, about.
    events : `dlcnb.jobs.EventLog`, told of progress and warnings; optional.
    stop : true once the work shall stop; pieces that are done are kept.

    Returns
    -------
    ("done" or "stopped", {"videos": [...], "failed": [{"video", "message"}]})
        As `dlcnb.jobs.analysis.plan.each_video`.

    Raises
    ------
    ValueError
        If all videos failed; the network can't be loaded.
    """
    return _Run(client, run, videos, settings, **options).done()


class _Run:
    """One analysis on a cluster: hands out tasks, collects parts, writes tables."""

    def __init__(
        self,
        client: Client,
        run: str | Path,
        videos: Sequence[str],
        settings: Settings,
        *,
        snapshot: str | int = "best",
        device: str = "auto",
        engine: str = "fp32",
        **options: Any,
    ) -> None:
        known = {"folder": None, "piece": PIECE, "events": None, "stop": False, "raw_likelihood": False}
        if unknown := set(options) - set(known):
            raise TypeError(f"unexpected options {', '.join(sorted(unknown))}")
        options = {**known, **options}
        self.folder, self.events, self.stop = options["folder"], options["events"], options["stop"]
        self.piece = options["piece"]
        self.client, self.settings = client, settings
        self.network = (str(Path(run).absolute()), snapshot, device, options["raw_likelihood"], engine)
        self.videos = [Path(video).absolute() for video in videos]
        self.results: dict[Path, dict[str, Any]] = {}
        self.failed: dict[Path, str] = {}
        self._waiting = deque(self.videos)
        self._open: dict[Path, _Video] = {}  # video -> _Video
        self._tasks: dict[Any, Path] = {}  # future -> video
        self._alone_since = time.monotonic()

    def done(self) -> tuple[str, dict[str, Any]]:
        """Do it all; returns what `analyze` returns."""
        with ExitStack() as stack:
            stack.enter_context(self.client.as_current())  # for `distributed.wait`
            stack.callback(self._leave)
            key = self._describe()
            self.network = (*self.network[:4], key.get("engine"))  # "auto" is settled once, for all workers
            while not self.stop:
                self._hand_out(key)
                if not self._tasks:
                    break
                self._collect()
        results = [self.results[v] for v in self.videos if v in self.results]
        failed = [{"video": str(v), "message": self.failed[v]} for v in self.videos if v in self.failed]
        if failed and not results and not self.stop:
            raise ValueError("\n".join(f["message"] for f in failed))
        ended = len(results) + len(failed) < len(self.videos)
        return ("stopped" if ended else "done"), {"videos": results, "failed": failed}

    def _describe(self) -> Any:
        """What the network is, from a worker: this process need not have MXNet."""
        future = self.client.submit(_describe, self.settings.animals, *self.network, pure=False, retries=RETRIES)
        while not self.stop:
            if self._wait([future]):
                return future.result()
        return {}

    # --- handing out

    def _hand_out(self, key: dict[str, Any]) -> None:
        """Keep every worker busy, and no more: what is not handed out yet goes to workers that come later."""
        wanted = AHEAD * max(len(self._workers()), 1)
        while len(self._tasks) < wanted:
            video = next((v for v, opened in self._open.items() if opened.pieces), None)
            if video is None:
                if not self._waiting:
                    return
                self._begin(self._waiting.popleft(), key)
                continue
            opened = self._open[video]
            piece = opened.pieces.popleft()
            task = (self.network, str(video), piece, opened.planned.parts.size, opened.planned.key)
            self._tasks[self.client.submit(_predict, *task, pure=False, retries=RETRIES)] = video

    def _begin(self, video: Path, key: dict[str, Any]) -> None:
        """Open a video's parts; it may turn out to be done, or to be broken."""
        output = output_path(video, key["scorer"], self.settings, self.folder)
        try:
            with VideoReader(video) as reader:
                planned = plan(key, reader, output, self.settings)
            if not self.settings.again and (found := finished(planned)):
                self.results[video] = found
                return
            self._open[video] = _Video(planned, self.settings.again, self.piece, self.events)
        except (ValueError, OSError) as error:
            self._fail(video, explain(error))
            return
        self._finish_if_whole(video)

    # --- collecting

    def _collect(self) -> None:
        """Take what is done; returns after `_TICK` at the latest."""
        for future in self._wait(self._tasks):
            video = self._tasks.pop(future)
            if video not in self._open:
                continue  # it failed meanwhile
            try:
                parts, problem = self._result(future)
                for part in parts:
                    self._open[video].add(part)
            except (ValueError, OSError, ClusterError) as error:
                problem = explain(error)
            if problem:
                self._fail(video, problem)
            else:
                self._finish_if_whole(video)

    def _result(self, future: Future) -> tuple[list[Any], str | None]:
        """(parts, what is wrong with the video or None) of a task that has ended."""
        distributed = _distributed()
        try:
            return future.result()
        except distributed.KilledWorker as error:
            raise ClusterError(
                "One worker after another died at this video, perhaps for lack of memory: give them more, or take a "
                f"smaller batch. ({error})"
            ) from error
        except Exception as error:  # whatever a worker raised, after all retries
            log.exception("a task failed")
            raise ClusterError(f"A worker failed: {explain(error)}") from error

    def _finish_if_whole(self, video: Path) -> None:
        opened = self._open[video]
        if opened.planned.parts.missing():
            return
        try:
            self.results[video] = opened.finish()
        except (ValueError, OSError) as error:
            self._fail(video, explain(error))
        else:
            del self._open[video]

    def _fail(self, video: Path, message: str) -> None:
        self.failed[video] = message
        if video in self._open:
            self._open.pop(video).close()
        self._warn(message, video)

    # --- the cluster

    def _workers(self) -> dict[str, Any]:
        return self.client.nthreads()

    def _wait(self, futures: Iterable[Future]) -> list[Future]:
        """Those of the futures that have ended; waits a little if there are none."""
        distributed = _distributed()
        try:
            distributed.wait(list(futures), timeout=_TICK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            self._watch_workers()
        if self.client.status != "running":
            raise ClusterError("The Dask scheduler is gone. Start it and run this again: what is done is kept.")
        return [future for future in futures if future.done()]

    def _watch_workers(self) -> None:
        now = time.monotonic()
        if self._workers():
            self._alone_since = now
        elif now - self._alone_since > _NO_WORKERS:
            self._alone_since = float("inf")  # said once
            self._warn("The Dask scheduler has no workers (yet). The analysis waits for them.", None)

    def _warn(self, message: str, video: Path | None) -> None:
        log.warning("%s", message)
        if self.events is not None:
            self.events.write("warning", message=message, video=video and str(video))

    def _leave(self) -> None:
        """Take back tasks that are not done, and let go of parts."""
        if self._tasks and self.client.status == "running":
            self.client.cancel(list(self._tasks))
        for opened in self._open.values():
            opened.close()


class _Video:
    """A video in work: its parts (locked against others), the pieces not handed out yet."""

    def __init__(self, planned: Plan, again: bool, piece: int, events: Any) -> None:
        self.planned = planned
        self._stack = ExitStack()
        parts = self._stack.enter_context(planned.parts)
        if again:
            parts.clear()
        self._reused, self._began = parts.done, time.monotonic()
        step = parts.size * max(1, piece // parts.size)
        self.pieces = deque(
            (first, min(first + step, stop)) for begin, stop in parts.missing() for first in range(begin, stop, step)
        )
        self._progress = None if events is None else Progress(events, planned.video)
        self._tell()

    def add(self, part: Any) -> None:
        """Keep a part that a worker made."""
        self.planned.parts.add(*part)
        self._tell()

    def finish(self) -> dict[str, Any]:
        """Write the tables; returns the entry of the result."""
        result = finish(self.planned, self._reused, time.monotonic() - self._began)
        self.close()
        return result

    def close(self) -> None:
        """Let go of the parts."""
        self._stack.close()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self.planned.parts.done, self.planned.parts.total)


# --- on the workers

_loaded: dict[tuple[Any, ...], Predictor] = {}  # (run, snapshot, device, raw_likelihood, engine) -> …; one at a time
_one_at_a_time = threading.Lock()  # MXNet uses all the cores by itself


def _predictor(*network: Any) -> Predictor:
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes

    if network not in _loaded:
        _loaded.clear()
        run, snapshot, device, raw, engine = network
        _loaded[network] = backend.Predictor(run, snapshot, device=device, engine=engine, raw_likelihood=raw)
    return _loaded[network]


def _describe(animals: int | None, *network: Any) -> Any:
    with _one_at_a_time:
        return network_key(_predictor(*network), animals)


def _predict(network: tuple[Any, ...], video: str, piece: Any, size: int, how: Any) -> tuple[list[Any], str | None]:
    """(parts, None) of a piece, or ([], what is wrong with the video), which is no reason to try again."""
    with _one_at_a_time:
        predictor = _predictor(*network)
        try:
            with VideoReader(video) as reader:
                steps = predict_parts(predictor, reader, piece, size, how)
                return [part for _, part in steps if part], None
        except (ValueError, OSError) as error:
            return [], explain(error)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            f"Analysis on a cluster needs Dask, which could not be loaded ({error}). "
            "Install it with: pip install 'dlcnb[dask]'"
        ) from error
    return distributed
