"""Residual branches left out."""

from typing import Annotated, ClassVar

from search_spaces.places import Place
from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class StochasticDepth(RegularizerSpec):
    """Leaves out the branch of each residual block, example by example, with a probability that grows with depth.

    Block l of L is left out with probability l / L x `rate` in training, and its branch divided by 1 - that otherwise;
    the identity path stays. In inference nothing is left out. It needs a model with residual blocks.

    References:
        Huang et al., 2016, Deep networks with stochastic depth, arXiv:1603.09382.
    """

    name: ClassVar[str] = "stochastic_depth"
    summary: ClassVar[str] = "leaves out residual branches at random"
    places: ClassVar[tuple[Place, ...]] = ("residual blocks",)

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.95, off=0.0)]
