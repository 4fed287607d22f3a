"""What is minimised, and what counts as right: cross-entropy and hits, of labels or of shares of the classes."""

from dataclasses import dataclass

from keras import ops

from trials.engine.random_bits import Tensor


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy from logits.

    Targets are labels, int32 of shape `(batch,)`, or shares of the classes, float32 of shape `(batch, n_outputs)`; with
    one output, the second class' share.

    Attributes:
        n_outputs: Width of the logits; 1 for two classes.
    """

    n_outputs: int

    @property
    def binary(self) -> bool:
        """Whether there is one logit, for two classes."""
        return self.n_outputs == 1

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return 2 if self.binary else self.n_outputs

    def shares(self, labels: Tensor) -> Tensor:
        """Labels as shares."""
        if self.binary:
            return ops.cast(ops.expand_dims(labels, -1), "float32")
        return ops.one_hot(labels, self.n_outputs, dtype="float32")

    def mean(self, targets: Tensor, logits: Tensor, class_weights: tuple[float, ...] | None = None) -> Tensor:
        """Mean over a batch, each row times its class' weight.

        Args:
            targets: Labels or shares.
            logits: Shape `(batch, n_outputs)`.
            class_weights: One per class; None for no weights. A row of shares weighs their mean.
        """
        if self.binary:
            shares = targets if _are_shares(targets) else self.shares(targets)
            rows = ops.squeeze(ops.binary_crossentropy(shares, logits, from_logits=True), -1)
        elif _are_shares(targets):
            rows = ops.categorical_crossentropy(targets, logits, from_logits=True)
        else:
            rows = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        if class_weights is not None:
            rows = rows * self._row_weights(targets, ops.convert_to_tensor(class_weights, rows.dtype))
        return ops.mean(rows)

    def right(self, targets: Tensor, logits: Tensor) -> Tensor:
        """1 where the largest logit is at the label, or at the largest share, else 0; float32, shape `(batch,)`."""
        if self.binary:
            predicted = ops.cast(logits[:, 0] > 0, "int32")
            labels = ops.cast(targets[:, 0] > 0.5, "int32") if _are_shares(targets) else targets
        else:
            predicted = ops.cast(ops.argmax(logits, axis=-1), "int32")
            labels = ops.cast(ops.argmax(targets, axis=-1), "int32") if _are_shares(targets) else targets
        return ops.cast(ops.equal(predicted, labels), "float32")

    def count_right(self, targets: Tensor, logits: Tensor) -> Tensor:
        """How many rows are right; float32 scalar."""
        return ops.sum(self.right(targets, logits))

    def count_by_class(self, labels: Tensor, logits: Tensor) -> Tensor:
        """How many rows of each class are right, and how many there are; float32, shape `(2, n_classes)`."""
        right = self.right(labels, logits)
        of_class = ops.one_hot(labels, self.n_classes, dtype="float32")
        return ops.stack([ops.sum(right[:, None] * of_class, axis=0), ops.sum(of_class, axis=0)])

    def probabilities(self, logits: Tensor) -> Tensor:
        """Shares that the logits stand for, same shape."""
        return ops.sigmoid(logits) if self.binary else ops.softmax(logits)

    def logits(self, probabilities: Tensor) -> Tensor:
        """Logits that stand for these shares."""
        log = ops.log(ops.maximum(probabilities, TINY))
        return log - ops.log(ops.maximum(1.0 - probabilities, TINY)) if self.binary else log

    def _row_weights(self, targets: Tensor, weights: Tensor) -> Tensor:
        if not _are_shares(targets):
            return ops.take(weights, targets, axis=0)
        shares = ops.concatenate([1.0 - targets, targets], axis=1) if self.binary else targets
        return ops.sum(shares * weights, axis=1)


TINY = 1e-30


def _are_shares(targets: Tensor) -> bool:
    return len(targets.shape) == 2
