"""Pictures of every widget and every step of Studio in JupyterLab, to look at: light and dark, wide, narrow, 150 %.

    python benchmarks/looks.py [--out FOLDER] [--only Labeler Studio] [--views 1280-light 800-dark] [--ratio 2] [--png]

Writes NAME-VIEW.webp, or .png, into docs/img/looks, whose pages docs/widgets/looks.md lists, or FOLDER. At 150 % a
window of 1280 x 800 has 853 x 533 CSS pixels; ``--ratio 1.5`` gives these 1.5 device pixels each. Prints what does not
fit, what axe-core finds to be serious, and errors of the page's console.
"""

import argparse
import io
import sys
from pathlib import Path

from pages import lab_page
from PIL import Image

import dlcnb.widgets
from dlcnb.widgets.studio.state import TABS

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

CELL = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import pathlib, tempfile
from support.gallery import Stage, everything
stage = Stage(everything(pathlib.Path(tempfile.mkdtemp())))
"""
VIEWS = {
    "1280-light": (1280, 800, False),
    "1280-dark": (1280, 800, True),
    "800-light": (800, 900, False),
    "800-dark": (800, 900, True),
    "150-light": (853, 533, False),
    "150-dark": (853, 533, True),
}
MORE = ("EvaluationView of nothing", "TrajectoryView of two animals")
DOOR = ("New project", "Open", "Sample data", "Recent")
ROOT = ".jp-OutputArea .dlcnb"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=TESTS.parent / "docs/img/looks")
    options.add_argument("--only", nargs="*", default=[*sorted(dlcnb.widgets.__all__), *MORE])
    options.add_argument("--views", nargs="*", default=[*VIEWS], choices=[*VIEWS])
    options.add_argument("--ratio", type=float, default=1)
    options.add_argument("--png", action="store_true")
    options = options.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ending = "png" if options.png else "webp"
    with lab_page(nodelay=True, ratio=options.ratio) as (lab, _):
        lab.page.on(
            "console", lambda one: print(f"console: {one.text[:300]}", flush=True) if one.type == "error" else None
        )
        lab.open("looks", CELL, "stage.box")
        for view in options.views:
            width, height, dark = VIEWS[view]
            lab.page.set_viewport_size({"width": width, "height": height})
            lab.theme(dark)
            for name in options.only:
                lab.ask(f"stage.show({name!r})")
                lab.page.locator(ROOT).first.wait_for()
                lab.idle()
                for step, shown in steps(lab) if name == "Studio" else [("", None)]:
                    if shown:
                        lab.ask(shown)
                        lab.idle()
                    called = "-".join([*filter(None, (name, step)), view]).replace(" ", "-")
                    picture(lab.page, options.out / f"{called}.{ending}")


def steps(lab):
    """(name, what shows it) of every step of Studio and every way through its front door."""
    yield from ((tab, f"stage.view.go_to({tab!r}) and None") for tab in TABS)
    lab.ask("stage.view.leave()")
    yield from ((way, f"stage.view.door.show({way!r})") for way in DOOR)


def picture(page, path):
    """Take it, from the top of the widget, and tell what is wrong with it."""
    from support.page import barriers, misfits

    page.wait_for_timeout(700)  # for what is painted late; nothing is measured here
    page.locator(ROOT).first.evaluate("one => one.scrollIntoView({ block: 'start' })")
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=85, method=6)
    for line in (*misfits(page, ROOT), *barriers(page, ROOT)):
        print(f"{path.stem}: {line}", flush=True)


if __name__ == "__main__":
    main()
