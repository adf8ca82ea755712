"""FolderBrowser and Chips: rows to press, paths to type, names to add."""

import pytest

from dlcnb.widgets.base.chips import Chips
from dlcnb.widgets.base.folders import MOST, FolderBrowser, entries


def is_film(path):
    return path.suffix == ".mp4"


@pytest.fixture
def folder(tmp_path):
    for name in ("b", "A", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("z.mp4", "a.mp4", "note.txt", ".x.mp4"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def browser(folder):
    chosen = []
    made = FolderBrowser(is_film, chosen.append, folder=folder, nothing="No film here.")
    made.chosen = chosen
    yield made
    made.close()


def names(browser):
    return [row.description for row in browser.list.children]


def test_what_can_be_chosen_comes_first_and_what_is_hidden_not_at_all(folder):
    found = [(entry.path.name, entry.choice) for entry in entries(folder, is_film)]
    assert found == [("a.mp4", True), ("z.mp4", True), ("A", False), ("b", False)]


def test_a_row_is_chosen_or_gone_into(browser, folder):
    browser.list.children[1].click()
    assert browser.chosen == [folder / "z.mp4"]
    browser.mark(browser.chosen)
    assert [row.icon for row in browser.list.children[:2]] == ["file", "check"]
    browser.list.children[2].click()
    assert browser.folder == folder / "A"
    assert names(browser) == []
    assert "No film here." in browser.note.value
    browser.go(browser.folder.parent)
    assert names(browser) == ["a.mp4", "z.mp4", "A", "b"]


def test_a_path_is_typed(browser, folder):
    browser.address.value = str(folder / "b")
    assert browser.folder == folder / "b"
    browser.address.value = str(folder / "a.mp4")
    assert browser.chosen == [folder / "a.mp4"]
    browser.address.value = "../A"
    assert browser.folder == folder / "A"


@pytest.mark.parametrize(("typed", "found"), [("nowhere", "nothing of that name"), ("note.txt", "none of those")])
def test_a_wrong_path_is_told_in_place(browser, folder, typed, found):
    browser.address.value = str(folder / typed)
    assert found in browser.status_line.value
    assert browser.folder == folder
    assert browser.address.value == str(folder)


def test_many_are_found_by_a_part_of_the_name(tmp_path):
    for n in range(MOST + 5):
        (tmp_path / f"{n:03d}.mp4").touch()
    browser = FolderBrowser(is_film, print, folder=tmp_path)
    assert len(names(browser)) == MOST
    assert "5 more" in browser.note.value
    browser.part.value = "064"
    assert names(browser) == ["064.mp4"]
    browser.part.value = "nothing like it"
    assert "No name here" in browser.note.value
    browser.close()


def test_names_are_added_and_taken_away():
    seen = []
    chips = Chips(["a", "b"], lambda: seen.append(list(chips.names)), adding="add")
    chips.field.value = "c,  tail  tip, b"
    assert chips.names == ["a", "b", "c", "tail tip"]
    assert chips.field.value == ""
    chips.children[0].click()
    assert chips.names == ["b", "c", "tail tip"]
    assert len(seen) == 2
    chips.close()


def test_names_that_are_an_offer_give_way_to_the_first_ones_of_ones_own():
    chips = Chips(["a", "b"], adding="add", offered=True)
    chips.field.value = "b, c"
    assert chips.names == ["b", "c"]
    chips.field.value = "d"
    assert chips.names == ["b", "c", "d"]
    chips.close()
    chips = Chips(["a", "b"], adding="add", offered=True)
    chips.children[0].click()
    chips.field.value = "d"
    assert chips.names == ["b", "d"]
    chips.close()
