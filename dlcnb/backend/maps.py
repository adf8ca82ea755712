"""What a network gives for a batch of images: score-maps and location refinement, maybe still being computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb import geometry, targets
from dlcnb.backend.engines import Result, split_maps
from dlcnb.backend.network import PoseNet, to_tensor
from dlcnb.trainset import resize

if TYPE_CHECKING:
    import mxnet


__all__ = ["Maps", "predict_maps", "resized_batch"]


class Maps:
    """The network's output for a batch of equally large images, maybe still being computed.

    Parameters
    ----------
    result : function that waits for the score-maps and refinement, as that of an engine's ``run``.
    ratio : ``(fx, fy)`` by which the images were resized.
    shape : ``(height, width)`` of the resized images.
    """

    def __init__(self, result: Result, ratio: tuple[float, float], shape: Sequence[int]) -> None:
        self.ratio, self._shape = ratio, (shape[0], shape[1])
        self._result: Result | None = result
        self._arrays: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``(score, locref)``: float ``(B, K, h, w)`` probabilities and ``(B, K, 2, h, w)``; waits for the result."""
        if self._arrays is None:
            assert self._result is not None  # it is given up only once the arrays are there
            rows, columns = targets.grid_size(self._shape)
            score, locref = self._result()
            self._arrays = score[..., :rows, :columns], locref[..., :rows, :columns]  # the rest lies in the padding
            self._result = None
        return self._arrays

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(points, likelihood)``: ``(B, K, 2)`` px of the original images, and ``(B, K)``."""
        points, likelihood = targets.decode(*self.arrays())
        return geometry.unscale(points, self.ratio), likelihood


def predict_maps(
    net: PoseNet, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], input_scale: float, device: mxnet.Context
) -> Maps:
    """Run a network on uint8 images ``(H, W, 3)`` of one size; returns `Maps` at once (MXNet computes behind)."""
    batch, ratio = resized_batch(images, input_scale)
    output = net(to_tensor(batch, net, device, net.multiple))
    if output.shape[1] > 3 * net.parts:  # while training with intermediate supervision
        output = output[:, : 3 * net.parts]
    output = output.astype("float32", copy=False)  # half precision while training in it
    return Maps(lambda: split_maps(output.asnumpy()), ratio, batch.shape[1:3])


def resized_batch(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], input_scale: float
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Images of one size, resized: uint8 ``(B, H, W, 3)``, and the exact ``(fx, fy)``."""
    resized = [resize(image, input_scale) for image in images]
    return np.stack([image for image, _ in resized]), resized[0][1]
