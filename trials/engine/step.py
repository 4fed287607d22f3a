"""One training step and one evaluation of one lane, as pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
from keras import ops

from trials.augmentation.affine import augment
from trials.augmentation.policies import STRENGTHS
from trials.engine.backends import current_backend
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.random_bits import Key, Tensor, fold

AUGMENTATION_STREAM = 0x40000000
"""Word that keeps the draws of augmentation apart from those of layers, whose streams count from 0."""

EVALUATION_ROWS = 64
"""Rows evaluated at once: keeps activations in cache, and bounds memory."""

WHOLE_ROWS = 128
"""A part of the data with at most so many rows is evaluated in one piece."""


@dataclass
class State:
    """What one lane carries from step to step; each a list of tensors."""

    trainable: list[Tensor]
    non_trainable: list[Tensor]
    optimizer: list[Tensor]

    def flat(self) -> list[Tensor]:
        """All tensors in one list."""
        return [*self.trainable, *self.non_trainable, *self.optimizer]


@dataclass(frozen=True)
class Stepper:
    """The pure step of one lane.

    Attributes:
        model: The model with regularizers in place.
        penalised: Positions in `model.trainable_variables` of the kernels that L1 and L2 act on.
        optimizer: A built optimizer that offers `stateless_apply`.
        binary: Whether the model gives one logit for two classes.
        augmented: Whether training images go through `augment`.
        class_weights: Factor of each class' training loss; None for no weights.
        divisor: What examples kept as uint8 are divided by.
    """

    model: keras.Model
    penalised: tuple[int, ...]
    optimizer: keras.optimizers.Optimizer
    binary: bool
    augmented: bool
    class_weights: tuple[float, ...] | None = None
    divisor: float = 1.0

    def state(self, flat: list[Tensor]) -> State:
        """The inverse of `State.flat`."""
        n_trainable = len(self.model.trainable_variables)
        n_weights = n_trainable + len(self.model.non_trainable_variables)
        return State(flat[:n_trainable], flat[n_trainable:n_weights], flat[n_weights:])

    def train(
        self, state: State, key: Key, knobs: Mapping[str, Tensor], x: Tensor, y: Tensor
    ) -> tuple[State, Tensor, Tensor]:
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
        x = self.examples(x)
        if self.augmented:
            strengths = {name: knobs[f"augmentation.{name}"] for name in STRENGTHS}
            x = augment(fold(key, AUGMENTATION_STREAM), x, strengths)

        def loss(trainable: list[Tensor]) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
            with lane_scope(LaneScope(key, knobs)):
                logits, updated, own = self.model.stateless_call(
                    trainable, state.non_trainable, x, training=True, return_losses=True
                )
            logits = ops.cast(logits, "float32")
            penalty = sum(own, start=self._penalty(trainable, knobs))
            return self.losses(y, logits, self.class_weights) + penalty, (logits, updated)

        (value, (logits, non_trainable)), gradients = current_backend().value_and_gradients(loss, state.trainable)
        trainable, optimizer = self.optimizer.stateless_apply(state.optimizer, gradients, state.trainable)
        return State(trainable, non_trainable, optimizer), value * x.shape[0], self._right(y, logits)

    def examples(self, x: Tensor) -> Tensor:
        """Stored examples as the model takes them: float32, what is kept as bytes divided by `divisor`."""
        return ops.cast(x, "float32") / self.divisor if keras.backend.standardize_dtype(x.dtype) == "uint8" else x

    def evaluate(self, state: State, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss (without penalties) and accuracy in inference mode, as scalars."""
        n_rows = x.shape[0]
        n_chunks = 0 if n_rows <= WHOLE_ROWS else n_rows // EVALUATION_ROWS

        def chunk(x_part: Tensor, y_part: Tensor) -> tuple[Tensor, Tensor]:
            x_part = self.examples(x_part)
            logits, _ = self.model.stateless_call(state.trainable, state.non_trainable, x_part, training=False)
            logits = ops.cast(logits, "float32")
            return self.losses(y_part, logits) * x_part.shape[0], self._right(y_part, logits)

        def body(i: Tensor, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            start = i * EVALUATION_ROWS
            more_loss, more_right = chunk(*(_rows_from(part, start, EVALUATION_ROWS) for part in (x, y)))
            return i + 1, loss + more_loss, right + more_right

        loss, right = ops.convert_to_tensor(0.0), ops.convert_to_tensor(0.0)
        if n_chunks:
            _, loss, right = ops.while_loop(
                lambda i, *_: i < n_chunks, body, (ops.convert_to_tensor(0, "int32"), loss, right)
            )
        if n_rows > n_chunks * EVALUATION_ROWS:
            more_loss, more_right = chunk(x[n_chunks * EVALUATION_ROWS :], y[n_chunks * EVALUATION_ROWS :])
            loss, right = loss + more_loss, right + more_right
        return loss / n_rows, right / n_rows

    def losses(self, y: Tensor, logits: Tensor, class_weights: tuple[float, ...] | None = None) -> Tensor:
        """Mean cross-entropy of a batch, each row's times its class' weight."""
        if self.binary:
            labels = ops.cast(ops.expand_dims(y, -1), logits.dtype)
            rows = ops.squeeze(ops.binary_crossentropy(labels, logits, from_logits=True), -1)
        else:
            rows = ops.sparse_categorical_crossentropy(y, logits, from_logits=True)
        if class_weights is not None:
            rows = rows * ops.take(ops.convert_to_tensor(class_weights, rows.dtype), y, axis=0)
        return ops.mean(rows)

    def _right(self, y: Tensor, logits: Tensor) -> Tensor:
        predicted = ops.cast(logits[:, 0] > 0, "int32") if self.binary else ops.argmax(logits, axis=-1)
        return ops.sum(ops.cast(ops.equal(ops.cast(predicted, "int32"), y), "float32"))

    def _penalty(self, trainable: list[Tensor], knobs: Mapping[str, Tensor]) -> Tensor:
        penalty = ops.convert_to_tensor(0.0)
        kernels = [trainable[i] for i in self.penalised]
        if "l1.factor" in knobs:
            penalty = penalty + knobs["l1.factor"] * sum(ops.sum(ops.abs(w)) for w in kernels)
        if "l2.factor" in knobs:
            penalty = penalty + knobs["l2.factor"] * sum(ops.sum(ops.square(w)) for w in kernels)
        return penalty


def _rows_from(x: Tensor, start: Tensor, size: int) -> Tensor:
    return ops.slice(x, [start, *[0] * (len(x.shape) - 1)], (size, *x.shape[1:]))


def batch_rows(start: Tensor, size: int) -> Tensor:
    """Row numbers `start … start + size - 1`; int32, shape `(size,)`."""
    return start + ops.arange(size, dtype="int32")
