"""Upload: pieces arrive in their order, whole files take their name, all else leaves nothing."""

import os

import pytest

from dlcnb.widgets.base.upload import Upload


class Sent(Upload):
    """An upload whose answers to the page are kept."""

    def send(self, content, buffers=None):
        self.__dict__.setdefault("told", []).append(content)


@pytest.fixture
def made(tmp_path):
    arrived, failed = [], []
    one = Sent(lambda: tmp_path / "in", arrived.append, failed.append, accept=(".mp4",))
    one.arrived, one.failed = arrived, failed
    yield one
    one.close()


def page(made, name, data, piece=4, size=None):
    """What a page sends for a file, piece by piece as it is told to go on."""
    size = len(data) if size is None else size
    made._handle_custom_msg({"type": "begin", "id": "1", "name": name, "size": size}, [])
    while made.told[-1]["type"] == "go":
        at = made.told[-1]["at"]
        if at >= len(data):
            made._handle_custom_msg({"type": "end", "id": "1"}, [])
        else:
            made._handle_custom_msg({"type": "piece", "id": "1", "at": at}, [memoryview(data[at : at + piece])])


def test_a_file_arrives_whole(made, tmp_path):
    page(made, "a.mp4", b"0123456789")
    assert made.arrived == [tmp_path / "in/a.mp4"]
    assert made.arrived[0].read_bytes() == b"0123456789"
    assert os.listdir(tmp_path / "in") == ["a.mp4"]
    assert made.told[-1]["type"] == "next"


def test_an_empty_file_arrives_too(made):
    page(made, "a.mp4", b"")
    assert made.arrived[0].read_bytes() == b""


@pytest.mark.parametrize("name", ["../../a.mp4", "C:\\films\\a.mp4", "/etc/a.mp4"])
def test_a_path_is_cut_to_its_name(made, tmp_path, name):
    page(made, name, b"x")
    assert made.arrived == [tmp_path / "in/a.mp4"]


ODD = ["", "..", ".bashrc", "a/", " ", "a\0b.mp4", "a\n.mp4", "a.", "a ", "con.mp4", "LPT1", "\ud800.mp4", "ä" * 300]


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_is_none_is_refused_in_one_line(made, name):
    page(made, name, b"x")
    assert str(made.failed[0]).startswith("The file's name ")
    assert len(str(made.failed[0]).splitlines()) == 1
    assert not made.arrived


def test_what_breaks_off_leaves_nothing(made, tmp_path):
    made._handle_custom_msg({"type": "begin", "id": "1", "name": "a.mp4", "size": 10}, [])
    made._handle_custom_msg({"type": "piece", "id": "1", "at": 0}, [b"01"])
    made._handle_custom_msg({"type": "stop", "id": "1"}, [])
    assert os.listdir(tmp_path / "in") == []
    page(made, "a.mp4", b"0123", size=10)
    assert "expected 10 bytes, 4 arrived" in str(made.failed[0])
    assert os.listdir(tmp_path / "in") == []
    made._handle_custom_msg({"type": "begin", "id": "2", "name": "a.mp4", "size": 10}, [])
    made.close()
    assert os.listdir(tmp_path / "in") == []


def test_what_a_killed_kernel_left_of_a_file_is_in_nobodys_way(made, tmp_path):
    made._handle_custom_msg({"type": "begin", "id": "1", "name": "a.mp4", "size": 10}, [])
    again = Sent(lambda: tmp_path / "in", made.arrived.append, made.failed.append)
    page(again, "a.mp4", b"whole")
    assert (made.failed, made.arrived[0].read_bytes()) == ([], b"whole")
    made._handle_custom_msg({"type": "piece", "id": "1", "at": 0}, [b"0123456789"])
    made._handle_custom_msg({"type": "end", "id": "1"}, [])  # the one before comes late
    assert "uploaded already" in str(made.failed[0])
    assert os.listdir(tmp_path / "in") == ["a.mp4"]
    assert made.arrived[0].read_bytes() == b"whole"


def test_a_second_one_of_the_same_name_is_refused(made, tmp_path):
    page(made, "a.mp4", b"0")
    page(made, "a.mp4", b"1")
    assert "uploaded already" in str(made.failed[0])
    assert made.arrived[0].read_bytes() == b"0"


def test_a_file_that_is_too_large_is_refused_before_it_begins(made):
    page(made, "a.mp4", b"", size=10**18)
    assert "are free" in str(made.failed[0])


def test_a_piece_that_comes_twice_is_written_once(made):
    made._handle_custom_msg({"type": "begin", "id": "1", "name": "a.mp4", "size": 2}, [])
    for _ in range(2):
        made._handle_custom_msg({"type": "piece", "id": "1", "at": 0}, [b"01"])
    made._handle_custom_msg({"type": "end", "id": "1"}, [])
    assert made.arrived[0].read_bytes() == b"01"


def test_more_than_was_announced_is_refused_at_once(made, tmp_path):
    page(made, "a.mp4", b"0123456789", size=6)
    assert "expected 6 bytes, more arrived" in str(made.failed[0])
    assert os.listdir(tmp_path / "in") == []
