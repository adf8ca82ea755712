"""Marks of every widget and figure are seen on dark, light and grey animals, in the colour of their bodypart."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from dlcnb.plots import pose_on
from dlcnb.render import draw_pose, palette
from dlcnb.widgets.base.paint import on_picture
from dlcnb.widgets.evaluation.draw import overlay
from dlcnb.widgets.gallery.label_pictures import draw_rivals
from dlcnb.widgets.labeler.draw import label_things
from dlcnb.widgets.labeler.scene import Scene
from dlcnb.widgets.player.draw import pose_things
from dlcnb.widgets.training.preview import draw_marks

GROUNDS = {"black": 0, "mid grey": 119, "white": 255}
COLORS = np.concatenate([palette(8), palette(20)])
SIDE, MIDDLE = 80, np.array([40.3, 40.3])
NONE = np.full((1, 2), np.nan)
SCENE = Scene(
    points=NONE, ghosts=NONE, hollow=NONE, likelihood=NONE[:, 0], lines=np.empty((0, 2, 2)),
    disputed=np.empty((0, 2, 2)), crosshair=NONE[0], fields=np.empty((0, 2, 2)), size=(SIDE, SIDE),
    current=0, placing=0, dragging=False, names=("snout",), named=False, loupe=None, loupe_box=(0, 0, 0),
    pointer=NONE[0],
)  # fmt: skip


def labeler(picture, color, row, **seen):
    """A bodypart of the labeler's list, whose shapes come by turns; the last is not there and the current one."""
    count = row + 2
    fields = dict.fromkeys(("points", "ghosts", "hollow"), np.full((count, 2), np.nan)) | {
        "likelihood": np.full(count, np.nan), "current": count - 1, "placing": count - 1,
        "names": tuple("abcdef"[:count]),
    }  # fmt: skip
    fields = {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in fields.items()}
    for name, value in seen.items():
        fields[name][row] = value
    scene = dataclasses.replace(SCENE, **fields)
    return np.asarray(on_picture(Image.fromarray(picture), label_things(scene, np.tile(color, (count, 1)))))


def painted(picture, things):
    return np.asarray(on_picture(Image.fromarray(picture), things))


def previewed(picture, color, labels, points, sure):
    draw_marks(picture, labels, points, np.array([sure]), color[None])
    return picture


def figure(picture, color, likelihood, labels=None):
    fig, ax = pose_on(picture, MIDDLE[None], ["snout"], likelihood=likelihood, labels=labels, colors=color[None] / 255)
    ax.get_legend() and ax.get_legend().remove()
    ax.set_position([0, 0, 1, 1])
    fig.set_size_inches(SIDE / 100, SIDE / 100)
    fig.canvas.draw()
    return np.array(fig.canvas.buffer_rgba())[..., :3]


AT = MIDDLE[None]
MARKS = {
    **{f"label {row}": lambda g, c, row=row: labeler(g, c, row, points=MIDDLE) for row in range(4)},
    **{
        f"suggestion {row} of {p}": lambda g, c, row=row, p=p: labeler(g, c, row, hollow=MIDDLE, likelihood=p)
        for row in range(4) for p in (0.05, 0.5, 1.0)
    },
    "ghost": lambda g, c: labeler(g, c, 0, ghosts=MIDDLE),
    "player": lambda g, c: painted(g, pose_things(AT, np.empty((0, 2), int), c[None])),
    "evaluation, sure": lambda g, c: painted(g, overlay(NONE, AT, np.array([True]), c[None])),
    "evaluation, unsure": lambda g, c: painted(g, overlay(NONE, AT, np.array([False]), c[None])),
    "evaluation, label": lambda g, c: painted(g, overlay(AT, NONE, np.array([False]), c[None])),
    "gallery": lambda g, c: draw_pose(g, AT, radius=4, colors=c[None]),
    "labeled video": lambda g, c: draw_pose(g, AT, radius=2.5, colors=c[None]),
    "training, label": lambda g, c: previewed(g, c, AT, NONE, False),
    "training, sure": lambda g, c: previewed(g, c, NONE, AT, True),
    "training, unsure": lambda g, c: previewed(g, c, NONE, AT, False),
    "figure, sure": lambda g, c: figure(g, c, [1.0]),
    "figure, unsure": lambda g, c: figure(g, c, [0.1]),
    "figure, label": lambda g, c: figure(g, c, [1.0], AT),
}  # fmt: skip


def luminance(rgb):
    """Relative luminance of sRGB colours, as the Web Content Accessibility Guidelines define it."""
    share = np.asarray(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(rgb, ground):
    one, other = luminance(rgb) + 0.05, luminance([ground] * 3) + 0.05
    return np.maximum(one, other) / np.minimum(one, other)


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_seen_in_its_colour(mark, ground):
    for color in COLORS:
        drawn = MARKS[mark](np.full((SIDE, SIDE, 3), ground, np.uint8), color)
        seen = contrast(drawn, ground) >= 3
        assert seen.sum() >= 12, f"{color}: {seen.sum()} px at 3:1"
        alike = np.abs(drawn.astype(int) - color).max(axis=-1) <= 60
        assert alike.sum() >= 4, f"{color}: {alike.sum()} px of it"


def test_two_scorers_points_are_seen_in_their_colours():
    for ground in GROUNDS.values():
        for n in (8, 20):
            places = np.stack([np.arange(n) * 30.0 + 20, np.full(n, 30.0)], axis=1)
            drawn = draw_rivals(np.full((120, 30 * n + 40, 3), ground, np.uint8), places, places + [0, 50], 4.0)
            for (x, y), color in zip(places.astype(int), palette(n), strict=True):
                for part in (drawn[y - 9 : y + 10, x - 9 : x + 10], drawn[y + 41 : y + 60, x - 9 : x + 10]):
                    assert (contrast(part, ground) >= 3).sum() >= 12, (ground, color)
                    assert (np.abs(part.astype(int) - color).max(axis=-1) <= 60).sum() >= 4, (ground, color)
