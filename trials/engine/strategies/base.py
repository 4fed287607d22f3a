"""The contract of a strategy: how the lanes of a program are laid out in time and space."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from trials.engine.lane_training import LaneTraining
from trials.engine.random_bits import Tensor


class Slots(NamedTuple):
    """The lanes of one call along their first axis; a slot whose `first_epoch` is its `last_epoch` is idle.

    Attributes:
        state: Flat state tensors, each `(n_slots, …)`.
        best: Best monitored validation value so far, sign-adjusted so that larger is better; `(n_slots,)`.
        keys: uint32 `(n_slots, 2)`.
        knobs: float32 `(n_slots, n_knobs)`.
        first_epoch: int32 `(n_slots,)`.
        last_epoch: int32 `(n_slots,)`, exclusive.
    """

    state: list[Any]
    best: Any
    keys: Any
    knobs: Any
    first_epoch: Any
    last_epoch: Any


class Strategy(ABC):
    """Trains all slots by training one.

    Attributes:
        name: For people.
        side_by_side: Whether lanes are in memory at the same time, each with temporary tensors of its own.
    """

    name: ClassVar[str]
    side_by_side: ClassVar[bool] = False

    @abstractmethod
    def over_lanes(self, train_lane: LaneTraining, slots: Slots) -> tuple[list[Tensor], Tensor, Tensor]:
        """State, best values and curves of all slots after their last epoch, each with the slots as first axis."""
