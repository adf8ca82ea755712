"""From JupyterLab to the first label on one's own video: by clicking, using only what is on screen."""

import csv
import datetime
import json
import shutil
import struct
import time
import urllib.request

import pytest
from support.page import SIZES, faultless, settle, unreachable, unseen

from dlcnb import sampledata

MOST_CLICKS = 6  # as README has it
OWN = "snout, left paw, right paw, tail tip"
CUT = """one => { // how much of a field's hint is cut off, px
    const pen = document.createElement('canvas').getContext('2d'), css = getComputedStyle(one);
    pen.font = css.font;
    const room = one.clientWidth - parseFloat(css.paddingLeft) - parseFloat(css.paddingRight);
    return pen.measureText(one.placeholder).width - room;
}"""
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"


@pytest.fixture
def page(server, chromium):
    """A page of its own, as a newcomer sees it: JupyterLab with its launcher, and no project that was opened before."""
    for recent in (server.root / ".home").rglob("recent.json"):
        recent.unlink()
    for left in studios(server):  # by a test before that failed
        address = f"{server.url}/api/sessions/{left['id']}?token={server.token}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    made = context.new_page()
    made.set_default_timeout(60_000)
    with faultless(made):
        made.goto(f"{server.url}/lab?token={server.token}&reset")
        made.locator(".jp-LauncherCard").first.wait_for()
        yield made
    context.close()


class Hand:
    """Clicks, and counts them."""

    def __init__(self, page):
        self.page, self.steps, self.began = page, [], time.monotonic()

    def click(self, what, target, position=None):
        target.click(position=position)
        self.steps.append(f"{len(self.steps) + 1}. {what} ({time.monotonic() - self.began:.1f} s)")


def own_video(server, name):
    """A video in a folder of its own, as that is where a newcomer has it, and no project of it."""
    for project in server.root.glob(f"{name}-*"):
        shutil.rmtree(project)
    sampledata.make_arena(server.root / f"{name}.mp4", sampledata.Arena(seed=1, n_frames=120, size=(240, 320)))


def studios(server):
    request = f"{server.url}/api/sessions?token={server.token}"
    with urllib.request.urlopen(request) as reply:
        return [session for session in json.load(reply) if session["name"] == "dlcnb Studio"]


def until(page, found):
    """Wait until ``found()`` is true."""
    for _ in range(600):
        if found():
            return
        page.wait_for_timeout(50)
    pytest.fail("never true")


def to_the_first_label(server, page, name, parts=""):
    """From the launcher to the first label, with ``parts`` typed where bodyparts are; returns the `Hand`."""
    own_video(server, name)
    hand = Hand(page)
    hand.click("dlcnb Studio", page.locator(".jp-LauncherCard", has_text="dlcnb Studio"))
    page.locator(".dlcnb-tab [role=status]", has_text="Starting dlcnb Studio").wait_for()
    hand.click("the video", page.locator(".dlcnb-choice", has_text=f"{name}.mp4"))
    if parts:
        hand.click("the box for bodyparts", page.get_by_placeholder("or your own"))
        page.keyboard.type(parts)
    hand.click("Create", page.locator(".dlcnb button", has_text="Create"))
    page.locator(".dlcnb-picking canvas").first.wait_for()
    primary = page.locator(".dlcnb-studio button.mod-primary:visible")
    assert primary.all_inner_texts() == ["Choose frames to label, and extract them"]  # nothing else looks like it
    hand.click("Choose frames to label, and extract them", page.locator(".dlcnb-overview button.mod-primary"))
    page.get_by_role("button", name="Label 20 frames").wait_for()
    page.locator(".dlcnb-gallery", has_text="page 1 of").wait_for()
    assert not unseen(page, ".dlcnb-studio", [".dlcnb-gallery canvas", ".dlcnb-gallery button"])
    told = [one.inner_text() for one in page.locator(".dlcnb-studio .widget-html:visible").all()]
    said = [text for text in told if "extracted" in text and "timeline" not in text]
    assert said == ["20 of 20 frames are extracted."]  # once
    assert primary.all_inner_texts() == ["Label 20 frames"]
    hand.click("Label 20 frames", page.get_by_role("button", name="Label 20 frames"))
    canvas = page.locator(".dlcnb-labeler canvas").first
    canvas.wait_for()
    project = next(server.root.glob(f"{name}-*"))
    folder = project / "labeled-data" / name

    def placed():
        lines = [line for path in folder.glob("CollectedData_*.csv") for line in path.read_text().splitlines()]
        return any(cell.replace(".", "").isdigit() for row in csv.reader(lines) for cell in row[3:])

    page.locator(".dlcnb-labeler .dlcnb-framebar").first.wait_for()
    hand.click("the snout", canvas, position={"x": 200, "y": 150})
    until(page, placed)
    return hand


