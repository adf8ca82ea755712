"""Extracted frames: which files they are, read in one way everywhere; missing and damaged ones are told in time."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from dlcnb import frames
from dlcnb.labels import (
    Edit,
    LabelError,
    Labels,
    LabelStore,
    doctor,
    frame_images,
    image_problem,
    image_size,
    migrate,
    read_image,
)
from dlcnb.project import Project, ProjectError
from dlcnb.trainset import TrainSet
from dlcnb.video import VideoWriter

PARTS = ("hand", "elbow", "nose")


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def gradient():
    """A picture ``(30, 40, 3)`` of which no two corners agree."""
    y, x = np.mgrid[:30, :40]
    return np.stack([6 * x, 8 * y, 255 - 6 * x], -1).astype(np.uint8)


def png(width, height):
    """The beginning and the end of a 1-bit PNG of any size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


# --- pixels


@pytest.mark.parametrize("name", ["img1.png", "Mäuse 鼠/img1.png", "img1.bmp"])
def test_pixels_and_names_beyond_ascii(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(gradient()).save(path)
    np.testing.assert_array_equal(read_image(path), gradient())
    assert image_size(path) == (30, 40)
    assert image_problem(path) is None


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("grey", [True, False])
def test_of_16_bits_those_that_are_used(tmp_path, bits, grey):
    values = np.linspace(0, 2**bits - 1, 40 * 30).reshape(30, 40).astype(np.uint16)
    image = values if grey else np.stack([values, values // 2, values // 4], -1)
    cv2.imwrite(str(tmp_path / "a.png"), image if grey else image[..., ::-1])
    found = read_image(tmp_path / "a.png")
    assert found.dtype == np.uint8
    expected = np.repeat(values[..., None], 3, -1) if grey else image
    np.testing.assert_array_equal(found, expected >> (bits - 8))
    assert found.max() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    image = np.repeat(np.repeat(gradient()[::10, ::10], 32, 0), 32, 1)
    Image.fromarray(image).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = read_image(tmp_path / "a.jpg")
    expected = {1: image, 3: image[::-1, ::-1], 6: np.rot90(image, -1), 8: np.rot90(image)}.get(orientation)
    assert found.shape[:2] == image_size(tmp_path / "a.jpg")
    assert (found.shape[0] > found.shape[1]) == (orientation >= 5)
    if expected is not None:
        assert np.abs(found.astype(int) - expected).mean() < 6


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut png", "cut jpg", "folder", "huge"])
def test_what_is_no_picture(tmp_path, kind):
    path = tmp_path / "img1.png"
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    if kind == "folder":
        path.mkdir()
    elif kind.startswith("cut"):
        noise.save(path, "PNG" if kind == "cut png" else "JPEG")
        path.write_bytes(path.read_bytes()[:4000])
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"hello", "huge": png(30_000, 30_000)}[kind])
    expected = {
        "missing": "is missing",
        "folder": "is not a file",
        "huge": "has 30000 × 30000 pixels, more than a frame of a video",
    }.get(kind, "is damaged: it is not an image; delete it and extract this frame again")
    with pytest.raises(LabelError, match=expected):
        read_image(path)
    assert expected in image_problem(path)


def test_a_picture_of_another_kind_is_told_before_it_is_read(tmp_path):
    path = tmp_path / "img1.png"
    frames = [Image.fromarray(np.full((48, 64, 3), grey, np.uint8)) for grey in (40, 200)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    assert image_problem(path) == f"{path}: expected a PNG or JPEG picture, found GIF; save it as PNG under this name"
    with pytest.raises(LabelError, match="found GIF"):
        read_image(path)
    for kind in ("PNG", "WEBP"):  # of one that moves it is the first picture
        frames[0].save(path, kind, save_all=True, append_images=frames[1:])
        assert image_problem(path) is None
        assert abs(int(read_image(path)[0, 0, 0]) - 40) < 4


def test_numbers_that_are_no_colours_are_told_once(tmp_path, capfd):
    path = tmp_path / "img1.tif"
    Image.fromarray(np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)).save(path)
    with pytest.raises(LabelError, match="expected a PNG or JPEG picture, found TIFF; save it as PNG"):
        read_image(path)
    assert not capfd.readouterr().err


# --- files


def test_which_files_are_frames(tmp_path):
    real = ["img01.png", "img02.JPG", "frame-7.jpeg", "img03.tif", "img04.webp", "img05.bmp"]
    for name in [*real, "._img01.png", "img01labeled.png", "img01 - Copy.png", "img01 (1).png", "a.txt", "b.csv"]:
        (tmp_path / name).write_bytes(b"")
    assert frame_images(tmp_path) == sorted(real)
    assert frame_images(tmp_path / "nowhere") == []
    assert frames.extracted(tmp_path)[2] == tmp_path / "img02.JPG"


def test_stray_files_beside_labels(project):
    store = LabelStore(project, "cam1")
    store.apply([Edit(img(0), part, (1, 1)) for part in PARTS])
    store.save()
    table = store.folder / "CollectedData_Ann.csv"
    for name in ("CollectedData_Ann - Copy.csv", "CollectedData_Ann copy.csv", "._CollectedData_Ann.csv"):
        (store.folder / name).write_bytes(table.read_bytes())
    Image.new("RGB", (64, 48)).save(store.folder / "img00labeled.png")
    assert Labels.read(store.folder).images == (img(0),)
    assert LabelStore(project, "cam1").images == store.images
    told = [finding.message for finding in doctor(project.root)]
    assert any("1 pictures are passed over by their names: img00labeled.png" in message for message in told)


# --- told before training


@pytest.fixture
def labeled(project):
    store = LabelStore(project, "cam1")
    for n in range(0, 15, 3):
        store.apply([Edit(img(n), part, (n + 1, 1)) for part in PARTS])
    store.save()
    return project


def test_frames_without_an_image_are_left_out_and_their_rows_taken_out(labeled, caplog):
    folder = labeled.labeled_dir("cam1")
    (folder / "img03.png").unlink()
    (folder / "img06.png").write_bytes((folder / "img06.png").read_bytes()[:-20])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".h5", ".jsonl")}
    assert TrainSet.from_project(labeled).images == (img(0), img(9), img(12))
    assert "2 of 5 labeled frames are left out" in caplog.text
    told = [f.message for f in doctor(labeled.root, repair=True) if f.repaired]
    assert any("1 labeled images are missing: img03.png" in message for message in told)
    assert any("1 images can't be opened: img06.png" in message for message in told)
    assert Labels.read(folder).images == (img(0), img(9), img(12))
    assert img(3) not in LabelStore(labeled, "cam1").images
    assert not [f for f in doctor(labeled.root) if f.level == "error"]
    migrate.undo_last(labeled)
    assert all((folder / name).read_bytes() == data for name, data in before.items())


