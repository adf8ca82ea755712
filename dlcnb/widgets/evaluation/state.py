"""What EvaluationView shows, as plain traitlets without pixels: frames, bodypart, cutoff, image, zoom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import Enum, Float, HasTraits, Int, TraitError, Unicode, validate

from dlcnb.evaluate import PckCurve, Verdict, bootstrap_ci, calibrate, human_px, pck_curve, summarize, verdict
from dlcnb.geometry import CanvasFit
from dlcnb.labels import Labels, rank_labels
from dlcnb.widgets.base.zoom import Zoomable

if TYPE_CHECKING:
    from dlcnb.evaluate import Before, Calibration, Evaluation
    from dlcnb.labels import Fault
    from dlcnb.labels.compare import Variability

__all__ = ["EvaluationState", "Finding", "FrameState", "Summary"]

FRAMES = ("all", "test", "train")
MOST = 2000  # points of the error plot; beyond it the small errors are thinned


@dataclass(frozen=True)
class Finding:
    """A frame and its worst bodypart.

    ``row`` is the frame's place in the evaluation, ``k`` the bodypart's; ``error`` in px.
    """

    image: str
    row: int
    k: int
    bodypart: str
    error: float
    likelihood: float
    is_test: bool


@dataclass(frozen=True)
class Summary:
    """One line of the table: mean error with its 95% interval, r.m.s. and median (px), share within ε, points."""

    name: str
    mean_px: float
    ci95: tuple[float, float]
    rms_px: float
    median_px: float
    within: float
    n: int


class EvaluationState(HasTraits):
    """An evaluation and what of it is looked at."""

    frames = Enum(FRAMES, "all", help="Frames in the gallery and the error plot.")
    bodypart = Unicode("", help="Name of the bodypart looked at; empty = all.")
    pcutoff = Float(0.6)
    epsilon_px = Float(5.0, help="A prediction closer than that to its label is right.")
    image = Unicode("", help="The image shown; empty = none.")
    message = Unicode("", help="A hint for the user; empty when all is well.")
    revision = Int(0, help="Counts the changes of the evaluation.")

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: Evaluation | None = None
        self.human: Variability | None = None
        self.before: Before | None = None
        self._curves: dict[tuple[str, str, float | None], PckCurve] = {}
        self._faults: dict[str, tuple[Fault, ...]] | None = None

    # --- the data ---

    def label_faults(self, image: str) -> tuple[Fault, ...]:
        """What may be wrong with the labels of a frame, compared with all others: it need not be the network."""
        if self._faults is None:
            e = self._shown
            ranked = rank_labels(Labels(e.bodyparts, "labels", e.images, e.labels))
            self._faults = {suspicion.image: suspicion.faults for suspicion in ranked}
        return self._faults.get(image, ())

    def set_evaluation(
        self,
        evaluation: Evaluation | None,
        human: Variability | None = None,
        pcutoff: float | None = None,
        before: Before | None = None,
    ) -> None:
        """Look at another `Evaluation` (None = none), with the project's human variability if it is known.

        ``pcutoff`` to look at it with; None = the one that it was made with. ``before``: of the network before.
        """
        self.evaluation, self.human, self.before = evaluation, human, before
        self._curves, self._faults = {}, None
        with self.hold_trait_notifications():
            if evaluation is not None:
                self.pcutoff = float(evaluation.pcutoff if pcutoff is None else pcutoff)
            if self.bodypart not in self.bodyparts:
                self.bodypart = ""
            self.revision += 1
            if evaluation is None or self.image not in evaluation.images:
                found = self.findings()
                self.image = found[0].image if found else ""

    def replace_evaluation(self, evaluation: Evaluation) -> None:
        """Take up other labels or predictions of the same frames; what is looked at stays."""
        self.evaluation, self._curves, self._faults = evaluation, {}, None
        self.revision += 1

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Names of the bodyparts; empty without an evaluation."""
        return self.evaluation.bodyparts if self.evaluation is not None else ()

    @validate("bodypart")
    def _known(self, proposal: Any) -> str:
        if proposal.value and proposal.value not in self.bodyparts:
            raise TraitError(
                f"There is no bodypart {proposal.value!r}; there are {', '.join(self.bodyparts) or 'none'}."
            )
        return proposal.value

    @validate("pcutoff")
    def _in_range(self, proposal: Any) -> float:
        return float(min(max(proposal.value, 0.0), 1.0))

    @validate("epsilon_px")
    def _positive(self, proposal: Any) -> float:
        if not proposal.value > 0:
            raise TraitError(f"ε is a distance above 0 px, not {proposal.value!r}.")
        return proposal.value

    @property
    def columns(self) -> list[int]:
        """Places of the bodyparts looked at."""
        return [k for k, name in enumerate(self.bodyparts) if self.bodypart in ("", name)]

    @property
    def _shown(self) -> Evaluation:
        """The evaluation; ValueError where there is none."""
        if self.evaluation is None:
            raise ValueError("There is no evaluation yet: train a network, then press Evaluate.")
        return self.evaluation

    def _rows(self, frames: str = "") -> NDArray[np.bool_]:
        """Which frames, (N,)."""
        test = self._shown.is_test
        return {"all": np.ones(len(test), bool), "test": test, "train": ~test}[frames or self.frames]

    def errors(self, frames: str, sure: bool = False) -> NDArray[np.float64]:
        """Errors (N', K') in px of a set of frames and the bodyparts looked at; ``sure``: above the cutoff alone."""
        errors, likelihood = self._shown.errors, self._shown.likelihood
        if sure:
            errors = np.where(likelihood >= self.pcutoff, errors, np.nan)
        return errors[self._rows(frames)][:, self.columns]

    # --- the gallery ---

    def findings(self) -> list[Finding]:
        """The frames that are looked at, the worst first; one `Finding` for each that has a labeled bodypart."""
        if self.evaluation is None:
            return []
        evaluation, columns = self.evaluation, np.array(self.columns, int)
        errors = evaluation.errors[:, columns]
        rows = np.flatnonzero(self._rows() & np.isfinite(errors).any(axis=1))
        if not len(rows):
            return []
        worst = columns[np.nanargmax(errors[rows], axis=1)]
        order = np.lexsort([rows, -evaluation.errors[rows, worst]])
        return [self._finding(int(rows[n]), int(worst[n])) for n in order]

    def _finding(self, row: int, k: int) -> Finding:
        e = self._shown
        name, error, likelihood = e.bodyparts[k], float(e.errors[row, k]), float(e.likelihood[row, k])
        return Finding(e.images[row], row, k, name, error, likelihood, bool(e.is_test[row]))

    @property
    def row(self) -> int:
        """Place of the image shown; -1 if none is."""
        images = self.evaluation.images if self.evaluation is not None else ()
        return images.index(self.image) if self.image in images else -1

    def show(self, image: str) -> None:
        """Show an image of the evaluation; raises ValueError for another."""
        if self.evaluation is None or image not in self.evaluation.images:
            raise ValueError(f"{image} is not in this evaluation.")
        self.image = image

    def show_point(self, row: int, k: int) -> None:
        """Show the frame of a point of the error plot."""
        if self.bodypart:
            self.bodypart = self.bodyparts[k]
        self.image = self._shown.images[row]

    def step(self, count: int) -> None:
        """Show the frame ``count`` places further in the gallery."""
        images = [finding.image for finding in self.findings()]
        if images:
            at = images.index(self.image) + count if self.image in images else 0
            self.image = images[min(max(at, 0), len(images) - 1)]

    # --- numbers and curves ---

    def verdict(self) -> Verdict | None:
        """What the network is worth, all bodyparts together; None without an evaluation."""
        if self.evaluation is None:
            return None
        return verdict(self.evaluation, human_px=human_px(self.evaluation, self.human))

    def worse(self) -> str:
        """One line if the network is worse than the one before; else empty."""
        return "" if self.evaluation is None or self.before is None else self.before.words(self.evaluation)

    def summaries(self) -> list[Summary]:
        """Lines of the table: list of `Summary` for train, test and test above the cutoff, and the human if known."""
        if self.evaluation is None:
            return []
        lines = [("train", self.errors("train")), ("test", self.errors("test"))]
        lines.append((f"test, likelihood ≥ {self.pcutoff:.4g}", self.errors("test", sure=True)))
        if self.human is not None and (human := self.human_distances()) is not None:
            lines.append((f"human ({' and '.join(self.human.scorers)})", human))
        return [self._summary(name, errors) for name, errors in lines]

    def _summary(self, name: str, errors: NDArray[np.float64]) -> Summary:
        found = summarize(errors)
        right = errors[np.isfinite(errors)] < self.epsilon_px
        within = float(right.mean()) if len(right) else float("nan")
        return Summary(name, found.mean_px, bootstrap_ci(errors), found.rms_px, found.median_px, within, found.n)

    def human_distances(self) -> NDArray[np.float64] | None:
        """Distances (T, K') between two people's labels of the bodyparts looked at, px; None if not known."""
        if self.human is None:
            return None
        names = [self.bodyparts[k] for k in self.columns]
        kept = [k for k, name in enumerate(self.human.bodyparts) if name in names]
        return self.human.distances[:, kept] if kept else None

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """The error plot's points.

        Returns
        -------
        row, k : int (M,)
            Frame and bodypart of each; at most 2000, the largest errors among them.
        error : float (M,)
            Pixels.
        """
        if self.evaluation is None:
            return np.empty(0, int), np.empty(0, int), np.empty(0)
        errors = self.evaluation.errors
        row, k = np.nonzero(np.isfinite(errors) & self._rows()[:, None])
        if len(row) > MOST:
            order = np.argsort(-errors[row, k], kind="stable")
            rest = np.random.default_rng(0).permutation(order[MOST // 2 :])[: MOST - MOST // 2]
            kept = np.sort(np.concatenate([order[: MOST // 2], rest]))
            row, k = row[kept], k[kept]
        return row, k, errors[row, k]

    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean error of each bodypart, px, (K,) for train and for test; NaN = no such points."""
        errors, test = self._shown.errors, self._shown.is_test
        train, tested = (
            np.array([summarize(errors[rows, k]).mean_px for k in range(len(self.bodyparts))]) for rows in (~test, test)
        )
        return train, tested

    def pck(self) -> dict[str, PckCurve]:
        """{"train", "test", "sure", "human": `PckCurve`}, over the same distances; none without points."""
        if self.evaluation is None:
            return {}
        sets = {"test": self.errors("test"), "train": self.errors("train"), "sure": self.errors("test", sure=True)}
        if (human := self.human_distances()) is not None:
            sets["human"] = human
        thresholds = pck_curve(self.errors("all")).thresholds_px
        found = {name: self._pck(name, errors, thresholds) for name, errors in sets.items()}
        return {name: curve for name, curve in found.items() if curve.n}

    def _pck(self, name: str, errors: NDArray[np.float64], thresholds: NDArray[np.float64]) -> PckCurve:
        key = name, self.bodypart, self.pcutoff if name == "sure" else None  # moving the cutoff changes one curve
        if key not in self._curves:
            self._curves[key] = pck_curve(errors, thresholds, n=400)
        return self._curves[key]

    def calibration(self) -> Calibration | None:
        """`Calibration` on the test frames, or on all where there are none; None without an evaluation."""
        if self.evaluation is None:
            return None
        rows = self._rows("test") if self.evaluation.is_test.any() else self._rows("all")
        likelihood = self.evaluation.likelihood[rows][:, self.columns]
        return calibrate(self.evaluation.errors[rows][:, self.columns], likelihood, epsilon_px=self.epsilon_px)


class FrameState(Zoomable, HasTraits):
    """How the frame with label and prediction is shown."""

    score_map = Enum(("off", "linear", "log"), "off", help="Whether the score-map lies over the frame, and how.")
    revision = Int(0, help="Counts the changes of the zoom.")

    def __init__(self, image_size: tuple[int, int], canvas_size: tuple[int, int]) -> None:
        super().__init__()
        self._set_sizes(image_size, canvas_size)

    def fit_image(self, image_size: tuple[int, int]) -> None:
        """Show an image of another size, whole; of the same size, as it was zoomed."""
        if image_size != self.image_size:
            self._set_sizes(image_size, self.canvas_size)
            self.revision += 1

    def look_at(self, points: ArrayLike, margin: float = 40.0) -> None:
        """Zoom so that points (P, 2), px, fill half of the canvas at most, with ``margin`` px around them."""
        places = np.asarray(points, float)
        places = places[np.isfinite(places).all(axis=-1)]
        self.reset_view()
        if not len(places):
            return
        low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
        height, width = self.canvas_size
        zoom = min(width / (high[0] - low[0]), height / (high[1] - low[1]))
        zoom = min(max(zoom, self.fit.zoom), 8 * self.fit.zoom)
        x, y = (low + high) / 2 + 0.5
        self._set_fit(CanvasFit(zoom, width / 2 - x * zoom, height / 2 - y * zoom))
