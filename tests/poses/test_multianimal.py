"""Tables of several animals, round and as DeepLabCut and pandas see them."""

import numpy as np
import pandas as pd
import pytest

from dlcnb.poses import find_poses, newest_poses, pose_tables, poses_path, read_poses
from dlcnb.poses.multianimal import MultiAnimalPoses
from dlcnb.tables.errors import TableError

NAN = np.nan
PARTS, WHO = ("snout", "tail"), ("individual1", "individual2", "individual3")


def poses(count=7):
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 600, (count, 3, 2, 2))
    points[2:4, 1] = NAN
    likelihood = np.where(np.isnan(points[..., 0]), NAN, rng.uniform(0, 1, points.shape[:-1]))
    return MultiAnimalPoses(WHO, PARTS, "DLC_net_9", points, likelihood)


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("kind", [".h5", ".csv"])
def test_a_table_comes_back_as_it_was_written(tmp_path, kind, count):
    before = poses(count)
    written = before.write(tmp_path / "clip.mp4", suffix="_el")
    assert [p.name for p in written] == ["clipDLC_net_9_el.h5", "clipDLC_net_9_el.csv"]
    after = MultiAnimalPoses.read(written[0].with_suffix(kind))
    assert (after.individuals, after.bodyparts, after.scorer) == (WHO, PARTS, "DLC_net_9")
    np.testing.assert_array_equal(after.points, before.points)
    np.testing.assert_array_equal(after.likelihood, before.likelihood)


def test_pandas_reads_the_h5_as_deeplabcut_does(tmp_path):
    before = poses()
    path, text = before.write(tmp_path / "clip.mp4")
    table = pd.read_hdf(path, "df_with_missing")
    assert table.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    found = table["DLC_net_9"]["individual2"]["tail"]
    np.testing.assert_array_equal(found[["x", "y"]], before.points[:, 1, 1])
    same = pd.read_csv(text, header=[0, 1, 2, 3], index_col=0)
    np.testing.assert_allclose(same.to_numpy(), table.to_numpy())


def test_individuals_with_other_bodyparts_and_rows_that_are_missing(tmp_path):
    columns = [("s", "mus1", "snout", c) for c in ("x", "y", "likelihood")]
    columns += [("s", "single", "corner", c) for c in ("x", "y", "likelihood")]
    header = pd.MultiIndex.from_tuples(columns, names=["scorer", "individuals", "bodyparts", "coords"])
    table = pd.DataFrame(np.arange(12.0).reshape(2, 6), columns=header, index=[1, 3])
    for path in (tmp_path / "a.csv", tmp_path / "a.h5"):
        table.to_csv(path) if path.suffix == ".csv" else table.to_hdf(path, key="df_with_missing")
        found = MultiAnimalPoses.read(path)
        assert (found.individuals, found.bodyparts) == (("mus1", "single"), ("snout", "corner"))
        assert found.points.shape == (4, 2, 2, 2)
        np.testing.assert_array_equal(found.points[3, 1, 1], [9, 10])
        assert np.isnan(found.points[[0, 2]]).all()
        assert np.isnan(found.points[:, 0, 1]).all()


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_a_superanimal_fills_what_it_did_not_find_and_animals_that_are_not_there(tmp_path, suffix):
    values = np.full((4, 3, 2, 3), -1.0)  # room for three animals, as DeepLabCut 3 fills it
    values[:, 0] = 5.0, 7.0, 0.9
    values[1, 0, 1] = -1
    scorer = "superanimal_quadruped_hrnet_w32_fasterrcnn_resnet50_fpn_v2"
    names = [[scorer], ["animal0", "animal1", "animal2"], PARTS, ["x", "y", "likelihood"]]
    header = pd.MultiIndex.from_product(names, names=["scorer", "individuals", "bodyparts", "coords"])
    table = pd.DataFrame(values.reshape(4, -1), columns=header)
    path = tmp_path / f"clip_{scorer}{suffix}"
    table.to_csv(path) if suffix == ".csv" else table.to_hdf(path, key="df_with_missing")

    assert newest_poses(tmp_path / "clip.mp4") == path
    assert pose_tables(tmp_path / "clip.mp4") == [path]
    found = read_poses(path)
    assert found.bodyparts == ("animal0 snout", "animal0 tail")
    np.testing.assert_array_equal(found.points[0], [[5, 7], [5, 7]])
    assert np.isnan(found.points[1, 1]).all()
    assert np.isnan(found.likelihood[1, 1])
    assert np.isnan(read_poses(path, "animal2").points).all()


def test_what_is_filtered_of_a_superanimal_is_found_again(tmp_path):
    video = tmp_path / "clip.mp4"
    points = np.ones((4, 1, 2, 2))
    found = MultiAnimalPoses(("animal0",), PARTS, "superanimal_bird_resnet_50", points, points[..., 0])
    found.write(poses_path(video, found.scorer), suffix="_el_filtered")
    stem = "clip_superanimal_bird_resnet_50_el_filtered"
    assert find_poses(video, filtered=True, several=True).stem == stem


def test_a_network_s_table_of_another_video_that_is_named_like_a_superanimal_s_is_none_of_this_one(tmp_path):
    table = tmp_path / "clip_superanimal_xDLC_Resnet50_tMar5shuffle1_snapshot_5.h5"
    table.touch()
    assert pose_tables(tmp_path / "clip.mp4") == []
    assert pose_tables(tmp_path / "clip_superanimal_x.mp4") == [table]


def test_one_animal_of_several():
    found = poses()
    one = found.animal("individual2")
    np.testing.assert_array_equal(one.points, found.points[:, 1])
    with pytest.raises(TableError, match="did you mean 'individual3'"):
        found.animal("individul3")


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(TableError, match="individuals"):
        MultiAnimalPoses(("a",), PARTS, "s", np.zeros((3, 2, 2, 2)), np.zeros((3, 2, 2)))
    with pytest.raises(TableError, match="twice"):
        MultiAnimalPoses(("a", "a"), PARTS, "s", np.zeros((3, 2, 2, 2)), np.zeros((3, 2, 2)))
    _, text = poses().write(tmp_path / "clip.mp4")
    lines = text.read_text().splitlines()
    for name, content in {
        "cut": lines[:-1] + [lines[-1][:40]],
        "words": lines[:-1] + [lines[-1].replace("6,", "six,", 1)],
        "twice": lines + [lines[-1]],
        "single": [lines[0], *lines[2:]],
        "empty": [],
    }.items():
        bad = tmp_path / f"{name}.csv"
        bad.write_text("\n".join(content))
        with pytest.raises(TableError, match=name):
            MultiAnimalPoses.read(bad)


def test_all_animals_together():
    found = poses()
    whole = found.together()
    count = len(PARTS)
    assert whole.bodyparts[count : 2 * count] == tuple(f"individual2 {part}" for part in PARTS)
    np.testing.assert_array_equal(whole.points[:, count : 2 * count], found.points[:, 1])
    np.testing.assert_array_equal(whole.likelihood[:, :count], found.likelihood[:, 0])
