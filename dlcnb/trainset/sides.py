"""Which bodyparts are each other's mirror image, by their names, and whether the labels bear it out.

A mirrored picture of an animal shows its left paw where the right one was. Training may mirror pictures only where
every name that has a side has a twin to change places with, and where mirrored postures look like real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["mirror_order", "one_sided"]

# Words of both sides, in languages that labs name their bodyparts in. They count wherever they stand in a name.
_WORDS = (
    ("left", "right"),
    ("links", "rechts"),
    ("linke", "rechte"),
    ("gauche", "droite"),
    ("gauche", "droit"),
    ("izquierda", "derecha"),
    ("izquierdo", "derecho"),
    ("izq", "der"),
    ("sinistra", "destra"),
    ("sinistro", "destro"),
    ("esquerda", "direita"),
    ("esquerdo", "direito"),
    ("hidari", "migi"),
    ("lewa", "prawa"),
    ("lewy", "prawy"),
    ("venstre", "højre"),
    ("vänster", "höger"),
    ("左", "右"),
    ("лев", "прав"),
)
_CODES = (("lt", "rt"), ("lft", "rgt"), ("lhs", "rhs"), ("esq", "dir"), ("sx", "dx"), ("sin", "dex"))
_LETTERS = (("l", "r"), ("g", "d"), ("s", "d"), ("i", "d"))  # the first pair is English; others only where twins exist
_LIMB = "fhbmutd"  # letters beside L or R in codes of limbs: front, hind, back, middle, upper, top, down


def mirror_order(bodyparts: Sequence[str]) -> NDArray[np.intp] | None:
    """Index of each bodypart's mirror image, by the names; int ``(K,)``.

    A bodypart without a side ("snout") is its own mirror image. None where a name has a side and no twin ("leftear"
    alone, or "paw1LH" without any other "paw…RH"): mirroring would teach the network to call a right ear a left one.
    """
    names = list(bodyparts)
    order = np.arange(len(names))
    for index, name in enumerate(names):
        found = _twin(name, names)
        if found is None:
            if _has_side(name):
                return None
        else:
            order[index] = found
    return order if (order[order] == np.arange(len(names))).all() else None


def one_sided(bodyparts: Sequence[str]) -> list[str]:
    """The names that have a side and no twin among the others."""
    names = list(bodyparts)
    return [name for name in names if _has_side(name) and _twin(name, names) is None]


def _twin(name: str, names: Sequence[str]) -> int | None:
    """Index of the one name that says the other side of the same; None if there is none, or no single one."""
    others = {other.casefold(): n for n, other in enumerate(names)}
    swapped = [word.casefold() for word in _swapped(name)]
    exact = {others[word] for word in swapped if word in others}
    if not exact:  # the numbers may count across the sides: paw1LH and paw4RH
        bare: dict[str, list[int]] = {}
        for other, n in others.items():
            bare.setdefault(re.sub(r"\d", "", other), []).append(n)
        exact = {n for word in swapped for n in bare.get(re.sub(r"\d", "", word), [])} - {others[name.casefold()]}
    return exact.pop() if len(exact) == 1 else None


def _swapped(name: str) -> Iterator[str]:
    """Every way to read a side in a name, with the side exchanged."""
    for pairs, at_edge in ((_WORDS, False), (_CODES, True), (_LETTERS, True)):
        for left, right in pairs:
            for mine, other in ((left, right), (right, left)):
                for start in _places(name, mine, at_edge):
                    yield name[:start] + other + name[start + len(mine) :]


def _places(name: str, word: str, at_edge: bool) -> Iterator[int]:
    """Where a word stands in a name, whatever its case; with ``at_edge`` only beside the end of a word."""
    for match in re.finditer(f"(?={re.escape(word)})", name.casefold()):
        start = match.start()
        if not at_edge or _edge(name, start) or _edge(name, start + len(word)):
            yield start


def _edge(name: str, position: int) -> bool:
    """Whether one word of a name ends and another begins before ``position``: "eye|L", "hand|_l", "l|1"."""
    if position in (0, len(name)):
        return True
    before, after = name[position - 1], name[position]
    return before.isalpha() != after.isalpha() or before.isupper() != after.isupper()


def _has_side(name: str) -> bool:
    """Whether a name says a side beyond doubt: a word for it, or L or R as a word, or in the code of a limb."""
    if any(word in name.casefold() for pair in _WORDS for word in pair if len(word) > 3 or not word.isascii()):
        return True
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+", name)
    sides = rf"[{_LIMB}]?[lr][{_LIMB}]?|lt|rt|lft|rgt|lhs|rhs"
    return any(re.fullmatch(sides, word.casefold()) for word in words)
