"""Random changes of training images."""

from typing import ClassVar

from search_spaces.values import Point
from trials.augmentation.changes import augment
from trials.augmentation.policies import STRENGTHS, strengths
from trials.engine.random_bits import Key, Tensor
from trials.regularizers.base import Knobs, Treatment


class AugmentationTreatment(Treatment):
    """Changes every training image anew; a lane has one strength per elementary change."""

    name: ClassVar[str] = "augmentation"
    batch_stream: ClassVar[int] = 0x40000000

    def value_names(self) -> tuple[str, ...]:
        """A strength for each elementary change."""
        return tuple(f"augmentation.{name}" for name in STRENGTHS)

    def lane_values(self, settings: Point) -> dict[str, float]:
        """The strengths of the lane's policy."""
        return {f"augmentation.{name}": value for name, value in strengths(settings).items()}

    def batch(self, key: Key, x: Tensor, targets: Tensor, knobs: Knobs) -> tuple[Tensor, Tensor]:
        """Changed images, the same targets."""
        return augment(key, x, {name: knobs[f"augmentation.{name}"] for name in STRENGTHS}), targets
