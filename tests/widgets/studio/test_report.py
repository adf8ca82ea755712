"""The report from Studio: made, linked, stopped, and what could not be written."""

import re
import shutil
import subprocess
import threading

import numpy as np
import pytest
from support.kills import EVERY, calls_of, killed, needs_fork
from support.projects import copy_of, tree

from dlcnb import Studio, report
from dlcnb.files import TEMPORARY
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.video import VideoReader
from dlcnb.widgets.studio.report import ReportMaker
from dlcnb.zones import ZoneFile, quadrants, zones_path


@pytest.fixture
def studio(arena_project, tmp_path):
    made = Studio(copy_of(arena_project, tmp_path))
    yield made
    made.close()


@pytest.fixture
def maker(studio):
    return studio.go_to("Report")


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


def test_the_page_names_no_command_where_it_was_made_in_studio(maker, monkeypatch):
    project, video = maker.project, maker.project.videos[0]
    with VideoReader(video) as reader:
        count, (height, width) = len(reader), reader.size
    points = np.full((count, len(project.bodyparts), 2), 10.0)
    Poses(project.bodyparts, "DLC_test", points, np.full(points.shape[:2], 0.9)).write(video)
    zones = ZoneFile(zones_path(project, video), (height, width))
    zones.read()
    zones.write(quadrants((-0.5, -0.5, width - 0.5, height - 0.5)))
    monkeypatch.setattr("dlcnb.report.page.MOST", 0)  # of further videos a line tells
    maker.make_button.click()
    assert maker.wait()
    told = (project.root / "report.html").read_text()
    assert re.findall(r"dlcnb [a-z][\w-]*", re.sub(r"<[^>]*>", " ", told)) == []
    for place in ("the scorer is under the gear", "Zones, at the end of the step Look", "Figure, in the step Look"):
        assert place in told
    by_command = report.page.page(report.gather(project))
    assert "dlcnb compare" in by_command
    assert "dlcnb zones" in by_command


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


@pytest.mark.parametrize("gone", ["moved", "deleted"])
def test_of_a_project_that_is_gone_no_report_is_shown(studio, maker, gone):
    maker.make_button.click()
    assert maker.wait()
    root = maker.project.root
    if gone == "moved":
        root.rename(root.with_name("elsewhere"))
    else:
        shutil.rmtree(root)
    studio.go_to("Report")
    assert "report.html" not in maker.made.value
    assert "is gone" in maker.made.value
    assert maker.left_out.value == ""
    assert "is gone" in studio.status_line.value
    if gone == "moved":
        root.with_name("elsewhere").rename(root)
        studio.go_to("Report")
        assert "report.html" in maker.made.value
        assert "is gone" not in studio.status_line.value


def test_the_press_that_finds_the_project_gone_makes_no_folder_of_its_name(maker):
    shutil.rmtree(maker.project.root)
    maker.make_button.click()
    assert maker.wait()
    assert "is gone" in maker.status_line.value
    assert "is gone" in maker.made.value
    assert not maker.project.root.exists()


def test_a_project_deleted_while_its_report_is_made_is_not_made_again(studio, maker):
    def delete(change):
        if "reading the poses" in change.new:
            shutil.rmtree(maker.project.root)

    maker.doing.observe(delete, "value")
    maker.make_button.click()
    assert maker.wait()
    assert maker.failed
    assert "is gone" in studio.status_line.value
    assert "is gone" in maker.made.value
    assert not maker.project.root.exists()


def test_a_read_only_project_is_told_before_the_work_and_nothing_is_written(arena_project, tmp_path, mounted):
    with mounted(tmp_path / "ro", "size=30m") as disk:
        maker = ReportMaker(copy_of(arena_project, disk))
        maker.make_button.click()
        assert maker.wait()
        before = tree(disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        steps = []
        maker.doing.observe(lambda change: steps.append(change.new), "value")
        maker.make_button.click()
        assert maker.wait()
        assert (
            "report.html: the disk is read-only. The old one is unchanged. Copy the project" in maker.status_line.value
        )
        assert tree(disk) == before
        assert "report.html" in maker.made.value
        assert steps == []
        maker.close()


@needs_fork
def test_a_kernel_killed_while_it_writes_leaves_the_old_report_or_the_new_one(arena_project, tmp_path):
    root = copy_of(arena_project, tmp_path).root
    path = root / "report.html"

    def write():
        maker = ReportMaker(Project.open(root))
        maker.make_button.click()
        assert maker.wait()
        assert not maker.failed

    calls = [calls_of(write) for _ in range(2)][-1]  # the second time, as the index of a video is kept elsewhere
    written = max(at for at, name in enumerate(calls, 1) if name == "write_bytes")
    assert path.read_text().endswith("</html>\n")
    for at, when, new in ((written, "half", False), (written, "after", False), (len(calls), "after", True)):
        path.write_text("of yesterday")
        assert killed(write, at, EVERY, when)
        assert path.read_text().endswith("</html>\n") if new else path.read_text() == "of yesterday"
        shown = ReportMaker(Project.open(root)).made.value
        assert "report.html" in shown
        assert TEMPORARY not in shown
