"""dlcnb.exchange.import_labels: what others labeled comes in whole, with its images, or not at all."""

import json
import os
import shutil

import numpy as np
import pytest
from support.commands import run
from support.kills import killed, needs_fork
from support.projects import copy_of, tree, write_noise

from dlcnb import Labels, Project, exchange
from dlcnb.exchange import ExchangeError, import_labels
from dlcnb.labels import LabelStore, read_image
from dlcnb.video import VideoReader

PARTS = ("nose", "left ear", "tail")


@pytest.fixture(scope="module")
def labels(arena_project):
    """The arena's last labels; one bodypart of the first image is not visible."""
    labels = Labels.read_project(arena_project).select(slice(-5, None))
    labels.points[0, 1] = np.nan
    return labels


@pytest.fixture(scope="module")
def files(arena_project, labels, tmp_path_factory):
    """{format: what dlcnb exports}."""
    pytest.importorskip("sleap_io", reason="the extra 'sleap' is not installed")
    folder = tmp_path_factory.mktemp("exported")
    found = {to: exchange.write_labels(to, folder / f"a{exchange.FORMATS[to]}", labels, arena_project) for to in TWO}
    shutil.copytree(arena_project.root / "labeled-data", folder / "labeled-data")
    table = folder / "labeled-data" / "arena" / "CollectedData_truth.csv"
    Labels(labels.bodyparts, "truth", labels.images, labels.points).write(folder / "labeled-data" / "arena")
    return {**found, "csv": table.replace(folder / "CollectedData.csv")}


TWO = ("slp", "coco")


def point_of(project, image, part, scorer=None):
    store = LabelStore(project, image.split("/")[1], scorer)
    return store.point(image)[store.bodyparts.index(part)].tolist()


@pytest.mark.parametrize("kind", [*TWO, "csv"])
def test_what_dlcnb_exports_comes_back(kind, files, labels, arena_project, tmp_path):
    done = import_labels(files[kind], tmp_path / "new", scorer="truth")
    again = Project.open(tmp_path / "new")
    assert (done.made, done.images, done.new) == (True, 5, 5)
    assert (again.scorer, again.bodyparts) == ("truth", labels.bodyparts)
    assert again.skeleton.edges == (() if kind == "csv" else arena_project.skeleton.edges)
    found = Labels.read_project(again)
    assert found.images == labels.images
    np.testing.assert_allclose(found.points, labels.points, rtol=0, atol=1e-9)
    for image in found.images:
        np.testing.assert_array_equal(read_image(again.root / image), read_image(arena_project.root / image))
    store = LabelStore(again, "arena")
    assert set(store.states) == {"done"}
    assert store.hidden.sum() == 1
    assert [video.stem for video in again.videos] == (["arena"] if kind == "slp" else [])


@pytest.mark.parametrize("kind", [*TWO, "csv"])
def test_twice_is_once(kind, files, tmp_path):
    import_labels(files[kind], tmp_path / "new", scorer="truth")
    before = tree(tmp_path)
    done = import_labels(files[kind], tmp_path / "new")
    assert (done.made, done.new, done.labels) == (False, 0, 0)
    assert tree(tmp_path) == before


