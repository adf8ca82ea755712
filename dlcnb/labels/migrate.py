"""Changing the bodyparts, the skeleton or a scorer's name in all files of a project: backed up, undoable, all or none.

config.yaml, every scorer's tables and the journals change together. Trained networks keep the bodyparts that they were
trained on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dlcnb.files import alone
from dlcnb.labels.backups import (
    Change,
    change_files,
    check_finished,
    done_changes,
    is_untouched,
    restore,
    unfinished,
)
from dlcnb.labels.core import table_paths
from dlcnb.labels.errors import LabelError, errors_of_labels
from dlcnb.labels.journal import Journal, file_locks, journal_bytes, journals
from dlcnb.labels.rewrite import config_bytes, rewritten, without_rows
from dlcnb.labels.shared import SharedFolder
from dlcnb.project import Project, Skeleton, nearest
from dlcnb.project.names import checked_bodyparts, name_problem
from dlcnb.tables.table import read_table

__all__ = [
    "add_bodyparts",
    "history",
    "remove_bodyparts",
    "remove_frames",
    "rename_bodypart",
    "rename_scorer",
    "reorder_bodyparts",
    "set_skeleton",
    "undo_last",
]


def rename_bodypart(project: Project, old: str, new: str, *, undoes: str = "") -> Change:
    """Give a bodypart another name, everywhere.

    Parameters
    ----------
    project : dlcnb.project.Project
        It knows the change afterwards; open widgets and stores say that the project is to be opened again.
    old, new : names.
    undoes : name of the backup of the change that this one takes back.

    Raises
    ------
    LabelError, ProjectError
        If there is no such bodypart, or the new name is taken or can't be one, or a table is damaged.
    OSError
        With a clear message, for a full or read-only disk. In any case nothing was changed.
    """
    parts = _known(project, [old])
    if new in parts:
        raise LabelError(f"there is a bodypart '{new}' already; choose another name, or remove that one first")
    columns: _Columns = [(new if part == old else part, part) for part in parts]
    inverse = ("rename_bodypart", [new, old])
    return _change_bodyparts(project, columns, f"rename {old} to {new}", inverse, undoes=undoes)


def add_bodyparts(project: Project, names: Iterable[str], *, hidden: bool = False) -> Change:
    """Add bodyparts behind the others.

    Frames that were done are in work again, as the new bodyparts are open in them; with ``hidden`` these are marked not
    visible there instead. Names that config.yaml has already, but a table lacks, are added to the tables. Returns and
    raises as `rename_bodypart`.
    """
    names, parts = list(names), list(project.bodyparts)
    lacking = _lacking(project)
    for name in names:
        if name in parts and name not in lacking:
            raise LabelError(f"there is a bodypart '{name}' already")
    old = [part for part in parts if part not in names]
    columns: _Columns = [(part, None if part in names else part) for part in parts]
    columns += [(name, None) for name in names if name not in parts]
    return _change_bodyparts(project, columns, f"add {' '.join(names)}", None, old=old, hidden=hidden)


def remove_bodyparts(project: Project, names: Iterable[str]) -> Change:
    """Remove bodyparts with all their points (the backup has them); returns and raises as `rename_bodypart`."""
    names, parts = list(names), _known(project, names)
    if not set(parts) - set(names):
        raise LabelError("at least one bodypart has to stay")
    columns: _Columns = [(part, part) for part in parts if part not in names]
    return _change_bodyparts(project, columns, f"remove {' '.join(names)}", None)


def reorder_bodyparts(project: Project, names: Iterable[str], *, undoes: str = "") -> Change:
    """Bring the bodyparts into the order of ``names``, which are all of them; as `rename_bodypart`."""
    names, parts = list(names), _known(project, names)
    if sorted(names) != sorted(parts):
        raise LabelError(f"expected all of {', '.join(parts)}, each once, in the new order; found {', '.join(names)}")
    columns: _Columns = [(name, name) for name in names]
    inverse = ("reorder_bodyparts", [list(parts)])
    return _change_bodyparts(project, columns, "reorder bodyparts", inverse, undoes=undoes)


def set_skeleton(project: Project, edges: Iterable[Sequence[str]], *, undoes: str = "") -> Change:
    """Draw the skeleton with these edges (pairs of bodyparts); returns and raises as `rename_bodypart`."""
    edges = [list(edge) for edge in Skeleton(project.bodyparts, tuple(tuple(edge) for edge in edges)).edges]  # type: ignore[misc]  # Skeleton says what is no pair
    before = [list(edge) for edge in project.skeleton.edges]
    with alone(project.root):
        fresh = _fresh(project)
        new = {fresh.root / "config.yaml": config_bytes(fresh, skeleton=edges)}
        return _carry_out(project, new, "skeleton", ("set_skeleton", [before]), undoes)


def remove_frames(project: Project, folder: Path, scorer: str, images: Collection[str]) -> Change:
    """Take the rows of frames out of a scorer's table and journal.

    Parameters
    ----------
    folder : the frames' folder in labeled-data. scorer : whose. images : names without folder.

    Returns and raises as `rename_bodypart`; the images themselves stay.
    """
    files = _NewFiles()
    with _alone(Project.open(project.root), only=scorer) as folders:
        shared = next(shared for shared in folders if shared.folder == folder)
        for path in filter(None, table_paths(folder).get(scorer, ())):
            files[path] = without_rows(path, images)
        if shared.journal.exists:
            shared.replay.drop_images(images)
            files[shared.journal.path] = journal_bytes(shared.header(), shared.replay.lines())[1]
        return _carry_out(project, files, f"take out {len(images)} frames of {folder.name} by {scorer}", None, "")


def rename_scorer(project: Project, old: str, new: str, *, undoes: str = "") -> Change:
    """Give a scorer another name: tables, journals, and config.yaml if it is the project's scorer.

    Returns and raises as `rename_bodypart`. The project's folder keeps its name.
    """
    if problem := name_problem(new, for_file=True):
        raise LabelError(f"the scorer {new!r} {problem}; choose another name")
    everybody = {name for _, name in _labelers(project)} | {project.scorer}
    if old not in everybody:
        raise LabelError(f"no scorer '{old}'; there are {', '.join(sorted(everybody))}{nearest(old, everybody)}")
    if new.lower() in {name.lower() for name in everybody}:
        raise LabelError(
            f"there are labels by '{new}' already (upper and lower case count as one); choose another name"
        )
    fresh, files = Project.open(project.root), _NewFiles()
    with _alone(fresh, only=old) as folders:
        for shared in folders:
            for path in filter(None, table_paths(shared.folder).get(old, ())):
                files[path] = None
                files[path.with_name(f"CollectedData_{new}{path.suffix}")] = rewritten(path, scorer=new)
            if shared.journal.exists:
                target = Journal(shared.folder, new).path
                files[target] = journal_bytes(shared.header(scorer=new), shared.replay.lines())[1]
                files[shared.journal.path] = None
        if fresh.scorer == old:
            files[fresh.root / "config.yaml"] = config_bytes(fresh, scorer=new)
        return _carry_out(project, files, f"rename scorer {old} to {new}", ("rename_scorer", [new, old]), undoes)


def history(project: Project) -> list[Change]:
    """The changes made to a project, oldest first."""
    return done_changes(project.root)


def undo_last(project: Project) -> Change:
    """Take the last change back, or one that was interrupted; returns it.

    The files are put back as they were. If labels were edited since, the opposite change is made instead, so that they
    stay; where there is none (adding, removing), `LabelError` says what to do. `OSError` as `rename_bodypart`. An undo
    that is interrupted is finished by the next.
    """
    with _locked(project):
        change = unfinished(project.root)
        as_left = change is not None
        if change is None:
            change = _last_change(project)
            as_left = is_untouched(project.root, change)
        if as_left:
            restore(project.root, change)
    if as_left:
        _reload(project)
    else:
        _do_the_opposite(project, change)
    return change


def _last_change(project: Project) -> Change:
    made = [change for change in done_changes(project.root) if not change.undone]
    if not made:
        raise LabelError(f"no change of {project.root} to undo")
    return made[-1]


def _do_the_opposite(project: Project, change: Change) -> None:
    if not change.inverse:
        raise LabelError(
            f"labels or config.yaml were changed since '{change.what}', so that putting the old files back would lose "
            f"that. The files as they were before are in {change.backup}; remove or add the bodyparts by hand."
        )
    opposites: dict[str, Callable[..., Change]] = {
        "rename_bodypart": rename_bodypart,
        "rename_scorer": rename_scorer,
        "reorder_bodyparts": reorder_bodyparts,
        "set_skeleton": set_skeleton,
    }
    name, arguments = change.inverse
    if name not in opposites or not _are_names(arguments):
        raise LabelError(f"the record of '{change.what}' in {change.backup} is damaged; nothing was changed")
    opposites[name](project, *arguments, undoes=change.backup.name)


def _are_names(arguments: Any) -> bool:
    """Whether these are texts, or lists of texts, or lists of those: nothing else belongs to a change."""
    return isinstance(arguments, str) or (isinstance(arguments, list) and all(map(_are_names, arguments)))


# --- all of it together


_Columns = list[tuple[str, str | None]]  # (new name, old name or None for a new one)
_NewFiles = dict[Path, bytes | None]
_Inverse = tuple[str, list[Any]]


def _fresh(project: Project) -> Project:
    """The project as it is on the disk; raises `LabelError` if its bodyparts are others by now."""
    fresh = Project.open(project.root)
    if fresh.bodyparts != project.bodyparts:
        raise LabelError(
            f"the bodyparts of {project.root} were changed by another program since it was opened; they are "
            f"{', '.join(fresh.bodyparts)} now. Open the project again"
        )
    return fresh


def _change_bodyparts(
    project: Project,
    columns: _Columns,
    what: str,
    inverse: _Inverse | None,
    *,
    old: Sequence[str] | None = None,
    hidden: bool = False,
    undoes: str = "",
) -> Change:
    """Write all files with other bodyparts."""
    with alone(project.root):
        fresh, files = _fresh(project), _NewFiles()
        names = checked_bodyparts([name for name, _ in columns])
        kept = {part: name for name, part in columns if part is not None}
        edges = [[kept[a], kept[b]] for a, b in fresh.skeleton.edges if a in kept and b in kept]
        added = any(part is None for _, part in columns)
        files[fresh.root / "config.yaml"] = config_bytes(fresh, bodyparts=list(names), skeleton=edges)
        with _alone(fresh, parts=old) as folders:
            for shared in folders:
                for path in filter(None, table_paths(shared.folder).get(shared.scorer, ())):
                    files[path] = rewritten(path, columns=columns, drop=set(fresh.bodyparts) - set(kept))
                replay = shared.replay.with_bodyparts(columns, hidden)
                if shared.journal.exists or (added and replay.images):
                    lines = replay.lines()
                    files[shared.journal.path] = journal_bytes(shared.header(bodyparts=list(names)), lines)[1]
            return _carry_out(project, files, what, inverse, undoes)


def _carry_out(
    project: Project, files: Mapping[Path, bytes | None], what: str, inverse: _Inverse | None, undoes: str
) -> Change:
    change = change_files(project.root, files, what, inverse, undoes=undoes)
    _reload(project)
    return change


def _reload(project: Project) -> None:
    """Let an open project know what is on the disk."""
    vars(project).update(vars(Project.open(project.root)))


def _labelers(project: Project) -> list[tuple[Path, str]]:
    """(folder, scorer) for everybody's tables and journals."""
    return [
        (folder, scorer)
        for folder in project.labeled_dirs()
        for scorer in sorted({*table_paths(folder), *journals(folder)})
    ]


