"""Memory and comms of a kernel over many open/close cycles of each widget.

    python benchmarks/open_close.py [--cycles 200] [--only Player Labeler]

On a small synthetic project with labels, poses and an evaluation; each widget in a process of its own. Prints for each
the resident memory (MB, without what is free) after half of the cycles and at the end, the kB that a cycle left behind
between the two, and the widgets (each has a comm), threads and open files before the first and after the last.
"""

import argparse
import ctypes
import gc
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cycles", type=int, default=200)
    options.add_argument("--only", nargs="*", default=[])
    options.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.measure:
        measure(*options.measure, options.cycles)
        return
    import dlcnb.widgets
    from dlcnb import sampledata
    from dlcnb.labels import Labels
    from dlcnb.poses import Poses

    print(f"{'widget':16s} MB halfway  at the end  kB a cycle  widgets  threads  files")
    with tempfile.TemporaryDirectory() as folder:
        arena = sampledata.Arena(seed=0, n_frames=120, size=(192, 256))
        project = sampledata.synthetic_project(folder, n_label=20, arena=arena)
        truth = Poses.read(next((project.root / "videos").glob("arena*truth.h5")))
        Poses(truth.bodyparts, "DLC_net", truth.points, truth.likelihood).write(project.videos[0])
        for folder in project.labeled_dirs():
            replace(Labels.read(folder), scorer="other").write(folder)  # for VariabilityView
        for name in options.only or sorted(dlcnb.widgets.__all__):
            line = [sys.executable, __file__, "--cycles", str(options.cycles), "--measure", name, str(project.root)]
            subprocess.run(line, env={**os.environ, "DLCNB_HEADLESS": "1"}, check=True)


def measure(name, root, cycles):
    import ipywidgets
    from support.gallery import class_folder

    import dlcnb
    from dlcnb.project import Project
    from dlcnb.teaching import Lesson

    project, process = Project.open(root), psutil.Process()
    make = getattr(dlcnb, name)
    given = {"Player": (project.videos[0],), "ClassBoard": (class_folder(project), Lesson("monday"))}
    more = {"project": project} if name == "Player" else {}

    def cycle():
        view = make(*given.get(name, (project,)), **more)
        if hasattr(view, "wait"):
            view.wait(10)
        view.close()

    libc = ctypes.CDLL(None)

    def counts():
        gc.collect()
        if hasattr(libc, "malloc_trim"):  # of glibc: what is free, but not given back, is no loss
            libc.malloc_trim(0)
        widgets = len(ipywidgets.widgets.widget._instances)
        return widgets, threading.active_count(), process.num_fds(), process.memory_info().rss / 2**20

    cycle()
    before = counts()
    early = max(1, cycles // 2)
    for _ in range(early):
        cycle()
    middle = counts()
    for _ in range(cycles - early):
        cycle()
    after = counts()
    left = 1024 * (after[3] - middle[3]) / max(1, cycles - early)
    pairs = "  ".join(f"{one}→{two}" for one, two in zip(before[:3], after[:3], strict=True))
    print(f"{name:16s} {middle[3]:10.0f} {after[3]:11.0f} {left:11.0f}  {pairs}", flush=True)


if __name__ == "__main__":
    main()
