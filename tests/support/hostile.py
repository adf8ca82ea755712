"""A project folder from a stranger with every attack at once, and a program that opens all of dlcnb on it.

``python -m support.hostile FOLDER [COMMAND…]``, without these commands, prints a JSON object: {what was opened: how it
ended}, and the memory that it took.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from dlcnb import frames
from dlcnb.files import TEMPORARY
from dlcnb.labels import Edit, LabelStore
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.video import VideoWriter

__all__ = ["COMMANDS", "make", "open_everything"]

EVIL = "<img src=x onerror=alert(1)>"
PARTS = (EVIL, r"$\frac$", "../../home/x")
SIZE, COUNT = (64, 96), 12
CPU = 10  # s of a processor that a step may take
HANG = 120  # s that it may take at all: a machine may be busy
CLOCKS = ((signal.SIGALRM, signal.ITIMER_REAL, HANG), (signal.SIGPROF, signal.ITIMER_PROF, CPU))
COMMANDS = [
    ["doctor", "P"],
    ["doctor", "P", "--repair"],
    ["extract", "P", "--count", "2"],
    ["extract", "P", "--video", "m", "--how", "kmeans", "--count", "2", "--whole"],
    ["add-videos", "P", "P/videos", "--recursive"],
    ["bodyparts", "P", "undo"],
    ["bodyparts", "P", "rename", EVIL, "nose"],
    ["bodyparts", "P", "add", "tail"],
    ["compare", "P", "Ann", "Bob"],
    ["compare", "P", "Ann", "Zed"],
    ["train", "P", "--steps", "1", "--resume"],
    ["evaluate", "P"],
    ["evaluate", "P", "--snapshot", "all", "--shuffle", "1"],
    ["analyze", "P", "P/videos/m.mp4", "--whole", "--dynamic", "--engine", "int8", "--score-maps", "1"],
    ["analyze", "P", "P/videos/m.mp4", "--crop", "0,32,0,32", "--animals", "2", "--out", "P/links"],
    ["analyze", "P", "P/videos/m.mp4", "--ensemble", "1,2"],
    ["analyze", "P", "P/videos/m.mp4", "--ensemble", "../../home"],
    ["filter", "P", "P/videos/m.mp4"],
    ["outliers", "P", "P/videos/m.mp4", "--count", "2"],
    ["merge", "P"],
    ["plot", "P", "P/videos/m.mp4"],
    ["label-video", "P", "P/videos/m.mp4"],
    ["label-video", "P", "P/videos/list.mp4"],
    ["export", "P", "--to", "coco"],
    ["export", "P", "--to", "slp"],
    ["export", "P", "P/videos/m.mp4", "--to", "coco"],
    ["export", "P", "--to", "onnx"],
    ["import", "P/from.json", "--to", "P"],
    ["import", "P/from.json", "--to", "P/links/new"],
    ["export", "P", "P/videos/m.mp4", "--to", "nwb"],
    ["kinematics", "P"],
    ["kinematics", "P", "m", "--subjects", "P/subjects.csv", "--out", "P/links/all.csv"],
    ["zones", "P"],
    ["zones", "P", "m", "--pattern", "{group}"],
    ["zones", "P", "m", "--copy-from", "../../home/thesis"],
    ["zones", "P", "--new-subjects"],
    ["experiment", "learning-curve", "P", "--steps", "1", "--repeats", "1", "--values", "0.5"],
    ["report", "P"],
    ["figures", "P", "2G", "4A", "7B"],
    ["figures", "P", "2E", "--out", "P/links"],
    ["scale", "P"],
    ["class", "hand-in", "P", "--to", "P"],
    ["class", "board", "P", "monday"],
    ["class", "start", "../../home", EVIL, "P"],
    ["class", "stage", "2", "../../home", EVIL, "P"],
]


class _Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        return os.system, (f"touch {self.path}",)


def make(folder: Path, everything: bool = True) -> Path:
    """A project in ``folder/p`` with every attack, beside ``folder/home`` that it is after; returns ``folder/p``.

    Without ``everything`` those are left out that have dlcnb refuse the whole project, behind which others hide.
    """
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "thesis.txt").write_text("years of work")
    (home / "secret.png").write_bytes(b"mine")
    with h5py.File(home / "secret.h5", "w") as file:
        file["values"] = np.ones(3)
    with VideoWriter(folder / "m.mp4", SIZE, 30) as writer:
        for frame in range(COUNT):
            writer.write(np.full((*SIZE, 3), 20 + 15 * frame, np.uint8))
    project = Project.create("p", "Ann", [folder / "m.mp4"], PARTS, parent=folder, folder="p", copy_videos=True)
    (folder / "m.mp4").unlink()
    frames.extract(project, "m", range(8))
    store = LabelStore(project, "m")
    store.apply([Edit(i, part, (9.0 + n, 9 + k)) for n, i in enumerate(store.images) for k, part in enumerate(PARTS)])
    store.save()
    points = np.random.default_rng(0).uniform(5, 50, (COUNT, 3, 2))
    Poses(PARTS, "DLC_net", points, np.full((COUNT, 3), 0.9)).write(project.root / "videos" / "m.mp4")
    first = (_videos, _links, _damaged) if everything else ()
    for attack in (*first, _labels, _journals, _backups, _runs, _results, _behavior):
        attack(project.root, home)
    return project.root


def _videos(root: Path, home: Path) -> None:
    videos = root / "videos"
    (videos / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{home}/thesis.txt\n#EXT-X-ENDLIST\n")
    (videos / "concat.avi").write_text(f"ffconcat version 1.0\nfile {home}/thesis.txt\n")
    (videos / "2018-10-30T12:00:00.mp4").write_bytes(b"\0" * 100)
    os.mkfifo(videos / "pipe.mp4")
    (videos / "out.mp4").symlink_to(home / "thesis.txt")
    config = root / "config.yaml"
    text = config.read_text()
    entries = ["http://127.0.0.1:9/x.mp4", str(home / "thesis.txt"), "../home/a.mp4", "concat:/etc/passwd|x.mp4"]
    entries += [str(videos / name) for name in ("list.mp4", "concat.avi", "pipe.mp4", "out.mp4", f"{EVIL}.mp4")]
    lines = "".join(f"  {json.dumps(entry)}:\n    crop: 0, 10, 0, 10\n" for entry in entries)
    config.write_text(text.replace("video_sets:\n", f"video_sets:\n{lines}", 1))


def _labels(root: Path, home: Path) -> None:
    folder = root / "labeled-data" / "m"
    with h5py.File(folder / "CollectedData_Bob.h5", "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.void(pickle.dumps(_Payload(home / "pwned"), 0))
    with h5py.File(folder / "CollectedData_Eve.h5", "w") as file:
        file["df_with_missing"] = h5py.ExternalLink(str(home / "secret.h5"), "/values")
    (folder / "CollectedData_Zed.csv").symlink_to(home / "thesis.txt")
    (folder / "CollectedData_Huge.csv").write_text("scorer,H\nbodyparts,a\ncoords,x\nimg99999999.png,1e300\n")
    (folder / "img8.png").write_bytes(_bomb())
    os.mkfifo(folder / "img9.png")
    (folder / "img10.png").symlink_to(home / "secret.png")
    other = root / "labeled-data" / EVIL
    other.mkdir()
    header = "".join(f"{n},{','.join(v)}\n" for n, v in _header())
    (other / "CollectedData_Ann.csv").write_text(header + "../../home/secret.png" + ",1" * 6 + "\n")


def _header() -> Iterator[tuple[str, list[str]]]:
    yield "scorer", ["Ann"] * 6
    yield "bodyparts", [part for part in PARTS for _ in "xy"]
    yield "coords", ["x", "y"] * 3


def _bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def _journals(root: Path, home: Path) -> None:
    folder = root / "labeled-data" / "m"
    os.mkfifo(folder / ".dlcnb-journal-Bob.jsonl")
    (folder / ".dlcnb-journal-Zed.jsonl").symlink_to(home / "thesis.txt")
    (folder / ".dlcnb-journal-Zed.lock").symlink_to(home / "new.lock")
    (folder / ".dlcnb-journal-Eve.jsonl").write_text("[" * 100_000)


def _backups(root: Path, home: Path) -> None:
    backup = root / "backups" / "20260101-000000-rename"
    backup.mkdir(parents=True)
    files = {"../home/thesis.txt": [None, None], str(home / "new.txt"): [None, "0" * 64]}
    record = {"what": EVIL, "time": 9e9, "files": files, "inverse": ["exec", ["1"]], "undone": False}
    (backup / "change.json").write_text(json.dumps(record))


def _runs(root: Path, home: Path) -> None:
    config = root / "config.yaml"
    date = next(line.split()[1] for line in config.read_text().splitlines() if line.startswith("date:"))
    run = root / "dlc-models-mxnet" / "iteration-0" / f"p{date}-trainset80shuffle1" / "train"
    run.mkdir(parents=True)
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    (run / "pose_cfg.yaml").write_text(f"{bomb}x: !!python/object/apply:os.system ['touch {home}/pwned']\n")
    (run / "snapshot-10.params").write_bytes(pickle.dumps(_Payload(home / "pwned")))
    (run / "snapshot-10.state.npz").write_bytes(b"PK\3\4")
    (run / "best.json").write_text('{"step": [[]]}')
    (run / "split.json").write_text(json.dumps({"train": ["../../home/secret.png"], "test": [], "validation": []}))
    (run / "worker.json").write_text(json.dumps({"pid": 1, "host": EVIL, "started": 0}))
    (run / "job.json").write_text(json.dumps({"kind": "../../x", "project": str(home), "options": {}}))
    (run / "events.jsonl").write_text('{"event":"warning","time":1,"message":"' + EVIL + '"}\n' + '{"event":"x"' * 9)
    (run / "learning_stats.csv").write_bytes(b"a\n\xff\xfe\0\0")
    (run / "worker.log").symlink_to(home / "thesis.txt")


def _results(root: Path, home: Path) -> None:
    videos = root / "videos"
    (videos / "mDLC_net_filtered.csv").symlink_to(home / "thesis.txt")
    (videos / "mDLC_net_labeled.mp4").symlink_to(home / "thesis.txt")
    (videos / "mDLC_net_meta.json").write_text("[" * 100_000)
    points = [1.5, 1.5, 2] * 3
    data = {
        "images": [{"id": 0, "file_name": "../home/secret.png"}],
        "annotations": [{"image_id": 0, "keypoints": points}],
        "categories": [{"keypoints": PARTS}],
    }
    (root / "from.json").write_text(json.dumps(data))


def _behavior(root: Path, home: Path) -> None:
    (root / "zones").mkdir()
    ring = [[1, 1], [40, 1], [40, 40], [1, 1]]
    zone = {"type": "Feature", "properties": {"name": EVIL}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (root / "zones" / "m.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [zone]}))
    (root / "zones" / "list.geojson").write_text("[" * 100_000)
    (root / "zones" / "out.geojson").symlink_to(home / "thesis.txt")
    (root / "subjects.csv").write_text(f'video,group\nm,"{EVIL}"\n../../home/x,=cmd()\n')
    for name in ("zones.csv", "kinematics.csv", "report.html"):
        (root / name).symlink_to(home / "thesis.txt")
    os.mkfifo(root / "zones-stays.csv")
    bad = (root / "labeled-data" / "m" / "CollectedData_Bob.h5").read_bytes()
    (root / "videos" / "mDLC_net_spread.h5").write_bytes(bad)
    os.mkfifo(root / "videos" / "mDLC_net_spread.csv")
    run = next(root.glob("dlc-models-mxnet/*/*/train"))
    (run / "snapshot-10.engines.json").write_text('{"following": ' + "[" * 100_000)
    (run / "snapshot-10.likelihood.json").symlink_to(home / "thesis.txt")


def _damaged(root: Path, home: Path) -> None:
    (root / "scale.json").write_text('{"videos": {"m": {"px_per_cm": 1e-300}}, "project": ' + "[" * 100_000)
    with h5py.File(root / "videos" / "mDLC_bad.h5", "w") as file:  # the newest poses of that video
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.void(pickle.dumps(_Payload(home / "pwned"), 0))
    (root / "videos" / "mDLC_Ensemble2_x_spread.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)


def _links(root: Path, home: Path) -> None:
    for name in ("exports", "dlcnb-jobs", "experiments", "links", "evaluation-results-mxnet", "labeled-data/out"):
        (root / name).symlink_to(home, target_is_directory=True)
    (root / "videos" / "plot-poses").symlink_to(home, target_is_directory=True)
    second = root / "dlc-models-mxnet" / "iteration-0" / "pMar5-trainset80shuffle2"
    second.mkdir(parents=True)
    (second / "train").symlink_to(home)
    (root / f"{TEMPORARY}x").symlink_to(home / "thesis.txt")


# --- opening it


def open_everything(root: Path, but: Sequence[str] = ()) -> dict[str, str]:
    """{widget or command: how it ended} on this project; all commands but those that begin as one in ``but``."""
    import dlcnb.widgets

    found = {}
    for name in sorted({*dlcnb.widgets.__all__} - {"ClassBoard"}):  # it opens a lesson, no project
        with _told(found, name):
            view = getattr(dlcnb.widgets, name)
            made = view(root / "videos" / "m.mp4", project=Project.open(root)) if name == "Player" else view(root)
            if hasattr(made, "wait"):
                made.wait(20)
            made.snapshot()
            made.close()
    for line in [line for line in COMMANDS if not " ".join(line).startswith(tuple(but))]:
        _run([word.replace("P", str(root), 1) if word[:1] == "P" else word for word in line], " ".join(line), found)
    return found


@contextmanager
def _told(found: dict[str, str], name: str) -> Iterator[None]:
    hung: list[int] = []  # a command tells any error as its own
    for kind, timer, seconds in CLOCKS:
        signal.signal(kind, lambda number, _: _hang(hung, number))
        signal.setitimer(timer, seconds)
    try:
        yield
        if hung:
            raise SystemError("it hangs")
        found[name] = "opened"
    except (ValueError, OSError, RuntimeError, LookupError) as error:
        found[name] = f"{type(error).__name__}: {error}"
    except Exception as error:  # what tells nothing to a user, and hangs
        found[name] = f"UNCLEAR {error!r} {traceback.format_exc()[-600:]}"
    finally:
        for _, timer, _ in CLOCKS:
            signal.setitimer(timer, 0)


def _hang(hung: list[int], number: int) -> None:
    hung.append(number)
    raise SystemError("it hangs")


def _run(line: list[str], name: str, found: dict[str, str]) -> None:
    from click.testing import CliRunner

    from dlcnb.cli import main

    with _told(found, name):
        done = CliRunner().invoke(main, line, prog_name="dlcnb")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise SystemError(f"{name}: {done.exception!r}") from done.exception
        assert "Traceback" not in done.stderr
        ending = f"exit {done.exit_code}: {(done.stderr.strip().splitlines() or [''])[-1]}"
    if found[name] == "opened":
        found[name] = ending


if __name__ == "__main__":
    results = open_everything(Path(sys.argv[1]), sys.argv[2:])
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    sys.stdout.write(json.dumps({"results": results, "peak_mb": peak}))
