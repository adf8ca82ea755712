"""What the lines of a journal, and a table that others change too, add up to.

A bodypart in a frame has a value: a point ``(x, y)``, False (marked not visible) or None (open). Every edit names the
value that its author saw. Where that is no longer the value when the edit arrives, two people changed the same thing
without knowing of each other: the later edit holds, and the earlier value is kept as a conflict until somebody who
sees both decides. The same rules give the same result to every tab, now and on reopening.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from dlcnb.labels.errors import LabelError
from dlcnb.project import nearest

__all__ = ["Mark", "Replay", "same"]

TABLE = "table"  # the author of what stands in a table and in no journal
_SAME = 1e-6  # px
_ARRAYS = ("points", "hidden", "done", "table_points", "table_hidden", "_saving", "_saving_hidden", "_is_saving")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value comes from: its origin, when (Unix time, s), and by which program."""

    origin: str
    time: float
    by: str


def same(one, two):
    """Whether two values (point, False or None) are the same."""
    if isinstance(one, (tuple, list)) and isinstance(two, (tuple, list)):
        return max(abs(one[0] - two[0]), abs(one[1] - two[1])) <= _SAME
    return one is two


class Replay:
    """The frames of one folder by one scorer.

    Attributes
    ----------
    bodyparts : K names.
    images : list of T names (``img0000.png``), sorted by frame number.
    points : float64 ``(T, K, 2)``, px, NaN = not there. hidden : bool ``(T, K)``, marked not visible.
    done : bool ``(T,)``.
    table_points, table_hidden : the same as last saved to, or seen in, the table.
    marks : {(image, bodypart): `Mark`} of the values that are there.
    rivals : {(image, bodypart): list of (value, `Mark`)}: what lost against the value that holds.
    found_save : whether a save was found in the table of which the journal doesn't say that it ended.
    """

    def __init__(self, bodyparts):
        self.bodyparts = tuple(bodyparts)
        self.images, self._row = [], {}
        self._column = {part: k for k, part in enumerate(self.bodyparts)}
        self.points, self.table_points = (np.empty((0, len(self.bodyparts), 2)) for _ in range(2))
        self.hidden, self.table_hidden = (np.empty((0, len(self.bodyparts)), bool) for _ in range(2))
        self.done = np.empty(0, bool)
        self._saving, self._saving_hidden, self._is_saving = self.points, self.hidden, self.done  # see `begin_save`
        self.marks, self.rivals = {}, {}
        self.found_save = False
        self._from_h5 = {}  # {(image, bodypart): value} taken from the h5 since the last save
        self._unknown = {}  # {image: {bodypart: what the journal says}} of bodyparts that the project lacks

    def add_images(self, names):
        """Give every one of these images a row."""
        new = [name for name in dict.fromkeys(names) if name not in self._row]
        if not new:
            return
        names = self.images + new
        order = sorted(range(len(names)), key=lambda t: _frame_order(names[t]))
        self.images = [names[t] for t in order]
        self._row = {name: t for t, name in enumerate(self.images)}
        for field in _ARRAYS:
            old = getattr(self, field)
            fill = np.full((len(new), *old.shape[1:]), np.nan if old.dtype == float else False)
            setattr(self, field, np.concatenate([old, fill.astype(old.dtype)])[order])

    def drop_images(self, names):
        """Forget images."""
        keep = [t for t, name in enumerate(self.images) if name not in names]
        self.images = [self.images[t] for t in keep]
        self._row = {name: t for t, name in enumerate(self.images)}
        for field in _ARRAYS:
            setattr(self, field, getattr(self, field)[keep])
        for kept in (self.marks, self.rivals):
            for key in [key for key in kept if key[0] in names]:
                del kept[key]

    def where(self, image, bodypart):
        """Row and column; raises `LabelError`."""
        if bodypart not in self._column:
            hint = nearest(bodypart, self.bodyparts)
            raise LabelError(f"no bodypart '{bodypart}'; there are {', '.join(self.bodyparts)}{hint}")
        return self.row(image), self._column[bodypart]

    def row(self, image):
        """Row of an image (its name without folder); raises `LabelError`."""
        if image not in self._row:
            raise LabelError(f"no image {image} among the {len(self.images)} extracted ones; extract that frame first")
        return self._row[image]

    def value(self, t, k):
        """The value that holds: a point, False or None."""
        return _value(self.points[t, k], self.hidden[t, k])

    def state(self, t):
        """'new', 'in work' or 'done'."""
        if self.done[t]:
            return "done"
        return "in work" if self._filled(t).any() else "new"

    def _filled(self, t):
        return ~np.isnan(self.points[t, :, 0]) | self.hidden[t]

    # --- lines of the journal

    def apply(self, line):
        """Let one line take effect; raises `LabelError` for one that doesn't fit the project."""
        if "image" in line:
            self._load(line)
        elif "edits" in line:
            self._apply_edits(line)
        elif "done" in line:
            self.add_images(line["done"])
            for image, done in line["done"].items():
                self.done[self._row[image]] = bool(done)
        elif "table" in line:
            self.take_table(_cells(line["table"]), line["time"])
        elif "h5" in line:
            self.take_h5(_cells(line["h5"]), line["time"])
        elif "saving" in line:
            self.begin_save()
        elif "saved" in line:
            self.end_save()

    def _apply_edits(self, line):
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

    def _apply_edit(self, edit, line):
        image, part = edit["image"], edit["bodypart"]
        try:
            t, k = self.where(image, part)
        except LabelError as error:
            raise LabelError(
                f"the journal has labels of '{part}' in {image} that are in no table yet, but config.yaml has {error}. "
                "Give the bodypart its name back in config.yaml; rename bodyparts with `dlcnb bodyparts`."
            ) from None
        now, new, seen = self.value(t, k), _plain(edit["to"]), _plain(edit["from"])
        if same(now, seen):
            self.rivals.pop((image, part), None)  # whoever made this edit knew what was there
        elif not same(now, new):
            self._add_rival((image, part), now, self.marks.get((image, part), Mark("", line["time"], TABLE)))
        self._put(t, k, new, Mark(edit.get("origin", ""), line["time"], line["by"]))

    def _put(self, t, k, value, mark):
        self.points[t, k] = value if isinstance(value, tuple) else np.nan
        self.hidden[t, k] = value is False
        self.marks[self.images[t], self.bodyparts[k]] = mark

    def _add_rival(self, key, value, mark):
        rivals = self.rivals.setdefault(key, [])
        if not any(same(value, old) and mark.by == other.by for old, other in rivals):
            rivals.append((value, mark))

    # --- the table

    def changed_in(self, labels):
        """What another program changed in the table since it was last saved or seen: (image, bodypart, value) each."""
        names = [image.rsplit("/", 1)[-1] for image in labels.images]
        self.add_images(names)
        cells = np.ix_([self._row[name] for name in names], [self._column[part] for part in labels.bodyparts])
        differs = ~_close(self.table_points[cells], labels.points)
        ours = differs & self._is_saving[cells[0]] & _close(self._saving[cells], labels.points)
        for old, new in ((self.table_points, self._saving), (self.table_hidden, self._saving_hidden)):
            part = old[cells]
            part[ours] = new[cells][ours]
            old[cells] = part
        self.found_save |= bool(ours.any())
        return [
            (names[t], labels.bodyparts[k], _value(labels.points[t, k], False)) for t, k in np.argwhere(differs & ~ours)
        ]

    def take_table(self, cells, time):
        """Take over what another program wrote into the table, unless it was changed here too: that is a conflict.

        A frame of which nothing was known becomes done, its empty bodyparts not visible, as DeepLabCut means them.
        """
        self.add_images(image for image, _, _ in cells)
        touched = {image: self.state(self._row[image]) == "new" for image, _, _ in cells}
        for image, part, value in cells:
            t, k = self.where(image, part)
            now, mark = self.value(t, k), Mark(TABLE, time, TABLE)
            before = _value(self.table_points[t, k], self.table_hidden[t, k])
            if same(before or None, value) or (now is False and value is None):
                pass  # known already
            elif not same(now, value) and same(now, before):
                self._put(t, k, False if value is None and self.done[t] else value, mark)
            elif not same(now, value):
                self._add_rival((image, part), value, mark)
            self.table_points[t, k] = np.nan if value is None else value
            self.table_hidden[t, k] = value is None and self.hidden[t, k]
        for image, fresh in touched.items():
            self._settle(self._row[image], fresh)

    def take_h5(self, cells, time):
        """Take over what another program wrote into the h5 alone, as `take_table`; the csv still lacks it."""
        self.add_images(image for image, _, _ in cells)
        for image, part, value in cells:
            if (image, part) in self._from_h5 and same(self._from_h5[image, part], value):
                continue
            self._from_h5[image, part] = value
            (t, k), mark = self.where(image, part), Mark(TABLE, time, TABLE)
            now, before = self.value(t, k), _value(self.table_points[t, k], self.table_hidden[t, k])
            if same(now, before):
                self._put(t, k, False if value is None and self.done[t] else value, mark)
            elif not same(now, value):
                self._add_rival((image, part), value, mark)

    def _settle(self, t, fresh):
        filled = self._filled(t)
        if fresh and filled.any():
            self.hidden[t] |= ~filled
            self.table_hidden[t] = self.hidden[t]
            self.done[t] = True
        self.done[t] |= filled.all()

    def begin_save(self):
        """The table is about to get these values: when they turn up there, nobody else wrote them."""
        self._saving, self._saving_hidden = self.points.copy(), self.hidden.copy()
        self._is_saving = np.ones(len(self.images), bool)

    def end_save(self):
        """The table has the values that it was about to get."""
        self.table_points[self._is_saving] = self._saving[self._is_saving]
        self.table_hidden[self._is_saving] = self._saving_hidden[self._is_saving]
        self._is_saving = np.zeros(len(self.images), bool)
        self._from_h5.clear()
        self.found_save = False

    def forget_rows(self, names):
        """The table has no row any more for these images; what was in it is to be saved again."""
        rows = [self._row[name] for name in names]
        self.table_points[rows], self.table_hidden[rows] = np.nan, False

    @property
    def placed(self):
        """Bool ``(T,)``: frames with at least one point."""
        return ~np.isnan(self.points).all((1, 2))

    @property
    def unsaved(self):
        """Bool ``(T, K)``: where the table holds another point, or none."""
        return ~np.isclose(self.points, self.table_points, rtol=0, atol=0, equal_nan=True).all(-1)

    # --- other bodyparts

    def with_bodyparts(self, columns, hidden=False):
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
            for kept in ("marks", "rivals", "_from_h5"):
                mine = {(i, name): value for (i, part), value in getattr(self, kept).items() if part == old}
                getattr(new, kept).update(mine)
        new.done |= np.array([new._filled(t).all() for t in range(len(new.images))], bool)
        new._unknown = self._unknown
        return new

    # --- all of it as lines

    def lines(self):
        """One line per image, from which `apply` restores everything."""
        return [self._line(t, image) for t, image in enumerate(self.images)]

    def _line(self, t, image):
        parts = {}
        for k, part in enumerate(self.bodyparts):
            value, saved = self.value(t, k), _value(self.table_points[t, k], self.table_hidden[t, k])
            mark = self.marks.get((image, part))
            entry = {"is": value}
            if mark and mark.by != TABLE:
                entry |= {"origin": mark.origin, "time": mark.time, "by": mark.by}
            if not same(value, saved):
                entry["table"] = saved
            if rivals := self.rivals.get((image, part)):
                entry["rivals"] = [[v, m.origin, m.time, m.by] for v, m in rivals]
            if (image, part) in self._from_h5:
                entry["h5"] = self._from_h5[image, part]
            if len(entry) > 1 or value is not None:
                parts[part] = entry
        return {"image": image, "done": bool(self.done[t]), "parts": {**self._unknown.get(image, {}), **parts}}

    def _load(self, line):
        image = line["image"]
        self.add_images([image])
        t = self._row[image]
        self.done[t] = line["done"]
        for part, entry in line["parts"].items():
            if part not in self._column:
                self._unknown.setdefault(image, {})[part] = entry
                continue
            k, value = self._column[part], _plain(entry["is"])
            saved = _plain(entry.get("table", value))
            mark = Mark(entry.get("origin", TABLE), entry.get("time", 0.0), entry.get("by", TABLE))
            self._put(t, k, value, mark)
            self.table_points[t, k] = saved if isinstance(saved, tuple) else np.nan
            self.table_hidden[t, k] = saved is False
            if "h5" in entry:
                self._from_h5[image, part] = _plain(entry["h5"])
            for rival, origin, time, by in entry.get("rivals", ()):
                self._add_rival((image, part), _plain(rival), Mark(origin, time, by))


def _close(one, two):
    return np.isclose(one, two, rtol=0, atol=_SAME, equal_nan=True).all(-1)


def _value(point, hidden):
    if hidden:
        return False
    return None if np.isnan(point[0]) else (float(point[0]), float(point[1]))


def _plain(value):
    """A value out of JSON."""
    return (float(value[0]), float(value[1])) if isinstance(value, list) else value


def _cells(entries):
    return [(entry["image"], entry["bodypart"], _plain(entry["to"])) for entry in entries]


def _frame_order(name):
    number = re.search(r"(\d+)\.\w+$", name)
    return int(number[1]) if number else float("inf"), name
