"""Group, animal and day of each video: from a table that the user fills, or from the videos' names."""

import pytest
from support.projects import copy_of

from dlcnb.project import SUBJECTS, ProjectError, new_subjects, read_subjects, subjects_by_pattern


def test_a_new_table_names_the_videos_and_keeps_what_was_filled_in(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    path = new_subjects(project)
    stem = project.videos[0].stem
    assert path.name == SUBJECTS
    assert read_subjects(path)[stem] == {"group": "", "animal": "", "day": ""}
    path.write_text(f"video,group,sex\n{stem},drug,f\nother,saline,m\n")
    new_subjects(project)
    assert read_subjects(path) == {stem: {"group": "drug", "sex": "f"}, "other": {"group": "saline", "sex": "m"}}


def test_tables_of_spreadsheets_are_read(tmp_path):
    path = tmp_path / "s.csv"
    path.write_bytes("\ufeffvideo;group\r\nm1.mp4;drug\r\nm2.mp4\r\n\r\n".encode())
    assert read_subjects(path) == {"m1": {"group": "drug"}, "m2": {"group": ""}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 'video', found nothing"),
        ("vidoe,group\n", "did you mean"),
        ("video,group,group\n", "name of its own"),
        ("video,group\na,1\na.mp4,2\n", "two rows"),
        ("video,group\na,1,2\n", "row 2"),
        ("video,group\na," + "x" * 200_000, "found a damaged one"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path, text, words):
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(ProjectError, match=words):
        read_subjects(path)


def test_names_tell_by_a_pattern():
    found = subjects_by_pattern("{group}_{animal}_day{day}", ["drug_m1_day2.mp4", "no_drug_m2_day13.mp4"])
    assert found["drug_m1_day2"] == {"group": "drug", "animal": "m1", "day": "2"}
    assert found["no_drug_m2_day13"] == {"group": "no", "animal": "drug_m2", "day": "13"}


def test_a_name_that_does_not_fit_and_a_pattern_without_fields():
    with pytest.raises(ProjectError, match="'m1' does not fit"):
        subjects_by_pattern("{group}_{animal}", ["m1.mp4"])
    for pattern in ("group", "{a}{a}", "{video}"):
        with pytest.raises(ProjectError, match="expected a pattern"):
            subjects_by_pattern(pattern, ["a"])
