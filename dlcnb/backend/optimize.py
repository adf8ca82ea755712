"""The optimiser of a run: its schedule, its state on every device, and the averaged weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mxnet import autograd, gluon
from mxnet.contrib import amp
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.network import PoseNet
from dlcnb.trainset import TrainConfig

__all__ = ["Optimizer", "learning_rate", "score_weight", "start_half_precision"]

_AVERAGE_EVERY = 4
_OPTIONS: dict[str, dict[str, float]] = {
    # A short memory of squared gradients bounds each update by the learning rate. With the usual 0.999 one odd batch,
    # late in a run when gradients are small, threw a good network away within 20 steps.
    "adam": {"beta2": 0.99, "epsilon": 1e-7},
    "sgd": {"momentum": 0.9},
}


def start_half_precision(dtype: str) -> None:
    """Let this process compute in ``dtype`` where it is safe, for good; before a network is made."""
    amp.init(target_dtype=dtype)


_BIAS = "head.out.bias"  # of the score-maps, and after them the refinement


def learning_rate(config: TrainConfig, progress: float, step: int = 0) -> float:
    """Learning rate of a step.

    Parameters
    ----------
    config : TrainConfig. With a ``schedule`` its rate holds until its step; else the rate warms up linearly over 3 % of
        the budget, stays flat to 30 %, then follows a cosine down to 1 % of the peak.
    progress : share of the budget that is used up, 0..1.
    step : number of steps done.
    """
    if config.schedule:
        return next((rate for until, rate in config.schedule if step < until), config.schedule[-1][1])
    warm = min(1.0, progress / 0.03 + 0.01)
    if progress < 0.3:
        return config.learning_rate * warm
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - 0.3) / 0.7)))
    return config.learning_rate * (0.01 + 0.99 * cosine)


def score_weight(config: TrainConfig, progress: float) -> float:
    """How often the cross-entropy of the cells counts when that share of the budget, 0..1, is used up.

    Once until 40 % of it; from there on it grows by the same factor with each step, up to ``config.score_weight``.
    """
    return config.score_weight ** max(0.0, (progress - 0.4) / 0.6)


class Optimizer:
    """Updates the trained parameters of a network, and keeps a running average of them.

    Parameters
    ----------
    net : PoseNet, initialised on ``devices``.
    config : TrainConfig.
    devices : list of MXNet contexts; gradients are summed over them.
    half : whether `start_half_precision` was called.
    store : key-value store that sums the gradients of several processes, or None.

    Attributes
    ----------
    level : float ``(K,)``, what is added to the logits of each score-map when the network predicts
        (`dlcnb.backend.level`); None = nothing. Training goes on without it.
    """

    def __init__(
        self, net: PoseNet, config: TrainConfig, devices: Sequence[Any], *, half: bool = False, store: Any = None
    ) -> None:
        self._parameters = {n: p for n, p in net._collect_params_with_prefix().items() if p.grad_req != "null"}
        self._device, self._share = devices[0], config.average
        options = {"learning_rate": config.learning_rate, **_OPTIONS[config.optimizer]}
        store = store or ("local" if len(devices) > 1 else None)
        on_store = None if store is None else False  # the store sums gradients; the update happens here
        self._trainer = gluon.Trainer(
            net.collect_params(), config.optimizer, options, kvstore=store, update_on_kvstore=on_store
        )
        if on_store is False:
            self._share_first_weights()
        self._half = half
        if half:
            amp.init_trainer(self._trainer)
        self._average = {n: self._raw(n).copy() for n in self._parameters}
        self.level: NDArray[np.float32] | None = None

    def _share_first_weights(self) -> None:
        """Give every worker the first one's weights now, and wait for them.

        Gluon would do so at the first step, and MXNet doesn't order a parameter's pull before the push of its first
        gradient: about one in a thousand then came back as gradient.
        """
        self._trainer._init_kvstore()
        self._trainer._init_params()
        mx.nd.waitall()

    def _raw(self, name: str) -> Any:
        return self._parameters[name].data(self._device)

    def backward(self, losses: Sequence[Any]) -> None:
        """Gradients of the sum of losses, one of each device; call it while autograd records."""
        if not self._half:
            autograd.backward(losses)
            return
        with amp.scale_loss(losses, self._trainer) as scaled:  # small gradients would vanish in half precision
            autograd.backward(scaled)

    def step(self, number: int, rate: float) -> None:
        """Update the weights with the gradients at hand; ``number`` counts from 1."""
        self._trainer.set_learning_rate(rate)
        self._trainer.step(1)
        if self._share and number % _AVERAGE_EVERY == 0:
            share = _AVERAGE_EVERY / (self._share * number + _AVERAGE_EVERY)
            for name, average in self._average.items():
                average += share * (self._raw(name) - average)

    def weights(self) -> dict[str, Any]:
        """Name -> NDArray of the trained parameters as predictions use them: averaged, if the run averages."""
        found = dict(self._average) if self._share else {n: self._raw(n) for n in self._parameters}
        if self.level is not None:
            change = np.zeros(found[_BIAS].shape, np.float32)
            change[: len(self.level)] = self.level
            found[_BIAS] = found[_BIAS] + mx.nd.array(change, ctx=self._device)
        return found

    def is_finite(self) -> bool:
        """Whether all trained weights are finite numbers."""
        sums = mx.nd.stack(*(mx.nd.sum(self._raw(name)) for name in self._parameters))
        return bool(np.isfinite(sums.asnumpy()).all())

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with the weights as predictions use them in place of the raw ones."""
        raw = {name: self._raw(name).copy() for name in self._parameters}
        try:
            for name, value in self.weights().items():
                self._parameters[name].set_data(value)
            yield
        finally:
            for name, parameter in self._parameters.items():
                parameter.set_data(raw[name])

    def state(self) -> dict[str, NDArray[Any]]:
        """All that resuming needs, as plain arrays by name."""
        state = {}
        for name in self._parameters:
            state[f"raw/{name}"] = self._raw(name).asnumpy()
            state[f"average/{name}"] = self._average[name].asnumpy()
        for index, moments in self._trainer._updaters[0].states.items():
            for n, moment in enumerate(_as_tuple(moments)):
                state[f"moment/{index}/{n}"] = moment.asnumpy()
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], step: int) -> None:
        """Take up what `state` gave after ``step`` steps."""
        for name, parameter in self._parameters.items():
            parameter.set_data(mx.nd.array(state[f"raw/{name}"], ctx=self._device))
            self._average[name] = mx.nd.array(state[f"average/{name}"], ctx=self._device)
        moments: dict[int, dict[int, NDArray[Any]]] = {}
        for key in (k for k in state if k.startswith("moment/")):
            _, which, n = key.split("/")
            moments.setdefault(int(which), {})[int(n)] = state[key]
        for updater, device in zip(self._trainer._updaters, self._trainer._contexts, strict=True):
            for index, arrays in moments.items():
                made = tuple(mx.nd.array(arrays[n], ctx=device) for n in sorted(arrays))
                updater.states[index] = made if len(made) > 1 else made[0]
                updater.states_synced[index] = True
                updater.optimizer._index_update_count[index] = step
            updater.optimizer.num_update = step


def _as_tuple(moments: Any) -> tuple[Any, ...]:
    if moments is None:
        return ()
    return moments if isinstance(moments, tuple) else (moments,)
