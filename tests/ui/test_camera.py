"""A clip of the browser's own fake camera becomes a project, whose frames are chosen; and why there may be none."""

import pytest

CELL = """from dlcnb import Studio
from dlcnb.video import VideoReader
s = Studio()
s.door.show('New project')"""
REFUSE = """([name, secure]) => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', name));
    Object.defineProperty(window, 'isSecureContext', { value: secure, configurable: true });
}"""
LINE = "document.querySelector('.dlcnb-camera [role=status]')"
ALLOW = "() => { delete navigator.mediaDevices.getUserMedia; delete window.isSecureContext; }"
REFUSALS = {  # the browser's own, which it gives to other machines and pages than these -> words
    ("NotAllowedError", True): "Allow it with the icon beside the address",
    ("NotFoundError", True): "No camera found",
    ("NotReadableError", True): "in use elsewhere",
    ("NotAllowedError", False): "only to pages of https",
}


@pytest.fixture
def studio(lab):
    lab.open("camera", CELL, "s")
    lab.page.get_by_role("button", name="Record a clip").click()
    lab.page.locator(".dlcnb-camera").wait_for()
    yield lab
    lab.page.evaluate(ALLOW)


def press(lab, name):
    lab.page.locator(".dlcnb-camera").get_by_role("button", name=name).click()


def line(lab, words):
    """The camera's line, once it has these words."""
    found = lab.page.locator(".dlcnb-camera [role=status]", has_text=words)
    found.wait_for()
    return found.inner_text()


def test_why_there_is_no_picture_and_then_a_clip_that_becomes_frames_to_label(studio):
    for (name, secure), words in REFUSALS.items():
        studio.page.evaluate(REFUSE, [name, secure])
        press(studio, "Turn the camera on")
        assert "upload the clip" in line(studio, words)
    studio.page.evaluate(ALLOW)
    press(studio, "Turn the camera on")
    studio.page.wait_for_function("() => document.querySelector('.dlcnb-camera video').videoWidth > 0")
    press(studio, "Record")
    press(studio, "Cancel")
    press(studio, "Record")
    line(studio, "s left, 0.")
    studio.page.wait_for_function(f"() => /0\\.(?!0)/.test({LINE}.innerText)")  # some bytes are there
    press(studio, "Stop")
    studio.page.locator(".dlcnb-new .dlcnb-chip", has_text="clip-").wait_for()
    studio.page.get_by_text("is recorded and chosen").wait_for()
    assert studio.page.locator(".dlcnb-camera").count() == 0
    studio.page.locator(".dlcnb button", has_text="Create").click()
    studio.until("s.project is not None and 'Frames' in s.widgets")
    frames, seconds, changed, folder = studio.ask(
        "(lambda r: (len(r), r.times[-1], float((r.read(0) != r.read(len(r) - 1)).mean()), r.path.parent.name))"
        "(VideoReader(s.project.videos[0]))"
    )
    assert frames > 5
    assert 0.5 < seconds < 60
    assert changed > 0
    assert folder == "videos"
    studio.page.locator(".dlcnb-overview button.mod-primary").click()
    studio.until("len(list(s.project.root.glob('labeled-data/clip-*/img*.png'))) > 0")
