"""One snapshot's predictions beside the labels, and the files they are kept in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlcnb.evaluate.presence import presence_json
from dlcnb.evaluate.summary import bootstrap_ci, errors, number, px_text, summarize
from dlcnb.evaluate.verdict import pck5, verdict
from dlcnb.files import atomic_write, make_folder, read_json, require_file
from dlcnb.geometry import animal_px

if TYPE_CHECKING:
    from dlcnb.labels import Labels


__all__ = ["Evaluation"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Labels of N frames beside one snapshot's predictions for them.

    Attributes
    ----------
    bodyparts : tuple of str
        K names.
    images : tuple of str
        N names as in the label tables.
    labels, predicted : numpy.ndarray
        (N, K, 2) pixels of the full frame; NaN = not labeled / not found.
    likelihood : numpy.ndarray
        (N, K) in 0..1.
    is_test : numpy.ndarray
        (N,) bool: the split of the training held the frame out.
    pcutoff : float
        Likelihood below which a prediction is left out in the pcutoff variants.
    snapshot : str
    step : int
    labeled_since : int
        Frames labeled since the training, which are none of the N: many are chosen because the network was wrong there,
        or have its own predictions as labels, and so say nothing true about it.
    steps_behind : int
        Steps of training behind the network, with those of the networks that it goes on from; 0 = ``step``.
    """

    bodyparts: tuple[str, ...]
    images: tuple[str, ...]
    labels: NDArray[np.float64]
    predicted: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    is_test: NDArray[np.bool_]
    pcutoff: float
    snapshot: str
    step: int
    labeled_since: int = 0
    steps_behind: int = 0

    def __post_init__(self) -> None:
        n, k = len(self.images), len(self.bodyparts)
        expected = {"labels": (n, k, 2), "predicted": (n, k, 2), "likelihood": (n, k), "is_test": (n,)}
        for name, shape in expected.items():
            array = np.asarray(getattr(self, name), bool if name == "is_test" else float)
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {shape} for {n} images and {k} bodyparts; got {array.shape}.")
            object.__setattr__(self, name, array)
        object.__setattr__(self, "bodyparts", tuple(self.bodyparts))
        object.__setattr__(self, "images", tuple(self.images))

    @property
    def errors(self) -> NDArray[np.float64]:
        """(N, K) pixels; NaN where there is no label."""
        return errors(self.labels, self.predicted)

    @property
    def sure_errors(self) -> NDArray[np.float64]:
        """`errors`, and NaN also where the likelihood is below ``pcutoff``."""
        return np.where(self.likelihood >= self.pcutoff, self.errors, np.nan)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(N,) bool: the frames to judge the network by, which are the test frames, or all where there are none."""
        return self.is_test if self.is_test.any() else np.ones(len(self.images), bool)

    @property
    def left_out(self) -> str:
        """One line on the frames that were labeled since the training; empty if there are none."""
        if not self.labeled_since:
            return ""
        if self.labeled_since == 1:
            return "1 frame labeled since this training is left out; train again to use it"
        return f"{self.labeled_since} frames labeled since this training are left out; train again to use them"

    def with_labels(self, labels: Labels) -> Evaluation:
        """The same predictions beside other `Labels` of the frames; frames without a row in them keep theirs."""
        rows = {image: t for t, image in enumerate(labels.images)}
        columns = [labels.bodyparts.index(part) if part in labels.bodyparts else None for part in self.bodyparts]
        points = self.labels.copy()
        for n, image in enumerate(self.images):
            for k, column in enumerate(columns):
                if image in rows and column is not None:
                    points[n, k] = labels.points[rows[image], column]
        return replace(self, labels=points)

    def to_json(self, human_px: float | None = None) -> dict[str, Any]:
        """All summaries as plain numbers (pixels; None = no such points), in the layout of ``dlcnb evaluate --json``.

        ``n`` counts points (labeled bodyparts), ``ci95`` is `bootstrap_ci` over the test frames, ``animal_px`` the
        animal's size, ``pck5`` the share of test points within 5 % of it, ``verdict`` the `Verdict`, ``presence`` how
        well the likelihood tells whether a bodypart is there.

        Parameters
        ----------
        human_px : float, optional
            Mean distance between the labels of two people, for the verdict.
        """
        size = animal_px(self.labels)
        found, sure, test = self.errors, self.sure_errors, self.is_test
        parts = {
            name: {
                "train_mean_px": number(summarize(found[~test, k]).mean_px),
                "test_mean_px": number(summarize(found[test, k]).mean_px),
            }
            for k, name in enumerate(self.bodyparts)
        }
        return {
            "snapshot": self.snapshot,
            "step": int(self.step),
            "train": summarize(found[~test]).to_json(),
            "test": _with_ci(found[test]),
            "bodyparts": parts,
            "pcutoff": float(self.pcutoff),
            "test_pcutoff": _with_ci(sure[test]),
            "animal_px": number(size),
            "pck5": number(pck5(self, size)),
            "verdict": verdict(self, size, human_px).to_json(),
            "presence": presence_json(self),
            "labeled_since": int(self.labeled_since),
            "steps_behind": int(self.steps_behind or self.step),
        }

    def table(self) -> str:
        """The summaries as a text table for humans, a row per bodypart."""
        report, test = self.to_json(), self.is_test
        columns = [self.errors[~test], self.errors[test], self.sure_errors[test]]
        heads = ["train", "test", f"test, p >= {self.pcutoff:g}"]
        wide = max(16, *map(len, self.bodyparts))
        lines = [f"{self.snapshot}: distance from the labels in pixels", _row("", heads, wide)]
        for k, name in enumerate(self.bodyparts):
            lines.append(_row(name, [_pixels(summarize(c[:, k]).mean_px) for c in columns], wide))
        whole = [summarize(c) for c in columns]
        intervals = ["", *(_interval(report[key]["ci95"]) for key in ("test", "test_pcutoff"))]
        lines.append(_row("all, mean", [_pixels(s.mean_px) for s in whole], wide))
        lines.append(_row("  95% interval", intervals, wide))
        lines.append(_row("all, r.m.s.", [_pixels(s.rms_px) for s in whole], wide))
        lines.append(_row("all, median", [_pixels(s.median_px) for s in whole], wide))
        lines.append(_row("points", [str(s.n) for s in whole], wide))
        lines.append(_row("frames", [str((~test).sum()), str(test.sum()), str(test.sum())], wide))
        lines += [self.left_out] if self.labeled_since else []
        return "\n".join(lines)

    def write(self, folder: str | Path, human_px: float | None = None) -> list[Path]:
        """Write the evaluation into ``folder`` (made if need be); evaluations of other snapshots there stay.

        ``human_px`` is for the verdict, as in `to_json`.

        Returns
        -------
        list of pathlib.Path
            ``evaluation-<step>.json`` (`to_json`), ``evaluation-<step>-frames.csv`` (a row per frame, all digits),
            and ``CombinedEvaluation-results.csv`` (DeepLabCut's table, a row per snapshot).
        """
        folder = Path(folder)
        make_folder(folder)
        report = folder / f"evaluation-{self.step}.json"
        frames, combined = _frames_path(report), folder / "CombinedEvaluation-results.csv"
        atomic_write(frames, self._frames().to_csv(index=False))
        atomic_write(report, json.dumps(self.to_json(human_px), indent=1) + "\n")
        atomic_write(combined, self._combined(combined).to_csv())
        return [report, frames, combined]

    @classmethod
    def read(cls, path: str | Path) -> Evaluation:
        """Read what `write` wrote; ``path`` is the json file, or the folder (then its highest step).

        Raises
        ------
        FileNotFoundError
            If there is no evaluation.
        ValueError
            If the files are damaged or don't fit together.
        """
        path = _report_path(Path(path))
        frames = _frames_path(path)
        require_file(frames)
        try:
            report = read_json(path)
            table = pd.read_csv(frames, dtype=str)  # pandas' own reading of numbers may be off in the last digit
            parts = tuple(report["bodyparts"])
            columns = {
                c: np.stack([table[f"{part} {c}"].astype(float) for part in parts], axis=1)
                for c in ("label x", "label y", "x", "y", "likelihood")
            }
            return cls(
                bodyparts=parts,
                images=tuple(table["image"]),
                labels=np.stack([columns["label x"], columns["label y"]], axis=2),
                predicted=np.stack([columns["x"], columns["y"]], axis=2),
                likelihood=columns["likelihood"],
                is_test=(table["set"] == "test").to_numpy(),
                pcutoff=float(report["pcutoff"]),
                snapshot=str(report["snapshot"]),
                step=int(report["step"]),
                labeled_since=int(report.get("labeled_since", 0)),
                steps_behind=int(report.get("steps_behind", 0)),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{path} and {frames.name} are not an evaluation that dlcnb wrote ({type(error).__name__}: {error}). "
                "Delete both and evaluate again."
            ) from error

    def _frames(self) -> pd.DataFrame:
        """A row per frame: its image and set, then label, prediction, likelihood and error of each bodypart."""
        columns = {"image": list(self.images), "set": np.where(self.is_test, "test", "train")}
        found = self.errors
        for k, part in enumerate(self.bodyparts):
            columns[f"{part} label x"], columns[f"{part} label y"] = self.labels[:, k].T
            columns[f"{part} x"], columns[f"{part} y"] = self.predicted[:, k].T
            columns[f"{part} likelihood"], columns[f"{part} error"] = self.likelihood[:, k], found[:, k]
        return pd.DataFrame(columns)

    def _combined(self, path: Path) -> pd.DataFrame:
        """DeepLabCut's table of all evaluated snapshots: the one at ``path`` with this one's row new."""
        test, found, sure = self.is_test, self.errors, self.sure_errors
        shuffle = re.search(r"shuffle(\d+)$", path.parent.name)
        row = {  # spelled as DeepLabCut spells them, blanks included
            "Training iterations:": int(self.step),
            "%Training dataset": round(100 * float((~test).mean())) if len(test) else 0,
            "Shuffle number": int(shuffle[1]) if shuffle else 1,
            " Train error(px)": round(summarize(found[~test]).mean_px, 2),
            " Test error(px)": round(summarize(found[test]).mean_px, 2),
            "p-cutoff used": self.pcutoff,
            "Train error with p-cutoff": round(summarize(sure[~test]).mean_px, 2),
            "Test error with p-cutoff": round(summarize(sure[test]).mean_px, 2),
        }
        rows: list[dict[Any, Any]] = []
        if path.is_file():
            old = pd.read_csv(path, index_col=0)
            if set(row) <= set(old.columns):
                rows = [dict(r) for r in old[list(row)].to_dict("records") if r["Training iterations:"] != self.step]
        return pd.DataFrame([*rows, row]).sort_values("Training iterations:", ignore_index=True)


def _report_path(path: Path) -> Path:
    if path.is_file():
        return path
    found = {
        int(m[1]): p for p in path.glob("evaluation-*.json") if (m := re.fullmatch(r"evaluation-(\d+)\.json", p.name))
    }
    if not found:
        raise FileNotFoundError(f"There is no evaluation in {path}. Evaluate the network first (dlcnb evaluate).")
    return found[max(found)]


def _frames_path(report: Path) -> Path:
    return report.with_name(f"{report.stem}-frames.csv")


def _with_ci(errors: NDArray[np.float64]) -> dict[str, Any]:
    return {**summarize(errors).to_json(), "ci95": [number(v) for v in bootstrap_ci(errors)]}


def _pixels(value: float) -> str:
    return px_text(value) if math.isfinite(value) else "-"


def _interval(ci: Sequence[float | None]) -> str:
    return "-" if None in ci else " - ".join(px_text(v) for v in ci if v is not None)


def _row(name: str, cells: Sequence[str], wide: int) -> str:
    return f"{name:<{wide}}" + "".join(f"{cell:>18}" for cell in cells)
