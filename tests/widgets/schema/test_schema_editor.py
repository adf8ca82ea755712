"""The editor of bodyparts, skeleton and scorer, its state and its widget; no browser."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcnb import frames
from dlcnb.jobs.job import claim
from dlcnb.labels import LabelError, Labels
from dlcnb.project import Project, ProjectError
from dlcnb.video import VideoWriter
from dlcnb.widgets import SchemaEditor
from dlcnb.widgets.schema.state import SchemaState, _renames

SIZE, PARTS = (96, 128), ("snout", "ear", "tail")
POINTS = np.array([[[20.0, 20], [60, 40], [100, 80]], [[25, 22], [64, 42], [np.nan, np.nan]]])


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "m1.mp4"
    with VideoWriter(path, SIZE, 30) as writer:
        for _ in range(8):
            writer.write(np.full((*SIZE, 3), 90, np.uint8))
    return path


@pytest.fixture
def project(tmp_path, video):
    made = Project.create("reach", "ada", [video], PARTS, parent=tmp_path, skeleton=[("snout", "ear")])
    images = [p.relative_to(made.root).as_posix() for p in frames.extract(made, "m1", [0, 4])]
    for scorer in ("ada", "ben"):
        Labels(PARTS, scorer, images, POINTS).write(made.labeled_dir("m1"))
    return made


@pytest.fixture
def state(project):
    return SchemaState(project)


def contents(project):
    files = [project.root / "config.yaml", *sorted(project.labeled_dir("m1").glob("CollectedData*"))]
    return {path.name: path.read_bytes() for path in files}


def key(state, name):
    return next(part.key for part in state.parts if part.name == name)


class TestState:
    def test_nothing_changes_before_apply(self, state, project):
        before = contents(project)
        state.rename(key(state, "ear"), "leftear")
        state.add("paw")
        state.toggle_edge(key(state, "leftear"), key(state, "paw"))
        assert contents(project) == before
        assert project.bodyparts == PARTS

    def test_everything_at_once_and_back(self, state, project):
        before = contents(project)
        state.remove(key(state, "tail"))
        state.rename(key(state, "ear"), "leftear")
        state.add("paw")
        state.move(key(state, "paw"), -2)
        state.toggle_edge(key(state, "leftear"), key(state, "paw"))
        state.scorer = "eve"
        assert len(state.preview()) == 6
        assert any("tail (2 points)" in line for line in state.preview())
        assert state.apply() == 6
        assert project.bodyparts == ("paw", "snout", "leftear")
        assert set(map(frozenset, project.skeleton.edges)) == {
            frozenset(("snout", "leftear")), frozenset(("leftear", "paw"))
        }  # fmt: skip
        for scorer in ("eve", "ben"):
            labels = Labels.read(project.labeled_dir("m1"), scorer)
            assert labels.bodyparts == ("paw", "snout", "leftear")
            np.testing.assert_allclose(labels.points[:, 1:], POINTS[:, :2])
            assert np.isnan(labels.points[:, 0]).all()
        assert state.preview() == []
        state.undo()
        assert contents(project) == before
        assert project.scorer == "ada"
        assert [part.name for part in state.parts] == list(PARTS)

    def test_a_renamed_bodypart_keeps_its_edges(self, state, project):
        state.rename(key(state, "snout"), "nose")
        assert state.preview() == ["rename snout to nose"]
        state.apply()
        assert project.skeleton.edges == (("nose", "ear"),)

    def test_names_in_a_circle(self, state, project):
        for part, name in zip(state.parts, ("x", "y", "z"), strict=True):
            state.rename(part.key, name)
        for part, name in zip(state.parts, ("ear", "tail", "snout"), strict=True):
            state.rename(part.key, name)
        state.apply()
        assert project.bodyparts == ("ear", "tail", "snout")
        labels = Labels.read(project.labeled_dir("m1"), "ben")
        np.testing.assert_allclose(labels.points, POINTS)

    def test_a_step_that_fails_takes_the_others_back(self, state, project, monkeypatch):
        from dlcnb.labels import migrate

        before = contents(project)

        def full(*_):
            raise OSError("the disk is full")

        monkeypatch.setattr(migrate, "set_skeleton", full)
        state.rename(key(state, "ear"), "leftear")
        state.toggle_edge(key(state, "leftear"), key(state, "tail"))
        with pytest.raises(OSError, match="disk is full"):
            state.apply()
        assert contents(project) == before
        assert project.bodyparts == PARTS

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda s: s.add("ear"), "more than once"),
            (lambda s: s.add(" "), "empty"),
            (lambda s: s.rename(key(s, "ear"), "tail"), "more than once"),
            (lambda s: s.toggle_edge(key(s, "ear"), key(s, "ear")), "two different"),
        ],
    )
    def test_what_can_t_be_is_refused(self, state, change, message):
        before = state.parts, state.edges
        with pytest.raises((ProjectError, LabelError), match=message):
            change(state)
        assert (state.parts, state.edges) == before

    def test_the_last_old_bodypart_stays(self, state):
        state.add("paw")
        for name in PARTS:
            state.remove(key(state, name))
        with pytest.raises(LabelError, match="at least one"):
            state.preview()

    def test_a_scorer_that_can_be_no_file_name(self, state):
        state.scorer = "a/b"
        with pytest.raises(LabelError, match="scorer"):
            state.preview()

    def test_without_labels(self, tmp_path, video):
        state = SchemaState(Project.create("reach", "ada", [video], PARTS, parent=tmp_path))
        assert state.example() == (None, {})
        state.remove(key(state, "tail"))
        assert state.preview() == ["remove tail (0 points); the backup keeps the points"]

    @given(st.permutations(list("abcdef")), st.integers(0, 6))
    def test_renames_never_collide(self, names, fresh):
        wanted = dict(zip("abcdef", names, strict=True))
        for n, old in enumerate(list(wanted)[:fresh]):
            wanted[old] = f"new{n}"
        if len(set(wanted.values())) < len(wanted):
            return
        now = {old: old for old in wanted}
        for old, new in _renames(wanted):
            assert new not in now.values()
            now[next(first for first, name in now.items() if name == old)] = new
        assert now == wanted


@pytest.fixture
def editor(project):
    made = SchemaEditor(project)
    yield made
    made.close()


def row(editor, name):
    return editor._rows[key(editor.state, name)].children


def click(editor, name):
    x, y = editor._places()[key(editor.state, name)]
    message = {"type": "down", "surface": 0, "button": 0, "x": x + 3, "y": y - 3}
    editor.input.guard._handle_custom_msg(message, [])


class TestEditor:
    def test_two_clicks_join_and_two_separate(self, editor, project):
        click(editor, "ear")
        click(editor, "tail")
        assert "skeleton: snout–ear, ear–tail" in editor.plan.value
        click(editor, "snout")
        click(editor, "ear")
        assert "skeleton: ear–tail" in editor.plan.value
        editor.apply_button.click()
        assert Project.open(project.root).skeleton.edges == (("ear", "tail"),)

    def test_a_click_beside_forgets_the_first(self, editor):
        click(editor, "ear")
        editor.input.guard._handle_custom_msg({"type": "down", "surface": 0, "button": 0, "x": 2, "y": 2}, [])
        click(editor, "tail")
        assert editor.apply_button.disabled

    def test_joining_by_name(self, editor):
        editor.ends[0].value, editor.ends[1].value = key(editor.state, "ear"), key(editor.state, "tail")
        assert editor.join.description == "Join"
        editor.join.click()
        assert editor.join.description == "Separate"

    def test_fields_and_buttons(self, editor, project):
        row(editor, "ear")[1].value = "leftear"
        editor.new_part.value = "paw"
        editor.add.click()
        assert editor.new_part.value == ""
        row(editor, "paw")[2].click()
        row(editor, "snout")[4].click()
        assert [part.name for part in editor.state.parts] == ["leftear", "paw", "tail"]
        assert "rename ear to leftear" in editor.plan.value
        assert "snout (4 points)" in editor.plan.value
        editor.apply_button.click()
        assert Project.open(project.root).bodyparts == ("leftear", "paw", "tail")
        assert "backup" in editor.status_line.value
        assert not editor.undo_button.disabled
        editor.undo_button.click()
        assert Project.open(project.root).bodyparts == PARTS
        assert editor.undo_button.disabled

    def test_it_says_what_becomes_of_networks(self, editor, project):
        row(editor, "ear")[1].value = "leftear"
        assert "train again" not in editor.plan.value
        run = project.new_run(0.8)
        (run / "snapshot-10.params").touch()
        row(editor, "tail")[1].value = "tailbase"
        assert "train again after this change" in editor.plan.value
        (run / "job.json").write_text('{"kind": "train"}')
        claim(run, os.getpid(), 0)
        row(editor, "tailbase")[1].value = "tailtip"
        assert "A training is under way" in editor.plan.value
        editor.reset_button.click()
        editor.scorer.value = "eve"
        assert "rain" not in editor.plan.value  # of no training

    def test_a_taken_name_is_said_and_the_field_goes_back(self, editor):
        row(editor, "ear")[1].value = "tail"
        assert "more than once" in editor.status_line.value
        assert row(editor, "ear")[1].value == "ear"

    def test_start_over(self, editor):
        row(editor, "ear")[1].value = "leftear"
        editor.scorer.value = "eve"
        editor.reset_button.click()
        assert editor.scorer.value == "ada"
        assert "nothing to change" in editor.plan.value

    def test_others_are_told(self, project):
        told = []
        editor = SchemaEditor(project, on_changed=lambda: told.append(1))
        row(editor, "ear")[1].value = "leftear"
        editor.apply()
        assert told == [1]
        editor.close()

    def test_without_labels_there_is_something_to_click(self, tmp_path, video):
        editor = SchemaEditor(Project.create("reach", "ada", [video], PARTS, parent=tmp_path))
        click(editor, "snout")
        click(editor, "tail")
        assert "snout–tail" in editor.plan.value
        assert editor.wait()
        assert editor.snapshot().size == (480, 360)
        assert editor.status_line.value == ""
        editor.close()
