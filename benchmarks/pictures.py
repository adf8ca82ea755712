"""The pictures of README and docs (docs/img), made anew in JupyterLab.

    python benchmarks/pictures.py PROJECT [--only labeler-light studio-light] [--out docs/img]

PROJECT is what `dlcnb demo` left; its training is shown, of a copy. The labeler shows the open-field mouse where its
project lies in the folder $DLCNB_DATA, else PROJECT's frames; the other widgets what the tests of all widgets show.
"""

import argparse
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from pages import lab_page
from PIL import Image

TESTS = Path(__file__).parents[1] / "tests"
ROOT = ".jp-OutputArea .dlcnb"
AROUND = 180  # px of a window beside what a cell shows
CELL = """
import pathlib, sys, tempfile
sys.path.insert(0, {tests!r})
import ipywidgets, numpy as np
from dlcnb import FramePicker, Labeler, LabelReview, Player, Project, Studio, TrainingMonitor
from dlcnb.poses import newest_poses
from dlcnb.widgets import VariabilityView
from support.gallery import everything
project, mouse = Project.open({project!r}), Project.open({mouse!r})
people = everything(pathlib.Path(tempfile.mkdtemp()), size=(480, 640))
video = people.videos[0]
box = ipywidgets.VBox(layout=ipywidgets.Layout(width='100%'))
def show(view):
    global w
    w, box.children = view, [view]
"""
PLAYER = "show(Player(video, poses=newest_poses(video), project=people)) or setattr(w.state, 'frame', 120)"
STUDIO = "show(Studio(people)) or w.go_to('Map') and None"
ONLY_ONE = "[p.unlink() for p in mouse.labeled_dirs()[0].glob('CollectedData*')] and None"
LABELER = "show(Labeler(mouse)) or w.session.go_to_number(2)"
HOLLOW = "w.session.set_suggestions('snapshot-1250', {w.session.cursor.image: np.c_[truth, [0.9] * 4].tolist()})"
POINT = "[w.session.choose(k), w.session.click(tuple(truth[k]))]"
PICTURES = {  # name: (width, height of the window, dark, what makes it)
    "player-light": (660, 1700, False, PLAYER),
    "frame-picker-light": (825, 1700, False, "show(FramePicker(people))"),
    "labeler-light": (1100, 1300, False, LABELER),
    "labeler-dark": (1100, 1300, True, LABELER),
    "labeler-narrow-light": (620, 1300, False, LABELER),
    "labeler-narrow-dark": (620, 1300, True, LABELER),
    "label-review-light": (850, 1300, False, "show(LabelReview(people))"),
    "monitor-light": (1020, 1700, False, "show(TrainingMonitor(project))"),
    "studio-light": (1100, 1000, False, STUDIO),
    "variability-light": (825, 1300, False, "show(VariabilityView(people, 'truth', 'ben'))"),
}
HIGHEST = {"monitor-light": 1033}  # px; what is below says no more


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("project", type=Path)
    options.add_argument("--only", nargs="*", default=[*PICTURES], choices=[*PICTURES])
    options.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs/img")
    options = options.parse_args()
    mouse = Path(os.environ.get("DLCNB_DATA", "")) / "openfield-Pranav-2018-10-30"
    with tempfile.TemporaryDirectory() as folder, lab_page(nodelay=True) as (lab, _):
        copies = [
            shutil.copytree(path, Path(folder) / name)
            for name, path in (("arena", options.project), ("mouse", mouse if mouse.is_dir() else options.project))
        ]
        paths = {"tests": TESTS, "project": copies[0], "mouse": copies[1]}
        lab.open("pictures", CELL.format(**{name: str(path) for name, path in paths.items()}), "box")
        take_away_labels(lab)
        for name in options.only:
            width, height, dark, code = PICTURES[name]
            lab.page.set_viewport_size({"width": width + AROUND, "height": height})
            lab.theme(dark)
            lab.ask(code)
            lab.page.locator(ROOT).first.wait_for()
            lab.idle()
            prepare(lab, name.split("-")[0])
            lab.page.wait_for_timeout(1500)  # for what is painted late; nothing is measured here
            save(lab.page.locator(ROOT).first.screenshot(), options.out / f"{name}.png", HIGHEST.get(name))


def take_away_labels(lab):
    """Leave the labeler's project without labels, but remember those of its third frame."""
    lab.ask("globals().update(truth=__import__('dlcnb').labels.current_labels(mouse).points[2])")
    lab.ask(ONLY_ONE)


def prepare(lab, kind):
    """Do what the picture shows."""
    if kind == "frame":
        lab.page.locator("button.mod-primary", has_text="Choose").click()
        lab.until("w.wait(60)")
    elif kind == "studio":
        lab.page.locator("button", has_text="Make the map").click()
        lab.until("w.widgets['Map'].wait(60)")
    elif kind == "labeler":
        lab.ask(HOLLOW)
        lab.ask(f"[{POINT} for k in range(2) if w.session.values()[k].state == 'open'] and w.session.choose(2)")
        lab.until("w.input.guard.attached > 0 and w.wait()")
        canvas = lab.page.locator(f"{ROOT} canvas").first
        box, (height, width) = canvas.bounding_box(), lab.ask("list(w.view.canvas_size)")
        x, y = lab.ask("w.view.fit.to_canvas(tuple(truth[2])).tolist()")
        lab.page.mouse.move(box["x"] + x * box["width"] / width + 4, box["y"] + y * box["height"] / height + 4)


def save(data, path, highest=None):
    """Write a screenshot as a PNG; of the levels only every sixth, which nobody sees, for a third less of a file."""
    levels = [min(round(v / 6) * 6, 255) if v < 252 else 255 for v in range(256)]
    image = Image.open(io.BytesIO(data)).convert("RGB").point(levels * 3)
    image = image.crop((0, 0, image.width, min(image.height, highest or image.height)))
    image.save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
