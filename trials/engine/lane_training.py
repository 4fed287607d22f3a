"""One lane from one epoch to another: its training steps, its evaluations, and what is logged of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from keras import ops

from search_spaces.regularizers.early_stopping import Monitor
from trials.curves import CURVE_METRICS
from trials.engine.backends import current_backend
from trials.engine.device_data import DeviceData
from trials.engine.evaluation import Evaluation
from trials.engine.random_bits import Key, Tensor, fold, permutation
from trials.engine.step import State, Stepper, batch_rows

N_METRICS = len(CURVE_METRICS)
N_READINGS = 7

ORDER_STREAM = 0x20000000
STEP_STREAM = 0x10000000
"""Words that keep the keys of an epoch's order and of its steps apart."""

EVALUATION_STREAM = 0x50000000
"""Word that keeps the keys of evaluations, one per epoch, apart from those of the epochs' training."""

Trained: TypeAlias = tuple[list[Tensor], Tensor, Tensor]
"""State tensors, best value and curve `(segment_capacity, N_METRICS)` of a lane."""


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
        monitor_starts: Epochs above 0 at which records begin anew.
        knob_names: Order of the knobs along their axis.
    """

    n_slots: int
    segment_capacity: int
    n_epochs: int
    read_every: int
    batch_size: int
    shuffle: bool
    monitor: Monitor | None
    monitor_starts: tuple[int, ...]
    knob_names: tuple[str, ...]


class LaneTraining:
    """The training of one lane, as a pure function that is traced into a program.

    Args:
        stepper: One step, one evaluation.
        plan: What is fixed.
        data: The three parts, as tensors of the program.
    """

    def __init__(self, stepper: Stepper, plan: Plan, data: DeviceData) -> None:
        self.stepper = stepper
        self.plan = plan
        self._data = data

    def __call__(
        self, flat: list[Tensor], best: Tensor, key: Tensor, knobs: Tensor, first: Tensor, last: Tensor
    ) -> Trained:
        """Trains from `first` to `last`, exclusive.

        Args:
            flat: State tensors.
            best: Best monitored validation value so far, since the last start; larger is better.
            key: uint32, shape `(2,)`.
            knobs: float32, shape `(n_knobs,)`.
            first: First epoch, int32 scalar.
            last: One past the last epoch, int32 scalar.

        Returns:
            State and best value after, and the curve, NaN where nothing was measured.
        """
        lane = (Key(key[0], key[1]), {name: knobs[i] for i, name in enumerate(self.plan.knob_names)})
        return self._epochs(flat, best, self.empty_curve(), lane, first, last)

    def empty_curve(self) -> Tensor:
        """The curve of a segment of no epochs: NaN, shape `(segment_capacity, N_METRICS)`."""
        return ops.full((self.plan.segment_capacity, N_METRICS), float("nan"), dtype="float32")

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
            evaluation = (fold(fold(lane[0], EVALUATION_STREAM), number), lane[1])
            validation = self.stepper.evaluate(state, *evaluation, *self._data.validation)
            score, best = self._score(validation), self._best_before(number, best)
            readings = self._readings(state, evaluation, validation, self._is_read(number) | (score > best))
            metrics = ops.stack([*running, *validation[:-1], *readings])
            return number + 1, state.flat(), ops.maximum(best, score), put(curve, number - first, metrics)

        _, flat, best, curve = ops.while_loop(lambda number, *_: number < last, epoch, (first, flat, best, curve))
        return flat, best, curve

    def _train_epoch(
        self, state: State, lane: tuple[Key, Mapping[str, Tensor]], number: Tensor
    ) -> tuple[State, tuple[Tensor, Tensor]]:
        key, knobs = lane
        backend = current_backend()
        x, y = self._data.train
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
                lambda i, *_: i < n_full, full_step, (zero(), state.flat(), loss, right)
            )
            state = self.stepper.state(list(flat))
        elif n_full == 1:
            state, loss, right = step(zero(), state, loss, right, batch_size)
        if n_rows % batch_size:
            last = ops.convert_to_tensor(n_full, "int32")
            state, loss, right = step(last, state, loss, right, n_rows % batch_size)
        return state, (loss / n_rows, right / n_rows)

    def _score(self, validation: Evaluation) -> Tensor:
        """The monitored value, larger is better; minus infinity where nothing is monitored or it is not finite."""
        never = ops.convert_to_tensor(float("-inf"), "float32")
        if self.plan.monitor is None:
            return never
        loss, accuracy, balanced_accuracy, _ = validation
        value = {
            "validation_loss": -loss,
            "validation_accuracy": accuracy,
            "validation_balanced_accuracy": balanced_accuracy,
        }[self.plan.monitor]
        return ops.where(ops.isfinite(value), value, never)

    def _best_before(self, number: Tensor, best: Tensor) -> Tensor:
        """What this epoch has to exceed. A best epoch since one start is a best epoch since any later start too."""
        if not self.plan.monitor_starts:
            return best
        starts = ops.convert_to_tensor(self.plan.monitor_starts, "int32")
        return ops.where(ops.any(ops.equal(number, starts)), ops.full_like(best, float("-inf")), best)

    def _is_read(self, number: Tensor) -> Tensor:
        """Whether train and test data are read at this epoch by schedule."""
        due = ops.equal(ops.mod(number + 1, self.plan.read_every), 0)
        return due | ops.equal(number, self.plan.n_epochs - 1)

    def _readings(
        self,
        state: State,
        evaluation: tuple[Key, Mapping[str, Tensor]],
        validation: Evaluation,
        is_read: Tensor,
    ) -> list[Tensor]:
        """Train and test loss and accuracies, and the spread on test data; NaN where this epoch is not read."""

        def read() -> Tensor:
            test = self._data.test
            on_test = validation if test is None else self.stepper.evaluate(state, *evaluation, *test)
            *on_train, _ = self.stepper.evaluate(state, *evaluation, *self._data.train)
            return ops.stack([*on_train, *on_test])

        values = ops.cond(is_read, read, lambda: ops.full((N_READINGS,), float("nan"), dtype="float32"))
        return [values[i] for i in range(N_READINGS)]


def put(stacked: Tensor, index: Tensor, value: Tensor) -> Tensor:
    """`stacked` with `value` at `index` of its first axis."""
    start = [index, *[zero()] * (len(stacked.shape) - 1)]
    return ops.slice_update(stacked, start, ops.expand_dims(value, 0))


def zero() -> Tensor:
    """0 as an int32 tensor: where loops begin."""
    return ops.convert_to_tensor(0, "int32")
