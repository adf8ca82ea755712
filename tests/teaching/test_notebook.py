"""The students' notebook: "Run all" waits where a person is needed, and after their work the same cells go on."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlcnb.poses import Poses
from dlcnb.sampledata import arena_poses
from dlcnb.teaching import EXERCISES, Lesson, check, gather

CELLS = [
    "".join(cell["source"])
    for cell in json.loads((Path(__file__).parents[2] / "teaching" / "lesson.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    if cell["cell_type"] == "code"
]


@pytest.fixture
def run_all(tmp_path, monkeypatch, capsys):
    """Run all cells but the one that installs; returns what they printed."""
    monkeypatch.chdir(tmp_path)

    def run():
        names = {}
        for source in CELLS[1:]:
            exec(compile(source, "<cell>", "exec"), names)
        return capsys.readouterr().out

    return run


def test_run_all_ends_without_an_error_and_says_what_is_waited_for(run_all, tmp_path):
    printed = run_all()
    assert "0 of your frames have all 4 bodyparts; label 5." in printed
    assert "Train first: press Start above" in printed
    for exercise in EXERCISES.values():
        if exercise.name != "label five frames":
            assert exercise.question in printed
    assert printed.count("✗") == len(EXERCISES)
    (handed_in,), problems = gather(tmp_path)
    assert not problems
    assert not np.isfinite(handed_in.points).any()


def test_after_a_students_work_the_file_has_it(run_all, tmp_path):
    lesson = Lesson("monday")
    project = lesson.start(tmp_path, "me")
    for name, exercise in EXERCISES.items():
        check(lesson, project, name, exercise.solution(lesson, project))
    truth = arena_poses(lesson.arena)
    Poses(lesson.bodyparts, "DLC_net", truth + [0, 2], np.ones(truth.shape[:2])).write(project.videos[0])
    printed = run_all()
    total = sum(exercise.points for exercise in EXERCISES.values())
    assert f"Points: {total} of {total}" in printed
    assert "✓ On average 0.0 px from the truth" in printed
    (handed_in,), _ = gather(tmp_path)
    np.testing.assert_allclose(handed_in.predicted - lesson.hidden, [[[0, 2]] * 4] * 10, atol=0.01)
