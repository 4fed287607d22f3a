"""Evaluation of one lane on one part of the data, in inference mode, chunk by chunk."""

from collections.abc import Callable
from typing import TypeAlias

from keras import ops

from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.losses import CrossEntropy
from trials.engine.random_bits import Key, Tensor, fold
from trials.regularizers import Knobs

EVALUATION_ROWS = 64
"""Rows evaluated at once: keeps activations in cache, and bounds memory."""

WHOLE_ROWS = 128
"""A part of the data with at most so many rows is evaluated in one piece."""

Predict: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Logits of a chunk of examples; the chunk's number is its second argument."""

Evaluation: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Mean loss (without penalties), accuracy and balanced accuracy, as scalars."""


def evaluate(predict: Predict, loss: CrossEntropy, x: Tensor, y: Tensor) -> Evaluation:
    """Loss, accuracy, and the mean of the recalls of the classes that occur.

    Args:
        predict: The model, as a function.
        loss: What is averaged.
        x: Examples as stored, shape `(rows, …)`.
        y: Labels, shape `(rows,)`.
    """
    n_rows = x.shape[0]
    n_chunks = 0 if n_rows <= WHOLE_ROWS else n_rows // EVALUATION_ROWS

    def chunk(number: Tensor, x_part: Tensor, y_part: Tensor) -> tuple[Tensor, Tensor]:
        logits = predict(x_part, number)
        return loss.mean(y_part, logits) * x_part.shape[0], loss.count_by_class(y_part, logits)

    def body(i: Tensor, total: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        more, more_counts = chunk(i, *(_rows_from(part, i * EVALUATION_ROWS, EVALUATION_ROWS) for part in (x, y)))
        return i + 1, total + more, counts + more_counts

    total, counts = ops.convert_to_tensor(0.0), ops.zeros((2, loss.n_classes), "float32")
    if n_chunks:
        first = ops.convert_to_tensor(0, "int32")
        _, total, counts = ops.while_loop(lambda i, *_: i < n_chunks, body, (first, total, counts))
    if n_rows > n_chunks * EVALUATION_ROWS:
        last = ops.convert_to_tensor(n_chunks, "int32")
        more, more_counts = chunk(last, x[n_chunks * EVALUATION_ROWS :], y[n_chunks * EVALUATION_ROWS :])
        total, counts = total + more, counts + more_counts
    right, rows = counts[0], counts[1]
    n_present = ops.sum(ops.cast(rows > 0, "float32"))
    return total / n_rows, ops.sum(right) / n_rows, ops.sum(right / ops.maximum(rows, 1.0)) / n_present


def sampled(call: Callable[[], Tensor], loss: CrossEntropy, lane: tuple[Key, Knobs], n_samples: int) -> Tensor:
    """Logits of the mean of so many predictions, each with its own masks.

    Args:
        call: Gives the logits of a chunk.
        loss: Knows what logits stand for.
        lane: Key of this chunk's masks, and the lane's knobs.
        n_samples: At least 1.
    """
    key, knobs = lane

    def add(i: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        with lane_scope(LaneScope(fold(key, i), knobs, is_sampling=True)):
            return i + 1, total + loss.probabilities(call())

    first = ops.convert_to_tensor(0, "int32")
    _, total = add(first, ops.convert_to_tensor(0.0))
    _, total = ops.while_loop(lambda i, _: i < n_samples, add, (first + 1, total))
    return loss.logits(total / n_samples)


def _rows_from(x: Tensor, start: Tensor, size: int) -> Tensor:
    return ops.slice(x, [start, *[0] * (len(x.shape) - 1)], (size, *x.shape[1:]))
