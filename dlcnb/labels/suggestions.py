"""What is proposed for labels, and what said it of which image: a network, or `FOLLOWED` points of labeled frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FOLLOWED", "Suggestions"]

FOLLOWED = "followed"  # in place of a network: carried there from labeled frames


class Suggestions(Mapping[str, NDArray[np.float64]]):
    """{image: float64 (K, 3)}: x, y (px of the full frame) and likelihood of each bodypart, NaN = none.

    Parameters
    ----------
    offered : pairs (network, {image: (K, 3)}), optional
        What said it (a snapshot, or DeepLabCut's scorer), and what it said; where several speak of one image, the
        last holds. `Suggestions` among them keep their own networks.
    """

    def __init__(self, offered: Iterable[tuple[str, Mapping[str, ArrayLike]]] = ()) -> None:
        self._values: dict[str, NDArray[np.float64]] = {}
        self._networks: dict[str, str] = {}
        for network, images in offered:
            for image, values in images.items():
                self._values[image] = np.asarray(values, float)
                self._networks[image] = images._networks[image] if isinstance(images, Suggestions) else network

    def __getitem__(self, image: str) -> NDArray[np.float64]:
        return self._values[image]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def networks(self) -> str:
        """The networks, each once, for people to read; "" if there is none."""
        return ", ".join(dict.fromkeys(name for name in self._networks.values() if name != FOLLOWED))

    def origin(self, image: str) -> str:
        """What a label of an image that was taken from here has as its origin in the journal."""
        network = self._networks[image]
        return network if network == FOLLOWED else f"suggestion {network}"

    def of(self, network: str) -> Suggestions:
        """Those that one network made, or `FOLLOWED`."""
        return self.only(image for image, name in self._networks.items() if name == network)

    def only(self, images: Iterable[str]) -> Suggestions:
        """Those for some images."""
        kept = set(images) & set(self._values)
        return Suggestions((self._networks[image], {image: self._values[image]}) for image in self if image in kept)
