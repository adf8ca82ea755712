"""The figures of a training run and of its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dlcnb.evaluate import Taken, summarize
from dlcnb.evaluate.summary import px_text
from dlcnb.plots.figure import FARTHEST, Drawn, DrawnPair, axes_for, named, plain
from dlcnb.render import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.evaluate.core import Evaluation


__all__ = ["errors", "training"]

_HIGHEST_LOSS = 1e30  # matplotlib's logarithmic axes end at 1e300


def errors(evaluation: Evaluation, *, ax: Axes | None = None) -> Drawn:
    """Error of every labeled point, train beside test for each bodypart, with their means.

    Parameters
    ----------
    evaluation : dlcnb.evaluate.Evaluation
    ax : matplotlib.axes.Axes, optional
    """
    parts = evaluation.bodyparts
    fig, ax = axes_for(ax, (max(4.5, 1.6 + 1.1 * len(parts)), 4))
    found, rng = evaluation.errors, np.random.default_rng(0)
    styles = (("train", ~evaluation.is_test, -0.2, "0.55"), ("test", evaluation.is_test, 0.2, palette(1)[0] / 255))
    for name, chosen, shift, color in styles:
        for k in range(len(parts)):
            values = found[chosen, k][np.isfinite(found[chosen, k])]
            x = k + shift + rng.uniform(-0.12, 0.12, values.size)
            ax.plot(
                x,
                values.clip(0.05, FARTHEST),
                "o",
                ms=3.5,
                mew=0,
                alpha=0.6,
                color=color,
                label=name if k == 0 else None,
            )
            if values.size:
                ax.plot([k + shift - 0.18, k + shift + 0.18], [min(values.mean(), FARTHEST)] * 2, color="black", lw=2)
    ax.set(yscale="log", ylabel="distance from the label (px)", xlim=(-0.6, len(parts) - 0.3))
    means = np.array([[summarize(found[chosen, k]).mean_px for _, chosen, *_ in styles] for k in range(len(parts))])
    below = (" / ".join(px_text(m, 1) if np.isfinite(m) else "–" for m in row) for row in means)
    ax.set_xticks(range(len(parts)), [f"{named(part)}\n{text}" for part, text in zip(parts, below, strict=True)])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_title(f"{named(evaluation.snapshot)}: errors and means (train / test)", fontsize="medium")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, markerscale=2)
    plain(ax)
    return fig, ax


def training(history: Mapping[str, NDArray[Any]], *, ax: Sequence[Axes] | None = None) -> DrawnPair:
    """Loss (above), and error on validation and training frames (below) over the steps; the snapshot taken is marked.

    Parameters
    ----------
    history : dict of arrays
        As `dlcnb.jobs.history` gives it; may still be empty.
    ax : sequence of two matplotlib.axes.Axes, optional
    """
    fig, axes = axes_for(ax, (7, 5), 2)
    colors = palette(3) / 255
    curves = (("loss", "loss", colors[0]), ("part_loss", "score-maps", colors[1]), ("locref_loss", "locref", colors[2]))
    for key, name, color in curves:
        values = np.asarray(history.get(key, ()), float).clip(max=_HIGHEST_LOSS)
        if np.isfinite(values).any():
            axes[0].plot(history["step"], values, color=color, lw=1.2, label=name)
    if axes[0].lines:
        axes[0].set_yscale("log")
        axes[0].legend(frameon=False, fontsize="small")
    steps, mean = (np.asarray(history.get(f"validation_{key}", ()), float) for key in ("step", "mean_px"))
    axes[1].plot(steps, mean.clip(max=FARTHEST), "o-", color=colors[0], ms=3.5, lw=1.2, label="validation frames")
    trained = np.asarray(history.get("validation_train_mean_px", ()), float).clip(max=FARTHEST)
    if np.isfinite(trained).any():
        axes[1].plot(steps, trained, "--", color=colors[2], lw=1.2, label="training frames")
    if taken := Taken.in_history(history):
        star = {"color": colors[1], "ms": 13, "mec": "black", "mew": 0.5, "label": str(taken).replace(" (", "\n(")}
        axes[1].plot([taken.step], [min(taken.px, FARTHEST)], "*", **star)
    if len(axes[1].lines) > 1:
        axes[1].legend(frameon=False, fontsize="small")
    axes[0].set(ylabel="loss", title="Training")
    axes[1].set(xlabel="step", ylabel="error,\nmean (px)")
    axes[1].set_ylim(bottom=0)
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig, axes
