"""The report from Studio: made, linked, stopped, and what could not be written."""

import threading

import pytest
from support.projects import copy_of

from dlcnb import Studio, report


@pytest.fixture
def maker(arena_project, tmp_path):
    studio = Studio(copy_of(arena_project, tmp_path))
    yield studio.go_to("Report")
    studio.close()


def test_one_press_writes_the_page_and_says_what_is_not_in_it_in_words_of_studio(maker):
    assert "no report yet" in maker.made.value
    maker.make_button.click()
    assert maker.wait()
    assert "For the Methods section" in (maker.project.root / "report.html").read_text()
    assert "report.html" in maker.made.value
    assert "Not in it yet" in maker.left_out.value
    assert "train one first (the step Train of Studio)" in maker.left_out.value
    assert not maker.make_button.disabled
    assert maker._at_work.layout.display == "none"
    again = Studio(maker.project)
    assert "report.html" in again.go_to("Report").made.value
    again.close()


def test_stop_leaves_the_report_that_is_there(maker, monkeypatch):
    path = maker.project.root / "report.html"
    path.write_text("of yesterday")
    reading, go_on = threading.Event(), threading.Event()

    def gather(project, *, progress):
        reading.set()
        assert go_on.wait(10)
        progress(0.5, "reading labels")

    monkeypatch.setattr(report, "gather", gather)
    maker.make_button.click()
    assert reading.wait(10)
    assert maker.make_button.disabled
    maker.stop_button.click()
    go_on.set()
    assert maker.wait()
    assert path.read_text() == "of yesterday"
    assert not maker.failed


def test_a_page_that_can_not_be_written_is_one_line(maker):
    (maker.project.root / "report.html").mkdir()
    maker.make_button.click()
    assert maker.wait()
    assert maker.failed
    assert "report.html" in maker.status_line.value
