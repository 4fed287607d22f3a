"""Stopping when validation no longer improves."""

from typing import Annotated, ClassVar, Literal

from pydantic import StrictBool

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec

MAX_PATIENCE_EPOCHS = 100_000

Monitor = Literal["validation_accuracy", "validation_balanced_accuracy", "validation_loss"]


class EarlyStopping(RegularizerSpec):
    """Stops after `patience` epochs in which the monitored value did not improve by more than `min_delta`.

    The rule is Keras' `EarlyStopping`. With `restore_best` (the default) the weights of the best epoch count,
    otherwise those of the last. Stopping changes no weight before the stop, so one training answers every patience
    that a study asks about: the rule is replayed over the logged curve. A validation value of NaN never improves.

    The rule looks at epochs from `start_epoch` on, as Keras' `start_from_epoch`: what came before is neither a best
    epoch nor waited for. That is also the warm start of a tutorial that trains so many epochs, compiles again and calls
    `fit` with early stopping: weights go on, and so does the optimizer's state here. A training that ends before
    `start_epoch` keeps its last weights.

    References:
        Prechelt, 1998, Early stopping - but when?, in Neural networks: tricks of the trade.
    """

    name: ClassVar[str] = "early_stopping"
    summary: ClassVar[str] = "stops when validation no longer improves"

    patience: Annotated[Range, Knob(kind="int", minimum=0, maximum=MAX_PATIENCE_EPOCHS, role="replayed")]
    min_delta: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=1.0, role="replayed", strength=False)] = Fixed(
        value=0.0
    )
    start_epoch: Annotated[
        Range, Knob(kind="int", minimum=0, maximum=MAX_PATIENCE_EPOCHS, role="replayed", strength=False)
    ] = Fixed(value=0)
    monitor: Monitor = "validation_accuracy"
    restore_best: StrictBool = True
