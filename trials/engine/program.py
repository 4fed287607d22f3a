"""The compiled program of a cohort: all its slots, from one epoch to another, in one call.

Everything that differs between lanes or calls is a run-time tensor, so one compilation serves a whole study.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from trials.datasets.dataset import Dataset
from trials.engine.backends import current_backend
from trials.engine.device_data import DeviceData, upload
from trials.engine.fallback import FirstWay
from trials.engine.lane_training import LaneTraining, Plan
from trials.engine.random_bits import Tensor
from trials.engine.step import Stepper
from trials.engine.strategies import Slots, Strategy


class Program:
    """A compiled cohort program over one dataset.

    Attributes:
        compilations: How often it was traced; 1 after any number of calls.
    """

    def __init__(self, stepper: Stepper, plan: Plan, data: Dataset, strategy: Strategy) -> None:
        self.stepper = stepper
        self.plan = plan
        self.strategy = strategy
        self.compilations = 0
        self._data = upload(data)
        self._compiled = FirstWay(self._segment, current_backend())

    @property
    def trained_by(self) -> str:
        """How the program runs, for people; known after the first call."""
        return f"{self.strategy.name}, {self._compiled.name} ({current_backend().name})"

    def __call__(self, slots: Slots) -> tuple[list[Any], Any, npt.NDArray[np.float32]]:
        """Trains every slot from its first to its last epoch.

        Returns:
            The state tensors and best values after, and the curves of these epochs, `(n_slots, N_METRICS,
            segment_capacity)`, NaN where nothing was measured.
        """
        state, best, curves = self._compiled(self._data, slots)
        return state, best, np.transpose(ops.convert_to_numpy(curves), (0, 2, 1))

    def temporary_bytes(self, state: list[npt.NDArray[Any]]) -> int:
        """Memory that one call needs beside its arguments and results.

        Args:
            state: State tensors of all slots, of any values.
        """
        n_slots, n_knobs = self.plan.n_slots, len(self.plan.knob_names)
        numbers = np.zeros(n_slots, np.int32)
        slots = Slots(
            state=state,
            best=np.zeros(n_slots, np.float32),
            keys=np.zeros((n_slots, 2), np.uint32),
            knobs=np.zeros((n_slots, n_knobs), np.float32),
            first_epoch=numbers,
            last_epoch=numbers,
        )
        return current_backend().temporary_bytes(self._segment, self._data, slots)

    def _segment(self, data: DeviceData, slots: Slots) -> tuple[list[Tensor], Tensor, Tensor]:
        self.compilations += 1
        return self.strategy.over_lanes(LaneTraining(self.stepper, self.plan, data), slots)
