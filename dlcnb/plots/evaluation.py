"""The figures of an evaluation: PCK, reliability of the likelihood, errors against human variability."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dlcnb.evaluate import calibrate, pck_curve, pick, summarize
from dlcnb.plots.figure import Drawn, DrawnPair, axes_for, save
from dlcnb.plots.training import errors
from dlcnb.render import palette

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from dlcnb.evaluate.core import Evaluation
    from dlcnb.labels.compare import Variability


__all__ = ["calibration", "differences", "pck", "save_evaluation"]

TRAIN, TEST, SURE, HUMAN = "0.55", palette(1)[0] / 255, palette(2)[1] / 255, "black"


def pck(
    evaluation: Evaluation,
    human: Variability | None = None,
    *,
    thresholds_px: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """Share of points within a distance of their label: train, test, and test above the pcutoff.

    Parameters
    ----------
    evaluation : dlcnb.evaluate.Evaluation
    human : dlcnb.labels.compare.Variability, optional
        Drawn as the curve of a second person's labels.
    thresholds_px : array_like, optional
        Distances, pixels; as `dlcnb.evaluate.pck_curve` chooses them for the test frames if None.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (5.6, 3.8))
    sets = {"train": (TRAIN, "-"), "test": (TEST, "-"), "test_pcutoff": (SURE, "--")}
    names = {"test_pcutoff": f"test, likelihood ≥ {evaluation.pcutoff:g}"}
    for name, (color, style) in sets.items():
        curve = pck_curve(pick(evaluation, name), thresholds_px)
        if not curve.n:
            continue
        thresholds_px = curve.thresholds_px if thresholds_px is None else thresholds_px
        ax.plot(
            curve.thresholds_px, curve.share, style, color=color, lw=1.8, label=f"{names.get(name, name)} ({curve.n})"
        )
        if name == "test":
            ax.fill_between(curve.thresholds_px, curve.low, curve.high, color=color, alpha=0.18, lw=0)
    if human is not None:
        curve = pck_curve(human.distances, thresholds_px)
        ax.plot(curve.thresholds_px, curve.share, ":", color=HUMAN, lw=1.5, label="human")
    ax.set(xlabel="distance from the label (px)", ylabel="share of points", ylim=(-0.02, 1.02), title="PCK")
    ax.set_xlim(left=0)
    if ax.lines:
        ax.legend(frameon=False, loc="lower right", fontsize="small")
    return fig, ax


def calibration(evaluation: Evaluation, *, epsilon_px: float = 5.0, ax: Axes | None = None) -> Drawn:
    """Reliability of the likelihood: share of right points (error below ``epsilon_px``) over the likelihood.

    Test frames are shown, or all where there are none. Dots are as large as the number of their points; a grey line
    marks the pcutoff, a coloured one the suggested one.

    Parameters
    ----------
    evaluation : dlcnb.evaluate.Evaluation
    epsilon_px : float
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (4.6, 4.2))
    frames = evaluation.is_test if evaluation.is_test.any() else slice(None)
    found = calibrate(evaluation.errors[frames], evaluation.likelihood[frames], epsilon_px=epsilon_px)
    ax.plot([0, 1], [0, 1], color="0.75", lw=1, zorder=1)
    filled = found.n > 0
    x, y = found.mean_likelihood[filled], found.share_right[filled]
    reach = np.abs(np.stack([found.low, found.high])[:, filled] - y)
    ax.errorbar(x, y, reach, fmt="none", ecolor=TEST, elinewidth=1, zorder=2)
    sizes = 15 + 160 * found.n[filled] / max(found.n.max(initial=1), 1)
    ax.scatter(x, y, sizes, color=TEST, zorder=3, edgecolor="white", linewidth=0.6)
    ax.axvline(evaluation.pcutoff, color="0.4", lw=1, ls="--", label=f"pcutoff {evaluation.pcutoff:g}")
    if (best := found.suggested_pcutoff) is not None:
        ax.axvline(best, color=SURE, lw=1.2, ls="--", label=f"suggested {best:g}")
    ax.set(
        xlabel="likelihood", ylabel=f"share of points within {epsilon_px:g} px", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03)
    )
    ax.set_title(f"Calibration ({found.n.sum()} points, {(~found.right).sum()} wrong)", fontsize="medium")
    ax.legend(frameon=False, loc="upper left", fontsize="small")
    return fig, ax


def differences(evaluation: Evaluation, *, ax: Sequence[Axes] | None = None) -> DrawnPair:
    """Histograms of predicted minus labeled x (left) and y (right), in pixels, train and test frames apart.

    They show what a mean error hides: whether points are off to one side. Drawn are the 99% nearest to 0, so that a few
    points far off don't squeeze the rest; the titles say how many lie outside. Points without a label are left out.

    Parameters
    ----------
    evaluation : dlcnb.evaluate.Evaluation
    ax : sequence of two matplotlib.axes.Axes, optional
    """
    fig, axes = axes_for(ax, (7.5, 3.6), (1, 2))
    signed = evaluation.predicted - evaluation.labels
    known = np.abs(signed[np.isfinite(signed).all(axis=-1)])
    reach = max(1.01 * float(np.percentile(known, 99)) if len(known) else 0.0, 0.5)  # rounding keeps none out
    edges = np.linspace(-reach, reach, 42)
    for axis, name, one in zip("xy", ("right", "down"), range(2), strict=True):
        outside = int((known[:, one] > reach).sum())
        for part, frames, color in (("train", ~evaluation.is_test, TRAIN), ("test", evaluation.is_test, TEST)):
            values = signed[frames, :, one]
            values = values[np.isfinite(signed[frames]).all(axis=-1)]
            if len(values):
                label = f"{part} ({len(values)}), mean {values.mean():+.2f} px"
                axes[one].hist(values, edges, histtype="step", color=color, lw=1.5, label=label)
        axes[one].axvline(0, color="0.75", lw=1, zorder=0)
        axes[one].set(xlabel=f"predicted - labeled {axis} (px, {name} is positive)", xlim=(-reach, reach))
        axes[one].set_title(f"{axis}: {outside} of {len(known)} points outside", fontsize="medium")
        if axes[one].patches:
            axes[one].margins(y=0.45)  # room for the legend above the peak
            axes[one].set_ylim(bottom=0)
            axes[one].legend(frameon=False, loc="upper left", fontsize="x-small")
    axes[0].set_ylabel("points")
    return fig, axes


def save_evaluation(
    evaluation: Evaluation, folder: str | Path, human: Variability | None = None, *, epsilon_px: float = 5.0
) -> list[Path]:
    """Write an evaluation's figures, ``evaluation-<step>-<name>.png``: errors, pck, calibration, differences."""
    folder = Path(folder)
    figures: dict[str, Callable[[], Drawn | DrawnPair]] = {
        "errors": lambda: _errors_with_human(evaluation, human),
        "pck": lambda: pck(evaluation, human),
        "calibration": lambda: calibration(evaluation, epsilon_px=epsilon_px),
        "differences": lambda: differences(evaluation),
    }
    return [save(draw()[0], folder / f"evaluation-{evaluation.step}-{name}.png") for name, draw in figures.items()]


def _errors_with_human(evaluation: Evaluation, human: Variability | None) -> Drawn:
    fig, ax = errors(evaluation)
    if human is not None:
        mean = summarize(human.distances).mean_px
        ax.axhline(mean, color=HUMAN, ls=":", lw=1.5, label=f"human {mean:.2f} px")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, markerscale=2)
    return fig, ax
