"""What dlcnb does to a project's files, each thing as a program that can be killed, and what must hold afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dlcnb import frames, outliers
from dlcnb.exchange import import_labels
from dlcnb.labels import Edit, Labels, LabelStore, backups, doctor, frame_images, image_problem, migrate, shared
from dlcnb.labels.core import table_paths
from dlcnb.poses import Poses
from dlcnb.project import Project
from support.projects import write_noise

__all__ = ["OPERATIONS", "Operation", "check", "make", "state"]

PARTS = ("hand", "elbow", "nose")
State = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """What is done; both are given the folder of `make`. ``grows``: half of it may be there, and repeating ends it."""

    name: str
    prepare: Callable[[Path], object]
    work: Callable[[Path], object]
    grows: bool = False


def make(folder: Path) -> Path:
    """A folder with a project ``p`` of a labeled video, and files ``from`` which labels are imported."""
    (folder / "from").mkdir(parents=True)
    video = write_noise(folder / "from" / "cam1.mp4", 12)
    project = Project.create("p", "Ann", [video], PARTS, parent=folder, folder="p", copy_videos=True)
    frames.extract(project, video, range(6))
    store = LabelStore(project, "cam1")
    store.apply([Edit(i, part, (n + 0.5, k)) for n, i in enumerate(store.images[:4]) for k, part in enumerate(PARTS)])
    store.save()
    for n in range(2):
        shutil.copy(project.root / store.images[n], folder / "from" / f"{n}.png")
    keypoints = {n: [n + 1.5, 1.5, 2, n + 2.5, 1.5, 2, 0, 0, 0] for n in range(2)}
    data = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in keypoints],
        "annotations": [{"image_id": n, "keypoints": k} for n, k in keypoints.items()],
        "categories": [{"keypoints": PARTS, "skeleton": [[1, 2]]}],
    }
    (folder / "from" / "a.json").write_text(json.dumps(data))
    return folder


def state(folder: Path) -> State:
    """All that somebody who opens the folder's projects finds; an interrupted change is ended first."""
    return {root.name: _state(root) for root in sorted(folder.glob("[pn]*")) if root.is_dir()}


def check(operation: Operation, folder: Path, before: State, after: State) -> None:
    """What holds after ``operation`` was killed: nothing is lost or half-written, and work goes on."""
    found = state(folder)
    if operation.grows:
        for root, was in before.items():
            assert was["labels"].items() <= found[root]["labels"].items() <= after[root]["labels"].items()
            assert set(was["images"]) <= set(found[root]["images"]) <= set(after[root]["images"])
        operation.work(folder)
        found = state(folder)
        assert found == after
    assert found in (before, after), _differences(found, before, after)
    for root in found:
        _check_usable(folder / root)


def _project(folder: Path) -> Project:
    return Project.open(folder / "p")


def _state(root: Path) -> State:
    if backups.unfinished(root):
        migrate.undo_last(Project.open(root))
    project = Project.open(root)
    labels = {key: value for store in _stores(project) for key, value in _values(store).items()}
    config = {"bodyparts": project.bodyparts, "scorer": project.scorer, "iteration": project.iteration}
    images = sorted(f"labeled-data/{d.name}/{name}" for d in project.labeled_dirs() for name in frame_images(d))
    assert not [problem for path in images if (problem := image_problem(root / path))]
    return {**config, "images": images, "labels": labels}


def _stores(project: Project) -> Iterator[LabelStore]:
    for folder in project.labeled_dirs():
        store = LabelStore(project, folder.name)
        assert store.damage == ()
        assert store.conflicts == []
        yield store


def _values(store: LabelStore) -> dict[tuple[str, str], Any]:
    points, hidden = store.points, store.hidden
    found: dict[tuple[str, str], Any] = {}
    for t, image in enumerate(store.images):
        for k, part in enumerate(store.bodyparts):
            if hidden[t, k] or np.isfinite(points[t, k, 0]):
                found[image, part] = bool(hidden[t, k]) or tuple(points[t, k].tolist())
    return found


def _check_usable(root: Path) -> None:
    """Tables are whole for dlcnb and pandas; editing and saving go on; doctor finds no error."""
    for store in _stores(Project.open(root)):
        for text, binary in table_paths(store.folder).values():
            for path in filter(None, (text, binary)):
                Labels.read_file(path, store.folder.name)
            if text:
                pd.read_csv(text, header=[0, 1, 2], index_col=[0, 1, 2])
            if binary:
                pd.read_hdf(binary)
        expected = _values(store)
        store.apply([Edit(store.images[-1], store.bodyparts[-1], (7.5, 7.5))])
        expected[store.images[-1], store.bodyparts[-1]] = (7.5, 7.5)
        store.save()
        assert _values(LabelStore(Project.open(root), store.folder.name)) == expected
    errors = [finding.message for finding in doctor(root) if finding.level == "error"]
    assert not errors


