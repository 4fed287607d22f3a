"""The compiled program of a cohort: lanes one after the other, and in each lane epochs, and in each epoch steps.

On a CPU a lane's state then stays in cache, which beats vectorising over lanes (docs/decisions/0002). Everything that
differs between lanes or calls is a run-time tensor, so one compilation serves a whole study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from keras import ops

from search_spaces.regularizers.early_stopping import Monitor
from trials.curves import CURVE_METRICS
from trials.datasets.dataset import Dataset
from trials.engine.backends import current_backend
from trials.engine.fallback import FirstWay
from trials.engine.random_bits import Key, Tensor, fold, permutation
from trials.engine.step import State, Stepper, batch_rows

N_METRICS = len(CURVE_METRICS)
VALIDATION_LOSS = CURVE_METRICS.index("validation_loss")
VALIDATION_ACCURACY = CURVE_METRICS.index("validation_accuracy")

ORDER_STREAM = 0x20000000
STEP_STREAM = 0x10000000
"""Words that keep the keys of an epoch's order and of its steps apart."""


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


@dataclass(frozen=True)
class Plan:
    """What is fixed when a program is compiled.

    Attributes:
        n_slots: Lanes per call.
        segment_capacity: Most epochs per call.
        n_epochs: Epochs of a whole training; the last one is always read on train and test data.
        read_every: Train and test data are read every so many epochs.
        batch_size: Rows per step.
        shuffle: Whether each epoch has an order of its own.
        monitor: Validation metric whose record epochs are read too; None for none.
        knob_names: Order of the knobs along their axis.
    """

    n_slots: int
    segment_capacity: int
    n_epochs: int
    read_every: int
    batch_size: int
    shuffle: bool
    monitor: Monitor | None
    knob_names: tuple[str, ...]


