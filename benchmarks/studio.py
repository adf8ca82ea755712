"""How long a Studio takes to open, in a real JupyterLab, on a project of several videos with labels.

    python benchmarks/studio.py [--videos 10] [--labels 500] [--rounds 5]

The project is made of synthetic clips, with `labels` labeled points in frames spread over them. Prints, for the first
and for further ones, seconds from the cell's start to a Studio that is on the page, and the CPU time of the kernel.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from pages import lab_page

from dlcnb import frames, sampledata
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.project import Project

MAKE = """
import time, dlcnb
from dlcnb import Studio
def opened():
    global s, took
    began = time.process_time()
    s = Studio({root!r})
    took = time.process_time() - began
    return s
"""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--videos", type=int, default=10)
    options.add_argument("--labels", type=int, default=500)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    with lab_page(nodelay=True) as (lab, _):
        root = make(lab.server.root, options.videos, options.labels)
        lab.open("studio", MAKE.format(root=str(root)))
        print(f"{options.videos} videos, {options.labels} labels: s until it is seen (CPU s in the kernel)")
        for n in range(options.rounds):
            whole, kernel = one(lab, n)
            print(f"{'first, with imports' if n == 0 else f'round {n}':20s} {whole:.2f} ({kernel:.2f})")


def make(folder, videos, labels):
    """Root of a project of so many videos and labeled points."""
    arena = [sampledata.Arena(seed=seed, n_frames=60, size=(240, 320)) for seed in range(videos)]
    paths = [folder / f"video{n}.mp4" for n in range(videos)]
    points = [sampledata.make_arena(path, one) for path, one in zip(paths, arena, strict=True)]
    project = Project.create("many", "ada", paths, sampledata.BODYPARTS, parent=folder, skeleton=sampledata.SKELETON)
    count = max(1, round(labels / videos / len(sampledata.BODYPARTS)))
    for path, truth in zip(project.videos, points, strict=True):
        chosen = np.linspace(0, 59, count).astype(int)
        frames.extract(project, path, chosen)
        store = LabelStore(project, path.stem)
        store.add_images()
        images = [name for name in store.images if int(Path(name).stem[3:]) in set(chosen.tolist())]
        store.apply(
            Edit(image, part, tuple(truth[int(Path(image).stem[3:]), k]))
            for image in images
            for k, part in enumerate(project.bodyparts)
        )
        store.save()
    return project.root


def one(lab, n):
    """(seconds until a Studio is on the page, CPU seconds of the kernel) of one more cell that shows it."""
    if n:
        lab.ask("s.close()")
        lab.page.wait_for_function("() => !document.querySelector('.dlcnb-studio')")
    began = time.perf_counter()
    lab.do("notebook:insert-cell-below")
    lab.page.evaluate(
        """() => { const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
        cell.model.sharedModel.setSource('opened()'); }"""
    )
    lab.do("notebook:run-cell")
    lab.page.locator(".dlcnb-studio .dlcnb-overview").wait_for()
    lab.page.wait_for_function("() => document.querySelector('.dlcnb-studio .widget-tab-contents *')")
    return time.perf_counter() - began, lab.ask("took")


if __name__ == "__main__":
    main()