def _differences(found: State, *states: State) -> str:
    lines = []
    for name, other in zip(("before", "after"), states, strict=True):
        for root in {*found, *other}:
            one, two = found.get(root) or {}, other.get(root) or {}
            lines += [f"{root} {key}, not as {name}" for key in {*one, *two} if one.get(key) != two.get(key)]
    return "; ".join(lines)


# --- what is done


def _edit(folder: Path) -> None:
    store = LabelStore(_project(folder), "cam1")
    store.apply([Edit(store.images[4], part, (3.5, 4)) for part in store.bodyparts])


def _unsaved(folder: Path) -> None:
    store = LabelStore(_project(folder), "cam1")
    images, parts = store.images, store.bodyparts
    store.apply(
        [Edit(images[0], parts[0], (9, 9)), Edit(images[1], parts[1], None, False), Edit(images[2], parts[2], None)]
    )


def _without_table(folder: Path) -> None:
    for path in (folder / "p").glob("labeled-data/cam1/CollectedData*"):
        path.unlink()


def _without_journal(folder: Path) -> None:
    for path in (folder / "p").glob("labeled-data/cam1/.dlcnb*"):
        path.unlink()


def _changed_elsewhere(folder: Path) -> None:
    _unsaved(folder)
    path = folder / "p" / "labeled-data" / "cam1" / "CollectedData_Ann.csv"
    table = pd.read_csv(path, header=[0, 1, 2], index_col=[0, 1, 2])
    table.iloc[3, 0] = 33.5
    table.to_csv(path)


def _save(folder: Path) -> None:
    LabelStore(_project(folder), "cam1").save()


def _save_and_shorten(folder: Path) -> None:
    long, shared.LONG = shared.LONG, -1000
    try:
        _save(folder)
    finally:
        shared.LONG = long


def _rename(folder: Path) -> None:
    migrate.rename_bodypart(_project(folder), "hand", "paw")


def _renamed_and_edited(folder: Path) -> None:
    _rename(folder)
    _edit(folder)


def _reordered(folder: Path) -> None:
    migrate.reorder_bodyparts(_project(folder), PARTS[::-1])


def _with_outliers(folder: Path) -> None:
    project = _project(folder)
    rng = np.random.default_rng(0)
    poses = Poses(PARTS, "DLC_net_1", rng.uniform(0, 60, (12, 3, 2)), rng.random((12, 3)))
    found = outliers.extract(project, project.videos[0], poses, [8, 10])
    store = LabelStore(project, "cam1")
    images = [f"labeled-data/cam1/{path.name}" for path in found.images]
    store.apply([Edit(image, part, (5.5, 5)) for image in images for part in PARTS])
    store.save()


def _undo(folder: Path) -> None:
    migrate.undo_last(_project(folder))


def _nothing(folder: Path) -> None:
    pass


OPERATIONS = [
    Operation("edit", _nothing, _edit),
    Operation("edit, the first", _without_journal, _edit),
    Operation("save", _unsaved, _save),
    Operation("save, the first", _without_table, _save),
    Operation("save, a new journal", _unsaved, _save_and_shorten),
    Operation("save, changed elsewhere", _changed_elsewhere, _save),
    Operation("rename bodypart", _unsaved, _rename),
    Operation("add bodypart", _unsaved, lambda folder: migrate.add_bodyparts(_project(folder), ["ear"])),
    Operation("remove bodypart", _unsaved, lambda folder: migrate.remove_bodyparts(_project(folder), ["nose"])),
    Operation("reorder bodyparts", _unsaved, _reordered),
    Operation("rename scorer", _unsaved, lambda folder: migrate.rename_scorer(_project(folder), "Ann", "Bea")),
    Operation("undo", _rename, _undo),
    Operation("undo, edited since", _renamed_and_edited, _undo),
    Operation("undo of reorder", _reordered, _undo),
    Operation("extract", _nothing, lambda folder: frames.extract(_project(folder), "cam1", [7, 9, 11]), True),
    Operation("merge", _with_outliers, lambda folder: outliers.merge(_project(folder))),
    Operation("import", _nothing, lambda folder: import_labels(folder / "from" / "a.json", folder / "p"), True),
    Operation(
        "import, a new project", _nothing, lambda f: import_labels(f / "from" / "a.json", f / "new", scorer="Ann")
    ),
]