class Program:
    """A compiled cohort program over one dataset.

    Attributes:
        compilations: How often it was traced; 1 after any number of calls.
    """

    def __init__(self, stepper: Stepper, plan: Plan, data: Dataset) -> None:
        self.stepper = stepper
        self.plan = plan
        self.compilations = 0
        self._same_test = data.x_test is data.x_validation
        self._data = {
            "train": (ops.convert_to_tensor(data.x_train), ops.convert_to_tensor(data.y_train)),
            "validation": (ops.convert_to_tensor(data.x_validation), ops.convert_to_tensor(data.y_validation)),
            "test": (ops.convert_to_tensor(data.x_test), ops.convert_to_tensor(data.y_test)),
        }
        self._compiled = FirstWay(self._segment, current_backend())

    @property
    def trained_by(self) -> str:
        """How the program runs, for people; known after the first call."""
        return f"lane-major, {self._compiled.name} ({current_backend().name})"

    def __call__(self, slots: Slots) -> tuple[list[Any], Any, npt.NDArray[np.float32]]:
        """Trains every slot from its first to its last epoch.

        Returns:
            The state tensors and best values after, and the curves of these epochs, `(n_slots, N_METRICS,
            segment_capacity)`, NaN where nothing was measured.
        """
        state, best, curves = self._compiled(*slots)
        return state, best, np.transpose(ops.convert_to_numpy(curves), (0, 2, 1))

    def _segment(
        self, state: list[Tensor], best: Tensor, keys: Tensor, knobs: Tensor, first: Tensor, last: Tensor
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        self.compilations += 1
        plan = self.plan
        curves = ops.full((plan.n_slots, plan.segment_capacity, N_METRICS), float("nan"), dtype="float32")

        def lane(
            slot: Tensor, state: list[Tensor], best: Tensor, curves: Tensor
        ) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
            key = Key(keys[slot, 0], keys[slot, 1])
            lane_knobs = {name: knobs[slot, i] for i, name in enumerate(plan.knob_names)}
            one, one_best, one_curve = self._epochs(
                [tensor[slot] for tensor in state], best[slot], curves[slot], (key, lane_knobs), first[slot], last[slot]
            )
            state = [_put(stacked, slot, value) for stacked, value in zip(state, one, strict=True)]
            return slot + 1, state, _put(best, slot, one_best), _put(curves, slot, one_curve)

        _, state, best, curves = ops.while_loop(
            lambda slot, *_: slot < plan.n_slots, lane, (_zero(), list(state), best, curves)
        )
        return state, best, curves

    def _epochs(
        self,
        flat: list[Tensor],
        best: Tensor,
        curve: Tensor,
        lane: tuple[Key, Mapping[str, Tensor]],
        first: Tensor,
        last: Tensor,
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        def epoch(
            number: Tensor, flat: list[Tensor], best: Tensor, curve: Tensor
        ) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
            state, running = self._train_epoch(self.stepper.state(list(flat)), lane, number)
            validation = self.stepper.evaluate(state, *self._data["validation"])
            score = self._score(validation)
            metrics = ops.stack([*running, *validation, *self._readings(state, validation, number, score > best)])
            return number + 1, state.flat(), ops.maximum(best, score), _put(curve, number - first, metrics)

        _, flat, best, curve = ops.while_loop(lambda number, *_: number < last, epoch, (first, flat, best, curve))
        return flat, best, curve

    def _train_epoch(
        self, state: State, lane: tuple[Key, Mapping[str, Tensor]], number: Tensor
    ) -> tuple[State, tuple[Tensor, Tensor]]:
        key, knobs = lane
        backend = current_backend()
        x, y = self._data["train"]
        n_rows, batch_size = x.shape[0], self.plan.batch_size
        n_full, epoch_key = n_rows // batch_size, fold(key, number)
        order = None
        if self.plan.shuffle and n_rows > batch_size:  # in one batch, order is nothing but rounding
            order = permutation(fold(epoch_key, ORDER_STREAM), n_rows)

        def step(i: Tensor, state: State, loss: Tensor, right: Tensor, size: int) -> tuple[State, Tensor, Tensor]:
            rows = batch_rows(i * batch_size, size)
            if order is not None:
                rows = ops.take(order, rows, axis=0)
            x_batch, y_batch = (x, y) if size == n_rows else (backend.take_rows(x, rows), backend.take_rows(y, rows))
            step_key = fold(fold(epoch_key, STEP_STREAM), i)
            state, more_loss, more_right = self.stepper.train(state, step_key, knobs, x_batch, y_batch)
            return state, loss + more_loss, right + more_right

        def full_step(
            i: Tensor, flat: list[Tensor], loss: Tensor, right: Tensor
        ) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
            after, loss, right = step(i, self.stepper.state(list(flat)), loss, right, batch_size)
            return i + 1, after.flat(), loss, right

        loss, right = ops.convert_to_tensor(0.0), ops.convert_to_tensor(0.0)
        if n_full > 1:
            _, flat, loss, right = ops.while_loop(
                lambda i, *_: i < n_full, full_step, (_zero(), state.flat(), loss, right)
            )
            state = self.stepper.state(list(flat))
        elif n_full == 1:
            state, loss, right = step(_zero(), state, loss, right, batch_size)
        if n_rows % batch_size:
            last = ops.convert_to_tensor(n_full, "int32")
            state, loss, right = step(last, state, loss, right, n_rows % batch_size)
        return state, (loss / n_rows, right / n_rows)

    def _score(self, validation: tuple[Tensor, Tensor]) -> Tensor:
        """The monitored value, larger is better; minus infinity where nothing is monitored or it is not finite."""
        never = ops.convert_to_tensor(float("-inf"), "float32")
        if self.plan.monitor is None:
            return never
        value = -validation[0] if self.plan.monitor == "validation_loss" else validation[1]
        return ops.where(ops.isfinite(value), value, never)

    def _readings(
        self, state: State, validation: tuple[Tensor, Tensor], number: Tensor, is_record: Tensor
    ) -> list[Tensor]:
        """Train and test loss and accuracy, or NaN where this epoch is not read."""
        due = ops.equal(ops.mod(number + 1, self.plan.read_every), 0)
        due = due | ops.equal(number, self.plan.n_epochs - 1) | is_record

        def read() -> Tensor:
            test = validation if self._same_test else self.stepper.evaluate(state, *self._data["test"])
            return ops.stack([*self.stepper.evaluate(state, *self._data["train"]), *test])

        values = ops.cond(due, read, lambda: ops.full((4,), float("nan"), dtype="float32"))
        return [values[i] for i in range(4)]


def _put(stacked: Tensor, index: Tensor, value: Tensor) -> Tensor:
    """`stacked` with `value` at `index` of its first axis."""
    start = [index, *[_zero()] * (len(stacked.shape) - 1)]
    return ops.slice_update(stacked, start, ops.expand_dims(value, 0))


def _zero() -> Tensor:
    return ops.convert_to_tensor(0, "int32")
