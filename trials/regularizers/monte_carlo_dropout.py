"""Predictions averaged over random masks."""

from typing import ClassVar

from search_spaces.values import Point
from trials.regularizers.base import Treatment


class MonteCarloDropoutTreatment(Treatment):
    """Evaluates with dropout on, several times, and averages the predicted probabilities."""

    name: ClassVar[str] = "monte_carlo_dropout"

    def __init__(self, structure: Point) -> None:
        super().__init__(structure)
        self.evaluation_samples = int(self.structural("samples", 0))
