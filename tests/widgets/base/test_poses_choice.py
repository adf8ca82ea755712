"""Which poses are looked at: all tables of a video, one animal of several or all."""

import os

import numpy as np
import pytest
from support.widgets import painted

from dlcnb import FrameMap, OutlierQueue, Player, TrajectoryView, sampledata
from dlcnb.poses import MultiAnimalPoses, Poses, bone_edges, newest_poses, pose_tables
from dlcnb.widgets.base.poses_choice import ALL, PosesChoice, table_names

FRAMES, WHO = 40, ("individual1", "individual2")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose video has poses of two networks: of one animal, then of two."""
    arena = sampledata.Arena(n_frames=FRAMES, size=(120, 160))
    made = sampledata.synthetic_project(tmp_path_factory.mktemp("choice"), n_label=4, arena=arena)
    points = sampledata.arena_poses(arena)
    likelihood = np.full(points.shape[:2], 0.9)
    old, new = (f"DLC_EfficientnetLite0_arenaNov28{name}" for name in ("shuffle1_snapshot_30", "shuffle2_snapshot_8"))
    one = Poses(made.bodyparts, old, points, likelihood).write(made.videos[0])
    both = np.stack([points, points[::-1] + 5], axis=1)
    several = MultiAnimalPoses(WHO, made.bodyparts, new, both, np.full(both.shape[:3], 0.8))
    for seconds, path in enumerate([*one, *several.write(made.videos[0], "_el")]):
        os.utime(path, (1e9 + seconds, 1e9 + seconds))
    return made


def tables(project):
    return pose_tables(project.videos[0])


def test_all_tables_are_listed_the_newest_first(project):
    found = tables(project)
    assert [path.suffix for path in found] == [".h5", ".h5"]
    words = table_names(found, project.videos[0])
    assert words[0].startswith("shuffle 2 · step 8 · several animals · ")
    assert words[1].startswith("shuffle 1 · step 30 · ")
    assert newest_poses(project.videos[0]).stem == found[1].stem  # of one animal, where there is one


@pytest.mark.parametrize(
    ("rests", "names"),
    [
        (["DLC_Net_tNov28shuffle1_snapshot_30"], ["shuffle 1 · step 30 · 09 Sep"]),
        (
            ["DLC_Net_tNov28shuffle1_snapshot_30", "DLC_Net_tNov28shuffle1_snapshot_400"],
            ["step 30 · 09 Sep", "step 400 · 09 Sep"],
        ),
        (
            ["DLC_Net_tNov28shuffle1_snapshot_30", "DLC_Net_tNov28shuffle1_snapshot_30_filtered"],
            ["09 Sep", "filtered · 09 Sep"],
        ),
        (
            ["_superanimal_bird_hrnet_w32_resnet50", "_superanimal_bird_hrnet_w32_mobilenet_filtered"],
            ["…resnet50 · 09 Sep", "…mobilenet · filtered · 09 Sep"],
        ),
        (
            ["_superanimal_bird_hrnet_w32_resnet50", "DLC_test", "_superanimal_bird_hrnet_w32"],
            ["…w32_resnet50 · several animals · ", "DLC_test · 09 Sep", "…w32 · several animals · "],
        ),
        (["DLC_sleap", "DLC_test"], ["DLC_sleap · 09 Sep", "DLC_test · 09 Sep"]),
    ],
)
def test_what_tells_tables_apart_comes_first(tmp_path, rests, names):
    tables = [tmp_path / f"cam1{rest}.h5" for rest in rests]
    for seconds, table in enumerate(tables):
        table.touch()
        os.utime(table, (1e9 + 60 * seconds,) * 2)
    found = table_names(tables, tmp_path / "cam1.mp4")
    assert all(name.startswith(start) for name, start in zip(found, names, strict=True))
    assert len({name[:13] for name in found}) == len(found)


def test_a_table_of_a_part_of_the_frames_says_so(project):
    several, one = tables(project)
    note = one.with_name(f"{one.stem}_meta.json")
    note.write_text('{"key": {"crop": [0, 640, 277, 480]}}')
    choice = PosesChoice(project.videos[0], one, print, print)
    assert "only x 0 to 640, y 277 to 480 was looked at" in choice.part.value
    choice.tables.value = several
    assert choice.part.layout.display == "none"
    note.unlink()


def test_bones_of_each_animal(project):
    poses = MultiAnimalPoses.read(tables(project)[0]).together()
    edges = bone_edges(poses.bodyparts, [("snout", "leftear"), ("snout", "nose")])
    assert edges.tolist() == [[0, 1], [4, 5]]


def test_a_choice_that_can_not_be_read_changes_nothing(project):
    told = []
    one, several = tables(project)[1], tables(project)[0]

    def refuse(_):
        raise ValueError("of another video")

    choice = PosesChoice(project.videos[0], one, refuse, told.append)
    choice.tables.value = several
    assert [str(error) for error in told] == ["of another video"]
    assert choice.tables.value == choice.table == one
    assert choice.animals.layout.display == "none"
    choice.row.close()


def test_a_newer_table_that_can_not_be_read_is_told_and_passed_over(project, caplog):
    damaged = project.videos[0].with_name("arenaDLC_damagedshuffle3_9.h5")
    damaged.write_bytes(b"no table")
    try:
        choice = PosesChoice(project.videos[0], None, print, print)
        assert choice.table == tables(project)[2]
        assert "arenaDLC_damaged" in caplog.text
        assert "The next older poses are shown" in caplog.text
        choice.row.close()
    finally:
        damaged.unlink()


def test_without_any_that_can_be_read_the_newest_is_told(project, tmp_path):
    video = tmp_path / "arena.mp4"
    video.with_name("arenaDLC_damagedshuffle3_9.h5").write_bytes(b"no table")
    with pytest.raises(ValueError, match="arenaDLC_damaged"):
        PosesChoice(video, None, print, print)


class TestWidgets:
    @pytest.fixture
    def view(self, project):
        yield from painted(TrajectoryView(project))

    def test_trajectories_of_all_or_one(self, view, project):
        assert view.state.bodyparts == tuple(project.bodyparts)
        view.choice.tables.value = tables(project)[0]
        assert len(view.state.poses.bodyparts) == 8
        assert [box.description for _, box in view.controls.boxes][4] == "individual2 snout"
        assert view.choice.animals.options == (ALL, *WHO)
        view.choice.animals.value = WHO[1]
        assert view.state.poses.bodyparts == tuple(project.bodyparts)
        assert view.wait()
        np.testing.assert_array_equal(view.player.state.points, view.state.poses.points)
        assert view.player.state.points[0, 0, 0] == MultiAnimalPoses.read(tables(project)[0]).points[0, 1, 0, 0]
        view.choice.tables.value = tables(project)[1]
        assert view.choice.animals.layout.display == "none"

    def test_the_player_draws_the_skeleton_of_each(self, project):
        for player in painted(Player(project.videos[0], tables(project)[0], project=project)):
            assert len(player.bodyparts) == 8
            assert len(player._edges) == 2 * len(project.skeleton.edges)
            player.choice.animals.value = WHO[0]
            assert player.bodyparts == tuple(project.bodyparts)
            assert player.choice.row in player._rows[0].children

    def test_the_map_and_the_queue_take_one_animal(self, project):
        for widget in (FrameMap, OutlierQueue):
            made = widget(project, poses=tables(project)[0])
            assert made.choice.animals.options == WHO
            assert made.state.poses.bodyparts == tuple(project.bodyparts)
            made.choice.animals.value = WHO[1]
            assert made.state.poses.points[0, 0, 0] == MultiAnimalPoses.read(tables(project)[0]).points[0, 1, 0, 0]
            made.close()

    def test_a_player_without_a_choice_has_no_lists(self, project):
        for player in painted(Player(project.videos[0], Poses.read(tables(project)[1]), project=project)):
            assert not hasattr(player, "choice")
