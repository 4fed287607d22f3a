"""A compiled program with all it takes to start lanes in it, kept from cohort to cohort."""

import math
from collections import OrderedDict
from functools import reduce
from importlib.metadata import version
from zlib import crc32

import keras
import numpy as np

from trials.attachments import all_kernels, hidden_kernels
from trials.checkpoints import LaneState
from trials.curves import FORMAT as CURVE_FORMAT
from trials.datasets.dataset import Dataset
from trials.engine.backends import current_backend
from trials.engine.class_weights import balanced
from trials.engine.fast_layers import for_cpu
from trials.engine.initial_weights import initial_weights
from trials.engine.initializers import Array
from trials.engine.lane_count import lanes_at_once, lanes_in_turn
from trials.engine.lane_training import Plan
from trials.engine.lanes import ActiveLane
from trials.engine.losses import CrossEntropy
from trials.engine.model_graph import flat_graph
from trials.engine.optimizers import build_optimizer
from trials.engine.program import Program
from trials.engine.random_bits import key_words
from trials.engine.step import Kernels, Stepper
from trials.engine.strategies import Slots, Strategy, choose
from trials.grafting import graft
from trials.layers import use_lane_draws
from trials.precision import computing_in
from trials.protocol import Cohort, Lane

MAX_SEGMENT_EPOCHS = 4096

MAX_READINGS = 10
EPOCHS_PER_READING = 20
"""Train and test data are read at the last epoch, and before it at most once in so many epochs and so often in a whole
training: reading costs about a third of an epoch, so that this is less than 2 %."""

MAX_PROGRAMS = 4
"""Compiled programs kept in one process."""

_programs: OrderedDict[str, "TrainingProgram"] = OrderedDict()