def test_no_image_at_all_is_an_error_before_training(labeled):
    for path in labeled.labeled_dir("cam1").glob("*.png"):
        path.unlink()
    with pytest.raises(ProjectError, match=r"5 of 5 labeled frames are left out.*is missing"):
        TrainSet.from_project(labeled)


def test_doctor_tells_of_labels_beyond_the_video_and_of_mixed_sizes(labeled):
    (labeled.root / "videos").mkdir()
    with VideoWriter(labeled.root / "videos" / "cam1.mp4", (48, 64), 30) as video:
        for _ in range(8):
            video.write(np.zeros((48, 64, 3), np.uint8))
    labeled.config["video_sets"] = {str(labeled.root / "videos" / "cam1.mp4"): {"crop": "0, 64, 0, 48"}}
    labeled.save()
    Image.new("RGB", (20, 20)).save(labeled.labeled_dir("cam1") / "img00.png")
    told = [f.message for f in doctor(Project.open(labeled.root).root)]
    assert any("2 labels lie beyond the end of the video (8 frames): img09.png, img12.png" in m for m in told)
    assert any("images of different sizes (20 × 20, 64 × 48 px)" in m for m in told)


def test_doctor_tells_of_images_that_are_crops_of_their_video(labeled):
    (labeled.root / "videos").mkdir()
    with VideoWriter(labeled.root / "videos" / "cam1.mp4", (60, 80), 30) as video:
        video.write(np.zeros((60, 80, 3), np.uint8))
    labeled.config["video_sets"] = {str(labeled.root / "videos" / "cam1.mp4"): {"crop": "0, 80, 0, 60"}}
    labeled.save()
    told = [f.message for f in doctor(labeled.root)]
    assert any("has images of 64 × 48 px, the video 80 × 60: labels count from a crop's corner" in m for m in told)
