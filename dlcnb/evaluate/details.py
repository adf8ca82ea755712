"""Everything an evaluation has to say, beyond the numbers of its short report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from dlcnb.evaluate.calibration import calibrate
from dlcnb.evaluate.curves import pck_curve
from dlcnb.evaluate.presence import presence_json, presence_text
from dlcnb.evaluate.summary import bootstrap_ci, number, summarize
from dlcnb.evaluate.verdict import verdict
from dlcnb.files import atomic_write, make_folder

if TYPE_CHECKING:
    from dlcnb.evaluate.core import Evaluation
    from dlcnb.labels.compare import Variability


__all__ = ["details", "details_text", "human_px", "keypoint_table", "pick", "summary_with_ci", "write_details"]

SETS = ("train", "test", "train_pcutoff", "test_pcutoff")


def pick(evaluation: Evaluation, name: str) -> NDArray[np.float64]:
    """Errors (N', K) in pixels of a set of an evaluation: "train" or "test", or either with "_pcutoff" behind it.

    NaN = unlabeled; with "_pcutoff" also where the likelihood is below the evaluation's pcutoff.
    """
    if name not in SETS:
        raise ValueError(f"Unknown set {name!r}. Expected one of {', '.join(SETS)}.")
    errors = evaluation.sure_errors if name.endswith("_pcutoff") else evaluation.errors
    return errors[evaluation.is_test == name.startswith("test")]


def summary_with_ci(errors: ArrayLike) -> dict[str, Any]:
    """Mean, r.m.s. and median (px) of errors (N, K), with 95% intervals over frames of the first two, as a dict."""
    errors = np.asarray(errors, float)
    squared = bootstrap_ci(errors**2)
    return summarize(errors).to_json() | {
        "ci95": [number(v) for v in bootstrap_ci(errors)],
        "rms_ci95": [number(v**0.5) for v in squared],
    }


def details(evaluation: Evaluation, human: Variability | None = None, *, epsilon_px: float = 5.0) -> dict[str, Any]:
    """Summaries per bodypart with intervals, PCK curves, calibration, and human variability where it is known.

    Parameters
    ----------
    evaluation : Evaluation
    human : dlcnb.labels.compare.Variability, optional
        Distances between two human labelings of this project.
    epsilon_px : float
        What counts as right for the calibration.

    Returns
    -------
    dict
        ``sets`` (of "train", "test", "train_pcutoff" and "test_pcutoff" the summary over all bodyparts), ``bodyparts``
        (the same for each), ``pck`` (curves by set), ``calibration`` (on the test frames, or on all where there are
        none; ``calibration_on`` says which), ``human`` (None if it is not known), ``verdict`` and ``presence`` as in
        `Evaluation.to_json`. None stands for no such points.
    """
    errors = {name: pick(evaluation, name) for name in SETS}
    judged = evaluation.judged
    calibration = calibrate(evaluation.errors[judged], evaluation.likelihood[judged], epsilon_px=epsilon_px)
    return {
        "snapshot": evaluation.snapshot,
        "step": int(evaluation.step),
        "pcutoff": float(evaluation.pcutoff),
        "sets": {name: summary_with_ci(found) for name, found in errors.items()},
        "bodyparts": {
            part: {name: summary_with_ci(found[:, k : k + 1]) for name, found in errors.items()}
            for k, part in enumerate(evaluation.bodyparts)
        },
        "pck": {name: pck_curve(found).to_json() for name, found in errors.items()},
        "calibration": calibration.to_json()
        | {"at_pcutoff": {name: number(value) for name, value in calibration.at(evaluation.pcutoff).items()}},
        "calibration_on": "test" if evaluation.is_test.any() else "all",
        "human": None if human is None else human_part(evaluation, human),
        "verdict": verdict(evaluation, human_px=human_px(evaluation, human)).to_json(),
        "presence": presence_json(evaluation),
    }


def human_px(evaluation: Evaluation, human: Variability | None) -> float | None:
    """Mean distance (px) between the labels of two people over the evaluated bodyparts; None if it is not known."""
    if human is None:
        return None
    return summarize(human.distances[:, _columns(evaluation, human)]).mean_px


def human_part(evaluation: Evaluation, human: Variability) -> dict[str, Any]:
    """Human variability of the evaluated bodyparts as a dict, and the ratio of the test error to it."""
    wanted = _columns(evaluation, human)
    distances = human.distances[:, wanted]
    found, test = summary_with_ci(distances), summarize(pick(evaluation, "test"))
    ratio = test.mean_px / found["mean_px"] if found["mean_px"] else float("nan")
    means = {human.bodyparts[k]: number(summarize(human.distances[:, k]).mean_px) for k in wanted}
    return {"scorers": list(human.scorers), **found, "bodyparts": means, "test_ratio": number(ratio)}


def _columns(evaluation: Evaluation, human: Variability) -> list[int]:
    return [human.bodyparts.index(part) for part in evaluation.bodyparts if part in human.bodyparts]


def keypoint_table(evaluation: Evaluation) -> pd.DataFrame:
    """DeepLabCut's table of mean errors per bodypart, a `pandas.DataFrame`: four rows, a column per bodypart."""
    rows = {
        "Train error (px)": "train",
        "Test error (px)": "test",
        "Train error (px) with p-cutoff": "train_pcutoff",
        "Test error (px) with p-cutoff": "test_pcutoff",
    }
    means = [
        [summarize(pick(evaluation, s)[:, k]).mean_px for k in range(len(evaluation.bodyparts))] for s in rows.values()
    ]
    return pd.DataFrame(means, index=pd.Index(list(rows), name="Error Type"), columns=list(evaluation.bodyparts))


def write_details(
    evaluation: Evaluation, folder: str | Path, human: Variability | None = None, *, epsilon_px: float = 5.0
) -> list[Path]:
    """Write `details` and `keypoint_table` beside what ``Evaluation.write`` wrote.

    Returns
    -------
    list of pathlib.Path
        ``evaluation-<step>-details.json`` and ``evaluation-<step>-keypoint-results.csv``.
    """
    folder = Path(folder)
    make_folder(folder)
    report = folder / f"evaluation-{evaluation.step}-details.json"
    table = folder / f"evaluation-{evaluation.step}-keypoint-results.csv"
    atomic_write(report, json.dumps(details(evaluation, human, epsilon_px=epsilon_px), indent=1) + "\n")
    atomic_write(table, keypoint_table(evaluation).to_csv())
    return [report, table]


def details_text(found: Mapping[str, Any]) -> str:
    """The lines for people that follow the table of errors; ``found`` is what `details` gives."""
    word, _, rest = found["verdict"]["text"].partition(":") if "verdict" in found else ("", "", "")
    lines = [f"{word.capitalize()}:{rest}"] if word else []
    lines += [_pck_line(found["pck"]["test"])] if found["pck"]["test"]["n"] else []
    if human := found["human"]:
        against = "" if human["test_ratio"] is None else f"; the test error is {human['test_ratio']:.2f} times that"
        lines.append(
            f"Human variability ({' and '.join(human['scorers'])}): {human['mean_px']:.2f} px mean, "
            f"{human['rms_px']:.2f} px r.m.s.{against}"
        )
    lines += _calibration_lines(found)
    if there := presence_text(found["presence"], found["pcutoff"]) if "presence" in found else "":
        lines.append(there)
    return "\n".join(lines)


def _pck_line(curve: Mapping[str, Any]) -> str:
    places = (2, 5, 10, 20)
    shares = np.interp(places, curve["thresholds_px"], curve["share"])
    within = ", ".join(f"{p} px: {s:.0%}" for p, s in zip(places, shares, strict=True))
    return f"Of {curve['n']} test point{'s' * (curve['n'] != 1)}, within {within}"


def _calibration_lines(found: Mapping[str, Any]) -> list[str]:
    calibration, cutoff = found["calibration"], found["pcutoff"]
    n, wrong, where = calibration["n"], calibration["n_wrong"], found["calibration_on"]
    if not n:
        return []
    what = f"{calibration['epsilon_px']:g} px off or more, or of a bodypart that is not there"
    head = f"Likelihood on {where} frames: {wrong} of {n} predictions are wrong ({what})"
    now = calibration["at_pcutoff"]
    lines = [
        f"{head}; pcutoff {cutoff:g} keeps {_percent(now['kept'])}, of which {_percent(now['kept_right'])} are right"
    ]
    if (best := calibration["suggested_pcutoff"]) is not None:
        at = calibration["at_suggested"]
        lines.append(
            f"Suggested pcutoff {best:g}: keeps {_percent(at['right_kept'])} of the right points, leaves out "
            f"{_percent(at['wrong_left_out'])} of the wrong ones"
            + (" (few wrong points: a rough guess)" * (wrong < 10))
        )
    elif why := calibration.get("why_none"):
        lines.append(f"No other pcutoff is suggested: {why}; {cutoff:g} stays")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
