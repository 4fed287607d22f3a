"""L2 penalty on hidden kernels."""

from typing import Annotated, ClassVar

from search_spaces.places import HIDDEN, Place
from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class L2(RegularizerSpec):
    """Adds factor · Σw² (no ½, as Keras' `L2`) over the kernels of all hidden layers to the training loss.

    Biases and the output layer are left alone. It changes the training loss only; validation and test losses are
    reported without the penalty.

    References:
        Krogh and Hertz, 1991, A simple weight decay can improve generalization, NeurIPS 4.
    """

    name: ClassVar[str] = "l2"
    summary: ClassVar[str] = "penalises the squared size of hidden weights"
    places: ClassVar[tuple[Place, ...]] = HIDDEN["both"]

    factor: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