def test_from_the_launcher_to_the_first_label(server, page, capsys):
    hand = to_the_first_label(server, page, "ownmouse")
    with capsys.disabled():
        print("", *hand.steps, sep="\n")  # noqa: T201  (the times, which are nothing to assert)
    assert len(hand.steps) <= MOST_CLICKS
    browser = page.locator(".jp-DirListing").first
    for state in ("visible", "hidden"):  # beside the file browser, and alone
        browser.wait_for(state=state)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert not settle(page, ".dlcnb-studio") + unseen(page, ".dlcnb-studio")
        page.locator(".jp-SideBar .lm-TabBar-tab[title^='File Browser']").click()

    page.reload()  # the kernel goes on: the same Studio comes back
    page.locator(".dlcnb-tab .dlcnb-labeler canvas").first.wait_for()
    assert len(studios(server)) == 1
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))  # its kernel goes with the tab
    (server.root / "ownmouse.mp4").unlink()


def test_bodyparts_of_ones_own_take_one_click_more(server, page):
    hand = to_the_first_label(server, page, "gecko", OWN)
    assert len(hand.steps) <= MOST_CLICKS + 1
    config = next(server.root.glob("gecko-*/config.yaml")).read_text()
    assert [part in config for part in (*OWN.split(", "), "leftear")] == [True] * 4 + [False]
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))
    (server.root / "gecko.mp4").unlink()


def test_choosing_moves_nothing_that_is_below(server, page):
    own_video(server, "still")
    page.locator(".jp-LauncherCard", has_text="dlcnb Studio").click()
    video, folder = (page.locator(".dlcnb-entry", has_text=name) for name in ("still.mp4", "nothing"))
    (server.root / "nothing").mkdir(exist_ok=True)
    page.locator(".dlcnb-new").wait_for()
    page.locator(".dlcnb button[title='Look into the folder again']").click()
    create = page.locator(".dlcnb-new button.mod-primary")
    folder.wait_for()
    before = create.bounding_box()
    video.click()
    card = page.locator(".dlcnb-card", has_text="still.mp4")
    card.locator("text=4 s · 320×240").wait_for()
    page.wait_for_function("() => document.querySelector('.dlcnb-card img').naturalWidth === 128")
    assert create.bounding_box() == before
    folder.click()
    page.locator(".dlcnb-new", has_text="No video here").wait_for()
    assert create.bounding_box() == before
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        settle(page, ".dlcnb-studio")
        box = page.get_by_placeholder("or your own")
        assert box.evaluate(CUT) <= 0
        assert box.bounding_box()["width"] > page.locator(".dlcnb-new select").bounding_box()["width"]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))
    (server.root / "still.mp4").unlink()


def test_a_name_that_came_from_the_video_is_typed_over_and_ones_own_stays(server, page):
    for name in ("first", "second"):
        own_video(server, name)
    page.locator(".jp-LauncherCard", has_text="dlcnb Studio").click()
    first, second = (page.locator(".dlcnb-choice", has_text=f"{name}.mp4") for name in ("first", "second"))
    chips, name = page.locator(".dlcnb-new .dlcnb-chip"), page.get_by_placeholder("what it is about")
    first.click()
    chips.filter(has_text="first.mp4").wait_for()
    until(page, lambda: name.input_value() == "first")
    name.click()
    page.keyboard.type("walk")
    assert name.input_value() == "walk"
    second.click()
    chips.filter(has_text="second.mp4").wait_for()
    first.click()
    chips.filter(has_text="first.mp4").wait_for(state="detached")
    assert name.input_value() == "walk"
    name.click()
    page.keyboard.type("s")  # to one's own it is added
    assert sorted(name.input_value()) == sorted("walks")
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))
    for name in ("first", "second"):
        (server.root / f"{name}.mp4").unlink()


