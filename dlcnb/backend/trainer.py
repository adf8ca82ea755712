"""One training run in memory: the network, its optimiser and averaged weights, the batches, snapshots and the clock."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mxnet import autograd
from numpy.typing import NDArray

from dlcnb import targets
from dlcnb.backend import mx
from dlcnb.backend.crew import find_crew, shares, summed
from dlcnb.backend.devices import low_precision, pick_devices
from dlcnb.backend.level import levels
from dlcnb.backend.network import PoseNet, loss_totals, pose_loss, to_tensor
from dlcnb.backend.optimize import Optimizer, learning_rate, score_weight, start_half_precision
from dlcnb.backend.runs import StatsFile, best_of, save_snapshot
from dlcnb.backend.transfer import start_from
from dlcnb.backend.validation import Validation
from dlcnb.backend.weights import imagenet_weights
from dlcnb.geometry import widest_px
from dlcnb.project import Project, ProjectError
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig, TrainSet, choose_split, is_kept

__all__ = ["DivergedError", "TrainStep", "Trainer"]

_LOG_EVERY = 10
_LEVELED = 3  # batches that tell the level of the score-maps
Batch = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]  # images, score-maps, location refinement


class DivergedError(RuntimeError):
    """The loss or the weights are no longer finite numbers; the last good snapshot is intact.

    Attributes
    ----------
    offer : dict, the settings to go on with: a lower ``learning_rate``.
    """

    def __init__(self, message: str, rate: float) -> None:
        super().__init__(message)
        self.offer = {"learning_rate": rate}


@dataclass(frozen=True)
class TrainStep:
    """What one training step did.

    ``seconds`` counts training so far, over all resumptions; ``progress`` runs 0..1; ``validation`` (errors in px on
    frames held out of the training split, and ``train_mean_px`` on as many training frames), ``snapshot`` (file name)
    and ``best`` are None on most steps.
    """

    step: int
    seconds: float
    loss: float
    part_loss: float
    locref_loss: float
    learning_rate: float
    progress: float
    seconds_left: float
    validation: dict[str, Any] | None = None
    snapshot: str | None = None
    best: dict[str, Any] | None = None
    warning: str | None = None


class Trainer:
    """The state of a run in memory: network, optimiser, batches, clock.

    ``leads`` is False for a process that helps another one to train: it writes nothing.
    """

    def __init__(
        self,
        project: Project,
        config: TrainConfig | None,
        run: str | os.PathLike[str] | None,
        resume: bool,
        leads: bool = True,
    ) -> None:
        self.leads = leads
        if resume:
            run = Run(run or project.last_run())
            config = run.resumed(config)
            resume = bool(run.steps)  # a run that ended before its first snapshot begins anew
            if leads:
                run.tidy()
        elif config is None:
            raise ValueError("A new training run needs a TrainConfig.")
        learned = Run(run).bodyparts if run and resume else ()
        self.data = TrainSet.from_project(project, config.bodyparts, learned=learned)
        self.config = config
        self.run = Run(run or project.new_run(config.train_fraction))
        self.training, held_out = self._parts(resume)
        planned = self.data.plan(config, self.training)
        self.config = config = planned.config
        self.shares = self.data.shares(self.training) if config.balanced else None
        cautions = [] if resume else self.data.cautions(config, np.union1d(self.training, held_out))
        self.warning = " ".join([*planned.warnings, *cautions]) or None
        self.validation = Validation(self.run, self.data, config, self.training, held_out)
        self.devices = pick_devices(config.device)
        self.half = low_precision(config.precision, self.devices)
        if self.half:
            start_half_precision(self.half)
        self.crew = find_crew(config)
        self.net = self._make_network()
        self.step, self.before = 0, 0.0
        self.saved: int | None = None
        self.leveled: int | None = None
        self.best: dict[str, Any] | None = None
        store = self.crew.store if self.crew else None
        self.optimizer = Optimizer(self.net, config, self.devices, half=bool(self.half), store=store)
        if resume:
            self._restore()
        if leads:
            widest = round(widest_px(self.data.points[self.training]), 1)
            began, reasons = "" if resume else self.began_from, planned.decisions
            self.run.write_config(config, self.data.bodyparts, decisions=reasons, began_from=began, widest_px=widest)
        self.augment = self.data.augmentation(config)
        self.stats = StatsFile(self.run, self.step) if leads else None
        self.pool = ThreadPoolExecutor(1)
        self.started = self.validated = time.monotonic()

    def _parts(self, resume: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the frames trained on and of the validation part; written to, or read from, the run's split."""
        position = {name: n for n, name in enumerate(self.data.images)}
        if resume:
            parts = self.run.split
            missing = [n for n in parts["train"] + parts["validation"] if n not in position]
            if missing:
                raise ProjectError(
                    f"{len(missing)} labeled frames of this run are gone (first: {missing[0]}): it can't be resumed. "
                    "Put them back, or start a new run."
                )
            training, validation = (np.array([position[n] for n in parts[k]], int) for k in ("train", "validation"))
            return training, validation
        split = choose_split(self.data.images, self.config)
        order = np.random.default_rng(self.config.seed).permutation(split.train)
        held_out = round(len(order) * self.config.validation_fraction)
        training, validation = np.sort(order[held_out:]), np.sort(order[:held_out])
        if not self.leads:
            return training, validation
        named = {"train": training, "validation": validation, "test": split.test}
        self.run.write_split({part: [self.data.images[i] for i in indices] for part, indices in named.items()})
        return training, validation

    def _make_network(self) -> PoseNet:
        config = self.config
        mx.random.seed(config.seed)
        weights = self._imagenet() if config.pretrained and config.start_from is None else None
        self.began_from = config.start_from or ("random" if weights is None else "imagenet")
        freeze = config.freeze if self.began_from != "random" else 0
        net = PoseNet(
            config.backbone,
            len(self.data.bodyparts),
            freeze,
            intermediate=config.intermediate,
            head_width=config.head_width,
        )
        net.initialize(ctx=self.devices)
        net.rest_at_background()
        if config.start_from is not None:
            start_from(net, config.start_from, self.data.bodyparts)
        else:
            net.head.collect_params().setattr("lr_mult", config.head_rate)
        if weights is not None:
            net.backbone.load(weights)
        if freeze:
            net.fix_frozen()
        fixed = config.crop_size is not None
        net.hybridize(static_alloc=fixed, static_shape=fixed)
        return net

    def _imagenet(self) -> dict[str, NDArray[Any]] | None:
        """ImageNet weights of the backbone; None, and a warning, if nobody named them and they can't be had."""
        try:
            return imagenet_weights(self.config.backbone, self.config.weights)
        except ConnectionError as error:
            if self.config.weights is not None:
                raise
            self._warn(f"Training starts from random weights, and needs far more steps. {error}")
            return None

    def _warn(self, text: str) -> None:
        """Say this with the next step."""
        self.warning = text if self.warning is None else f"{self.warning} {text}"

    # ---- the loop

    def steps(self) -> Iterator[TrainStep]:
        """Yield a `TrainStep` for every step until the budget is used up."""
        pending = self.pool.submit(self._batch, self.step)
        while (progress := self._progress()) < 1:
            rate = learning_rate(self.config, progress, self.step)
            batch = pending.result()
            losses = self._update(batch, rate)
            if losses is None:
                self._left_alone()
                return
            part, refinement = losses
            pending = self.pool.submit(self._batch, self.step)
            if not math.isfinite(part + refinement):
                raise self._diverged("loss", rate)
            record = self._record(part, refinement, rate)
            self.warning = None
            yield record

    def _progress(self) -> float:
        """Share of the budget that is used up, 0..1."""
        by_steps = self.step / self.config.steps if self.config.steps else 0.0
        by_time = self.seconds / (60 * self.config.minutes) if self.config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all resumptions."""
        return self.before + time.monotonic() - self.started

    def _batch(self, step: int) -> Batch:
        """Batch number ``step``; a function of the seed and the number alone, so a resumed run draws the same."""
        config = self.config
        rng = np.random.default_rng((config.seed, step))
        chosen = rng.choice(self.training, config.batch_size, p=self.shares)
        halved = self.augment.halvings
        drawn = [self.augment(self.data.image(i, halved), self.data.points[i], rng, halved) for i in chosen]
        images, points = (np.stack(each) for each in zip(*drawn, strict=True))
        multiple = self.net.multiple
        size = images.shape[1] + -images.shape[1] % multiple, images.shape[2] + -images.shape[2] % multiple
        score, locref = targets.encode(points, size, radius=(config.radius or 0.0) * config.seen_at)
        return images, score, locref.reshape(len(score), -1, *score.shape[2:])

    def _update(self, batch: Batch, rate: float) -> tuple[float, float] | None:
        """One optimiser step; returns the two parts of the loss, or None if another worker has left."""
        totals = loss_totals(batch[1])
        weights = {name: getattr(self.config, name) for name in ("locref_weight", "spatial_weight")}
        weights["score_weight"] = score_weight(self.config, self._progress())
        if self.crew:
            batch = shares(batch, self.crew.size)[self.crew.rank]
        losses = []
        with autograd.record():
            for device, part in zip(self.devices, shares(batch, len(self.devices)), strict=True):
                images, score, locref = part
                output = self.net(to_tensor(images, self.net, device, self.net.multiple))
                if self.half:
                    output = output.astype("float32")
                goals = (mx.nd.array(a, ctx=device) for a in (score, locref))
                losses.append(pose_loss(output, *goals, **weights, totals=totals))
            self.optimizer.backward([part + refinement for part, refinement in losses])
        if self.crew:
            agreed = self.crew.agree(*summed(losses))
            if agreed is None:
                return None
        self.step += 1
        self.optimizer.step(self.step, rate)
        return agreed if self.crew else summed(losses)

    def _left_alone(self) -> None:
        """Another worker has left: keep what was learned, and say so."""
        if self.leads:
            self.save()
            raise RuntimeError(
                f"Another worker of this training left after step {self.step}. A snapshot is saved; --resume goes on."
            )

    def _record(self, part: float, refinement: float, rate: float) -> TrainStep:
        progress = self._progress()
        due = self.leads and self._is_time_to_validate(progress)
        if due and not self.optimizer.is_finite():
            raise self._diverged("weights", rate)
        validation = self._validate() if due else None
        seconds, done = self.seconds, self._progress()  # after the validation, which takes of the time, too
        left = seconds * (1 - done) / done if done else 0.0
        losses = part + refinement, part, refinement
        record = TrainStep(self.step, seconds, *losses, rate, progress, left, validation, warning=self.warning)
        if self.stats and (validation or self.step % _LOG_EVERY == 0):
            self.stats.write(record)  # before the snapshot: resuming drops the rows after it, and misses none before it
        return replace(record, **self._keep(validation)) if due else record

    def _keep(self, validation: dict[str, Any] | None) -> dict[str, Any]:
        """Leave a snapshot, maybe the best; returns what the record tells of it."""
        mean_px = validation["mean_px"] if validation else None
        self.best = best_of(self.best, self.step, mean_px, len(self.validation.held_out))
        snapshot = self.save()
        self.run.write_best(**self.best)
        self.run.prune(self.config.keep)
        self.validated = time.monotonic()
        return {"snapshot": snapshot, "best": self.best}

    def _is_time_to_validate(self, progress: float) -> bool:
        if progress >= 1 or is_kept(self.step, self.config.keep):
            return True
        if self.config.minutes:
            return time.monotonic() - self.validated >= self.config.validate_every
        return self.step % max(1, -(-(self.config.steps or 0) // 20)) == 0

    def _validate(self) -> dict[str, Any] | None:
        """Errors (px) on the validation part, or None where there is none; leaves a preview in the run."""
        self._find_level()
        with self.optimizer.averaged():
            found, warning = self.validation.check(self.net, self.devices[0], self.step, self._progress())
        if warning:
            self._warn(warning)
        return found

    def _find_level(self) -> None:
        """The level of the score-maps at this step, which the loss over places leaves open."""
        if not self.config.spatial_weight or self.leveled == self.step:
            return
        self.optimizer.level, logits, discs = None, [], []
        with self.optimizer.averaged():
            for images, score, _ in map(self._batch, range(self.step, self.step + _LEVELED)):
                output = self.net(to_tensor(images, self.net, self.devices[0], self.net.multiple))
                logits.append(output[:, : self.net.parts].astype("float32").asnumpy())  # the next takes its memory
                discs.append(score)
        self.optimizer.level = levels(logits, discs)
        self.leveled = self.step

    # ---- saving and restoring

    def save(self) -> str:
        """Write a snapshot of this step, unless there is one; returns its file name."""
        if self.leads and self.step and self.saved != self.step:
            if not self.optimizer.is_finite():
                raise self._diverged("weights", self.config.learning_rate)
            self._find_level()
            trained, device = self.optimizer.weights(), self.devices[0]
            weights = {n: trained.get(n, p.data(device)) for n, p in self._parameters().items()}
            save_snapshot(self.run, self.step, weights, self._state())
            self.saved = self.step
        return self.run.snapshot(self.step).name

    def _parameters(self) -> dict[str, Any]:
        """Name -> parameter that predictions need, by names that depend on the structure alone."""
        named = self.net._collect_params_with_prefix()
        return {name: parameter for name, parameter in named.items() if not name.startswith("early")}

    def _state(self) -> dict[str, NDArray[Any]]:
        """All that resuming needs beside the averaged weights, as plain arrays."""
        best = self.best or {"step": -1, "val_mean_px": None}
        px = np.nan if best["val_mean_px"] is None else best["val_mean_px"]
        numbers = {"step": self.step, "seconds": self.seconds, "best_step": best["step"], "best_px": px}
        return {**{name: np.array(value) for name, value in numbers.items()}, **self.optimizer.state()}

    def _restore(self) -> None:
        """Take up the last snapshot of the run."""
        step, state = self.run.last_state()
        self.step = self.saved = int(state["step"])
        self.before = float(state["seconds"])
        try:
            self.optimizer.restore(state, self.step)
        except (AssertionError, KeyError) as error:  # so MXNet says that a shape or a name differs
            raise ProjectError(
                f"{self.run.state(step)} does not belong to the network that {self.run.config_file.name} describes "
                f"({error}). Put back the settings that this run was started with, or start a new run."
            ) from error
        self.best = self.run.best
        if int(state.get("best_step", -1)) >= 0:  # the worker may have been killed before it wrote best.json
            px = float(state["best_px"])
            self.best = {"step": int(state["best_step"]), "val_mean_px": px if math.isfinite(px) else None}
        if self.leads and self.best:
            self.run.write_best(**self.best)

    def _diverged(self, what: str, rate: float) -> DivergedError:
        lower = float(f"{(rate if self.config.schedule else self.config.learning_rate) / 3:.1g}")
        steps = self.run.steps
        text = f"The {what} became infinite at step {self.step} (learning rate {rate:.2g}). "
        text += f"The last good snapshot is {steps[-1]}. Resume from it" if steps else "Train again"
        return DivergedError(f"{text} with a lower rate: learning_rate={lower:g} (--learning-rate {lower:g}).", lower)

    def close(self, wait: bool = True) -> None:
        """Stop the batch thread, close the files, and let the other workers go."""
        self.pool.shutdown(wait=wait, cancel_futures=True)
        if self.stats:
            self.stats.close()
        if self.crew:
            self.crew.leave(done=self._progress() >= 1)
