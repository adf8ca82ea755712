"""The list of recent projects: newest first, gone ones marked, a damaged file no obstacle."""

import pytest

from dlcnb.project import recent
from dlcnb.project.recent import forget, last_scorer, recent_projects, remember, remember_scorer, remembered_length


@pytest.fixture(autouse=True)
def own_list(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_the_newest_is_first_and_none_is_twice(tmp_path):
    for name in ("a", "b", "a"):
        remember(tmp_path / name, name)
    assert [one.task for one in recent_projects()] == ["a", "b"]
    forget(tmp_path / "a")
    assert [one.task for one in recent_projects()] == ["b"]


def test_the_unit_of_lengths_is_kept_until_another_is_chosen(tmp_path):
    remember(tmp_path, "a")
    assert remembered_length(tmp_path) == ""
    remember(tmp_path, "a", "cm")
    remember(tmp_path, "a")
    assert remembered_length(tmp_path) == "cm"
    assert remembered_length(tmp_path / "other") == ""
    remember(tmp_path, "a", "px")
    assert remembered_length(tmp_path) == "px"


def test_one_that_is_gone_says_so(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/config.yaml").touch()
    remember(tmp_path / "here", "here")
    remember(tmp_path / "gone", "gone")
    assert [one.there for one in recent_projects()] == [False, True]


def test_it_does_not_grow(tmp_path):
    for n in range(recent.MANY + 3):
        remember(tmp_path / str(n), str(n))
    assert len(recent_projects()) == recent.MANY


@pytest.mark.parametrize("text", ["{", "[1]", '[{"root": 3}]', "null", '{"a": 1}', "[" * 100_000])
def test_a_damaged_list_begins_anew(text, tmp_path, caplog):
    remember(tmp_path, "a")
    recent._file().write_text(text)
    assert recent_projects() == []
    assert "begins anew" in caplog.text
    remember(tmp_path, "b")
    assert [one.task for one in recent_projects()] == ["b"]


def test_a_list_that_can_not_be_written_is_no_obstacle(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    remember(tmp_path, "a")
    assert "could not be written" in caplog.text


def test_who_made_a_project_last_labels_again(tmp_path):
    account = last_scorer()
    assert account
    remember(tmp_path / "a", "a")
    assert last_scorer() == account
    remember_scorer("ada")
    assert last_scorer() == "ada"
