"""What the lines of a journal, and a table that others change too, add up to.

A bodypart in a frame has a value: a point ``(x, y)``, False (marked not visible) or None (open). Every edit names the
value that its author saw. Where that is no longer the value when the edit arrives, two people changed the same thing
without knowing of each other: the later edit holds, and the earlier value is kept as a conflict until somebody who
sees both decides. The same rules give the same result to every tab, now and on reopening.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.errors import LabelError
from dlcnb.labels.values import TABLE, Cell, Source, Value, cells_of, close, plain, same, value_of
from dlcnb.project import nearest

if TYPE_CHECKING:
    from dlcnb.labels.core import Labels

__all__ = ["Replay"]

PAST = 8  # former values of a point in the table that are remembered
_ARRAYS = ("points", "hidden", "done", "table_points", "table_hidden", "_saving", "_saving_hidden", "_is_saving")


class Replay:
    """The frames of one folder by one scorer.

    Attributes
    ----------
    bodyparts : K names.
    images : list of T names (``img0000.png``), sorted by frame number.
    points : float64 ``(T, K, 2)``, px, NaN = not there. hidden : bool ``(T, K)``, marked not visible.
    done : bool ``(T,)``.
    table_points, table_hidden : the same as last saved to, or seen in, the table.
    sources : {(image, bodypart): `Source`} of the values that are there.
    rivals : {(image, bodypart): list of (value, `Source`)}: what lost against the value that holds.
    found_save : whether a save was found in the table of which the journal doesn't say that it ended.
    files : digests of the table's "csv" and "h5" as last written or seen; "odd": the h5 held something else that
        nobody took over.
    """

    def __init__(self, bodyparts: Iterable[str]) -> None:
        self.bodyparts = tuple(bodyparts)
        self.images: list[str] = []
        self._row: dict[str, int] = {}
        self._column = {part: k for k, part in enumerate(self.bodyparts)}
        self.points, self.table_points = (np.empty((0, len(self.bodyparts), 2)) for _ in range(2))
        self.hidden, self.table_hidden = (np.empty((0, len(self.bodyparts)), bool) for _ in range(2))
        self.done = np.empty(0, bool)
        self._saving, self._saving_hidden, self._is_saving = self.points, self.hidden, self.done  # see `begin_save`
        self.sources: dict[tuple[str, str], Source] = {}
        self.rivals: dict[tuple[str, str], list[tuple[Value, Source]]] = {}
        self.found_save = False
        self.files: dict[str, Any] = {}
        self._writing: dict[str, Any] = {}  # digests of the table that a save is about to write
        self._from_h5: dict[tuple[str, str], Value] = {}  # taken from the h5 since the last save
        self._past: dict[tuple[str, str], list[Value]] = {}  # what the table said before a save put something else
        self._unknown: dict[str, dict[str, Any]] = {}  # {image: {bodypart that the project lacks: the journal's entry}}

    def add_images(self, names: Iterable[str]) -> None:
        """Give every one of these images a row."""
        new = [name for name in dict.fromkeys(names) if name not in self._row]
        if not new:
            return
        names = self.images + new
        order = sorted(range(len(names)), key=lambda t: frame_order(names[t]))
        self.images = [names[t] for t in order]
        self._row = {name: t for t, name in enumerate(self.images)}
        for field in _ARRAYS:
            old = getattr(self, field)
            fill = np.full((len(new), *old.shape[1:]), np.nan if old.dtype == float else False)
            setattr(self, field, np.concatenate([old, fill.astype(old.dtype)])[order])

    def drop_images(self, names: Collection[str]) -> None:
        """Forget images."""
        keep = [t for t, name in enumerate(self.images) if name not in names]
        self.images = [self.images[t] for t in keep]
        self._row = {name: t for t, name in enumerate(self.images)}
        for field in _ARRAYS:
            setattr(self, field, getattr(self, field)[keep])
        kept: dict[tuple[str, str], Any]
        for kept in (self.sources, self.rivals, self._past):
            for key in [key for key in kept if key[0] in names]:
                del kept[key]

    def where(self, image: str, bodypart: str) -> tuple[int, int]:
        """Row and column; raises `LabelError`."""
        if bodypart not in self._column:
            hint = nearest(bodypart, self.bodyparts)
            raise LabelError(f"no bodypart '{bodypart}'; there are {', '.join(self.bodyparts)}{hint}")
        return self.row(image), self._column[bodypart]

    def row(self, image: str) -> int:
        """Row of an image (its name without folder); raises `LabelError`."""
        if image not in self._row:
            raise LabelError(f"no image {image} among the {len(self.images)} extracted ones; extract that frame first")
        return self._row[image]

    def value(self, t: int, k: int) -> Value:
        """The value that holds: a point, False or None."""
        return value_of(self.points[t, k], self.hidden[t, k])

    def _table_value(self, t: int, k: int) -> Value:
        return value_of(self.table_points[t, k], self.table_hidden[t, k])

    def state(self, t: int) -> str:
        """'new', 'in work' or 'done'."""
        if self.done[t]:
            return "done"
        return "in work" if self._filled(t).any() else "new"

    def _filled(self, t: int) -> NDArray[np.bool_]:
        return ~np.isnan(self.points[t, :, 0]) | self.hidden[t]

    # --- lines of the journal

    def apply(self, line: dict[str, Any]) -> None:
        """Let one line take effect; raises `LabelError` for one that doesn't fit the project."""
        if "image" in line:
            self._load(line)
        elif "edits" in line:
            self._apply_edits(line)
        elif "done" in line:
            self.add_images(line["done"])
            for image, done in line["done"].items():
                self.done[self._row[image]] = done
        else:
            self._apply_from_table(line)

    def _apply_from_table(self, line: dict[str, Any]) -> None:
        """Let a line about the table's files take effect; lines of other kinds say nothing here."""
        if "table" in line:
            self.take_table(cells_of(line["table"]), line["time"])
        elif "h5" in line:
            self.take_h5(cells_of(line["h5"]), line["time"])
        elif "files" in line:
            self.files = line["files"]
        elif "saving" in line:
            self.begin_save()
        elif "writing" in line:
            self._writing = line["writing"]
        elif "saved" in line:
            self.end_save()

    def _apply_edits(self, line: dict[str, Any]) -> None:
        self.add_images(edit["image"] for edit in line["edits"])
        complete = {edit["image"]: self._filled(self._row[edit["image"]]).all() for edit in line["edits"]}
        opened = set()
        for edit in line["edits"]:
            self._apply_edit(edit, line)
            if edit["to"] is None:
                opened.add(edit["image"])
        for image, before in complete.items():
            t = self._row[image]
            if self._filled(t).all():
                self.done[t] |= not before
            elif image in opened:
                self.done[t] = False

    def _apply_edit(self, edit: dict[str, Any], line: dict[str, Any]) -> None:
        image, part = edit["image"], edit["bodypart"]
        try:
            t, k = self.where(image, part)
        except LabelError as error:
            raise LabelError(
                f"the journal has labels of '{part}' in {image} that are in no table yet, but config.yaml has {error}. "
                "Give the bodypart its name back in config.yaml; rename bodyparts with `dlcnb bodyparts`."
            ) from None
        now, new, seen = self.value(t, k), plain(edit["to"]), plain(edit["from"])
        if same(now, seen):
            self.rivals.pop((image, part), None)  # whoever made this edit knew what was there
        elif not same(now, new):
            self._add_rival((image, part), now, self.sources.get((image, part), Source("", line["time"], TABLE)))
        self._put(t, k, new, Source(edit.get("origin", ""), line["time"], line["by"]))

    def _put(self, t: int, k: int, value: Value, source: Source) -> None:
        self.points[t, k] = value if isinstance(value, tuple) else np.nan
        self.hidden[t, k] = value is False
        self.sources[self.images[t], self.bodyparts[k]] = source

    def _add_rival(self, key: tuple[str, str], value: Value, source: Source) -> None:
        rivals = self.rivals.setdefault(key, [])
        if not any(same(value, old) and source.by == other.by for old, other in rivals):
            rivals.append((value, source))

    # --- the table

    def knows(self, kind: str, digest: str | None) -> bool:
        """Whether the "csv" or "h5" of this digest was written here, or seen before."""
        return digest is not None and digest in (self.files.get(kind), self._writing.get(kind))

    def agrees(self, digests: dict[str, str | None]) -> bool:
        """Whether the table's two files are those of one save, or were seen to say the same."""
        known = (files for files in (self.files, self._writing) if not files.get("differ"))
        return any(all(files.get(kind) == digest for kind, digest in digests.items()) for files in known)

    def changed_in(self, labels: Labels) -> list[Cell]:
        """What another program changed in the table since it was last saved or seen."""
        names = [image.rsplit("/", 1)[-1] for image in labels.images]
        self.add_images(names)
        cells = np.ix_([self._row[name] for name in names], [self._column[part] for part in labels.bodyparts])
        differs = ~close(self.table_points[cells], labels.points)
        ours = differs & self._is_saving[cells[0]] & close(self._saving[cells], labels.points)
        which = np.zeros_like(self.hidden)
        which[cells] = ours
        self._has_saved(which)
        self.found_save |= bool(ours.any())
        return [
            (names[t], labels.bodyparts[k], value_of(labels.points[t, k], False))
            for t, k in np.argwhere(differs & ~ours)
        ]

    def take_table(self, cells: Sequence[Cell], time: float, *, in_journal: bool = True) -> None:
        """Take over what another program wrote into the table, unless it was changed here too: that is a conflict.

        So is a point that it took away, and one that it put back to where it was before a save: it may have saved an
        old copy. Without a journal nobody else has those points, and the table is right. A frame of which nothing was
        known becomes done, its empty bodyparts not visible, as DeepLabCut means them.
        """
        self.add_images(image for image, _, _ in cells)
        touched = {image: self.state(self._row[image]) == "new" for image, _, _ in cells}
        for image, part, value in cells:
            t, k = self.where(image, part)
            before = self._table_value(t, k)
            if not same(before or None, value):
                self._take((image, part), value, before, Source(TABLE, time, TABLE), in_journal)
            self.table_points[t, k] = value if isinstance(value, tuple) else np.nan
            self.table_hidden[t, k] = value is None and self.hidden[t, k]
        for image, fresh in touched.items():
            self._settle(self._row[image], fresh)

    def take_h5(self, cells: Sequence[Cell], time: float) -> None:
        """Take over what another program wrote into the h5 alone, as `take_table`; the csv still lacks it."""
        self.add_images(image for image, _, _ in cells)
        touched = {image: self.state(self._row[image]) == "new" for image, _, _ in cells}
        for image, part, value in cells:
            key = image, part
            if key not in self._from_h5 or not same(self._from_h5[key], value):
                self._from_h5[key] = value
                self._take(key, value, self._table_value(*self.where(*key)), Source(TABLE, time, TABLE), True)
        for image, fresh in touched.items():
            self._settle(self._row[image], fresh)

    def _take(self, key: tuple[str, str], value: Value, before: Value, source: Source, in_journal: bool) -> None:
        """Let a value of another program hold where nothing speaks against it; ``before``: what the table had."""
        t, k = self.where(*key)
        now = self.value(t, k)
        if same(now, value) or (now is False and value is None):
            return
        lost = value is None and isinstance(now, tuple)
        put_back = any(same(value, past) for past in self._past.get(key, ()))
        if not same(now, before) or (in_journal and (lost or put_back)):
            self._add_rival(key, value, source)
        else:
            self._put(t, k, False if value is None and self.done[t] else value, source)

    def _settle(self, t: int, fresh: bool) -> None:
        filled = self._filled(t)
        if fresh and filled.any():
            self.hidden[t] |= ~filled
            self.table_hidden[t] = self.hidden[t]
            self.done[t] = True
        self.done[t] |= filled.all()

    def begin_save(self) -> None:
        """The table is about to get these values: when they turn up there, nobody else wrote them."""
        self._saving, self._saving_hidden = self.points.copy(), self.hidden.copy()
        self._is_saving, self._writing = np.ones(len(self.images), bool), {}

    def end_save(self) -> None:
        """The table has the values that it was about to get."""
        self._has_saved(np.repeat(self._is_saving[:, None], len(self.bodyparts), axis=1))
        self._is_saving = np.zeros(len(self.images), bool)
        self._from_h5.clear()
        self.files, self.found_save = self._writing or self.files, False

    def _has_saved(self, which: NDArray[np.bool_]) -> None:
        """The table has the values that were being saved, where ``which`` ``(T, K)``."""
        replaced = which & ~np.isnan(self.table_points[..., 0]) & ~close(self.table_points, self._saving)
        for t, k in np.argwhere(replaced):
            past = self._past.setdefault((self.images[t], self.bodyparts[k]), [])
            past.append(value_of(self.table_points[t, k], False))
            del past[:-PAST]
        self.table_points[which] = self._saving[which]
        self.table_hidden[which] = self._saving_hidden[which]

    def forget_rows(self, names: Iterable[str]) -> None:
        """The table has no row any more for these images; what was in it is to be saved again."""
        rows = [self._row[name] for name in names]
        self.table_points[rows], self.table_hidden[rows] = np.nan, False

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Bool ``(T,)``: frames with at least one point."""
        return ~np.isnan(self.points).all((1, 2))

    @property
    def unsaved(self) -> NDArray[np.bool_]:
        """Bool ``(T, K)``: where the table holds another point, or none."""
        return ~np.isclose(self.points, self.table_points, rtol=0, atol=0, equal_nan=True).all(-1)

    # --- other bodyparts

    def with_bodyparts(self, columns: Sequence[tuple[str, str | None]], hidden: bool = False) -> Replay:
        """The same frames with other bodyparts, as a new `Replay`.

        Parameters
        ----------
        columns : list of (new name, old name or None for a new bodypart).
        hidden : whether new bodyparts are not visible in frames that are done; else those are in work again.
        """
        new = Replay([name for name, _ in columns])
        new.add_images(self.images)
        new.done = self.done.copy()
        labeled = self.done & (self.placed | self.hidden.any(1))
        for k, (name, old) in enumerate(columns):
            if old is None:
                new.hidden[:, k] = new.table_hidden[:, k] = labeled & hidden
                new.done &= ~labeled | hidden
                continue
            for field in ("points", "hidden", "table_points", "table_hidden"):
                getattr(new, field)[:, k] = getattr(self, field)[:, self._column[old]]
            for kept in ("sources", "rivals", "_from_h5", "_past"):
                mine = {(i, name): value for (i, part), value in getattr(self, kept).items() if part == old}
                getattr(new, kept).update(mine)
        new.done |= np.array([new._filled(t).all() for t in range(len(new.images))], bool)
        new._unknown = self._unknown
        return new

    # --- all of it as lines

    def lines(self) -> list[dict[str, Any]]:
        """One line for the table's files, one per image, from which `apply` restores everything."""
        files = [{"files": self.files}] if self.files else []
        return [*files, *(self._line(t, image) for t, image in enumerate(self.images))]

    def _line(self, t: int, image: str) -> dict[str, Any]:
        parts = {}
        for k, part in enumerate(self.bodyparts):
            value, saved = self.value(t, k), self._table_value(t, k)
            source = self.sources.get((image, part))
            entry: dict[str, Any] = {"is": value}
            if source and source.by != TABLE:
                entry |= {"origin": source.origin, "time": source.time, "by": source.by}
            if not same(value, saved):
                entry["table"] = saved
            if rivals := self.rivals.get((image, part)):
                entry["rivals"] = [[v, r.origin, r.time, r.by] for v, r in rivals]
            if (image, part) in self._from_h5:
                entry["h5"] = self._from_h5[image, part]
            if past := self._past.get((image, part)):
                entry["past"] = past
            if len(entry) > 1 or value is not None:
                parts[part] = entry
        return {"image": image, "done": bool(self.done[t]), "parts": {**self._unknown.get(image, {}), **parts}}

    def _load(self, line: dict[str, Any]) -> None:
        image = line["image"]
        self.add_images([image])
        t = self._row[image]
        self.done[t] = line["done"]
        for part, entry in line["parts"].items():
            if part not in self._column:
                self._unknown.setdefault(image, {})[part] = entry
                continue
            k, value = self._column[part], plain(entry["is"])
            saved = plain(entry.get("table", value))
            source = Source(entry.get("origin", TABLE), entry.get("time", 0.0), entry.get("by", TABLE))
            self._put(t, k, value, source)
            self.table_points[t, k] = saved if isinstance(saved, tuple) else np.nan
            self.table_hidden[t, k] = saved is False
            if "h5" in entry:
                self._from_h5[image, part] = plain(entry["h5"])
            if "past" in entry:
                self._past[image, part] = [*map(plain, entry["past"])]
            for rival, origin, time, by in entry.get("rivals", ()):
                self._add_rival((image, part), plain(rival), Source(origin, time, by))


def frame_order(name: str) -> tuple[float, str]:
    """What names of images are sorted by: the last number in them, whoever gave it."""
    number = re.search(r"(\d+)\.\w+$", name)
    return int(number[1]) if number else float("inf"), name
