"""Rectangles of training images taken from other images."""

from typing import ClassVar

from keras import ops

from trials.augmentation.boxes import inside_boxes
from trials.engine.random_bits import Key, Tensor, beta, fold, permutation
from trials.regularizers.base import Knobs, Treatment


class CutMixTreatment(Treatment):
    """Puts a rectangle of another image of the batch into each image, and mixes the targets by the areas."""

    name: ClassVar[str] = "cutmix"
    batch_stream: ClassVar[int] = 0x41000000
    changes_targets: ClassVar[bool] = True

    def batch(self, key: Key, x: Tensor, targets: Tensor, knobs: Knobs) -> tuple[Tensor, Tensor]:
        """Images with rectangles of others, and targets by the shares of their areas."""
        alpha = knobs["cutmix.alpha"]

        def cut() -> tuple[Tensor, Tensor]:
            n = x.shape[0]
            other = permutation(fold(key, 0), n)
            area = 1.0 - beta(fold(key, 1), alpha, (n,))
            foreign = inside_boxes(fold(key, 2), area, x.shape)
            own = 1.0 - ops.mean(ops.cast(foreign, "float32"), axis=(1, 2, 3))
            own = ops.reshape(own, (-1, 1))
            mixed = targets * own + ops.take(targets, other, axis=0) * (1.0 - own)
            return ops.where(foreign, ops.take(x, other, axis=0), x), mixed

        x, targets = ops.cond(alpha > 0, cut, lambda: (x, targets))
        return x, targets
