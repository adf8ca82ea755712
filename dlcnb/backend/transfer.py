"""Fine-tuning: start a network from the snapshot of another run, maybe with other bodyparts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlcnb.backend import mx
from dlcnb.backend.network import PoseNet
from dlcnb.project import ProjectError
from dlcnb.run import Run

__all__ = ["start_from"]


def start_from(net: PoseNet, snapshot: str | os.PathLike[str], bodyparts: Sequence[str]) -> None:
    """Fill a network with the weights of a snapshot.

    Maps of bodyparts that the snapshot knows by name are taken over; those of new bodyparts keep their random start.

    Parameters
    ----------
    net : PoseNet, initialised.
    snapshot : path of a ``snapshot-<step>.params`` in its run's folder, or the folder (its best snapshot).
    bodyparts : K names, in the order of the maps of ``net``.

    Raises
    ------
    ProjectError
        If there is no such snapshot, or its network has another backbone.
    """
    path = Path(snapshot)
    if path.is_dir():
        path = Run(path).find()[1]
    run, step = Run(path.parent), path.stem.removeprefix("snapshot-")
    if not path.is_file() or not step.isdigit():
        raise ProjectError(f"There is no snapshot {path} to start from. Give a snapshot-<step>.params or its run.")
    config, known = run.config, run.bodyparts
    run.verified(int(step))
    stored = mx.nd.load(str(path))
    outputs = _rows(bodyparts, known)
    for name, parameter in net._collect_params_with_prefix().items():
        if name.startswith("early"):
            continue
        if name not in stored:
            raise ProjectError(
                f"{path} holds a {config.backbone}, which does not fit: it has no {name}. Use the same backbone."
            )
        parameter.set_data(_fitted(parameter.data(), stored[name], outputs, len(known), name))


def _rows(bodyparts: Sequence[str], known: Sequence[str]) -> dict[int, int]:
    """{output channel of the new head: channel of the old one} for the bodyparts that both have."""
    pairs = [(new, known.index(name)) for new, name in enumerate(bodyparts) if name in known]
    outputs = dict(pairs)
    for new, old in pairs:
        for axis in range(2):
            outputs[len(bodyparts) + 2 * new + axis] = len(known) + 2 * old + axis
    return outputs


def _fitted(mine: Any, theirs: Any, outputs: Mapping[int, int], n_known: int, name: str) -> Any:
    """The stored array, with its output channels sorted to ours where it is the last layer of the head."""
    axis = next((a for a, n in enumerate(theirs.shape) if n == 3 * n_known), None)
    if not name.startswith("head.") or axis is None or (mine.shape == theirs.shape and _is_inner(name)):
        if mine.shape != theirs.shape:
            raise ProjectError(f"The snapshot's {name} has the shape {theirs.shape}, expected {mine.shape}.")
        return theirs
    values, source = mine.asnumpy().copy(), theirs.asnumpy()
    at = (slice(None),) * axis
    for new, old in outputs.items():
        values[(*at, new)] = source[(*at, old)]
    return mx.nd.array(values)


def _is_inner(name: str) -> bool:
    """Whether a parameter of the head does not make the maps themselves."""
    return not name.startswith(("head.out", "head.up."))
