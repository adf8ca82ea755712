"""What docs/extend.md says is so: its files and changes, made in a copy of dlcnb, do what the page promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import dlcnb

PAGE = Path(__file__).parents[1] / "docs" / "extend.md"
BLOCK = re.compile(r'^```(?P<kind>python|diff) title="(?P<title>[^"]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    """A chapter of the page: new files, changes of files that are there, and lines to try."""

    files: dict[str, str]
    changes: list[tuple[str, str, str]]  # file, old text, new text
    tries: list[str]


def examples() -> dict[str, Example]:
    """{heading: example} of the chapters that have one."""
    found = {}
    for chapter in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        blocks = [match.groupdict() for match in BLOCK.finditer(chapter)]
        if blocks:
            found[chapter.splitlines()[0]] = Example(
                {b["title"]: b["text"] for b in blocks if b["kind"] == "python" and b["title"] != "try"},
                [(b["title"], *sides(b["text"])) for b in blocks if b["kind"] == "diff"],
                [b["text"] for b in blocks if b["title"] == "try"],
            )
    return found


def sides(diff: str) -> tuple[str, str]:
    """What a diff takes away and what it puts there, each with the lines around."""
    lines = diff.splitlines()
    old, new = ("\n".join(line[1:] for line in lines if line[:1] in kept) for kept in ((" ", "-"), (" ", "+")))
    return old, new


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of dlcnb that has all extensions of the page."""
    root = tmp_path_factory.mktemp("extended")
    package = Path(dlcnb.__file__).parent
    shutil.copytree(package, root / "dlcnb", ignore=shutil.ignore_patterns("__pycache__"))
    for example in examples().values():
        for name, text in example.files.items():
            path = root / name
            assert not path.exists(), f"{name} is there already: the page needs another example"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name, old, new in example.changes:
            text = (root / name).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"docs/extend.md no longer fits {name}: there is no (one) {old!r}"
            (root / name).write_text(text.replace(old, new), encoding="utf-8")
    return root


@pytest.mark.parametrize("chapter", examples())
def test_at_most_two_places_change(chapter: str) -> None:
    example = examples()[chapter]
    assert example.files
    assert len({name for name, _, _ in example.changes}) <= 2


@pytest.mark.parametrize("chapter", examples())
def test_the_extension_works(chapter: str, extended: Path, tmp_path: Path) -> None:
    (code,) = examples()[chapter].tries
    if "TrainConfig" in code:
        pytest.importorskip("mxnet")
    environment = {**os.environ, "PYTHONPATH": str(extended)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
