"""Several processes that train one network: MXNet's parameter server sums their gradients after every step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.backend import mx

if TYPE_CHECKING:
    import mxnet

    from dlcnb.trainset import TrainConfig


__all__ = ["Crew", "find_crew", "serve", "shares", "summed"]

_KEY = 10**6  # beyond the numbers of the parameters


class Crew:
    """The workers of a training by several processes.

    Attributes
    ----------
    store : MXNet's key-value store, ``dist_sync``.
    rank, size : number of this worker, from 0, and how many there are.
    """

    def __init__(self) -> None:
        self.store = mx.kv.create("dist_sync")  # waits until all have come
        self.rank, self.size = self.store.rank, self.store.num_workers
        self._there = True
        self.store.init(_KEY, mx.nd.zeros(3))

    def agree(self, part: float, refinement: float) -> tuple[float, float] | None:
        """The parts of the loss, summed over all workers; None if one of them has left."""
        going, part, refinement = self._sum([1, part, refinement])
        self._there = going == self.size
        return (part, refinement) if self._there else None

    def leave(self, done: bool) -> None:
        """Part from the others: after the last step (``done``), or telling them not to wait for more gradients."""
        if self._there and not done:
            self._there = False
            self._sum([0, 0, 0])
        mx.nd.waitall()  # the others still need what is being sent

    def _sum(self, values: Sequence[float]) -> list[float]:
        numbers = mx.nd.array(values)
        self.store.pushpull(_KEY, numbers)
        return [float(x) for x in numbers.asnumpy().astype(np.float64)]


def find_crew(config: TrainConfig) -> Crew | None:
    """The `Crew` that a configuration asks for, None for a process that trains alone; raises ValueError."""
    if config.kvstore == "device" or config.workers == 1:
        return None
    _check_build()
    if os.environ.get("DMLC_ROLE") != "worker":
        raise ValueError(
            'kvstore="dist_sync" needs the parameter server, which `dlcnb train --kvstore dist_sync` and `jobs.start` '
            "launch; docs/cluster.md shows how."
        )
    return Crew()


def serve() -> None:
    """Be the scheduler or the parameter server (as ``DMLC_ROLE`` says) until all workers have gone.

    MXNet's own server unpickles what workers send as an optimiser; this one only sums, and takes no commands.
    """
    _check_build()
    from mxnet.kvstore.kvstore_server import KVStoreServer

    class Sums(KVStoreServer):
        def _controller(self) -> Callable[[Any, Any, Any], None]:
            return lambda _number, _body, _: None

    Sums(mx.kv.create("dist_sync")).run()


def summed(losses: Iterable[Sequence[mxnet.nd.NDArray]]) -> tuple[float, float]:
    """The two parts of the loss, each summed over the devices."""
    part, refinement = (sum(float(each.asscalar()) for each in kind) for kind in zip(*losses, strict=True))
    return part, refinement


def shares(batch: Sequence[NDArray[Any]], count: int) -> list[tuple[NDArray[Any], ...]]:
    """The arrays of a batch cut into ``count`` parts; raises ValueError if some would be empty."""
    if len(batch[0]) < count:
        raise ValueError(f"A batch of {len(batch[0])} can't be divided among {count} devices. Raise batch_size.")
    return list(zip(*(np.array_split(array, count) for array in batch), strict=True))


def _check_build() -> None:
    if not mx.runtime.Features().is_enabled("DIST_KVSTORE"):
        raise ValueError(
            'kvstore="dist_sync" needs an MXNet that was built with its parameter server (the feature DIST_KVSTORE); '
            'the installed one was not. Use kvstore="device".'
        )
