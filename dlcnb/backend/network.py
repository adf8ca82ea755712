"""PoseNet: backbone, deconvolution to stride 8, part and locref heads (Mathis et al. 2018, Methods and Fig. 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mxnet.gluon import HybridBlock, nn
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.backbones import make_backbone

__all__ = ["PoseNet", "loss_totals", "normalize", "pose_loss", "to_tensor"]


def _conv(inputs: int, outputs: int, kernel: int = 1) -> nn.Conv2D:
    init = mx.init.Xavier("gaussian", "in", 1.5)
    return nn.Conv2D(outputs, kernel, 1, kernel // 2, in_channels=inputs, weight_initializer=init)


def _deconv(inputs: int, outputs: int) -> nn.Conv2DTranspose:
    init = mx.init.Xavier("gaussian", "in", 1.5)
    return nn.Conv2DTranspose(outputs, 3, 2, 1, 1, in_channels=inputs, weight_initializer=init)


class PaperHead(HybridBlock):
    """The paper's head: conv5 through a 3x3 deconvolution, plus the conv3 bank through a 1x1 convolution."""

    def __init__(self, channels: Sequence[int], outputs: int) -> None:
        super().__init__()
        with self.name_scope():
            self.up = _deconv(channels[3], outputs)
            self.out = _conv(channels[1], outputs)

    def hybrid_forward(self, F: Any, quarter: Any, eighth: Any, conv4: Any, conv5: Any) -> Any:
        """Banks -> maps ``(B, outputs, h, w)`` at stride 8."""
        return self.up(conv5) + self.out(eighth)


class PyramidHead(HybridBlock):
    """For backbones that go on to stride 32: deconvolutions back to stride 8, joined by the finer maps."""

    def __init__(self, channels: Sequence[int], outputs: int, width: int) -> None:
        super().__init__()
        with self.name_scope():
            self.up16 = _deconv(channels[3], width)
            self.skip16 = _conv(channels[2], width)
            self.up8 = _deconv(width, width)
            self.skip8 = _conv(channels[1], width)
            self.mix = _conv(width, width, 3)
            self.out = _conv(width, outputs)

    def hybrid_forward(self, F: Any, quarter: Any, eighth: Any, sixteenth: Any, last: Any) -> Any:
        """Feature maps -> maps ``(B, outputs, h, w)`` at stride 8."""
        x = F.Activation(self.up16(last) + self.skip16(sixteenth), act_type="relu")
        x = F.Activation(self.up8(x) + self.skip8(eighth), act_type="relu")
        return self.out(F.Activation(self.mix(x), act_type="relu"))


class PoseNet(HybridBlock):
    """Images -> score-map logits and location refinement.

    Parameters
    ----------
    backbone : one of `dlcnb.trainset.BACKBONES`.
    parts : K, the number of bodyparts.
    freeze : how many parts of the backbone are not trained.
    intermediate : intermediate supervision, for training only: a second set of score-maps is made from conv4 (the
        paper's ResNet-101ws).
    head_width : channels of the head's inner layers, for backbones that go on to stride 32; default 64.
    """

    def __init__(
        self,
        backbone: str,
        parts: int,
        freeze: int = 0,
        *,
        intermediate: bool = False,
        head_width: int | None = None,
    ) -> None:
        super().__init__()
        self.parts = parts
        with self.name_scope():
            self.backbone = make_backbone(backbone, freeze)
            if self.backbone.multiple == 32:
                self.head = PyramidHead(self.backbone.channels, 3 * parts, head_width or 64)
            else:
                self.head = PaperHead(self.backbone.channels, 3 * parts)
            self.early = _deconv(self.backbone.channels[2], parts) if intermediate else None

    def rest_at_background(self) -> None:
        """Start the score-maps at a probability near the share of disc cells, so that no steps go into learning it."""
        bias = np.zeros(3 * self.parts, np.float32)
        bias[: self.parts] = -4.0
        self.head.out.bias.set_data(mx.nd.array(bias))
        if self.early is not None:
            self.early.bias.set_data(mx.nd.array(bias[: self.parts]))

    @property
    def multiple(self) -> int:
        """Image sides must be a multiple of this many px."""
        return self.backbone.multiple

    def hybrid_forward(self, F: Any, images: Any) -> Any:
        """Normalised images ``(B, 3, H, W)`` -> ``(B, 3K, H/8, W/8)``: K score logits, then K pairs (dx, dy).

        With intermediate supervision K score logits of conv4 follow.
        """
        banks = self.backbone(images)
        maps = self.head(*banks)
        return maps if self.early is None else F.concat(maps, self.early(banks[2]), dim=1)

    def fix_frozen(self) -> None:
        """Stop the gradients of the parts that are not trained."""
        for block in self.backbone.frozen():
            block.collect_params().setattr("grad_req", "null")


