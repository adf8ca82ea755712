"""Whatever several tabs and another program do in whatever order, all of them end up with the same labels."""

import random

import numpy as np
import pytest

from dlcnb.labels import Edit, Labels, LabelStore
from dlcnb.labels import shared as shared_module
from dlcnb.labels.replay import Replay


def sides(store):
    """The conflicts, from nobody's view in particular."""
    return {
        (c.image, c.bodypart, frozenset([(c.mine, c.mine_visible), (c.theirs, c.theirs_visible)]))
        for c in store.conflicts
    }


def same(one, two):
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.hidden, two.hidden)
    assert one.images == two.images
    assert one.states == two.states
    assert sides(one) == sides(two)


def random_edit(rng, store):
    point = (float(rng.randrange(60)), float(rng.randrange(40))) if rng.random() < 0.7 else None
    return Edit(
        rng.choice(store.images[:4]), rng.choice(store.bodyparts), point, rng.random() < 0.6 or point is not None
    )


def step(rng, project, tabs):
    n = rng.randrange(len(tabs))
    kind = rng.random()
    if kind < 0.6:
        tabs[n].apply([random_edit(rng, tabs[n]) for _ in range(rng.choice([1, 1, 3]))])
    elif kind < 0.7:
        tabs[n].set_done(rng.choice(tabs[n].images[:4]), rng.random() < 0.5)
    elif kind < 0.8:
        tabs[n].refresh()
    elif kind < 0.87:
        tabs[n].save()
    elif kind < 0.92 and tabs[n].conflicts:
        tabs[n].refresh()
        for conflict in tabs[n].conflicts[:1]:
            tabs[n].resolve(conflict, rng.choice(["mine", "theirs"]))
    elif kind < 0.96:
        tabs[n] = LabelStore(project, "cam1")
    else:
        another_program(rng, tabs[n])


def another_program(rng, store):
    """Change a point of the table as DeepLabCut would: read all, write all."""
    if (store.folder / "CollectedData_Ann.csv").exists():
        labels = Labels.read_file(store.folder / "CollectedData_Ann.csv", "cam1")
        t, k = rng.randrange(len(labels)), rng.randrange(3)
        labels.points[t, k] = (rng.randrange(60), rng.randrange(40)) if rng.random() < 0.7 else np.nan
        labels.write(store.folder)


@pytest.mark.parametrize("seed", range(6))
def test_all_tabs_end_up_with_the_same(project, seed, monkeypatch):
    monkeypatch.setattr(shared_module, "LONG", 15 if seed % 2 else 1000)
    rng = random.Random(seed)
    tabs = [LabelStore(project, "cam1") for _ in range(3)]
    for _ in range(80):
        step(rng, project, tabs)
    for tab in tabs:
        tab.refresh()
    fresh = LabelStore(project, "cam1")
    for tab in tabs:
        same(tab, fresh)
    tabs[0].save()
    assert not tabs[0].dirty
    tabs[1].refresh()
    assert not tabs[1].dirty
    same(tabs[1], LabelStore(project, "cam1"))
    table = Labels.read(fresh.folder)
    where = [fresh.images.index(image) for image in table.images]
    np.testing.assert_array_equal(table.points, fresh.points[where])
    assert np.isnan(np.delete(fresh.points, where, axis=0)).all()


def test_lines_restore_everything():
    rng = np.random.default_rng(0)
    replay = Replay(["a", "b"])
    for n in range(30):
        to = [float(v) for v in rng.uniform(0, 9, 2)] if n % 3 else [None, False][n % 2]
        edit = {"image": f"img{n % 5}.png", "bodypart": "ab"[n % 2], "to": to, "from": None, "origin": "hand"}
        replay.apply({"edits": [edit], "time": float(n), "by": f"host:{n % 2}:0"})
    replay.take_table([("img1.png", "a", (5.0, 5.0)), ("img9.png", "b", (1.0, 1.0))], 50.0)
    again = Replay(["a", "b"])
    for line in replay.lines():
        again.apply(line)
    for field in ("points", "hidden", "done", "table_points", "table_hidden"):
        np.testing.assert_array_equal(getattr(again, field), getattr(replay, field))
    assert again.images == replay.images
    assert again.rivals == replay.rivals
    assert again.lines() == replay.lines()