class TrainingProgram:
    """A compiled program with what is needed to start lanes in it, kept from cohort to cohort.

    Attributes:
        seconds_per_epoch: Wall-clock seconds of one epoch of one lane, measured; None before the second call.
        identity: All that a lane's training depends on, but its settings and seed; the same in every process.
    """

    def __init__(self, cohort: Cohort, data: Dataset, model: keras.Model) -> None:
        self.data = data  # kept, so that its id stays its own
        self.original = flat_graph(model, data.input_shape)
        use_lane_draws(self.original)
        with computing_in(cohort.training.precision):
            grafted = graft(self.original, cohort.grafts, cohort.structure)
            self.model = grafted.model
            if not current_backend().has_accelerator():
                self.model = for_cpu(self.model)
        steps_per_epoch = -(-len(data.x_train) // cohort.training.batch_size)
        optimizer = build_optimizer(cohort.training.optimizer, cohort.training.epochs, steps_per_epoch)
        optimizer.build(self.model.trainable_variables)
        stepper = Stepper(
            self.model,
            grafted.treatments,
            Kernels(all_kernels(self.model), hidden_kernels(self.model)),
            optimizer,
            CrossEntropy(1 if data.n_classes == 2 else data.n_classes),
            class_weights=balanced(data) if cohort.training.class_weights == "balanced" else None,
            divisor=data.divisor,
        )
        self._stepper = stepper
        self.optimizer_state = [keras.ops.convert_to_numpy(v.value) for v in optimizer.variables]
        self._weights = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        self._positions = [[id(v) for v in self.model.variables].index(id(w)) for w in self._weights]
        self.program = self._program(cohort, stepper, choose(current_backend()))
        self.seconds_per_epoch: float | None = None
        self.identity = " ".join(
            [version("regtune"), current_backend().name, CURVE_FORMAT.decode(), _identity(cohort), str(_checksum(data))]
        )

    def _program(self, cohort: Cohort, stepper: Stepper, strategy: Strategy) -> Program:
        state = self._state([keras.ops.convert_to_numpy(v.value) for v in self._weights])
        state_bytes = sum(tensor.nbytes for tensor in state)

        def program(n_slots: int) -> Program:
            return Program(stepper, self._plan(cohort, n_slots), self.data, strategy)

        def temporary_bytes(n_slots: int) -> int:
            return program(n_slots).temporary_bytes([np.stack([tensor] * n_slots) for tensor in state])

        if not strategy.side_by_side:
            return program(lanes_in_turn(state_bytes))
        return program(lanes_at_once(state_bytes, current_backend().free_bytes(), temporary_bytes))

    def _plan(self, cohort: Cohort, n_slots: int) -> Plan:
        n_epochs = cohort.training.epochs
        names = [name for treatment in self._stepper.treatments for name in treatment.value_names()]
        n_readings = max(1, min(MAX_READINGS, n_epochs // EPOCHS_PER_READING))
        return Plan(
            n_slots=n_slots,
            segment_capacity=min(n_epochs, MAX_SEGMENT_EPOCHS),
            n_epochs=n_epochs,
            read_every=1 if _reads_every_epoch(cohort) else math.ceil(n_epochs / n_readings),
            batch_size=cohort.training.batch_size,
            shuffle=cohort.training.shuffle,
            monitor=cohort.monitor,
            monitor_starts=tuple(sorted({start for start in cohort.monitor_starts if start > 0})),
            knob_names=tuple(names),
        )

    def start(self, lane: Lane, kept: LaneState | None) -> ActiveLane:
        """A lane before its first epoch, or where it was when its state was kept."""
        weights = initial_weights(self.model, lane.seed, self.original)
        state = self._state([weights[i] for i in self._positions])
        values: dict[str, float] = {}
        for treatment in self._stepper.treatments:
            values |= treatment.lane_values(lane.settings)
        knobs = [values[name] for name in self.program.plan.knob_names]
        started = ActiveLane(lane, state, np.array(key_words(lane.seed), np.uint32), np.array(knobs, np.float32))
        if kept is not None:
            started.extend(*kept)
        return started

    def _state(self, weights: list[Array]) -> list[Array]:
        """A lane's state at given weights, before its first step."""
        n_trainable = len(self.model.trainable_variables)
        return [*weights, *self.optimizer_state, *(weights[:n_trainable] if self._stepper.keeps_average else [])]

    def advance(self, active: list[ActiveLane], n_epochs: int) -> None:
        """Trains the given lanes, at most one per slot, for so many epochs or to their end."""
        plan = self.program.plan
        filled = [*active, *active[:1] * (plan.n_slots - len(active))]
        first = [lane.n_epochs for lane in filled]
        last = [min(lane.n_epochs + n_epochs, plan.n_epochs) for lane in active]
        slots = Slots(
            state=[np.stack(tensors) for tensors in zip(*(lane.state for lane in filled), strict=True)],
            best=np.array([lane.best for lane in filled], np.float32),
            keys=np.stack([lane.key for lane in filled]),
            knobs=np.stack([lane.knobs for lane in filled]),
            first_epoch=np.array(first, np.int32),
            last_epoch=np.array([*last, *first[len(active) :]], np.int32),
        )
        state, best, curves = self.program(slots)
        state = [keras.ops.convert_to_numpy(tensor) for tensor in state]
        best = keras.ops.convert_to_numpy(best)
        for i, lane in enumerate(active):
            lane.extend([tensor[i] for tensor in state], float(best[i]), curves[i, :, : last[i] - first[i]])


def _checksum(data: Dataset) -> int:
    arrays = (data.x_train, data.y_train, data.x_validation, data.y_validation)
    return reduce(lambda checksum, array: crc32(array.data, checksum), arrays, 0)


def _reads_every_epoch(cohort: Cohort) -> bool:
    """Whether some rule may select an epoch that is no best one from a start known to the program."""
    rules = [reader.rule for lane in cohort.lanes for reader in lane.readers if reader.rule is not None]
    return any(not rule.restore_best or rule.start_epoch not in (0, *cohort.monitor_starts) for rule in rules)


def _identity(cohort: Cohort) -> str:
    return cohort.model_dump_json(exclude={"cohort_id", "study_id", "lanes", "max_seconds", "checkpoints_dir"})


def training_program(cohort: Cohort, data: Dataset, model: keras.Model) -> TrainingProgram:
    """The program that trains such cohorts on these data: one that is there, or a new one.

    Raises:
        InfeasibleCohortError: The model cannot be trained, or a regularizer finds no place in it.
    """
    key = f"{_identity(cohort)} {_reads_every_epoch(cohort)} {id(data)}"
    if key not in _programs:
        _programs[key] = TrainingProgram(cohort, data, model)
        while len(_programs) > MAX_PROGRAMS:
            _programs.popitem(last=False)
    _programs.move_to_end(key)
    return _programs[key]
