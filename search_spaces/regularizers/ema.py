"""Moving averages of the weights."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class EMA(RegularizerSpec):
    """Evaluates with an exponential moving average of the weights; training goes on with the weights themselves.

    After each step, average = `decay` x average + (1 - `decay`) x weight; after the first it is the weight. 0 is off.
    Moving statistics of batch normalization are the training's own. It equals Keras' `use_ema`, `ema_momentum=decay`.

    References:
        Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 30.
        Izmailov et al., 2018, Averaging weights leads to wider optima and better generalization, arXiv:1803.05407.
    """

    name: ClassVar[str] = "ema"
    summary: ClassVar[str] = "evaluates with averaged weights"

    decay: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.99999, off=0.0)]
