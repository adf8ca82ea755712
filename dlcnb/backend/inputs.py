"""What a network is given of images: normalised numbers, or for int8 the pixels themselves.

Each kind has ``dtype``, ``shape(images.shape)`` of the array to make, and ``write(images, array)``, where images are
uint8 ``(B, H, W, 3)``. The array may be larger by what is padded to the right and below, which is black.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.network import PoseNet, normalize

__all__ = ["Normalized", "Pixels", "of_pixels"]


class Normalized:
    """Normalised numbers, as a network is trained on."""

    dtype = "float32"

    def __init__(self, net: PoseNet) -> None:
        self._net = net

    def shape(self, images: Sequence[int]) -> tuple[int, ...]:
        """``(B, 3, H', W')``."""
        return (images[0], 3, *_padded(images, self._net.multiple))

    def write(self, images: NDArray[np.uint8], array: NDArray[Any]) -> None:
        """Write images into an array of that shape."""
        normalize(images, self._net, array)


class Pixels:
    """Pixels, for the network of `of_pixels`, with a margin around in the colour that counts as zero.

    Attributes
    ----------
    margin : px; what the first convolution reaches beyond the image.
    """

    dtype = "uint8"

    def __init__(self, net: PoseNet) -> None:
        self._multiple, self.margin = net.multiple, _reach(net)
        self._zero = np.rint(net.backbone.mean).astype(np.uint8)

    def shape(self, images: Sequence[int]) -> tuple[int, ...]:
        """``(B, 3, H' + 2 margin, W' + 2 margin)``."""
        return (images[0], 3, *(side + 2 * self.margin for side in _padded(images, self._multiple)))

    def write(self, images: NDArray[np.uint8], array: NDArray[Any]) -> None:
        """Write images into an array of that shape, of any dtype."""
        margin, (_, height, width, _) = self.margin, images.shape
        array[:] = self._zero[:, None, None]
        array[:, :, margin:-margin, margin:-margin] = 0
        for planes, image in zip(array, images, strict=True):
            for plane, channel in zip(planes, cv2.split(image), strict=True):
                plane[margin : margin + height, margin : margin + width] = channel


def of_pixels(net: PoseNet) -> tuple[Any, dict[str, Any]]:
    """The same network for pixels with their margin: its first convolution normalises them and pads nothing.

    Returns
    -------
    symbol, arrays
        The traced network with the input ``data``, and name -> NDArray of its parameters.
    """
    stem = net.backbone.stem.conv
    arrays = {name: parameter.data() for name, parameter in net.collect_params().items()}
    weight, bias = arrays[stem.weight.name].asnumpy().astype(float), arrays[stem.bias.name].asnumpy().astype(float)
    mean, std = (np.array(values) for values in (net.backbone.mean, net.backbone.std))
    arrays[stem.weight.name] = mx.nd.array(weight / std[:, None, None])
    arrays[stem.bias.name] = mx.nd.array(bias - np.einsum("oiyx,i->o", weight, mean / std))
    graph = json.loads(net(mx.sym.var("data", dtype="float32")).tojson())
    next(node for node in graph["nodes"] if node["op"] == "Convolution")["attrs"]["pad"] = "(0, 0)"
    return mx.sym.load_json(json.dumps(graph)), arrays


def _reach(net: PoseNet) -> int:
    return net.backbone.stem.conv.weight.shape[-1] // 2


def _padded(images: Sequence[int], multiple: int) -> tuple[int, int]:
    _, height, width, _ = images
    return height + -height % multiple, width + -width % multiple
