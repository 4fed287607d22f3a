"""Lanes one after the other, each from its first epoch to its last."""

from typing import ClassVar

from keras import ops

from trials.engine.lane_training import LaneTraining, put, zero
from trials.engine.random_bits import Tensor
from trials.engine.strategies.base import Slots, Strategy


class LaneMajor(Strategy):
    """On a CPU a lane's state then stays in cache, which beats vectorising over lanes (docs/decisions/0002).

    An idle slot costs nothing.
    """

    name: ClassVar[str] = "lane-major"

    def over_lanes(self, train_lane: LaneTraining, slots: Slots) -> tuple[list[Tensor], Tensor, Tensor]:
        """One loop over the slots around the lane's own loops."""

        def lane(
            slot: Tensor, state: list[Tensor], best: Tensor, curves: Tensor
        ) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
            one, one_best, curve = train_lane(
                [tensor[slot] for tensor in state],
                best[slot],
                slots.keys[slot],
                slots.knobs[slot],
                slots.first_epoch[slot],
                slots.last_epoch[slot],
            )
            state = [put(stacked, slot, value) for stacked, value in zip(state, one, strict=True)]
            return slot + 1, state, put(best, slot, one_best), put(curves, slot, curve)

        n_slots = slots.knobs.shape[0]
        empty = ops.stack([train_lane.empty_curve()] * n_slots)
        _, state, best, curves = ops.while_loop(
            lambda slot, *_: slot < n_slots, lane, (zero(), list(slots.state), slots.best, empty)
        )
        return state, best, curves
