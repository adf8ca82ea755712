"""Score-maps survive their file, and lie on the frame where the network saw them."""

import zipfile

import numpy as np
import pytest

from dlcnb import targets
from dlcnb.evaluate import ScoreMaps, ScoreMapWriter, maps_path

PARTS = ("snout", "tail")
SIZE = (120, 170)  # of the frame, px
RATIO = (0.8, 0.75)


@pytest.fixture
def point():
    return np.array([[100.0, 40.0], [20.0, 90.0]])


@pytest.fixture
def written(tmp_path, point):
    """Maps of two images; the second is all background."""
    small = round(SIZE[0] * RATIO[1]), round(SIZE[1] * RATIO[0])
    scaled = (point + 0.5) * RATIO - 0.5
    score, _ = targets.encode(scaled[None], small, radius=17)
    path = maps_path(tmp_path, 40)
    with ScoreMapWriter(path, PARTS) as writer:
        writer.add("a.png", np.clip(score[0], 1e-4, 0.98), RATIO)
        writer.add("b.png", np.full_like(score[0], 1e-4), RATIO)
    return path


def test_probabilities_read_back_to_a_few_percent(written):
    maps = ScoreMaps(written)
    assert maps.images == ("a.png", "b.png")
    assert maps.bodyparts == PARTS
    found = maps.score("a.png")
    assert found.max() == pytest.approx(0.98, abs=0.002)
    assert found.min() == pytest.approx(1e-4, rel=0.06)
    assert maps.score("b.png").max() < 2e-4


@pytest.mark.parametrize("k", [0, 1])
def test_a_map_lies_on_its_bodypart(written, point, k):
    found = ScoreMaps(written).on_frame("a.png", PARTS[k], SIZE)
    assert found.shape == SIZE
    y, x = np.indices(SIZE)
    centre = (found * x).sum() / found.sum(), (found * y).sum() / found.sum()
    np.testing.assert_allclose(centre, point[k], atol=3)


def test_the_logarithm_shows_what_is_unlikely(written):
    log = ScoreMaps(written).on_frame("b.png", "snout", SIZE, log=True)
    np.testing.assert_allclose(log, 0.2, atol=0.01)


def test_an_error_while_writing_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError), ScoreMapWriter(tmp_path / "maps.zip", PARTS):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("about", ["[1]", "{}", '{"images": 3, "bodyparts": 4}', "[" * 100_000])
def test_an_archive_of_something_else_is_told(tmp_path, about):
    with zipfile.ZipFile(tmp_path / "maps.zip", "w") as archive:
        archive.writestr("about.json", about)
    with pytest.raises(ValueError, match="evaluate again"):
        ScoreMaps(tmp_path / "maps.zip")


def test_a_map_that_unpacks_to_gigabytes_is_not_read(written):
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("more.npy", "w") as file:
        for _ in range(66):
            file.write(bytes(1 << 20))
    with pytest.raises(ValueError, match=r"69 MB packed into .*evaluate again"):
        ScoreMaps(written)


def test_rubbish_is_told(tmp_path):
    (tmp_path / "maps.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="evaluate again"):
        ScoreMaps(tmp_path / "maps.zip")
    with pytest.raises(FileNotFoundError):
        ScoreMaps(tmp_path / "none.zip")
