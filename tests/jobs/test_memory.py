import pytest

from dlcnb.jobs import memory
from dlcnb.trainset import TrainConfig


def test_the_control_group_counts_where_it_leaves_less(tmp_path):
    (tmp_path / "memory.max").write_text(str(600 * 2**20))
    (tmp_path / "memory.current").write_text(str(500 * 2**20))
    assert memory.available_mb(tmp_path) == pytest.approx(100)


def test_cached_files_are_free_and_inner_groups_count(tmp_path):
    own, group = tmp_path / "cgroup", tmp_path / "job" / "inner"
    group.mkdir(parents=True)
    own.write_text("0::/job/inner\n")
    for folder, most in ((group, 800), (group.parent, 600)):
        (folder / "memory.max").write_text(str(most * 2**20))
        (folder / "memory.current").write_text(str(500 * 2**20))
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {50 * 2**20}\n")
    (group / "memory.events").write_text("oom 1\noom_kill 3\n")
    assert memory.available_mb(tmp_path, own) == pytest.approx(150)
    assert memory.oom_kills(tmp_path, own) == 3


def test_groups_of_version_1_are_known_too(tmp_path):
    own, group = tmp_path / "cgroup", tmp_path / "memory" / "job"
    group.mkdir(parents=True)
    own.write_text("4:memory:/job\n2:cpu,cpuacct:/\n")
    (group / "memory.limit_in_bytes").write_text(str(600 * 2**20))
    (group / "memory.usage_in_bytes").write_text(str(500 * 2**20))
    assert memory.available_mb(tmp_path, own) == pytest.approx(100)
    assert memory.oom_kills(tmp_path, own) is None


@pytest.mark.parametrize("limit", ["max\n", None])
def test_without_a_limit_the_machine_counts(tmp_path, limit):
    if limit:
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text("1")
    assert memory.available_mb(tmp_path) > 100


def test_more_pixels_and_deeper_networks_need_more():
    def needed(**settings):
        return memory.needed_mb(TrainConfig(steps=1, crop_size=256, **settings), (480, 640))

    small = needed(batch_size=2)
    assert needed(batch_size=8) > small
    assert needed(batch_size=8, backbone="resnet-101") > 2 * small
    whole = TrainConfig.preset("paper", steps=1)
    assert memory.needed_mb(whole, (1080, 1920)) > memory.needed_mb(whole, (480, 640))


def test_a_shortage_says_what_to_change():
    huge = TrainConfig(steps=1, batch_size=4096, crop_size=2048)
    assert "batch size" in memory.shortage(huge, (480, 640))
    assert memory.shortage(TrainConfig(steps=1, batch_size=1, crop_size=32), (480, 640)) is None
