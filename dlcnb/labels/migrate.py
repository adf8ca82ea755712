"""Changing the bodyparts, the skeleton or a scorer's name in all files of a project: backed up, undoable, all or none.

config.yaml, every scorer's tables and the journals change together. Trained networks keep the bodyparts that they were
trained on.
"""

from __future__ import annotations

import copy
from contextlib import ExitStack, contextmanager

from dlcnb.labels.backups import (
    change_files,
    changes,
    check_finished,
    is_untouched,
    mark_undone,
    restore,
    unfinished,
)
from dlcnb.labels.core import table_paths
from dlcnb.labels.errors import LabelError, errors_of_labels
from dlcnb.labels.journal import Journal, file_locks, journal_bytes, journals
from dlcnb.labels.rewrite import config_bytes, rewritten
from dlcnb.labels.shared import SharedFolder
from dlcnb.project import Project, Skeleton, nearest
from dlcnb.project.names import checked_bodyparts, name_problem
from dlcnb.tables.table import read_table

__all__ = [
    "add_bodyparts",
    "history",
    "remove_bodyparts",
    "rename_bodypart",
    "rename_scorer",
    "reorder_bodyparts",
    "set_skeleton",
    "undo_last",
]


def rename_bodypart(project, old, new):
    """Give a bodypart another name, everywhere.

    Parameters
    ----------
    project : dlcnb.project.Project
        It knows the change afterwards; open widgets and stores say that the project is to be opened again.
    old, new : names.

    Returns
    -------
    dlcnb.labels.backups.Change

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
    columns = [(new if part == old else part, part) for part in parts]
    return _change_bodyparts(project, columns, f"rename {old} to {new}", ("rename_bodypart", [new, old]))


def add_bodyparts(project, names, *, hidden=False):
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
    columns = [(part, None if part in names else part) for part in parts]
    columns += [(name, None) for name in names if name not in parts]
    return _change_bodyparts(project, columns, f"add {' '.join(names)}", None, old=old, hidden=hidden)


def remove_bodyparts(project, names):
    """Remove bodyparts with all their points (the backup has them); returns and raises as `rename_bodypart`."""
    names, parts = list(names), _known(project, names)
    if not set(parts) - set(names):
        raise LabelError("at least one bodypart has to stay")
    columns = [(part, part) for part in parts if part not in names]
    return _change_bodyparts(project, columns, f"remove {' '.join(names)}", None)


def reorder_bodyparts(project, names):
    """Bring the bodyparts into the order of ``names``, which are all of them; as `rename_bodypart`."""
    names, parts = list(names), _known(project, names)
    if sorted(names) != sorted(parts):
        raise LabelError(f"expected all of {', '.join(parts)}, each once, in the new order; found {', '.join(names)}")
    columns = [(name, name) for name in names]
    return _change_bodyparts(project, columns, "reorder bodyparts", ("reorder_bodyparts", [list(parts)]))


def set_skeleton(project, edges):
    """Draw the skeleton with these edges (pairs of bodyparts); returns and raises as `rename_bodypart`."""
    edges = [list(edge) for edge in Skeleton(project.bodyparts, tuple(map(tuple, edges))).edges]
    before = [list(edge) for edge in project.skeleton.edges]
    fresh = Project.open(project.root)
    new = {fresh.root / "config.yaml": config_bytes(fresh, skeleton=edges)}
    return _carry_out(project, new, "skeleton", ("set_skeleton", [before]))


def rename_scorer(project, old, new):
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
    fresh, files = Project.open(project.root), {}
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
        return _carry_out(project, files, f"rename scorer {old} to {new}", ("rename_scorer", [new, old]))


def history(project):
    """The changes made to a project, oldest first; list of `dlcnb.labels.backups.Change`."""
    return changes(project.root)


def undo_last(project):
    """Take the last change back, or one that was interrupted; returns it.

    The files are put back as they were. If labels were edited since, the opposite change is made instead, so that they
    stay; where there is none (adding, removing), `LabelError` says what to do. `OSError` as `rename_bodypart`.
    """
    change = unfinished(project.root)
    if change is None:
        made = [change for change in changes(project.root) if not change.undone]
        if not made:
            raise LabelError(f"no change of {project.root} to undo")
        change = made[-1]
    with _locked(project):
        as_left = unfinished(project.root) or is_untouched(project.root, change)
        if as_left:
            restore(project.root, change)
    if not as_left:
        return _do_the_opposite(project, change)
    _reload(project)
    return change


def _do_the_opposite(project, change):
    if not change.inverse:
        raise LabelError(
            f"labels or config.yaml were changed since '{change.what}', so that putting the old files back would lose "
            f"that. The files as they were before are in {change.backup}; remove or add the bodyparts by hand."
        )
    name, arguments = change.inverse
    opposite = globals()[name](project, *arguments)
    mark_undone(change)
    mark_undone(opposite)
    return change


# --- all of it together


def _change_bodyparts(project, columns, what, inverse, *, old=None, hidden=False):
    """Write all files with other bodyparts; ``columns``: (new name, old name or None) each."""
    fresh, files = Project.open(project.root), {}
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
        return _carry_out(project, files, what, inverse)


def _carry_out(project, files, what, inverse):
    change = change_files(project.root, files, what, inverse)
    _reload(project)
    return change


def _reload(project):
    """Let an open project know what is on the disk."""
    vars(project).update(vars(Project.open(project.root)))


def _labelers(project):
    """(folder, scorer) for everybody's tables and journals."""
    return [
        (folder, scorer)
        for folder in project.labeled_dirs()
        for scorer in sorted({*table_paths(folder), *journals(folder)})
    ]


@contextmanager
def _alone(project, *, only=None, parts=None):
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
def _locked(project):
    """Keep everybody from editing and saving labels meanwhile, whatever state the files are in."""
    with ExitStack() as stack:
        for folder, scorer in _labelers(project):
            for lock in file_locks(folder, scorer):
                stack.enter_context(lock.held())
        yield


def _known(project, names):
    parts = project.bodyparts
    for name in names:
        if name not in parts:
            raise LabelError(f"no bodypart '{name}'; there are {', '.join(parts)}{nearest(name, parts)}")
    if len(set(names)) < len(names):
        raise LabelError(f"a bodypart is named twice in {', '.join(names)}")
    return parts


@errors_of_labels()
def _lacking(project):
    """Bodyparts of the project that some table has no columns for."""
    found = set()
    for folder, scorer in _labelers(project):
        for path in filter(None, table_paths(folder).get(scorer, ())):
            found |= set(project.bodyparts) - {column[1] for column in read_table(path).columns}
    return found
