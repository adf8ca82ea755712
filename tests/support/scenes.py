"""Pictures of a few scenes that are easily told apart."""

import numpy as np

SIZE = (96, 128)


def scene(number, i):
    """A picture of a scene: a bright square in its own place, with a little noise of frame ``i``."""
    image = np.random.default_rng(i).integers(40, 50, (*SIZE, 3), np.uint8)
    y, x = divmod(number, 3)
    image[10 + 40 * y : 40 + 40 * y, 10 + 40 * x : 40 + 40 * x] = (240, 200 - 30 * number, 60)
    return image
