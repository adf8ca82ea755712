"""A class of simulated students: nothing lost, and the board is right; and a board that is not is found out."""

import json
import shutil

import pytest
from click.testing import CliRunner

from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.project import Project
from dlcnb.teaching import Board, Lesson, gather
from dlcnb.teaching.marking import board_mistakes, lost_points
from dlcnb.teaching.pupils import class_of
from dlcnb.teaching.rehearse import main

LESSON = Lesson("rehearsal", size=(240, 320))


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """(the folder of a class of three that has gone through the plan, what the command printed)."""
    folder = tmp_path_factory.mktemp("rehearsal") / "class"
    line = ["--students", "3", "--minutes", "0", "--small", "--folder", str(folder), "--json"]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout)


def test_nothing_is_lost_and_the_board_is_right(rehearsed):
    _, found = rehearsed
    assert (found["lost"], found["mistakes"], found["students"]) == (0, [], 3)
    assert len(found["network_px"]) == 3
    assert found["peak_mb"] > found["seat_mb"] > 0
    done = {stage["name"] for stage in found["stages"]}
    assert {"start", "label", "catch up", "exercises", "hand in", "board"} <= done
    assert any("only half of it arrived" in line for line in found["problems"])
    assert any("call themselves Kim" in line for line in found["problems"])


def test_work_that_is_gone_and_a_board_that_is_wrong_are_found_out(rehearsed, tmp_path):
    folder = shutil.copytree(rehearsed[0], tmp_path / "class")
    pupils = class_of(3, folder)
    project = Project.open(pupils[0].home / "rehearsal-Kim")
    store = LabelStore(project, "arena")
    store.apply([Edit(LESSON.images[0], LESSON.bodyparts[0], None)])
    store.save()
    assert lost_points(pupils, LESSON) == 1
    LESSON.hand_in(project).write(folder / "class")
    shown = Board(LESSON.name, LESSON.bodyparts, LESSON.images, gather(folder / "class")[0], LESSON.hidden)
    assert any("frames labeled" in line or "points given" in line or "px from the class" in line
               for line in board_mistakes(pupils, LESSON, shown, True))  # fmt: skip
    few = Board(LESSON.name, LESSON.bodyparts, LESSON.images, gather(folder / "class")[0][:2], LESSON.hidden)
    assert any("is missing" in line for line in board_mistakes(pupils, LESSON, few, True))


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    done = CliRunner().invoke(main, ["--students", "3", "--minutes", "0", "--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "expected a new folder" in done.output
