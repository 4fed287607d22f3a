"""Pairs of training examples blended."""

from typing import ClassVar

import keras
from keras import ops

from trials.attachments import embeddings
from trials.engine.random_bits import Key, Tensor, beta, fold, permutation
from trials.errors import InfeasibleCohortError
from trials.regularizers.base import Knobs, Treatment


class MixUpTreatment(Treatment):
    """Blends each example and its target with another one's of the batch."""

    name: ClassVar[str] = "mixup"
    batch_stream: ClassVar[int] = 0x42000000
    changes_targets: ClassVar[bool] = True

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """Nowhere in the model, which must not take whole numbers: a blend of two words is no word."""
        if embeddings(model):
            raise InfeasibleCohortError(
                "mixup: expected a model of examples that can be blended; it embeds whole numbers"
            )
        return model, ()

    def batch(self, key: Key, x: Tensor, targets: Tensor, knobs: Knobs) -> tuple[Tensor, Tensor]:
        """Examples and targets, each share x own + (1 - share) x the other's."""
        alpha = knobs["mixup.alpha"]

        def blend() -> tuple[Tensor, Tensor]:
            n = x.shape[0]
            share = beta(fold(key, 1), alpha, (n,))
            other = permutation(fold(key, 0), n)
            return _blend(x, share, other), _blend(targets, share, other)

        x, targets = ops.cond(alpha > 0, blend, lambda: (x, targets))
        return x, targets


def _blend(values: Tensor, share: Tensor, other: Tensor) -> Tensor:
    own = ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
    return values * own + ops.take(values, other, axis=0) * (1.0 - own)
