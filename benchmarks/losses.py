"""Four losses of the score-maps at equal steps, all else as the recipe decides.

    OMP_NUM_THREADS=1 python benchmarks/losses.py PROJECT … --steps 250

paper: cross-entropy of each cell, averaged over all. focal: the same with easy cells played down (gamma 2, Lin et al.
2017), averaged over the discs' cells. soft: discs that fall off as a Gaussian from 1 at the bodypart, averaged so, too.
places: the paper's and a cross-entropy over places (`spatial_weight`), dlcnb's default. The rows are those of
animals.py.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from animals import COLUMNS, in_a_process, one


def focal(logits, score, _locref):
    """Cross-entropy times the square of how wrong a cell is."""
    from dlcnb.backend import mx

    right = score * mx.nd.sigmoid(logits) + (1 - score) * mx.nd.sigmoid(-logits)
    return -(mx.nd.square(1 - right) * mx.nd.log(right + 1e-7)).sum() / (score.sum() + 1)


def soft(logits, score, locref):
    """Cross-entropy with a Gaussian in each disc, half as wide as the disc."""
    from dlcnb.backend import mx
    from dlcnb.backend.network import _cross_entropy

    batch, parts, rows, columns = score.shape
    away = mx.nd.square(locref.reshape((batch, parts, 2, rows, columns))).sum(axis=2)
    gaussian = score * mx.nd.exp(-2 * away / mx.nd.maximum(away.max(), 1e-6))
    return _cross_entropy(logits, gaussian) / (score.sum() + 1)


def trained_with(loss, root, steps, seed):
    """`animals.one` with another loss of the score-maps, or None for that of the recipe."""
    from dlcnb.backend import network, trainer

    plain = network.pose_loss

    def patched(output, score, locref, **settings):
        _, refinement = plain(output, score, locref, **settings)
        return loss(output.slice_axis(1, 0, score.shape[1]), score, locref), refinement

    if loss is not None:
        trainer.pose_loss = patched
    return one(root, None, seed, {"steps": steps})


def places_off(root, steps, seed):
    """`animals.one` with the paper's loss alone."""
    return one(root, None, seed, {"steps": steps, "spatial_weight": 0.0, "score_weight": 1.0})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", help="folders of projects, which are copied")
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(COLUMNS.replace("minutes", "loss").replace(" ", " | ").replace("_", " "))
    for loss in ("places", "paper", "focal", "soft"):
        for given in arguments.projects:
            with tempfile.TemporaryDirectory() as folder:
                root = Path(folder) / Path(given).resolve().name
                shutil.copytree(given, root)
                if loss == "paper":
                    row, _ = in_a_process(places_off, root, arguments.steps, arguments.seed)
                else:
                    which = {"focal": focal, "soft": soft, "places": None}[loss]
                    row, _ = in_a_process(trained_with, which, root, arguments.steps, arguments.seed)
            print(" | ".join(map(str, [root.name, loss, arguments.seed, *row])), flush=True)


if __name__ == "__main__":
    main()