def test_labels_join_those_that_are_there(files, labels, arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    theirs, image = Labels.read_project(project), labels.images[1]
    few = theirs.select(slice(None, -5))
    for path in (project.root / "labeled-data" / "arena").glob("CollectedData*"):
        path.unlink()
    few.write(project.root / "labeled-data" / "arena")
    done = import_labels(files["slp"], project.root)
    assert (done.new, done.images, done.labels) == (0, 5, 5 * 4 - 1)
    again = Labels.read_project(project)
    assert len(again) == len(theirs)
    assert point_of(project, image, "snout") == labels.points[1, 0].tolist()
    np.testing.assert_array_equal(again.select(slice(len(few))).points, few.points)


def test_labels_that_contradict_are_refused_before_anything_is_written(files, arena_project, labels, tmp_path):
    project = copy_of(arena_project, tmp_path)
    table = project.root / "labeled-data" / "arena"
    other = Labels.read(table)
    other.points[-1, 0] += 3
    other.write(table)
    before = tree(tmp_path)
    with pytest.raises(
        ExchangeError, match=r"snout in labeled-data/arena/img\d+\.png has another label already.*--scorer"
    ):
        import_labels(files["slp"], project.root)
    assert tree(tmp_path) == before
    import_labels(files["slp"], project.root, scorer="Bea")
    assert point_of(project, labels.images[-1], "snout", "Bea") == labels.points[-1, 0].tolist()
    assert point_of(project, labels.images[-1], "snout") == other.points[-1, 0].tolist()


def test_another_image_of_that_name_is_never_replaced(files, arena_project, labels, tmp_path):
    project = copy_of(arena_project, tmp_path)
    first, second = (project.root / image for image in labels.images[:2])
    shutil.copy(second, first)
    before = tree(tmp_path)
    with pytest.raises(ExchangeError, match="is there already with another image; nothing was imported"):
        import_labels(files["coco"], project.root)
    assert tree(tmp_path) == before


def test_a_bodypart_that_the_project_lacks(files, tmp_path):
    Project.create("mouse", "Ann", (), ["snout", "leftear", "tailbase"], parent=tmp_path, folder="mouse")
    with pytest.raises(ExchangeError, match=r"bodypart 'rightear', which .*bodyparts .*mouse add rightear"):
        import_labels(files["csv"], tmp_path / "mouse")


# --- SLEAP's own files


@pytest.fixture
def sio():
    return pytest.importorskip("sleap_io", reason="the extra 'sleap' is not installed")


def slp(sio, path, video, instances, tracks=()):
    """A .slp with ``{frame: [points (K, 2) of each animal]}`` on one video."""
    skeleton = sio.Skeleton(nodes=list(PARTS), edges=[["nose", "tail"]])
    tracks = [sio.Track(name) for name in tracks]
    frames = []
    for number, animals in instances.items():
        found = [sio.Instance.from_numpy(np.asarray(a, float), skeleton=skeleton) for a in animals]
        for instance, track in zip(found, tracks, strict=False):
            instance.track = track
        frames.append(sio.LabeledFrame(video=video, frame_idx=number, instances=found))
    labels = sio.Labels(labeled_frames=frames, videos=[video], skeletons=[skeleton], tracks=tracks)
    sio.save_slp(labels, str(path), embed=str(path).endswith(".pkg.slp"), verbose=False)
    return path


@pytest.fixture
def clip(tmp_path):
    return write_noise(tmp_path / "cam1.mp4", 30)


def test_a_package_brings_its_frames(sio, clip, tmp_path):
    points = [[1.5, 2], [np.nan, np.nan], [5, 6]]
    package = slp(sio, tmp_path / "a.pkg.slp", sio.load_video(str(clip)), {4: [points], 20: [points]})
    with VideoReader(clip) as reader:
        pixels = reader.read(20)
    clip.unlink()  # SLEAP's packages go to machines without the videos
    done = import_labels(package, tmp_path / "new", scorer="Ann")
    found = Labels.read_project(done.project)
    assert (found.bodyparts, done.project.skeleton.edges) == (PARTS, (("nose", "tail"),))
    assert found.images == ("labeled-data/cam1/img04.png", "labeled-data/cam1/img20.png")
    np.testing.assert_array_equal(found.points, [points] * 2)
    ours = read_image(done.project.root / found.images[1]).astype(int)
    assert np.abs(ours - pixels).mean() < 4  # another decoder's rounding; red is not blue
    assert done.project.videos == []


def test_images_instead_of_a_video(sio, clip, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    with VideoReader(clip) as reader:
        import cv2

        for n, name in enumerate(("a.png", "b.bmp", "c labeled.png")):
            cv2.imwrite(str(folder / name), reader.read(n))
    video = sio.load_video([str(folder / name) for name in ("a.png", "b.bmp", "c labeled.png")])
    path = slp(sio, tmp_path / "a.slp", video, {n: [[[n, 1], [n, 2], [n, 3]]] for n in range(3)})
    found = Labels.read_project(import_labels(path, tmp_path / "new", scorer="Ann").project)
    names = {"a.png", "b.png", "image00002.png"}  # the last is passed over by its own name
    assert {image.removeprefix("labeled-data/pictures/") for image in found.images} == names
    folder.rename(tmp_path / "moved")
    with pytest.raises(ExchangeError, match=r"3 of the 3 files with its pixels are not there.*--images FOLDER"):
        import_labels(path, tmp_path / "other", scorer="Ann")
    assert import_labels(path, tmp_path / "other", scorer="Ann", images=tmp_path / "moved").new == 3


def test_of_several_animals_one_is_chosen(sio, clip, tmp_path):
    animals = [np.full((3, 2), 1.0), np.full((3, 2), 2.0)]
    video = sio.load_video(str(clip))
    path = slp(sio, tmp_path / "a.slp", video, {0: animals, 1: animals[:1]}, ["mia", "tommy"])
    with pytest.raises(ExchangeError, match=r"several in 1 of 2, such as frame 0 of cam1.*--animal .*mia, tommy"):
        import_labels(path, tmp_path / "new", scorer="Ann")
    with pytest.raises(ExchangeError, match=r"no image has labels of the animal tomy; did you mean 'tommy'"):
        import_labels(path, tmp_path / "new", scorer="Ann", animal="tomy")
    assert not (tmp_path / "new").exists()
    found = Labels.read_project(import_labels(path, tmp_path / "new", scorer="Ann", animal="tommy").project)
    assert found.images == ("labeled-data/cam1/img00.png",)  # tommy is not in the other
    assert found.points.tolist() == [animals[1].tolist()]
    assert len(Labels.read_project(import_labels(path, tmp_path / "two", scorer="Ann", animal="1").project)) == 2


def test_predictions_are_no_labels(sio, arena_project, clip, tmp_path):
    video = sio.load_video(str(clip))
    skeleton = sio.Skeleton(nodes=list(PARTS))
    guess = sio.PredictedInstance.from_numpy(np.ones((3, 2)), skeleton=skeleton)
    frames = [sio.LabeledFrame(video=video, frame_idx=0, instances=[guess])]
    sio.save_slp(sio.Labels(labeled_frames=frames), str(tmp_path / "a.slp"), verbose=False)
    with pytest.raises(ExchangeError, match="expected labels that a person placed"):
        import_labels(tmp_path / "a.slp", tmp_path / "new", scorer="Ann")


def test_labels_beyond_the_end_are_of_another_video(sio, clip, tmp_path):
    path = slp(sio, tmp_path / "a.slp", sio.load_video(str(clip)), {29: [np.ones((3, 2))]})
    clip.unlink()
    write_noise(clip, 12)
    with pytest.raises(ExchangeError, match=r"has 12 frames, but there are labels of frame 29; is it another video\?"):
        import_labels(path, tmp_path / "new", scorer="Ann")
    clip.unlink()
    with pytest.raises(ExchangeError, match=r"1 of the 1 files.*cam1\.mp4; looked in .*--images FOLDER"):
        import_labels(path, tmp_path / "new", scorer="Ann")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.slp"]


def test_a_file_that_leads_to_another_is_refused(sio, clip, tmp_path):
    import h5py

    path = slp(sio, tmp_path / "a.pkg.slp", sio.load_video(str(clip)), {0: [np.ones((3, 2))]})
    with h5py.File(path, "r+") as file:
        del file["video0/video"]
        file["video0/video"] = h5py.ExternalLink("/etc/hostname", "/video")
    with pytest.raises(ValueError, match=r"has a link in place of 'video', which is not followed"):
        import_labels(path, tmp_path / "new", scorer="Ann")


# --- COCO and Lightning Pose


def coco(path, images, annotations, **more):
    """A COCO file; ``annotations``: (image, keypoints) each."""
    data = {
        "images": [{"id": n, "file_name": name, "width": 96, "height": 64} for n, name in enumerate(images)],
        "annotations": [
            {"id": n, "image_id": i, "category_id": 1, "keypoints": k} for n, (i, k) in enumerate(annotations)
        ],
        "categories": [{"id": 1, "name": "mouse", "keypoints": PARTS, "skeleton": [[1, 3]], **more}],
    }
    path.write_text(json.dumps(data))
    return path


def pictures(source, folder, *names):
    """Copies of an image under these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / name)


@pytest.fixture
def picture(arena_project, labels):
    return arena_project.root / labels.images[0]


def test_coco_of_other_programs(picture, tmp_path):
    pictures(picture, tmp_path / "images", "day1/cam/1.png", "day2/cam/1.png", "2.png")
    seen, half = [10, 20, 2, 0, 0, 0, 30, 40, 1], [10, 20, 2, 0, 0, 0, 0, 0, 0]
    names = ["day1/cam/1.png", "day2\\cam\\1.png", "C:/users/ann/2.png", "never.png"]
    path = coco(tmp_path / "annotations.json", names, [(0, seen), (1, half), (2, seen)])
    done = import_labels(path, tmp_path / "new", scorer="Ann")
    assert done.notes == ("1 images without a keypoint are left out",)
    found = Labels.read_project(done.project)
    assert found.images == ("labeled-data/ann/2.png", "labeled-data/cam/1.png", "labeled-data/day2_cam/1.png")
    np.testing.assert_array_equal(found.points[1], [[9.5, 19.5], [np.nan, np.nan], [29.5, 39.5]])
    assert done.project.skeleton.edges == (("nose", "tail"),)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "link/secret.png"])
def test_no_image_outside_is_taken(name, picture, tmp_path):
    home = tmp_path / "home" / "here" / "set"
    pictures(picture, home, "1.png")
    pictures(picture, tmp_path / "home", "secret.png")
    (home / "link").symlink_to(tmp_path / "home")
    path = coco(home / "a.json", ["1.png", name], [(0, [1, 1, 2] * 3), (1, [1, 1, 2] * 3)])
    with pytest.raises(ExchangeError, match="1 of the 2 files with its pixels are not there"):
        import_labels(path, tmp_path / "new", scorer="Ann")
    assert not (tmp_path / "new").exists()


def test_several_animals_in_coco(picture, tmp_path):
    pictures(picture, tmp_path, "1.png")
    path = coco(tmp_path / "a.json", ["1.png"], [(0, [1, 1, 2] * 3), (0, [5, 5, 2] * 3)])
    run("import", path, "--to", tmp_path / "new", "--scorer", "Ann", code=1)
    found = Labels.read_project(import_labels(path, tmp_path / "new", scorer="Ann", animal="2").project)
    assert (found.points == 4.5).all()


def test_lightning_pose(picture, tmp_path):
    folder = tmp_path / "labeled-data" / "cam1"
    pictures(picture, folder, "img007.png", "img012.png")
    pictures(picture, tmp_path, "flat1.png")
    rows = ["labeled-data/cam1/img007.png,1,2,3,4", "labeled-data/cam1/img012.png,5,6,,", "flat1.png,7,8,9,10"]
    head = ["scorer,lp,lp,lp,lp", "bodyparts,nose,nose,tail,tail", "coords,x,y,x,y"]
    (tmp_path / "CollectedData.csv").write_text("\n".join([*head, *rows, ""]))
    (tmp_path / "videos").mkdir()
    write_noise(tmp_path / "videos" / "cam1.mp4", 20)
    done = import_labels(tmp_path / "CollectedData.csv", tmp_path / "new", copy_videos=True)
    assert done.scorer == "lp"
    again = Project.open(tmp_path / "new")
    assert again.videos == [tmp_path / "new" / "videos" / "cam1.mp4"]
    assert again.video_keys() == [str(tmp_path / "new" / "videos" / "cam1.mp4")]
    found = Labels.read_project(again)
    flat = "labeled-data/CollectedData/flat1.png"
    assert found.images == (flat, "labeled-data/cam1/img007.png", "labeled-data/cam1/img012.png")
    assert LabelStore(again, "cam1").hidden.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize(
    "row", ["C:\\data\\lp\\labeled-data\\cam1\\img007.png", "/home/ann/lp/labeled-data/cam1/img007.png"]
)
def test_a_table_with_paths_of_another_computer(row, picture, tmp_path):
    pictures(picture, tmp_path / "labeled-data" / "cam1", "img007.png")
    head = ["scorer,lp,lp", "bodyparts,nose,nose", "coords,x,y"]
    (tmp_path / "CollectedData.csv").write_text("\n".join([*head, f"{row},1,2", f"{row},1,", ""]))
    done = import_labels(tmp_path / "CollectedData.csv", tmp_path / "new")
    assert Labels.read_project(done.project).points.tolist() == [[[1, 2]]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected rows with points, found none with any"),
        (["labeled-data/cam1/img007.png,,"], "expected rows with points, found none with any"),
        (["0,1,2", "1,1,2"], "expected labels, whose rows name images, found rows numbered by frame"),
    ],
)
def test_a_table_of_no_labels_makes_no_project(rows, message, tmp_path):
    head = ["scorer,lp,lp", "bodyparts,nose,nose", "coords,x,y"]
    (tmp_path / "a.csv").write_text("\n".join([*head, *rows, ""]))
    with pytest.raises(ExchangeError, match=message):
        import_labels(tmp_path / "a.csv", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def changed_coco(picture, folder, change):
    """A data set of one image, with its JSON changed."""
    pictures(picture, folder, "1.png")
    path = coco(folder / "a.json", ["1.png"], [(0, [1, 1, 2] * 3)])
    data = json.loads(path.read_text())
    path.write_text(json.dumps(change(data) or data))
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["categories"][0].update(skeleton=[[1, 3], [1, 9], [0, 2]]),
        lambda data: data["images"][0].update(id=str(data["images"][0]["id"])),
    ],
)
def test_coco_that_is_a_little_off_is_read(change, picture, tmp_path):
    done = import_labels(changed_coco(picture, tmp_path, change), tmp_path / "new", scorer="Ann")
    assert Labels.read_project(done.project).points.shape == (1, 3, 2)
    assert done.project.skeleton.edges == (("nose", "tail"),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda data: data["annotations"][0].update(image_id=99),
            "is of the image 99, expected one of the 1 in the file",
        ),
        (
            lambda data: data["annotations"][0].update(keypoints=[1, 2, 2]),
            "expected x, y and visibility of 3 keypoints",
        ),
        (
            lambda data: data["images"][0].pop("file_name") and None,
            "expected an id and a file_name of its own for each",
        ),
        (
            lambda data: data["annotations"][0].update(keypoints=[0] * 9),
            "expected images with keypoints, found none with",
        ),
        (lambda data: {"shapes": []}, "found one without a list of images and of annotations and of categories"),
        (lambda data: {**data, "images": [1]}, "found other lists"),
    ],
)
def test_what_is_wrong_with_coco_is_said_in_plain_words(change, message, picture, tmp_path):
    with pytest.raises(ExchangeError, match=message) as caught:
        import_labels(changed_coco(picture, tmp_path, change), tmp_path / "new", scorer="Ann")
    assert "Error" not in str(caught.value)


# --- bad input, and programs that end too soon


@pytest.mark.parametrize("name", ["a.slp", "a.json", "a.csv", "a.h5", "a.txt"])
@pytest.mark.parametrize("data", [b"", b"{}", b"\x89HDF\r\n\x1a\n" + b"\0" * 99, b"a,b\nc,d\n", b"[" * 100_000])
def test_another_file_is_one_clear_line(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    done = run("import", tmp_path / name, "--to", tmp_path / "new", "--scorer", "Ann", "--json", code=1)
    assert name in json.loads(done.stdout)["error"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ExchangeError, match="no file"):
        import_labels(tmp_path / "a.json", tmp_path / "new", scorer="Ann")


def test_a_folder_that_is_no_project_is_not_filled(files, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExchangeError, match="exists already and is not a project"):
        import_labels(files["csv"], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@needs_fork
def test_killed_at_every_disk_call_into_a_new_project(picture, tmp_path):
    pictures(picture, tmp_path / "from", "1.png", "2.png")
    path = coco(tmp_path / "from" / "a.json", ["1.png", "2.png"], [(0, [1, 1, 2] * 3), (1, [3, 3, 2] * 3)])
    import_labels(path, tmp_path / "whole", scorer="Ann")
    at, calls = 0, ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync", "write")
    while killed(lambda: import_labels(path, tmp_path / "new", scorer="Ann"), at := at + 1, calls):
        if (tmp_path / "new").exists():  # whole or not at all
            assert len(Labels.read_project(Project.open(tmp_path / "new"))) == 2
            shutil.rmtree(tmp_path / "new")
    assert at > 20


@needs_fork
def test_killed_at_every_disk_call_into_a_project(picture, tmp_path):
    pictures(picture, tmp_path / "from", "1.png", "2.png")
    path = coco(tmp_path / "from" / "a.json", ["1.png", "2.png"], [(0, [1, 1, 2] * 3), (1, [3, 3, 2] * 3)])
    at, died = 0, True
    while died:
        shutil.rmtree(tmp_path / "to", ignore_errors=True)
        project = Project.create("to", "Ann", (), PARTS, parent=tmp_path, folder="to")
        died = killed(lambda: import_labels(path, tmp_path / "to"), at := at + 1)
        import_labels(path, project.root)  # completes it
        found = Labels.read_project(project)
        assert (found.images, found.points[:, 0, 0].tolist()) == (FROM, [0.5, 2.5])
        assert not list(project.root.rglob("*.json"))
    assert at > 20


FROM = ("labeled-data/a/1.png", "labeled-data/a/2.png")


def test_the_command(files, tmp_path):
    done = json.loads(run("import", files["slp"], "--to", tmp_path / "new", "--json").stdout)
    assert (done["project"], done["made"], done["images"]) == (str(tmp_path / "new"), True, 5)
    text = run("import", files["coco"], "--to", tmp_path / "new").stdout
    assert "Added to" in text
    assert "Next: dlcnb train" in text
