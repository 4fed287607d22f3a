"""Regularizers put into a finished Keras model."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras

from search_spaces.values import Point
from trials.regularizers import Treatment, treatments


@dataclass(frozen=True)
class Graft:
    """A model with regularizers in place.

    Attributes:
        model: The rewritten model; takes and gives what the original did.
        treatments: What the regularizers do beside, in the order in which they act.
        sites: Each regularizer's name to the layers at which it sits, for people; empty where it acts on weights, data
            or evaluation.
    """

    model: keras.Model
    treatments: tuple[Treatment, ...]
    sites: Mapping[str, tuple[str, ...]]


def graft(model: keras.Model, names: tuple[str, ...], structure: Point) -> Graft:
    """Puts the named regularizers into a functional model.

    Args:
        model: A built functional model of one input and one output, whose last weighted layer gives the logits.
        names: Names from `trials.regularizers.TREATMENTS`.
        structure: Structural knobs, as `dropout.placement`.

    Raises:
        InfeasibleCohortError: A regularizer finds no place in this model.
    """
    chosen = treatments(names, structure)
    sites: dict[str, tuple[str, ...]] = {}
    for treatment in chosen:
        model, sites[treatment.name] = treatment.place(model)
    return Graft(model, chosen, sites)
