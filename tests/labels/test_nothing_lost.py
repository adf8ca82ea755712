"""Nothing lost: killed programs, two programs at once, a full disk, a read-only folder."""

import os
import random
import shutil
import signal
import subprocess
import traceback
from pathlib import Path

import numpy as np
import pytest
from support.projects import tree

from dlcnb.labels import Edit, Labels, LabelStore
from dlcnb.labels import shared as shared_module
from dlcnb.project import Project

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def img(n):
    return f"labeled-data/cam1/img{n:02}.png"


def put(store, n, part, point, **more):
    store.apply([Edit(img(n), part, point, **more)])


@pytest.fixture
def store(project):
    return LabelStore(project, "cam1")


def run_in_child(work, *, wait=True):
    """Run ``work(tell)`` in a process of its own; ``tell`` writes a byte to the pipe that is returned with its pid."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        if wait:
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, told(read)
        return pid, read
    status = 1
    try:
        os.close(read)
        work(lambda text=b".": os.write(write, text))
        status = 0
    except BaseException:
        os.write(write, traceback.format_exc().encode())
    finally:
        os._exit(status)


def ends(children):
    """(exit status, all that it wrote) of each child, once it is dead."""
    return [(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told(read)) for pid, read in children]


def told(read):
    """Everything that a child, dead by now, wrote to its pipe."""
    data = b""
    while more := os.read(read, 65536):
        data += more
    os.close(read)
    return data


def test_a_backup_by_hard_links_stays_as_it_is(project, store, tmp_path):
    store.apply([Edit(store.images[0], "hand", (1, 1))])
    store.save()
    backup = Path(shutil.copytree(project.root, tmp_path / "backup", copy_function=os.link))
    before = tree(backup)
    other = LabelStore(project, "cam1")  # another tab, which has the file open as it was
    store.apply([Edit(store.images[1], "hand", (2, 2))])
    other.apply([Edit(other.images[2], "hand", (3, 3))])
    store.save()
    assert tree(backup) == before
    assert np.isfinite(LabelStore(project, "cam1").points[:3, 0]).all()


# --- killed


def batches(seed, images, bodyparts):
    """An endless sequence of lists of edits: placing, hiding, deleting."""
    rng = random.Random(seed)
    while True:
        edits = []
        for _ in range(rng.choice([1, 1, 1, 4])):
            kind, image, part = rng.random(), rng.choice(images), rng.choice(bodyparts)
            point = (rng.uniform(0, 640), rng.uniform(0, 480)) if kind < 0.7 else None
            edits.append(Edit(image, part, point, kind < 0.85, rng.choice(["hand", "copied", "suggestion 100"])))
        yield edits


def play(values, edits):
    """The values after some edits: {(image, bodypart): point, False for hidden; absent = open}."""
    values = dict(values)
    for edit in edits:
        value = edit.point if edit.point is not None else (None if edit.visible else False)
        values.pop((edit.image, edit.bodypart), None)
        if value is not None:
            values[edit.image, edit.bodypart] = value
    return values


def values_of(store):
    points, hidden, found = store.points, store.hidden, {}
    for t, image in enumerate(store.images):
        for k, part in enumerate(store.bodyparts):
            if hidden[t, k]:
                found[image, part] = False
            elif not np.isnan(points[t, k, 0]):
                found[image, part] = tuple(points[t, k].tolist())
    return found


@needs_fork
@pytest.mark.slow
def test_fifty_kills_lose_no_acknowledged_edit(project, store, monkeypatch):
    monkeypatch.setattr(shared_module, "LONG", 60)  # so that the journal is replaced often, too
    put(store, 0, "hand", (1, 1))
    store.save()  # loads the libraries before the processes part
    values, rng, acknowledged, unacknowledged = values_of(store), random.Random(20260), 0, 0

    for kill in range(50):
        unharmed, moment = rng.choice([0, 1, 5, 10, 20, 30]), rng.uniform(1e-6, 0.02)

        def work(tell, kill=kill, unharmed=unharmed, moment=moment):
            mine, luck = LabelStore(project, "cam1"), random.Random(kill)
            for number, edits in enumerate(batches(kill, mine.images, mine.bodyparts)):
                if number == unharmed:
                    signal.setitimer(signal.ITIMER_REAL, moment)  # nobody handles its signal: it kills at once
                mine.apply(edits)
                tell()
                if luck.random() < 0.06:
                    mine.save()

        ((status, heard),) = ends([run_in_child(work, wait=False)])
        assert status == -signal.SIGALRM, heard.decode()
        assert set(heard) <= {ord(".")}, heard.decode()
        sequence = batches(kill, store.images, store.bodyparts)
        for _ in heard:
            values = play(values, next(sequence))
        acknowledged += len(heard)
        found = values_of(again := LabelStore(project, "cam1"))
        if found != values:  # the edit in flight was on the disk already
            values = play(values, next(sequence))
            unacknowledged += 1
        assert found == values, f"after kill {kill}"
        assert again.damage == ()
        assert again.conflicts == []
        Labels.read_file(store.folder / "CollectedData_Ann.csv", "cam1")  # the table is whole at every moment
    assert acknowledged > 500
    store.refresh()
    store.save()
    assert values_of(store) == values
    points = {k: v for k, v in values.items() if v}
    table = Labels.read(store.folder)
    for t, image in enumerate(table.images):
        for k, part in enumerate(table.bodyparts):
            expected = points.get((image, part), (np.nan, np.nan))
            np.testing.assert_array_equal(table.points[t, k], expected)


# --- two programs at once


@needs_fork
@pytest.mark.slow
def test_two_programs_interleaved(project, store):
    put(store, 0, "nose", (0, 0))
    store.save()
    start, go = os.pipe()

    def work(which, tell):
        mine = LabelStore(project, "cam1")
        os.read(start, 1)  # both at once
        for n in range(60):
            part = ("hand", "elbow")[which]
            put(mine, 3 * (n % 10), part, (n, which))
            if n % 20 == 7:
                mine.save()
            if n % 9 == 4:
                mine.refresh()
            tell()

    children = [run_in_child(lambda tell, which=which: work(which, tell), wait=False) for which in (0, 1)]
    os.write(go, b"..")
    assert ends(children) == [(0, b"." * 60)] * 2
    for tab in (store, LabelStore(project, "cam1")):
        assert tab.refresh() == tab.conflicts == []
        expected = [[[50 + n, which] for which in (0, 1)] for n in range(10)]
        np.testing.assert_array_equal(tab.points[:, :2], expected)
        tab.save()
        assert not tab.dirty
    np.testing.assert_array_equal(Labels.read(store.folder).points[:, :2], expected)


@needs_fork
@pytest.mark.slow
def test_two_programs_that_do_not_see_each_other_conflict_everywhere(project, store):
    put(store, 0, "nose", (0, 0))
    store.save()
    start, go = os.pipe()

    def work(which, tell):
        mine = LabelStore(project, "cam1")
        tell()
        os.read(start, 1)  # until both have opened it
        for n in range(10):
            put(mine, 3 * n, "hand", (n, which))

    children = [run_in_child(lambda tell, which=which: work(which, tell), wait=False) for which in (0, 1)]
    assert [os.read(read, 1) for _, read in children] == [b".", b"."]
    os.write(go, b"..")
    assert ends(children) == [(0, b"")] * 2
    store.refresh()
    held = {image: store.point(image)[0].tolist() for image in store.images}
    in_conflict = {c.image: list(c.theirs) for c in store.conflicts}
    for n, image in enumerate(store.images):
        both = [held[image], in_conflict.get(image)]
        assert sorted(filter(None, both)) in ([[n, 0], [n, 1]], [[n, 0]], [[n, 1]])
        # without a conflict the second author saw the first one's point before placing another
    assert len(in_conflict) >= 1


# --- a full or read-only disk


def test_a_full_disk(project, tmp_path, mounted):
    with mounted(tmp_path / "small", "size=1m") as disk:
        shutil.copytree(project.root, disk / "reach")
        store = LabelStore(Project.open(disk / "reach"), "cam1")
        for n in range(10):
            store.apply([Edit(img(3 * n), part, (n, 1)) for part in store.bodyparts])
        store.save()
        table = {p.name: p.read_bytes() for p in store.folder.glob("Coll*")}
        put(store, 0, "hand", (5, 5))
        fill(disk)
        before = until_full(store)
        np.testing.assert_array_equal(store.points, before)
        np.testing.assert_array_equal(LabelStore(Project.open(disk / "reach"), "cam1").points, before)
        with pytest.raises(OSError, match=r"cannot write .*: the disk is full\. The old one is unchanged"):
            store.save()
        assert {p.name: p.read_bytes() for p in store.folder.glob("Coll*")} == table
        assert store.dirty
        (disk / "filler").unlink()
        put(store, 3, "nose", (7, 7))
        store.save()
        again = LabelStore(Project.open(disk / "reach"), "cam1")
        assert again.point(img(3))[2].tolist() == [7, 7]
        assert again.damage == ()
        assert again.conflicts == []


def until_full(store):
    """Place a point again and again until the last block of the journal is full, too; the points before that."""
    before, n = store.points, 0
    with pytest.raises(OSError, match=r"cannot write .*journal-Ann\.jsonl: the disk is full.*Free some space"):  # noqa: PT012
        while n < 1000:
            before, n = store.points, n + 1
            put(store, 3, "nose", (n, n))
    return before


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as file:
        for block in (65536, 4096, 512, 1):
            try:
                while file.write(b"\0" * block) == block:
                    pass
            except OSError:
                continue


def test_a_disk_with_room_for_the_journal_but_not_for_the_table(project, tmp_path, mounted):
    with mounted(tmp_path / "small", "size=1m") as disk:
        shutil.copytree(project.root, disk / "reach")
        store = LabelStore(Project.open(disk / "reach"), "cam1")
        put(store, 0, "hand", (5, 5))
        fill(disk)
        with open(disk / "filler", "rb+") as file:
            file.truncate(os.path.getsize(disk / "filler") - 8192)
        put(store, 0, "elbow", (6, 6))
        with pytest.raises(OSError, match=r"cannot write .*Data_Ann.*: the disk is full\. Nothing was written"):
            store.save()
        assert not list(store.folder.glob("Coll*"))
        assert not list(store.folder.glob(".dlcnb-tmp*"))
        put(store, 0, "nose", (7, 7))
        again = LabelStore(Project.open(disk / "reach"), "cam1")
        assert again.state(img(0)) == "done"


@needs_fork
def test_a_limit_on_the_size_of_files(project, store):
    resource = pytest.importorskip("resource")
    put(store, 0, "hand", (1, 1))
    store.save()
    path = store.folder / ".dlcnb-journal-Ann.jsonl"
    whole = path.read_bytes()

    def work(tell):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 30, len(whole) + 30))
        mine = LabelStore(project, "cam1")
        with pytest.raises(OSError, match=r"cannot write .*journal-Ann\.jsonl: .*The old one is unchanged"):
            put(mine, 0, "nose", (2, 2))
        assert np.isnan(mine.point(img(0))[2]).all()

    run_in_child(work)
    assert path.read_bytes() == whole
    put(store, 0, "nose", (3, 3))
    assert LabelStore(project, "cam1").point(img(0)).tolist()[2] == [3, 3]


def test_a_read_only_folder(openfield, tmp_path, mounted):
    with mounted(tmp_path / "ro", "size=30m") as disk:
        shutil.copytree(openfield.root, disk, dirs_exist_ok=True, symlinks=True)
        first = LabelStore(Project.open(disk), "m4s1")
        first.apply([Edit(first.images[0], "snout", (1, 1))])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        store = LabelStore(Project.open(disk), "m4s1")
        assert store.point(store.images[0])[0].tolist() == [1, 1]
        assert store.refresh() == []
        with pytest.raises(OSError, match=r"cannot write .*: the disk is read-only.*place where you may write"):
            store.apply([Edit(store.images[0], "snout", (2, 2))])
        with pytest.raises(OSError, match="the disk is read-only"):
            store.set_done(store.images[0], False)
        with pytest.raises(OSError, match="the disk is read-only"):
            store.save()
        assert store.point(store.images[0])[0].tolist() == [1, 1]
        assert store.state(store.images[0]) == "done"


@needs_fork
def test_a_program_that_hangs_is_named_after_a_while(project, store, monkeypatch):
    from dlcnb.labels import locks

    put(store, 0, "hand", (1, 1))
    hold, release = os.pipe()

    def work(tell):
        mine = LabelStore(project, "cam1")
        with mine._shared.journal.lock.held():
            tell()
            os.read(hold, 1)

    pid, read = run_in_child(work, wait=False)
    assert os.read(read, 1) == b"."
    monkeypatch.setattr(locks, "WAIT", 0.05)
    with pytest.raises(TimeoutError, match=r"another program has been writing for 0 s\. End that program"):
        put(store, 0, "nose", (1, 1))
    os.write(release, b".")
    os.waitpid(pid, 0)
    told(read)
    put(store, 0, "nose", (1, 1))
    assert store.point(img(0))[2].tolist() == [1, 1]
