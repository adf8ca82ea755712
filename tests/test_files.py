"""Arrays of a stranger's file are looked at before they are read; what can't be written is said once, in one line."""

import errno
import io
import os
import shlex
import zipfile

import numpy as np
import pytest

from dlcnb.files import atomic_write, disk_error, make_folder, quoted, read_arrays, read_json


def claims(shape):
    """An npy file whose head claims more than follows."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(8)


def stored(path, name, data, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr(name, data)
    return path


def test_arrays_come_as_they_were_saved(tmp_path):
    with open(tmp_path / "a.npz", "wb") as file:
        np.savez(file, points=np.arange(6.0), empty=np.zeros(0))
    found = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(found["points"], np.arange(6.0))
    assert found["empty"].size == 0


def test_zeros_that_unpack_to_a_multiple_are_not_read(tmp_path):
    path = stored(tmp_path / "a.npz", "points.npy", bytes(66 << 20), zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r"69 MB packed into 0\.1 MB"):
        read_arrays(path)


@pytest.mark.parametrize(
    "data", [b"", b"no array", claims((10**15,)), claims((10**30,)), claims((-3,)), b"\x93NUMPY\x01\0\xff\xff"]
)
def test_what_is_no_array_is_a_value_error(tmp_path, data):
    with pytest.raises(ValueError, match=r"."):
        read_arrays(stored(tmp_path / "a.npz", "points.npy", data))


def test_objects_are_not_unpickled(tmp_path):
    with open(tmp_path / "a.npz", "wb") as file:
        np.savez(file, points=np.array([os.getcwd], object))
    with pytest.raises(ValueError, match=r"objects|Object|allow_pickle"):
        read_arrays(tmp_path / "a.npz")


def test_each_flipped_byte_is_a_value_error_or_harmless(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, points=np.arange(9.0))
    whole, refused = buffer.getvalue(), 0
    for n in range(len(whole)):
        (tmp_path / "a.npz").write_bytes(whole[:n] + bytes([whole[n] ^ 0x55]) + whole[n + 1 :])
        try:
            found = read_arrays(tmp_path / "a.npz")
        except ValueError:
            refused += 1
        else:
            for array in found.values():  # of the same or another name
                np.testing.assert_array_equal(array, np.arange(9.0))
    assert 0 < refused < len(whole)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_the_mark_before_a_text_of_windows_is_no_part_of_it(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "a.json") == {"a": 1}


@pytest.mark.parametrize("data", [b'{"a": ', b"\xa8\0", b"\0\0\0"])
def test_json_that_is_none_is_named(tmp_path, data):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.json: expected JSON, found a damaged file"):
        read_json(tmp_path / "a.json")


def test_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(OSError, match="found a pipe"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.EACCES])
def test_what_can_not_be_written_is_said_once(tmp_path, code):
    first = disk_error(OSError(code, os.strerror(code)), tmp_path / "a")
    assert disk_error(first, tmp_path) is first
    assert first.errno == code
    assert str(first).startswith(f"cannot write {tmp_path / 'a'}: ")
    assert str(first).count("Nothing was written") == 1


def test_a_name_that_is_too_long_is_said(tmp_path):
    with pytest.raises(OSError, match=r"^cannot write .*its name is too long\. Nothing was written\. Choose a shorter"):
        atomic_write(tmp_path / ("a" * 300), b"")


def test_a_file_in_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match=r"^cannot make the folder .*there is a file of that name"):
        make_folder(tmp_path / "a" / "b")


@pytest.mark.skipif(os.name == "nt", reason="of Unix shells")
@pytest.mark.parametrize("name", ["plain", "my data", "it's", "a$b;c", "ä 🐭"])
def test_a_shell_takes_a_quoted_path_as_it_is(name):
    assert shlex.split(f"dlcnb train {quoted(name)}") == ["dlcnb", "train", name]
    assert quoted("plain/project-2026") == "plain/project-2026"