@contextmanager
def _alone(
    project: Project, *, only: str | None = None, parts: Sequence[str] | None = None
) -> Iterator[list[SharedFolder]]:
    """Keep everybody from editing and saving labels meanwhile; gives a `SharedFolder` for each of their tables."""
    check_finished(project.root)
    if parts is not None:
        project = Project(project.root, copy.deepcopy(project.config))
        project.config["bodyparts"] = list(parts)
    with ExitStack() as stack:
        folders = [SharedFolder(project, f, scorer) for f, scorer in _labelers(project) if only in (None, scorer)]
        for shared in folders:
            stack.enter_context(shared.alone())
        yield folders


@contextmanager
def _locked(project: Project) -> Iterator[None]:
    """Keep everybody from editing and saving labels meanwhile, whatever state the files are in."""
    with ExitStack() as stack:
        for folder, scorer in _labelers(project):
            for lock in file_locks(folder, scorer):
                stack.enter_context(lock.held())
        yield


def _known(project: Project, names: Sequence[str]) -> tuple[str, ...]:
    parts = project.bodyparts
    for name in names:
        if name not in parts:
            raise LabelError(f"no bodypart '{name}'; there are {', '.join(parts)}{nearest(name, parts)}")
    if len(set(names)) < len(names):
        raise LabelError(f"a bodypart is named twice in {', '.join(names)}")
    return parts


@errors_of_labels()
def _lacking(project: Project) -> set[str]:
    """Bodyparts of the project that some table has no columns for."""
    found: set[str] = set()
    for folder, scorer in _labelers(project):
        for path in filter(None, table_paths(folder).get(scorer, ())):
            found |= set(project.bodyparts) - {column[1] for column in read_table(path).columns}
    return found