def test_a_video_of_the_file_browser_opens_with_dlcnb_and_one_is_uploaded(server, page, tmp_path):
    own_video(server, "other")
    page.locator(".jp-DirListing-item", has_text="other.mp4").click(button="right")
    page.locator(".lm-Menu-item", has_text="Open with dlcnb").click()
    page.locator(".dlcnb-tab .dlcnb-new .dlcnb-chip", has_text="other.mp4").wait_for()

    uploaded = tmp_path / "from my computer.mp4"  # of several pieces: a box of 3 MiB that players pass over
    uploaded.write_bytes(
        (server.root / "other.mp4").read_bytes() + struct.pack(">I", 3 << 20) + b"free".ljust((3 << 20) - 4)
    )
    page.locator(".dlcnb-upload input").set_input_files(uploaded)
    page.locator(".dlcnb-new .dlcnb-chip", has_text=uploaded.name).wait_for()
    page.locator(".dlcnb button", has_text="Create").click()
    page.locator(".dlcnb-overview").filter(has_text="2 videos").wait_for()
    (copy,) = server.root.glob(f"other-*/videos/{uploaded.name}")
    assert copy.read_bytes() == uploaded.read_bytes()
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))


@pytest.mark.parametrize("dark", [False, True])
def test_everything_of_the_form_can_be_reached(server, page, dark):
    own_video(server, "ninth")
    there = f"ninth-ann-{datetime.date.today()}"  # a project of that name exists already, which takes long to say
    for name in (there, "more", "folders", f"clip_of_cage_12_at_noon-ann-{datetime.date.today()}"):
        (server.root / name).mkdir(exist_ok=True)
    page.evaluate(THEME, "JupyterLab Dark" if dark else "JupyterLab Light")
    page.locator(".jp-LauncherCard", has_text="dlcnb Studio").click()
    page.locator(".dlcnb-choice", has_text="ninth.mp4").click()
    page.locator(".dlcnb-new .dlcnb-chip", has_text="ninth.mp4").wait_for()
    page.locator(".dlcnb-new .dlcnb-row input[type=text]").nth(3).fill("ann")
    for state in ("chosen", "wrong"):
        if state == "wrong":
            page.locator(".dlcnb button", has_text="Create").click()
            said = page.locator(".dlcnb-tab [role=alert]", has_text="exists already")
            said.wait_for()
            assert "dlcnb " not in said.inner_text().split(there)[-1]
        for width, height in ((640, 400), *SIZES):
            page.set_viewport_size({"width": width, "height": height})
            wrong = settle(page, ".dlcnb-studio")  # so narrow, long names of folders are shortened
            assert not [one for one in wrong if width > 640 or "has no room for its text" not in one]
            assert not unseen(page, ".dlcnb-studio", [".dlcnb-new button.mod-primary"])
            assert not unreachable(page, ".dlcnb-new", ".dlcnb-new .dlcnb-upload")
            adding, skeleton = (page.get_by_placeholder(words).bounding_box() for words in ("or your own", "none; or"))
            assert adding["y"] + adding["height"] <= skeleton["y"]  # not under it, either
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))
    (server.root / "ninth.mp4").unlink()


def test_an_address_opens_a_project(server, page):
    own_video(server, "third")
    page.goto(f"{server.url}/lab?token={server.token}&reset&dlcnb=nowhere%2Fmouse")
    page.locator(".dlcnb-tab [role=alert]").filter(has_text="config.yaml").wait_for()
    page.locator(".dlcnb-tab .dlcnb-door").wait_for()  # what is wrong is told, and there is a way on
    assert "dlcnb=" not in page.url
    page.locator(".dlcnb-ways button", has_text="Open").click()
    page.locator(".dlcnb-new").wait_for(state="hidden")
    field = page.locator(".dlcnb-address input")
    field.fill("not-there")
    field.press("Enter")
    page.locator(".dlcnb-tab [role=alert]").filter(has_text="nothing of that name").wait_for()
    page.locator(".lm-TabBar-tab", has_text="dlcnb Studio").locator(".lm-TabBar-tabCloseIcon").click()
    until(page, lambda: not studios(server))
