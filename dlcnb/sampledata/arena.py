"""The synthetic arena: its parameters, and the walk of the animal through it (no pixels here).

The animal is a curve, the *spine*, from the tip of the snout to the base of the tail, and a second curve, the tail. The
drawing and the true bodypart positions both come from these curves, so the truth is exact.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BODYPARTS", "SKELETON", "Arena", "Motion", "arena_poses", "floor_box", "motion", "trail", "truth"]

BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
SKELETON = (("snout", "leftear"), ("snout", "rightear"), ("leftear", "tailbase"), ("rightear", "tailbase"))

# Lengths of the animal in pixels of a 640 x 480 frame, measured along the spine from the tip of the snout.
SPINE_LENGTH, HEAD, TAIL_LENGTH = 118.0, 34.0, 112.0
SNOUT_AT, EAR_AT, EAR_OUT = 2.0, 25.0, 11.5
N_BODY, N_TAIL, N_SPINE = 12, 16, 60  # links of the trunk, links of the tail, samples of the drawn spine


@dataclass(frozen=True)
class Arena:
    """A synthetic open-field recording, seen from above. Equal arenas give equal frames.

    Attributes
    ----------
    seed : int
        Decides the walk, the trail, the light, the coat and the noise.
    n_frames : int
    size : tuple of int
        (height, width) in pixels; everything scales with it.
    fps : float
        Frames per second.
    speed : float
        Mean walking speed, body lengths per second.
    swing : float
        Amplitude of the head swinging across the odor trail, degrees.
    noise : float
        Standard deviation of the sensor noise, grey levels.
    vignette : float
        How much darker the corners are than the centre, 0..1.
    shadow : float
        Darkness of the animal's shadow, 0..1.
    """

    seed: int = 0
    n_frames: int = 900
    size: tuple[int, int] = (480, 640)
    fps: float = 30.0
    speed: float = 1.4
    swing: float = 24.0
    noise: float = 3.0
    vignette: float = 0.3
    shadow: float = 0.5

    def __post_init__(self) -> None:
        if self.n_frames < 1:
            raise ValueError(f"An arena needs n_frames >= 1, got {self.n_frames}; ask for at least one frame.")
        if self.fps <= 0 or self.speed <= 0:
            raise ValueError(f"An arena needs fps > 0 and speed > 0, got {self.fps} and {self.speed}.")
        if min(self.size) < 96:
            raise ValueError(f"An arena needs a size (height, width) of at least 96 pixels, got {self.size}.")
        object.__setattr__(self, "size", tuple(int(n) for n in self.size))

    @property
    def scale(self) -> float:
        """Pixels of this arena per pixel of the 640 x 480 one."""
        return min(self.size[0] / 480, self.size[1] / 640)

    def rng(self, *stream: int) -> np.random.Generator:
        """Random numbers of one named stream (integers), the same for equal arenas."""
        return np.random.default_rng([self.seed, *stream])


@dataclass(frozen=True)
class Motion:
    """The animal's curves, all in full-frame pixels.

    Attributes
    ----------
    spine : numpy.ndarray
        (T, N_SPINE, 2), equally spaced along the spine from the tip of the snout to the tail base.
    tail : numpy.ndarray
        (T, N_TAIL + 1, 2), from the tail base to the tip.
    gait : numpy.ndarray
        (T,) phase of the steps, radians.
    length : numpy.ndarray
        (T,) length of the spine in pixels (the animal stretches and crouches).
    """

    spine: NDArray[np.float64]
    tail: NDArray[np.float64]
    gait: NDArray[np.float64]
    length: NDArray[np.float64]


def arena_poses(arena: Arena) -> NDArray[np.float64]:
    """True positions (T, 4, 2) of `BODYPARTS`, pixels of the full frame; never NaN: all are always in view."""
    return truth(arena).copy()


@lru_cache(maxsize=8)
def truth(arena: Arena) -> NDArray[np.float64]:
    """The array that `arena_poses` gives copies of."""
    moving = motion(arena)
    unit = moving.length / SPINE_LENGTH  # (T,)
    snout, _ = _along(moving, SNOUT_AT)
    head, ahead = _along(moving, EAR_AT)
    left = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)  # seen from above, y down
    out = (EAR_OUT * unit)[:, None] * left
    return np.stack([snout, head + out, head - out, moving.spine[:, -1]], axis=1)


def _along(moving: Motion, at: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Point (T, 2) and unit forward direction (T, 2) on the spine, ``at`` template pixels behind the tip."""
    position = at / SPINE_LENGTH * (N_SPINE - 1)
    k = int(position)
    a, b = moving.spine[:, k], moving.spine[:, k + 1]
    forward = moving.spine[:, k - 1 if k else 0] - b
    return a + (position - k) * (b - a), forward / np.linalg.norm(forward, axis=1, keepdims=True)


