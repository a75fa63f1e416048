"""Tells clothes apart in 28×28 grey pictures, light on black, as in Fashion-MNIST."""

from typing import Union

import numpy as np
from numpy.typing import NDArray

__version__: str

classes: list[str]
"""The names of the classes, in the order of the probabilities."""

mean: float
"""What float32 images have had subtracted, after scaling to 0..1."""

std: float
"""What float32 images were divided by then."""

def probabilities(images: Union[NDArray[np.uint8], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The probability of each class: [10] for an image [28, 28], [n, 10] for images [n, 28, 28].

    uint8 images are pixels from 0 (black) to 255, which are scaled and normalised into a buffer. float32 images
    are normalised numbers, (pixel / 255 - mean) / std, which are read where they are. An array that is not
    C-contiguous is copied. Other threads run meanwhile: they must not write to the array.

    Raises TypeError for what is no array of uint8 or float32, ValueError for another shape or an array that is
    not aligned.
    """

def _rust_seconds(images: Union[NDArray[np.uint8], NDArray[np.float32]], calls: int) -> float:
    """The seconds of one call without what Python adds: to measure that."""
