"""Targets moved towards equal shares of all classes."""

from typing import ClassVar

from trials.engine.random_bits import Key, Tensor
from trials.regularizers.base import Knobs, Treatment


class LabelSmoothingTreatment(Treatment):
    """Mixes the targets with the uniform distribution."""

    name: ClassVar[str] = "label_smoothing"
    changes_targets: ClassVar[bool] = True

    def batch(self, key: Key, x: Tensor, targets: Tensor, knobs: Knobs) -> tuple[Tensor, Tensor]:
        """The same examples; targets x (1 - factor) + factor / number of classes."""
        del key
        factor = knobs["label_smoothing.factor"]
        return x, targets * (1.0 - factor) + factor / max(targets.shape[-1], 2)