def floor_box(arena: Arena) -> tuple[float, float, float, float]:
    """The floor inside the walls as (left, top, right, bottom), pixels."""
    height, width = arena.size
    return 0.033 * width, 0.1 * height, 0.967 * width, 0.95 * height


@lru_cache(maxsize=8)
def trail(arena: Arena) -> NDArray[np.float64]:
    """The odor trail, (P, 2) pixels: a stepped line across the floor, its corners slightly rounded."""
    rng = arena.rng(1)
    left, top, right, bottom = floor_box(arena)
    x = left + (right - left) * np.sort(np.concatenate([[0.1, 0.9], rng.uniform(0.15, 0.85, 10)]))
    level = np.repeat(rng.permutation(np.linspace(0.16, 0.84, 6)), 2)
    corners = np.stack([x, top + (bottom - top) * level], axis=1)
    gone = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    at = np.linspace(0, gone[-1], 240)
    line = np.stack([np.interp(at, gone, corners[:, d]) for d in (0, 1)], axis=1)
    padded = np.pad(line, ((2, 2), (0, 0)), mode="edge")
    return np.stack([padded[k : k + len(line)] for k in range(5)]).sum(axis=0) / 5


@lru_cache(maxsize=8)
def motion(arena: Arena) -> Motion:
    """Walk the animal through the arena.

    It follows the trail up and down, at times leaves it for another place, pauses, and swings its head. The trunk and
    the tail are drawn behind the shoulders link by link, so they bend where the animal turned.

    Returns
    -------
    Motion
    """
    walker = _Walker(arena)
    frames = [walker.step() for _ in range(arena.n_frames)]
    spine = np.array([_resample(_smooth(f[0]), N_SPINE) for f in frames])
    tail = np.array([f[1] for f in frames])
    tail += (spine[:, -1] - tail[:, 0])[:, None]
    steps = np.linalg.norm(np.diff(spine, axis=1), axis=2)
    return Motion(spine, tail, np.array([f[2] for f in frames]), steps.sum(axis=1))


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A chain (P, 2) with its corners rounded; the ends stay."""
    for _ in range(2):
        inner = points[:-2] / 4 + points[1:-1] / 2 + points[2:] / 4
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points


def _resample(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """A chain (P, 2) as ``count`` points equally spaced along it."""
    gone = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, gone[-1], count)
    return np.stack([np.interp(at, gone, points[:, d]) for d in (0, 1)], axis=1)


class _Walker:
    """The animal as one state that `step` moves by a frame. Positions are complex numbers x + iy."""

    def __init__(self, arena: Arena) -> None:
        self.rng = arena.rng(2)
        self.unit = arena.scale
        self.dt = 1 / arena.fps
        self.cruise = arena.speed * SPINE_LENGTH * self.unit
        self.swing = math.radians(arena.swing)
        self.trail = trail(arena) @ [1, 1j]
        left, top, right, bottom = floor_box(arena)
        margin = (HEAD + 9) * self.unit
        self.low, self.high = complex(left + margin, top + margin), complex(right - margin, bottom - margin)
        self.along, self.way = int(self.rng.integers(len(self.trail))), 1
        self.wander: complex | None = None  # a place off the trail that the animal is heading for
        self.heading = self.rng.uniform(-math.pi, math.pi)
        self.speed = self.bend = self.scan = self.stretch = 0.0
        self.pace = self.size = 1.0
        self.gait, self.sniff = self.rng.uniform(0, 2 * math.pi, 2)
        self.walking, self.left_in_bout = True, 2.0
        ahead = cmath.rect(1, self.heading)
        self.shoulder = self._inside(self.trail[self.along])
        self.links = [self.shoulder - ahead * self.unit * at for at in self._link_ends()]
        for _ in range(60):  # settle
            self.step()

    def _link_ends(self) -> NDArray[np.float64]:
        """Distances behind the shoulders of the ends of all links, trunk then tail, in template pixels."""
        trunk = np.linspace(0, SPINE_LENGTH - HEAD, N_BODY + 1)
        return np.concatenate([trunk, trunk[-1] + np.linspace(0, TAIL_LENGTH, N_TAIL + 1)[1:]])

    def _inside(self, place: complex) -> complex:
        x = min(max(place.real, self.low.real), self.high.real)
        return complex(x, min(max(place.imag, self.low.imag), self.high.imag))

    def step(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Move by one frame -> (trunk and head (P, 2), tail (N_TAIL + 1, 2), gait phase)."""
        self._decide()
        self._walk()
        self._drag()
        return self._curves()

    def _decide(self) -> None:
        """Start or end a bout of walking; choose where to go."""
        self.left_in_bout -= self.dt
        if self.left_in_bout < 0:
            self.walking = not self.walking
            self.left_in_bout = self.rng.uniform(1.5, 4.5) if self.walking else self.rng.uniform(0.3, 1.4)
            self.pace = self.rng.uniform(0.7, 1.35)
            if self.walking and self.rng.random() < 0.5:
                x, y = self.rng.uniform(size=2)
                span = self.high - self.low
                self.wander = self.low + complex(span.real * x, span.imag * y)
        if self.wander is not None and abs(self.wander - self.shoulder) < 45 * self.unit:
            self.wander = None
            self.along = int(np.argmin(abs(self.trail - self.shoulder)))
            self.way = int(self.rng.choice([-1, 1]))

    def _goal(self) -> complex:
        if self.wander is not None:
            return self.wander
        while abs(self.trail[self.along] - self.shoulder) < 55 * self.unit:
            self.along += self.way
            if not 0 <= self.along < len(self.trail):
                self.way = -self.way
                self.along += 2 * self.way
        return self._inside(self.trail[self.along])

    def _walk(self) -> None:
        """Speed, heading, head and shoulders, each drawn to its aim with some inertia."""
        dt, rng = self.dt, self.rng
        aim = self.cruise * self.pace if self.walking else 0.0
        self.speed += (aim - self.speed) * min(1, dt / 0.18)
        off = cmath.phase((self._goal() - self.shoulder) * cmath.rect(1, -self.heading))
        fastest = self.speed / (34 * self.unit)  # radians per second; the turn's radius is 34 px
        turn = max(-fastest, min(fastest, 3.5 * off)) + 0.5 * fastest * rng.normal()
        self.heading += turn * dt
        place = self.shoulder + cmath.rect(self.speed * dt, self.heading)
        self.shoulder = self._inside(place)
        self.gait += 2 * math.pi * self.speed / (62 * self.unit) * dt
        self.sniff += 2 * math.pi * (3.2 if self.wander is None else 1.9) * dt * rng.uniform(0.6, 1.4)
        self.scan += -self.scan * dt / 0.5 + 1.1 * math.sqrt(dt) * rng.normal()
        self.stretch += -self.stretch * dt / 1.5 + 0.05 * math.sqrt(dt) * rng.normal()
        amount = self.swing * (1.0 if self.wander is None else 0.35)
        aim = 0.35 * max(-1, min(1, off)) + amount * math.sin(self.sniff) + (0.3 if self.walking else 0.7) * self.scan
        self.bend += (max(-1.0, min(1.0, aim)) - self.bend) * min(1, dt / 0.07)

    def _drag(self) -> None:
        """Pull the links behind the shoulders, each keeping its length."""
        size = self.unit * (1 + max(-0.13, min(0.07, self.stretch + 0.03 * (self.speed / self.cruise - 1))))
        trunk = (SPINE_LENGTH - HEAD) / N_BODY * size
        links = self.links
        links[0] = self.shoulder
        for k in range(1, len(links)):
            length = trunk if k <= N_BODY else TAIL_LENGTH / N_TAIL * self.unit
            pull = links[k] - links[k - 1]
            if k > 1:  # neither spine nor tail bends sharply
                before = links[k - 1] - links[k - 2]
                kink, most = cmath.phase(pull / before), 0.13 if k <= N_BODY else 0.28
                pull = before * cmath.rect(1, max(-most, min(most, kink)))
            links[k] = links[k - 1] + pull * (length / abs(pull))
        self.size = size

    def _curves(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        links = self.links
        back = links[0] - links[2]
        head = back / abs(back) * cmath.rect(1, self.bend)
        neck = back / abs(back) * cmath.rect(1, self.bend / 2)
        shoulder = links[0]
        throat = shoulder + neck * 0.3 * HEAD * self.size
        tip = [throat + head * HEAD * self.size * part for part in (0.7, 0.525, 0.35, 0.175)]
        trunk = np.array([*tip, throat, *links[: N_BODY + 1]])
        tail = np.array(links[N_BODY:])
        wave = (
            np.linspace(0, 1, len(tail)) ** 1.5 * 9 * self.unit * np.sin(self.gait - 4 * np.linspace(0, 1, len(tail)))
        )
        direction = (links[N_BODY] - links[-1]) / abs(links[N_BODY] - links[-1])
        tail = tail + 1j * direction * wave
        return np.stack([trunk.real, trunk.imag], 1), np.stack([tail.real, tail.imag], 1), self.gait
