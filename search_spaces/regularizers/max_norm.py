"""A bound on the weights into each hidden unit."""

from typing import Annotated, ClassVar

from search_spaces.places import HIDDEN, Place
from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class MaxNorm(RegularizerSpec):
    """Scales the weights into each hidden unit or filter down to a norm of at most `value` after every step; 0 is off.

    The norm is Euclidean, over all axes of a kernel but the last; biases and the output are left alone. It is
    `kernel_constraint=MaxNorm(value)` of Keras on dense layers; on convolutions with all axes but the last. Inference
    is untouched.

    References:
        Srebro and Shraibman, 2005, Rank, trace-norm and max-norm, COLT.
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15.
    """

    name: ClassVar[str] = "max_norm"
    summary: ClassVar[str] = "bounds the norm of the weights into each hidden unit"
    places: ClassVar[tuple[Place, ...]] = HIDDEN["both"]

    value: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=100.0, off=0.0)]
