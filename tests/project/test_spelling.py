"""Names that are spelled otherwise on the disk: accents taken apart (archives of Macs), upper and lower case."""

import shutil
import unicodedata

import pytest
from support.projects import write_noise

from dlcnb.checkup import doctor
from dlcnb.files import alike, as_spelled
from dlcnb.labels import Edit, LabelStore, current_labels
from dlcnb.project import Project, ProjectError
from dlcnb.zones import zones_path


def apart(name):
    return unicodedata.normalize("NFD", name)


@pytest.fixture
def labeled(tmp_path):
    """A project with accents in the names of its video and scorer, one frame labeled."""
    video = write_noise(tmp_path / "Käfig.mp4", 2)
    project = Project.create("p", "Jürg", [video], ["nose"], parent=tmp_path, folder="p", copy_videos=True)
    folder = project.labeled_dir("Käfig")
    folder.mkdir(parents=True)
    (folder / "img0.png").write_bytes(b"")
    store = LabelStore(project, "Käfig")
    store.apply([Edit(store.images[0], "nose", (3, 4))])
    store.save()
    video.unlink()
    return project


def test_which_name_is_meant():
    assert alike("a", ["A", "a"]) == "a"
    assert alike("a", ["A", "b"]) == "A"
    assert alike("a", ["A", "b"], case=False) is None
    assert alike("Aa", ["aa", "aA"]) is None
    assert alike(apart("Ä"), ["ä", "Ä"]) == "Ä"


def test_what_is_not_there_keeps_its_name(tmp_path):
    assert as_spelled(tmp_path / "no" / "a") == tmp_path / "no" / "a"


def test_a_project_from_an_archive_of_a_mac(labeled):
    for path in sorted(labeled.root.rglob("*"), reverse=True):
        path.rename(path.with_name(apart(path.name)))
    project = Project.open(labeled.root)
    (video,) = project.videos
    assert video.name == apart("Käfig.mp4")
    assert project.crop(video) == labeled.crop("Käfig")
    assert [folder.name for folder in project.labeled_dirs()] == [project.labeled_dir(video).name] == [apart("Käfig")]
    assert current_labels(project).points.tolist() == [[[3, 4]]]
    store = LabelStore(project, video)
    store.apply([Edit(store.images[0], "nose", (5, 6))])
    store.save()
    names = {path.name for path in store.folder.iterdir()}
    assert all(name == apart(name) for name in names if name.startswith("CollectedData"))
    assert not [finding for finding in doctor(project.root) if "belongs to no video" in finding.message]


def test_labels_without_a_journal_from_a_mac(labeled):
    folder = labeled.labeled_dir("Käfig")
    for path in folder.iterdir():
        path.unlink() if "journal" in path.name else path.rename(path.with_name(apart(path.name)))
    assert current_labels(labeled).points.tolist() == [[[3, 4]]]
    assert LabelStore(labeled, "Käfig").points.tolist() == [[[3, 4]]]


def test_a_video_whose_suffix_and_name_are_in_another_case(labeled):
    (labeled.root / "videos" / "Käfig.mp4").rename(labeled.root / "videos" / "KÄFIG.MP4")
    (video,) = labeled.videos
    assert video.name == "KÄFIG.MP4"
    assert labeled.labeled_dir(video).name == "Käfig"
    assert labeled.crop(video) == (0, 96, 0, 64)
    assert labeled.video("Käfig") == video
    zones = zones_path(labeled, "Käfig")
    zones.parent.mkdir()
    zones.write_text("")
    assert zones_path(labeled, video) == zones


def test_names_that_differ_in_case_only_are_refused_and_never_mixed_up(labeled, tmp_path):
    twin = write_noise(tmp_path / "käfig.mp4", 2, seed=1)
    with pytest.raises(ProjectError, match="rename"):
        labeled.add_videos([twin])
    with pytest.raises(ProjectError, match="'käfig' and 'KÄFIG'"):
        Project.create("q", "Ann", [twin, shutil.copy(twin, tmp_path / "KÄFIG.mp4")], ["nose"], parent=tmp_path)
    labeled.config["video_sets"][str(twin)] = None
    labeled.save()
    assert [video.name for video in labeled.videos] == ["Käfig.mp4", "käfig.mp4"]
    assert labeled.labeled_dir("käfig").name == "käfig"
    assert [finding.level for finding in doctor(labeled.root) if "2 videos are named" in finding.message] == ["warning"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- null", "found nothing; put it in quotes"),
        ("- 1.5", "found 1.5 that is no text; put it in quotes"),
        ("- true", "found True that is no text; put it in quotes"),
        ("\t- nose", "found a tab"),
        ('- "C:\\Users"', "single quotes"),
    ],
)
def test_what_yaml_takes_for_something_else(labeled, text, message):
    path = labeled.root / "config.yaml"
    path.write_text(path.read_text().replace("- nose", text, 1))
    with pytest.raises(ProjectError, match=message):
        Project.open(labeled.root)