def pose_loss(
    output: Any,
    score: Any,
    locref: Any,
    *,
    locref_weight: float,
    spatial_weight: float = 0.0,
    score_weight: float = 1.0,
    totals: tuple[int, float, int] | None = None,
) -> tuple[Any, Any]:
    """The loss of a batch: cross-entropy of the score-maps, and the Huber loss of the refinement on the discs.

    With a ``spatial_weight`` a second cross-entropy is added: each score-map is taken as a distribution over places, by
    a softmax over its cells, and the disc's cells shall share all of it; background, 99 % of the cells, drowns no disc.

    Parameters
    ----------
    output : NDArray ``(B, 3K, h, w)`` from `PoseNet`; ``(B, 4K, h, w)`` with intermediate supervision, whose
        cross-entropy is added with weight 1.
    score, locref : NDArray ``(B, K, h, w)``, ``(B, 2K, h, w)`` from `dlcnb.targets.encode`.
    locref_weight, spatial_weight, score_weight : of the Huber loss, the cross-entropy of places, and that of the cells.
    totals : how many map cells, disc cells and bodyparts that show the means are taken over (`loss_totals`); None =
        those of this batch. Part of a batch needs those of the whole.

    Returns
    -------
    part, refinement : scalar NDArrays, weighted; the loss is their sum.
    """
    parts = score.shape[1]
    cells, disc, shown = totals or loss_totals(score.asnumpy())
    logits = output.slice_axis(1, 0, parts)
    part = score_weight * _cross_entropy(logits, score) / cells
    if output.shape[1] > 3 * parts:
        part = part + score_weight * _cross_entropy(output.slice_axis(1, 3 * parts, None), score) / cells
    if spatial_weight:
        part = part + spatial_weight * _spatial_cross_entropy(logits, score) / max(shown, 1)
    mask = mx.nd.stack(score, score, axis=2).reshape(locref.shape)  # repeat() takes ten times as long
    missed = (output.slice_axis(1, parts, 3 * parts) - locref) * mask
    huber = _sum(mx.nd.smooth_l1(missed, scalar=1.0)) / (2 * disc + 1.0)
    return part, locref_weight * huber


def loss_totals(score: NDArray[np.float32]) -> tuple[int, float, int]:
    """What `pose_loss` averages over in score-maps ``(B, K, h, w)``: all cells, cells of discs, bodyparts that show."""
    return score.size, float(score.sum()), int(score.any((2, 3)).sum())


def _cross_entropy(logits: Any, score: Any) -> Any:
    """Sum over all cells of the sigmoid cross-entropy."""
    softplus = mx.nd.Activation(-mx.nd.abs(logits), act_type="softrelu")
    return _sum(mx.nd.Activation(logits, act_type="relu") + softplus) - _sum(logits, score)


def _spatial_cross_entropy(logits: Any, score: Any) -> Any:
    """Sum over the bodyparts that show of the cross-entropy between the disc and the softmax over all cells."""
    maps = score.shape[0] * score.shape[1]
    disc = score.reshape((maps, -1))
    cells = mx.nd.dot(disc, mx.nd.ones((disc.shape[1], 1), ctx=disc.context))
    disc = mx.nd.broadcast_div(disc, mx.nd.maximum(cells, 1))
    return -_sum(mx.nd.log_softmax(logits.reshape((maps, -1)), axis=1), disc)


def _sum(values: Any, weights: Any = None) -> Any:
    """Sum over all of an NDArray, weighted if need be, as a scalar product: MXNet's own sum is 20 times slower."""
    flat = values.reshape((-1,))
    return mx.nd.dot(flat, mx.nd.ones_like(flat) if weights is None else weights.reshape((-1,)))


def to_tensor(images: NDArray[np.uint8], network_or_backbone: Any, device: Any, pad_to: int = 1) -> Any:
    """uint8 images ``(B, H, W, 3)`` -> normalised float32 NDArray ``(B, 3, H', W')``, padded right and below.

    The padding is black, as the outside of a frame is in training crops, and makes both sides multiples of ``pad_to``.
    """
    batch, height, width, _ = images.shape
    tensor = np.empty((batch, 3, height + -height % pad_to, width + -width % pad_to), np.float32)
    normalize(images, network_or_backbone, tensor)
    return mx.nd.from_numpy(tensor).as_in_context(device)  # array() would wait for threads that compute


def normalize(images: NDArray[np.uint8], network_or_backbone: Any, tensor: NDArray[np.float32]) -> None:
    """Write uint8 images ``(B, H, W, 3)`` into a float32 array ``(B, 3, H', W')`` as the network sees them."""
    backbone = getattr(network_or_backbone, "backbone", network_or_backbone)
    mean, std = (np.array(values, np.float32)[:, None] for values in (backbone.mean, backbone.std))
    tables = (np.arange(256, dtype=np.float32) - mean) / std  # of every value, channel by channel
    height, width = images.shape[1:3]
    tensor[:, :, height:] = tensor[:, :, :, width:] = tables[:, 0, None, None]
    for planes, image in zip(tensor, images, strict=True):
        for plane, channel, table in zip(planes, cv2.split(image), tables, strict=True):
            cv2.LUT(channel, table, dst=plane[:height, :width])
