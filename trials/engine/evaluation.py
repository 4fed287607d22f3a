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

Prediction: TypeAlias = tuple[Tensor, Tensor]
"""Logits of a chunk of examples; and their spread, a scalar: the mean over examples of the standard deviation of the
predicted class' probability between samples, NaN where there is one prediction."""

Predict: TypeAlias = Callable[[Tensor, Tensor], Prediction]
"""Predicts a chunk of examples; the chunk's number is its second argument."""

Evaluation: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
"""Mean loss (without penalties), accuracy, balanced accuracy and the predictions' mean spread, as scalars."""


def evaluate(predict: Predict, loss: CrossEntropy, x: Tensor, y: Tensor) -> Evaluation:
    """Loss, accuracy, the mean of the recalls of the classes that occur, and the mean spread.

    Args:
        predict: The model, as a function.
        loss: What is averaged.
        x: Examples as stored, shape `(rows, …)`.
        y: Labels, shape `(rows,)`.
    """
    n_rows = x.shape[0]
    n_chunks = 0 if n_rows <= WHOLE_ROWS else n_rows // EVALUATION_ROWS

    def chunk(number: Tensor, x_part: Tensor, y_part: Tensor) -> tuple[Tensor, Tensor]:
        logits, spread = predict(x_part, number)
        sums = ops.stack([loss.mean(y_part, logits), spread]) * x_part.shape[0]
        return sums, loss.count_by_class(y_part, logits)

    def body(i: Tensor, sums: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        more, more_counts = chunk(i, *(_rows_from(part, i * EVALUATION_ROWS, EVALUATION_ROWS) for part in (x, y)))
        return i + 1, sums + more, counts + more_counts

    sums, counts = ops.zeros((2,), "float32"), ops.zeros((2, loss.n_classes), "float32")
    if n_chunks:
        first = ops.convert_to_tensor(0, "int32")
        _, sums, counts = ops.while_loop(lambda i, *_: i < n_chunks, body, (first, sums, counts))
    if n_rows > n_chunks * EVALUATION_ROWS:
        last = ops.convert_to_tensor(n_chunks, "int32")
        more, more_counts = chunk(last, x[n_chunks * EVALUATION_ROWS :], y[n_chunks * EVALUATION_ROWS :])
        sums, counts = sums + more, counts + more_counts
    right, rows = counts[0], counts[1]
    n_present = ops.sum(ops.cast(rows > 0, "float32"))
    recall = ops.sum(right / ops.maximum(rows, 1.0)) / n_present
    return sums[0] / n_rows, ops.sum(right) / n_rows, recall, sums[1] / n_rows


def sampled(call: Callable[[], Tensor], loss: CrossEntropy, lane: tuple[Key, Knobs], n_samples: int) -> Prediction:
    """Logits of the mean of so many predictions, each with its own masks, and how far these scatter.

    Args:
        call: Gives the logits of a chunk.
        loss: Knows what logits stand for.
        lane: Key of this chunk's masks, and the lane's knobs.
        n_samples: At least 1.
    """
    key, knobs = lane

    def add(i: Tensor, total: Tensor, squares: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with lane_scope(LaneScope(fold(key, i), knobs, is_sampling=True)):
            drawn = loss.probabilities(call())
        return i + 1, total + drawn, squares + ops.square(drawn)

    first, nothing = ops.convert_to_tensor(0, "int32"), ops.convert_to_tensor(0.0)
    _, *sums = ops.while_loop(lambda i, *_: i < n_samples, add, add(first, nothing, nothing))
    mean, mean_square = (total / n_samples for total in sums)
    deviation = ops.sqrt(ops.maximum(mean_square - ops.square(mean), 0.0))
    likeliest = ops.expand_dims(ops.argmax(mean, axis=-1), -1)
    return loss.logits(mean), ops.mean(ops.take_along_axis(deviation, likeliest, axis=-1))


def _rows_from(x: Tensor, start: Tensor, size: int) -> Tensor:
    return ops.slice(x, [start, *[0] * (len(x.shape) - 1)], (size, *x.shape[1:]))
