"""How data/resnet50.npz was made: a ResNet-50 in torchvision's layout, written with torch's own functions.

Run with torch installed: ``python tests/backend/make_resnet50_reference.py``. The weights come from a seed, by name
(`state_dict`), so that only a few outputs need to be stored. conv5 keeps stride 16 by dilation, as torchvision's
``replace_stride_with_dilation=[False, False, True]`` does.
"""

from pathlib import Path

import numpy as np

STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))
HERE = Path(__file__).parent


def state_dict(seed=0):
    """Random weights and BatchNorm statistics of a ResNet-50, by torchvision's names."""
    rng = np.random.default_rng(seed)
    tensors = {}

    def conv(name, outputs, inputs, kernel):
        std = np.sqrt(2.0 / (inputs * kernel * kernel))
        tensors[f"{name}.weight"] = rng.normal(0, std, (outputs, inputs, kernel, kernel)).astype(np.float32)

    def norm(name, channels):
        tensors[f"{name}.weight"] = rng.uniform(0.5, 1.0, channels).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.1, channels).astype(np.float32)
        tensors[f"{name}.running_mean"] = rng.normal(0, 0.1, channels).astype(np.float32)
        tensors[f"{name}.running_var"] = rng.uniform(0.8, 1.5, channels).astype(np.float32)

    conv("conv1", 64, 3, 7)
    norm("bn1", 64)
    inputs = 64
    for stage, (count, width, _) in enumerate(STAGES, 1):
        for block in range(count):
            name = f"layer{stage}.{block}"
            for n, (i, o, k) in enumerate(((inputs, width, 1), (width, width, 3), (width, 4 * width, 1)), 1):
                conv(f"{name}.conv{n}", o, i, k)
                norm(f"{name}.bn{n}", o)
            if block == 0:
                conv(f"{name}.downsample.0", 4 * width, inputs, 1)
                norm(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    return tensors


def image():
    """The input: float32 (1, 3, 96, 128), normalised noise with a bright square."""
    x = np.random.default_rng(1).normal(0, 0.5, (1, 3, 96, 128)).astype(np.float32)
    x[:, :, 30:60, 40:80] += 1
    return x


def forward(tensors, x):
    """Outputs of conv3 (stride 8) and conv5 (stride 16, dilated) by torch."""
    import torch
    from torch.nn import functional as F

    t = {name: torch.from_numpy(a) for name, a in tensors.items()}

    def conv(x, name, norm, **how):
        x = F.conv2d(x, t[f"{name}.weight"], **how)
        parts = (t[f"{norm}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts, training=False, eps=1e-5)

    x = F.max_pool2d(F.relu(conv(torch.from_numpy(x), "conv1", "bn1", stride=2, padding=3)), 3, 2, 1)
    banks = []
    for stage, (count, _, stride) in enumerate(STAGES, 1):
        for block in range(count):
            name = f"layer{stage}.{block}"
            step = stride if block == 0 and stage < 4 else 1
            dilation = 2 if stage == 4 and block > 0 else 1
            y = F.relu(conv(x, f"{name}.conv1", f"{name}.bn1"))
            y = F.relu(conv(y, f"{name}.conv2", f"{name}.bn2", stride=step, padding=dilation, dilation=dilation))
            y = conv(y, f"{name}.conv3", f"{name}.bn3")
            if block == 0:
                x = conv(x, f"{name}.downsample.0", f"{name}.downsample.1", stride=step)
            x = F.relu(y + x)
        banks.append(x.numpy())
    return banks[1], banks[3]


if __name__ == "__main__":
    conv3, conv5 = forward(state_dict(), image())
    np.savez_compressed(HERE / "data" / "resnet50.npz", conv3=conv3[0, ::16], conv5=conv5[0, ::16])
