"""All lanes at once: every operation of the step works on a stack of lanes."""

from typing import ClassVar

from trials.engine.backends import current_backend
from trials.engine.lane_training import LaneTraining
from trials.engine.random_bits import Tensor
from trials.engine.strategies.base import Slots, Strategy


class Vectorised(Strategy):
    """On an accelerator one lane's small matrices leave most of it idle; a stack of lanes fills it.

    All slots run until the last one has ended, and both sides of every condition are computed.
    """

    name: ClassVar[str] = "vectorised"
    side_by_side: ClassVar[bool] = True

    def over_lanes(self, train_lane: LaneTraining, slots: Slots) -> tuple[list[Tensor], Tensor, Tensor]:
        """The backend's vectorising map."""
        result: tuple[list[Tensor], Tensor, Tensor] = current_backend().vectorise(train_lane)(*slots)
        return result
