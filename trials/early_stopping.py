"""The patience rule, replayed over a logged curve instead of stopping for real."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from search_spaces.regularizers.early_stopping import Monitor
from search_spaces.values import Value


class StoppingRule(Value):
    """Keras' `EarlyStopping`: stop after `patience` epochs without an improvement by more than `min_delta`.

    Attributes:
        start_epoch: First epoch (from 0) that the rule looks at, Keras' `start_from_epoch`.
    """

    patience: int = Field(ge=0)
    min_delta: float = Field(default=0.0, ge=0)
    start_epoch: int = Field(default=0, ge=0)
    monitor: Monitor = "validation_accuracy"
    restore_best: bool = True


@dataclass(frozen=True)
class Stop:
    """Where a rule ends on a curve.

    Attributes:
        best_epoch: Epoch (from 0) of the best monitored value under the rule.
        last_epoch: Last epoch that would have been trained.
        stopped: Whether the rule ended training, rather than the curve's end.
        restore_best: Whether the best epoch's weights count, rather than the last one's.
    """

    best_epoch: int
    last_epoch: int
    stopped: bool
    restore_best: bool

    @property
    def selected_epoch(self) -> int:
        """The epoch whose weights count."""
        return self.best_epoch if self.restore_best else self.last_epoch


def replay(monitored: npt.NDArray[np.floating], rule: StoppingRule) -> Stop:
    """Applies a rule to the monitored values of one curve.

    A NaN never improves. If no value improves at all, the first epoch looked at counts as best; on a curve that ends
    before `rule.start_epoch`, the last one.

    Args:
        monitored: Validation accuracy or loss per epoch, as `rule.monitor` says; shape `(n_epochs,)`, not empty.
        rule: The rule.

    Raises:
        ValueError: The curve is empty.
    """
    if monitored.size == 0:
        msg = "cannot replay early stopping on a curve of 0 epochs"
        raise ValueError(msg)
    sign = -1.0 if rule.monitor == "validation_loss" else 1.0
    looked_at = (sign * monitored[rule.start_epoch :].astype(np.float64)).tolist()
    best, best_epoch, wait = -np.inf, min(rule.start_epoch, monitored.size - 1), 0
    for epoch, value in enumerate(looked_at, start=rule.start_epoch):
        if value - rule.min_delta > best:
            best, best_epoch, wait = value, epoch, 0
            continue
        wait += 1
        if epoch > 0 and wait >= rule.patience:
            return Stop(best_epoch, epoch, stopped=True, restore_best=rule.restore_best)
    return Stop(best_epoch, monitored.size - 1, stopped=False, restore_best=rule.restore_best)
