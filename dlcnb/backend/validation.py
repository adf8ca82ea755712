"""What a network in training makes of frames held out, and of as many that it is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.backend.maps import predict_maps
from dlcnb.backend.network import PoseNet
from dlcnb.evaluate import animal_px, errors, fit_likelihood, summarize
from dlcnb.evaluate.missed import MissedParts
from dlcnb.files import atomic_path
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig, TrainSet

__all__ = ["PREVIEWED", "Validation"]

PREVIEWED = 6  # validation frames whose predictions and score-maps are kept for looking at


class Validation:
    """Errors of a network on the validation part of its run.

    Parameters
    ----------
    run : Run
        A preview is left in it, and what the likelihood is worth (`dlcnb.evaluate.CalibratedLikelihood`).
    data : TrainSet
    config : TrainConfig
        With nothing left open.
    training, validation : int (n,)
        Indices of the frames trained on and of those held out.
    """

    def __init__(
        self,
        run: Run,
        data: TrainSet,
        config: TrainConfig,
        training: NDArray[np.intp],
        validation: NDArray[np.intp],
    ) -> None:
        self.run, self.data, self.config = run, data, config
        self.held_out = validation
        some = np.random.default_rng(config.seed).permutation(training)
        self.watched = np.sort(some[: len(validation)])  # training frames whose error is told, too
        self._missed = MissedParts(data.bodyparts, animal_px(data.points))

    def check(self, net: PoseNet, device: Any, step: int, progress: float) -> tuple[dict[str, Any] | None, str | None]:
        """(errors in px, or None where nothing is held out; a warning, or None).

        ``progress`` is the share of the budget that is used up, 0..1.
        """
        if len(self.held_out) == 0:
            return None, None
        points, likelihood, score_maps = self._predict(net, device, self.held_out, PREVIEWED)
        trained = self._predict(net, device, self.watched)[0]
        labels, known = self.data.points[self.held_out], self.data.points[self.watched]
        missed = errors(labels, points)
        if curve := fit_likelihood(missed, likelihood, animal_px(self.data.points)):
            curve.write(self.run.likelihood(step))  # before the snapshot, so that none lacks it after a crash
        self._preview(step, labels, points, likelihood, score_maps)
        summary, both = summarize(missed), np.concatenate([missed, errors(known, trained)])
        found = {
            "mean_px": summary.mean_px,
            "rms_px": summary.rms_px,
            "median_px": summary.median_px,
            "n": summary.n,
            "train_mean_px": summarize(errors(known, trained)).mean_px,
            "lost": self._missed.lost(both),
        }
        return found, self._missed.tell(both, step, progress)

    def _preview(
        self,
        step: int,
        labels: NDArray[np.float64],
        points: NDArray[np.float64],
        likelihood: NDArray[np.float64],
        score_maps: list[NDArray[np.float32]],
    ) -> None:
        """Write validation.npz: what the network makes of the first n validation frames at ``step``.

        It has ``images`` (names), ``labels`` and ``points`` ``(n, K, 2)`` px, ``likelihood`` ``(n, K)``, and
        ``score_maps`` float16 ``(n, K, h, w)`` unless the frames differ in size.
        """
        n = len(score_maps)
        arrays = {"labels": labels[:n], "points": points[:n], "likelihood": likelihood[:n]}
        if len({score.shape for score in score_maps}) == 1:
            arrays["score_maps"] = np.stack(score_maps).astype(np.float16)
        images = np.array([self.data.images[i] for i in self.held_out[:n]])
        with atomic_path(self.run.preview_file) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, step=np.array(step), images=images, **arrays)

    def _predict(
        self, net: PoseNet, device: Any, indices: NDArray[np.intp], mapped: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float32]]]:
        """Points (n, K, 2) px and likelihood (n, K) of some frames, and the score-maps of the first ``mapped``."""
        found, score_maps = [], []
        for number, index in enumerate(indices):
            maps = predict_maps(net, [self.data.image(index)], self.config.seen_at, device)
            found.append(maps.points())
            if number < mapped:
                score_maps.append(maps.arrays()[0][0])
        points, likelihood = (np.concatenate(each) for each in zip(*found, strict=True))
        return points, likelihood, score_maps
