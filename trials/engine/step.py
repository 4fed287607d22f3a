"""One training step and one evaluation of one lane, as pure functions."""

from dataclasses import dataclass
from functools import reduce

import keras
from keras import ops

from trials.engine.backends import current_backend
from trials.engine.evaluation import Evaluation, Prediction, evaluate, sampled
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.losses import CrossEntropy
from trials.engine.random_bits import Key, Tensor, fold
from trials.regularizers import Knobs, Treatment


@dataclass(frozen=True)
class Kernels:
    """Positions among a model's trainable variables: of all kernels, and of those of hidden layers."""

    every: frozenset[int]
    hidden: tuple[int, ...]


@dataclass
class State:
    """What one lane carries from step to step; each a list of tensors.

    Attributes:
        averages: Averages of the trainable weights, with which evaluation is done; empty where it uses the weights.
    """

    trainable: list[Tensor]
    non_trainable: list[Tensor]
    optimizer: list[Tensor]
    averages: list[Tensor]

    def flat(self) -> list[Tensor]:
        """All tensors in one list."""
        return [*self.trainable, *self.non_trainable, *self.optimizer, *self.averages]


@dataclass(frozen=True)
class Stepper:
    """The pure step of one lane.

    Attributes:
        model: The model with regularizers in place.
        treatments: What regularizers do beside.
        kernels: Positions in `model.trainable_variables` of all kernels, and of those of hidden layers.
        optimizer: A built optimizer that offers `stateless_apply`.
        loss: What is minimised.
        class_weights: Factor of each class' training loss; None for no weights.
        divisor: What examples kept as uint8 are divided by.
    """

    model: keras.Model
    treatments: tuple[Treatment, ...]
    kernels: Kernels
    optimizer: keras.optimizers.Optimizer
    loss: CrossEntropy
    class_weights: tuple[float, ...] | None = None
    divisor: float = 1.0

    def state(self, flat: list[Tensor]) -> State:
        """The inverse of `State.flat`."""
        n_trainable = len(self.model.trainable_variables)
        n_weights = n_trainable + len(self.model.non_trainable_variables)
        n_kept = n_weights + len(self.optimizer.variables)
        return State(flat[:n_trainable], flat[n_trainable:n_weights], flat[n_weights:n_kept], flat[n_kept:])

    @property
    def keeps_average(self) -> bool:
        """Whether lanes carry averages of their weights."""
        return any(treatment.keeps_average for treatment in self.treatments)

    @property
    def evaluation_samples(self) -> int:
        """How many predictions are averaged in an evaluation; 0 for one without dropout."""
        return max((treatment.evaluation_samples for treatment in self.treatments), default=0)

    def train(self, state: State, key: Key, knobs: Knobs, x: Tensor, y: Tensor) -> tuple[State, Tensor, Tensor]:
        """One optimizer step on one batch.

        Args:
            state: The lane's state before.
            key: Key of this step.
            knobs: The lane's knobs, each a scalar.
            x: Inputs, shape `(batch, …)`.
            y: Labels, shape `(batch,)`, int32.

        Returns:
            The state after; the loss that was minimised (class weights, penalties and the model's own losses included),
            times the batch size; the number of rows that were right. Both as scalars.
        """
        changes_targets = any(treatment.changes_targets for treatment in self.treatments)
        x, targets = self.examples(x), self.loss.shares(y) if changes_targets else y
        for treatment in self.treatments:
            x, targets = treatment.batch(fold(key, treatment.batch_stream), x, targets, knobs)

        def loss(trainable: list[Tensor]) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
            with lane_scope(LaneScope(key, knobs)):
                logits, updated, own = self.model.stateless_call(
                    trainable, state.non_trainable, x, training=True, return_losses=True
                )
            logits = ops.cast(logits, "float32")
            penalty = sum(own, start=self._penalty(trainable, knobs))
            return self.loss.mean(targets, logits, self.class_weights) + penalty, (logits, updated)

        (value, (logits, non_trainable)), gradients = current_backend().value_and_gradients(loss, state.trainable)
        decayed = self._decayed(state, knobs)
        trainable, optimizer = self.optimizer.stateless_apply(state.optimizer, gradients, decayed)
        trainable = self._constrained(trainable, knobs)
        after = State(trainable, non_trainable, optimizer, self._averages(state, trainable, knobs))
        return after, value * x.shape[0], self.loss.count_right(targets, logits)

    def examples(self, x: Tensor) -> Tensor:
        """Stored examples as the model takes them: float32, what is kept as bytes divided by `divisor`."""
        return ops.cast(x, "float32") / self.divisor if keras.backend.standardize_dtype(x.dtype) == "uint8" else x

    def evaluate(self, state: State, key: Key, knobs: Knobs, x: Tensor, y: Tensor) -> Evaluation:
        """Loss and accuracies in inference mode.

        Args:
            state: The lane's.
            key: Key of the masks, where predictions are sampled.
            knobs: The lane's.
            x: Examples as stored, shape `(rows, …)`.
            y: Labels, shape `(rows,)`.
        """
        weights = state.averages or state.trainable

        def predict(x_part: Tensor, chunk: Tensor) -> Prediction:
            x_part = self.examples(x_part)

            def call() -> Tensor:
                logits, _ = self.model.stateless_call(weights, state.non_trainable, x_part, training=False)
                return ops.cast(logits, "float32")

            if not self.evaluation_samples:
                return call(), ops.convert_to_tensor(float("nan"))
            return sampled(call, self.loss, (fold(key, chunk), knobs), self.evaluation_samples)

        return evaluate(predict, self.loss, x, y)

    def _penalty(self, trainable: list[Tensor], knobs: Knobs) -> Tensor:
        kernels = [trainable[i] for i in self.kernels.hidden]
        terms = [treatment.penalty(kernels, knobs) for treatment in self.treatments]
        return sum((term for term in terms if term is not None), start=ops.convert_to_tensor(0.0))

    def _decayed(self, state: State, knobs: Knobs) -> list[Tensor]:
        decaying = [treatment for treatment in self.treatments if treatment.decays]
        if not decaying:
            return state.trainable
        with keras.StatelessScope(state_mapping=zip(self.optimizer.variables, state.optimizer, strict=True)):
            rate = ops.convert_to_tensor(self.optimizer.learning_rate)
        return [
            reduce(lambda kernel, treatment: treatment.decay(kernel, rate, knobs), decaying, weight)
            if i in self.kernels.every
            else weight
            for i, weight in enumerate(state.trainable)
        ]

    def _constrained(self, trainable: list[Tensor], knobs: Knobs) -> list[Tensor]:
        return [
            reduce(lambda kernel, treatment: treatment.constrain(kernel, knobs), self.treatments, weight)
            if i in self.kernels.hidden
            else weight
            for i, weight in enumerate(trainable)
        ]

    def _averages(self, before: State, trainable: list[Tensor], knobs: Knobs) -> list[Tensor]:
        is_first = ops.equal(before.optimizer[0], 0)  # a Keras optimizer's first variable counts its steps
        keeping = [treatment for treatment in self.treatments if treatment.keeps_average]
        return [
            treatment.average(average, weight, is_first, knobs)
            for treatment in keeping
            for average, weight in zip(before.averages, trainable, strict=True)
        ]


def batch_rows(start: Tensor, size: int) -> Tensor:
    """Row numbers `start … start + size - 1`; int32, shape `(size,)`."""
    return start + ops.arange(size, dtype="int32")
