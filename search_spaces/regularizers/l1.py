"""L1 penalty on hidden kernels."""

from typing import Annotated, ClassVar

from search_spaces.places import HIDDEN, Place
from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class L1(RegularizerSpec):
    """Adds factor · Σ|w| over the kernels of all hidden layers to the training loss.

    Biases and the output layer are left alone, as in Keras' `kernel_regularizer=L1(factor)` on hidden layers.
    It changes the training loss only; validation and test losses are reported without the penalty.

    References:
        Tibshirani, 1996, Regression shrinkage and selection via the lasso, JRSS B 58.
    """

    name: ClassVar[str] = "l1"
    summary: ClassVar[str] = "penalises the absolute size of hidden weights"
    places: ClassVar[tuple[Place, ...]] = HIDDEN["both"]

    factor: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
