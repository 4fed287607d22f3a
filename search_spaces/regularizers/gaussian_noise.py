"""Addition of Gaussian noise."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class GaussianNoise(RegularizerSpec):
    """Adds normal noise of standard deviation `stddev` in training, to the inputs or to hidden activations (`sites`).

    The unit is that of the values it acts on: after `preprocessing: scale`, 0.1 is a tenth of the range of pixels.
    Where a model embeds whole numbers, its inputs are the embedded vectors. In inference it is the identity, as Keras'
    `GaussianNoise`.

    References:
        Bishop, 1995, Training with noise is equivalent to Tikhonov regularization, Neural Computation 7.
    """

    name: ClassVar[str] = "gaussian_noise"
    summary: ClassVar[str] = "adds random numbers to inputs or hidden activations"

    stddev: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
    sites: Annotated[
        Range,
        Knob(kind="category", words=("inputs", "dense", "convolution", "both"), role="structural", strength=False),
    ] = Fixed(value="inputs")
