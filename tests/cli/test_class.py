"""``dlcnb class``: from a student's project to the standings."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dlcnb.cli import main
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.teaching import Lesson, fill_labels


def run(*arguments, ok=True):
    result = CliRunner().invoke(main, ["class", *map(str, arguments)])
    assert (result.exit_code == 0) == ok, result.output
    return result


def found(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture(scope="module")
def kim(tmp_path_factory):
    return found("start", "monday", "Kim", tmp_path_factory.mktemp("class"))["project"]


def test_a_student_who_is_late_catches_up_and_appears_in_the_standings(kim, tmp_path):
    assert "Nobody has handed in yet" in run("board", tmp_path, "monday").stdout
    found("hand-in", kim, "--to", tmp_path)
    assert found("board", tmp_path, "monday")["standings"][0]["labeled"] == 0
    Path(kim).with_name("monday-Kim.ipynb").unlink()  # who never started gets it, too
    again = found("stage", 1, "monday", "Kim", kim.rsplit("/", 1)[0])
    assert Path(again["notebook"]).is_file()
    lesson = Lesson("monday")
    assert again["done"] == [f"{lesson.truth[..., 0].size} points added to the labels"]
    assert found("stage", 1, "monday", "Kim", kim.rsplit("/", 1)[0])["done"][0].startswith("0 points")
    found("hand-in", kim, "--to", tmp_path)
    (one,) = found("board", tmp_path, "monday")["standings"]
    own = {key: one[key] for key in ("student", "labeled", "given", "network_px")}
    assert own == {"student": "Kim", "labeled": 0, "given": 40, "network_px": None}
    assert "Kim: 40 points were placed by a stage" in run("board", tmp_path, "monday").stdout


def test_the_lessons_notebook_lies_beside_with_the_names_filled_in_and_is_never_overwritten(kim):
    path = Path(found("start", "monday", "Kim", Path(kim).parent)["notebook"])
    assert path == Path(kim).parent / "monday-Kim.ipynb"
    code = ["".join(c["source"]) for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    (first,) = [source for source in code if "lesson.start(" in source]
    names = {}
    exec(first.replace('"."', repr(str(path.parent))), names)
    assert (names["lesson"].name, str(names["project"].root)) == ("monday", kim)
    path.write_text("mine")
    found("start", "monday", "Kim", Path(kim).parent)
    assert path.read_text() == "mine"


def test_a_mistyped_lesson_is_told_beside_those_that_are_there(kim):
    folder = Path(kim).parent
    again = run("start", "Monday", "Kim", folder).stdout  # as people type it
    assert again.splitlines()[0] == kim
    assert "other lessons" not in again
    assert "has other frames than Kim's other lessons here: monday." in run("start", "mondya", "Kim", folder).stdout
    assert found("start", "monday", "Lea", folder)["other_lessons"] == []


def test_a_half_downloaded_file_is_named_and_the_others_count(kim, tmp_path):
    path = found("hand-in", kim, "--to", tmp_path)["file"]
    half = tmp_path / "Lea-00000000.dlcnb-class.json"
    half.write_bytes(Path(path).read_bytes()[:200])
    at = found("board", tmp_path, "monday")
    assert [one["student"] for one in at["standings"]] == ["Kim"]
    assert "only half of it arrived" in at["problems"][0]
    assert half.exists()


def test_a_late_student_keeps_the_points_and_what_was_marked_not_visible(tmp_path):
    lesson = Lesson("monday", size=(120, 160))
    project = lesson.start(tmp_path, "Lea")
    store = LabelStore(project, project.videos[0].stem)
    snout, tail = lesson.bodyparts[0], lesson.bodyparts[-1]
    store.apply([Edit(lesson.images[0], snout, (3.0, 4.0)), Edit(lesson.images[0], tail, None, visible=False)])
    store.save()
    assert fill_labels(lesson, project) == lesson.truth[..., 0].size - 2
    points = lesson.hand_in(project).points
    assert points[0, 0].tolist() == [3.0, 4.0]
    assert np.isnan(points[0, -1]).all()


def test_another_project_and_another_lesson_are_one_clear_line(kim, tmp_path):
    found("hand-in", kim, "--to", tmp_path)
    at = found("board", tmp_path, "tuesday")
    assert at["standings"] == []
    assert at["problems"][0] == "no file belongs to the lesson 'tuesday', found files of monday"
    assert "belongs to the lesson 'monday'" in at["problems"][1]
    assert "plain one" in run("start", "monday", "a/b", tmp_path, ok=False).stderr
