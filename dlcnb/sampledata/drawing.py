"""Draw one frame of the synthetic arena: the furry animal and its shadow on the floor, its mirror image, noise.

For each frame every pixel near the animal gets its strip coordinates (u, v) from the nearest point of the bent
spine, and the coat is sampled there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlcnb.sampledata.arena import EAR_AT, N_SPINE, SPINE_LENGTH, floor_box, motion, truth
from dlcnb.sampledata.scenery import FINE, SKIN, U0, V1, fixed, scene

if TYPE_CHECKING:
    from dlcnb.sampledata.arena import Arena
    from dlcnb.sampledata.scenery import Scene


__all__ = ["render_frame"]

GRID = 4  # the (u, v) map is computed on every 4th pixel and enlarged


def render_frame(arena: Arena, index: int) -> NDArray[np.uint8]:
    """Frame ``index`` of the arena, (H, W, 3) uint8 RGB; the same for equal arenas, whatever was drawn before."""
    if not 0 <= index < arena.n_frames:
        raise IndexError(f"Frame {index} is not in this arena; it has frames 0 to {arena.n_frames - 1}.")
    still = scene(arena)
    frame = still.floor.copy()
    _draw_animal(arena, index, frame)
    _mirror_in_wall(arena, frame, still.floor)
    rng = arena.rng(9, index)
    dx, dy = rng.integers(0, 64, 2)
    height, width = arena.size
    noise = still.noise[dy : dy + height, dx : dx + width]
    return np.asarray(cv2.addWeighted(frame, rng.normal(1, 0.006), noise, 1, 0, dtype=cv2.CV_8U), np.uint8)


def _draw_animal(arena: Arena, index: int, frame: NDArray[np.uint8]) -> None:
    """Paint shadow, tail, paws, trunk with head, and ears into ``frame``, in place."""
    still, moving = scene(arena), motion(arena)
    spine, tail, unit = moving.spine[index], moving.tail[index], moving.length[index] / SPINE_LENGTH
    corner, box = _window(np.concatenate([spine, tail]), 46 * arena.scale, arena.size)
    spine, tail, ears = spine - corner, tail - corner, truth(arena)[index, 1:3] - corner
    patch = frame[box].astype(np.float32)
    light = still.light[box]
    cover = _thin_parts(spine, tail, moving.gait[index], unit, _size(patch))
    trunk_corner, trunk = _window(spine, 36 * arena.scale, _size(patch))
    coat, shade = _bent_coat(still, spine - trunk_corner, unit, _size(patch[trunk]))
    thin = cover.copy()
    np.maximum(cover[trunk], coat[..., 3], out=cover[trunk])
    _cast_shadow(arena, still.lamp, patch, cover)
    _blend(patch, SKIN * 0.8 * light[..., None], thin)
    _blend(patch[trunk], coat[..., :3] * (shade * light[trunk])[..., None], coat[..., 3])
    right = _rightward(spine)
    for side, centre in zip((-1, 1), ears, strict=True):
        ear_corner, place = _window(centre[None], 13 * arena.scale, _size(patch))
        ear = _placed_ear(still.ear, centre - ear_corner, (right, side), unit, _size(patch[place]))
        _blend(patch[place], ear[..., :3] * light[place][..., None], ear[..., 3])
    frame[box] = np.clip(patch, 0, 255)


def _size(image: NDArray[Any]) -> tuple[int, int]:
    """(height, width)."""
    return image.shape[0], image.shape[1]


def _window(
    points: NDArray[np.float64], reach: float, size: tuple[int, int]
) -> tuple[NDArray[np.int64], tuple[slice, slice]]:
    """The part of an image of ``size`` within ``reach`` of the points' box: (its corner (x, y), its slices)."""
    low = np.maximum(np.floor(points.min(0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + reach), size[::-1]).astype(int)
    return low, (slice(low[1], high[1]), slice(low[0], high[0]))


def _blend(patch: NDArray[np.float32], color: NDArray[Any], cover: NDArray[np.float32]) -> None:
    patch += cover[..., None] * (color - patch)


def _bent_coat(
    still: Scene, spine: NDArray[np.float64], unit: float, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The coat bent along ``spine`` (N, 2): ((h, w, 4) float32, (h, w) float32 shading by the lamp)."""
    height, width = size
    grid_y, grid_x = -(-height // GRID) + 1, -(-width // GRID) + 1
    nodes = np.stack(np.meshgrid(np.arange(grid_x), np.arange(grid_y)), axis=-1).astype(np.float32) * GRID
    spine = spine.astype(np.float32)
    forward = -np.gradient(spine, axis=0)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.stack([-forward[:, 1], forward[:, 0]], axis=1)  # y points down
    cross = (nodes * nodes).sum(-1)[..., None] - 2 * nodes @ spine.T + (spine * spine).sum(-1)
    nearest = cross.argmin(-1)  # (gy, gx)
    away = nodes - spine[nearest]
    u = nearest * (SPINE_LENGTH / (N_SPINE - 1)) - (away * forward[nearest]).sum(-1) / unit
    v = (away * right[nearest]).sum(-1) / unit
    lit = (right @ -still.lamp.astype(np.float32))[nearest] * np.clip(v / 22, -1, 1)
    u, v, lit = (_enlarge(field, size) for field in (u, v, lit))
    coat = cv2.remap(still.coat, (u - U0) * FINE, (v + V1) * FINE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(coat, np.float32), np.asarray(1 + 0.4 * lit, np.float32)


def _enlarge(field: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """A field given on every `GRID`-th pixel, bilinearly on every pixel (exact at the nodes)."""
    matrix = np.array([[1 / GRID, 0, 0], [0, 1 / GRID, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    field = field.astype(np.float32)
    found = cv2.warpAffine(field, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _thin_parts(
    spine: NDArray[np.float64], tail: NDArray[np.float64], gait: float, unit: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Coverage (h, w) of the tail and the paws."""
    mask = np.zeros(size, np.uint8)
    side = np.gradient(tail, axis=0)
    side = np.stack([-side[:, 1], side[:, 0]], 1) / np.linalg.norm(side, axis=1, keepdims=True)
    width = np.linspace(3.6, 0.9, len(tail))[:, None] * unit
    outline = np.concatenate([tail + side * width, (tail - side * width)[::-1]])
    cv2.fillPoly(mask, [fixed(outline)], (255,), cv2.LINE_AA, 4)
    for at, out, phase in ((46, 15, 0.0), (46, -15, np.pi), (97, 21, np.pi), (97, -21, 0.0)):
        k = at / SPINE_LENGTH * (N_SPINE - 1) - 2.5 * np.sin(gait + phase)
        a, b = spine[int(k) - 1], spine[int(k) + 1]
        forward = (a - b) / np.linalg.norm(a - b)
        place = spine[int(k)] + out * unit * np.array([-forward[1], forward[0]])
        turn = np.degrees(np.arctan2(forward[1], forward[0])) + np.sign(out) * 25
        axes = fixed(np.array([5.5, 2.6]) * unit).tolist()
        cv2.ellipse(mask, fixed(place).tolist(), axes, turn, 0, 360, (255,), -1, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _cast_shadow(
    arena: Arena, lamp: NDArray[np.float64], patch: NDArray[np.float32], cover: NDArray[np.float32]
) -> None:
    """Darken ``patch`` where the animal keeps the light off, in place."""
    small = cv2.resize(cover, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    shift = lamp * 9 * arena.scale / 4
    small = cv2.warpAffine(small, np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64), small.shape[::-1])
    small = cv2.GaussianBlur(small, (0, 0), 1.6 * arena.scale + 0.3)
    shadow = cv2.resize(small, patch.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    patch *= (1 - arena.shadow * shadow)[..., None]


def _rightward(spine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector to the right of the head, where the ears are."""
    k = int(EAR_AT / SPINE_LENGTH * (N_SPINE - 1))
    forward = spine[k - 2] - spine[k + 2]
    return np.array([-forward[1], forward[0]]) / np.linalg.norm(forward)


def _placed_ear(
    ear: NDArray[np.float32],
    centre: NDArray[np.float64],
    axis: tuple[NDArray[np.float64], int],
    unit: float,
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """An ear (h, w, 4), its middle exactly on ``centre``; ``axis`` is (unit vector to the right, -1 or 1)."""
    right, side = axis
    backward = (-right[1], right[0])
    matrix = np.stack([side * right, backward], axis=1) * unit / FINE  # columns: the sprite's x (outward) and y
    middle = (ear.shape[0] - 1) / 2
    offset = centre - matrix @ (middle, middle)
    found = cv2.warpAffine(ear, np.column_stack([matrix, offset]), size[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def _mirror_in_wall(arena: Arena, frame: NDArray[np.uint8], floor: NDArray[np.uint8]) -> None:
    """The glossy far wall shows the animal upside down, dim and blurred; ``frame`` is changed in place."""
    top = round(floor_box(arena)[1])
    change = cv2.subtract(floor[top : 2 * top], frame[top : 2 * top])
    small = cv2.resize(change[::-1], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    if small.max() < 12:
        return
    small = cv2.GaussianBlur(small, (0, 0), 1.2)
    blurred = cv2.resize(small, (frame.shape[1], top), interpolation=cv2.INTER_LINEAR)
    frame[:top] = cv2.addWeighted(frame[:top], 1, blurred, -0.35, 0)
