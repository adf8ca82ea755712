"""What is told of a file that was written: a link where the server of the kernel hands it out, else its path."""

import json
import os

import pytest

from dlcnb.widgets.base.html import notice
from dlcnb.widgets.base.written import address, written


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of a server that started this process, as that writes it down."""
    runtime, root = tmp_path / "runtime", tmp_path / "work"
    runtime.mkdir()
    root.mkdir()
    (runtime / "jpserver-77.json").write_text(json.dumps({"root_dir": str(root), "base_url": "/user/ada/"}))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("JPY_PARENT_PID", "77")
    return root


def test_what_lies_below_the_root_is_a_link(root):
    path = root / "my mice" / "100 % & <b>.csv"
    assert address(path) == "/user/ada/files/my%20mice/100%20%25%20%26%20%3Cb%3E.csv?download=1"
    words = written(path)
    name = "100 % &amp; &lt;b&gt;.csv"
    assert words.endswith(f">download {name}</a>, or find it as {path.parent}/{name}</span>")


def test_a_root_that_is_a_link_counts_as_what_it_leads_to(root, tmp_path):
    (tmp_path / "way").symlink_to(root)
    assert address(tmp_path / "way" / "a.csv") == "/user/ada/files/a.csv?download=1"


@pytest.mark.parametrize("where", ["../elsewhere/a.csv", ".hidden/a.csv", "../work2/a.csv"])
def test_what_the_server_does_not_hand_out_is_a_path(root, where):
    assert address(root / where) == ""
    assert written(root / where) == f"Saved {root / where}"


def test_a_name_that_is_no_text_is_a_path(root):
    path = root / os.fsdecode(b"jos\xe9.csv")
    assert written(path) == f"Saved {path}"


@pytest.mark.parametrize("left", ["", "{", "[]", "{}"])
def test_without_a_server_it_is_a_path(root, tmp_path, left):
    record = tmp_path / "runtime" / "jpserver-77.json"
    record.write_text(left) if left else record.unlink()
    assert written(root / "a.csv") == f"Saved {root / 'a.csv'}"


def test_a_notice_leaves_the_link_and_its_tooltip_has_the_words(root):
    line = notice(written(root / "a.csv"), scrolls=True)
    assert '<a href="/user/ada/files/a.csv?download=1" download="a.csv">download a.csv</a>' in line
    assert f'title="Saved: download a.csv, or find it as {os.fspath(root / "a.csv")}"' in line
