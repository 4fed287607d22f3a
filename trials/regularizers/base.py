"""What every regularizer may do to a training, as hooks that a regularizer fills in where it acts."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, TypeAlias

import keras

from search_spaces.regularizers import REGULARIZERS
from search_spaces.values import Point, Scalar
from trials.attachments import after_inputs, after_layers, embeddings, hidden_layers, sites
from trials.engine.random_bits import Key, Tensor
from trials.errors import InfeasibleCohortError
from trials.layers import LaneLayer

Knobs: TypeAlias = Mapping[str, Tensor]
"""A lane's numbers by name, each a float32 scalar; 0 where the regularizer is off."""


class Treatment:
    """How one regularizer takes part in training. Each hook does nothing unless a subclass says otherwise.

    All hooks but `place` and `lane_values` are traced into the program of one lane, so that what they do may depend on
    `knobs` as tensors only. At knobs of 0 each must give back what it was given, to the last bit.

    Args:
        structure: The structural knobs of the cohort, which all of its lanes share.

    Attributes:
        name: The regularizer's.
        changes_targets: Whether `batch` may change targets.
        decays: Whether `decay` does anything.
        keeps_average: Whether evaluation uses averages of the weights, made by `average`.
        batch_stream: Stream of the draws of `batch`.
        evaluation_samples: How many predictions with dropout on are averaged in an evaluation; 0 for one without.
    """

    name: ClassVar[str]
    changes_targets: ClassVar[bool] = False
    decays: ClassVar[bool] = False
    keeps_average: ClassVar[bool] = False
    batch_stream: ClassVar[int] = 0
    evaluation_samples: int = 0

    def __init__(self, structure: Point) -> None:
        self._structure = structure

    def structural(self, knob: str, default: Scalar) -> Scalar:
        """The value of a structural knob."""
        return self._structure.get(f"{self.name}.{knob}", default)

    def value_names(self) -> tuple[str, ...]:
        """Names of the numbers that each lane has for this regularizer."""
        knobs = REGULARIZERS[self.name].knobs().items()
        return tuple(f"{self.name}.{k}" for k, knob in knobs if knob.role == "runtime" and knob.kind != "category")

    def lane_values(self, settings: Point) -> dict[str, float]:
        """Those numbers at a lane's settings; 0 where it is off."""
        return {name: float(settings.get(name, 0.0)) for name in self.value_names()}

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """Puts layers into a functional model.

        Returns:
            The rewritten model, and the names of the layers at which something was put.

        Raises:
            InfeasibleCohortError: The model has no place for this regularizer.
        """
        return model, ()

    def batch(self, key: Key, x: Tensor, targets: Tensor, knobs: Knobs) -> tuple[Tensor, Tensor]:
        """Changes a training batch.

        Args:
            key: Key of this regularizer's draws in this step.
            x: Examples, shape `(batch, …)`, float32.
            targets: Shape `(batch, n_outputs)`, shares of the classes (one logit: of the second), if any treatment
                `changes_targets`; else labels of shape `(batch,)`, to be handed back.
            knobs: The lane's.
        """
        del key, knobs
        return x, targets

    def penalty(self, kernels: list[Tensor], knobs: Knobs) -> Tensor | None:
        """A term of the training loss, from the kernels of the hidden layers; None for none."""
        del kernels, knobs
        return None

    def decay(self, kernel: Tensor, learning_rate: Tensor, knobs: Knobs) -> Tensor:
        """Any kernel before the optimizer's step."""
        del learning_rate, knobs
        return kernel

    def constrain(self, kernel: Tensor, knobs: Knobs) -> Tensor:
        """A hidden layer's kernel after the optimizer's step."""
        del knobs
        return kernel

    def average(self, average: Tensor, weight: Tensor, is_first: Tensor, knobs: Knobs) -> Tensor:
        """The new average of a weight after a step; only called where `keeps_average`."""
        del average, is_first, knobs
        return weight


Found: TypeAlias = tuple[keras.Model, list[tuple[str, str]]]
"""A model, maybe rewritten to have places; and the places, each the layer that a new one belongs to, and the layer that
it goes after."""


class LayerTreatment(Treatment):
    """A regularizer that is a layer: put at the sites that the model's author marked, or at those that are found.

    Attributes:
        stream: Stream of the draws of the first of its layers; 65,536 are free from there.
        kind: The layer, whose strength is the regularizer's dose.
    """

    stream: ClassVar[int]
    kind: ClassVar[type[LaneLayer]]

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """A new layer.

        Args:
            number: Which one, counted from 0.
            at: Name of the layer that it belongs to.
            depth: Its number, from 1, divided by how many there are: from above 0 to 1.
        """
        del depth
        dose = next(iter(REGULARIZERS[self.name].knobs()))
        return self.kind(self.stream + number, f"{self.name}.{dose}", name=f"{at}_{self.name}")

    def found(self, model: keras.Model) -> Found:
        """The places in a model without marked ones.

        Raises:
            InfeasibleCohortError: There are none.
        """
        raise NotImplementedError

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """At the marked sites, or the found places."""
        places = [(site, site) for site in sites(model, self.name)]
        return self._put(*((model, places) if places else self.found(model)))

    def at_inputs(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """On the examples; on what the embeddings give, where the examples are whole numbers."""
        embedded = [(name, name) for name in embeddings(model)]
        if embedded:
            return self._put(model, embedded)
        return after_inputs(model, lambda: self.layer(0, "inputs", 1.0)), ("inputs",)

    def _put(self, model: keras.Model, places: list[tuple[str, str]]) -> tuple[keras.Model, tuple[str, ...]]:
        n = len(places)
        new = {after: partial(self.layer, number, at, (number + 1) / n) for number, (at, after) in enumerate(places)}
        return after_layers(model, new), tuple(at for at, _ in places)

    def nowhere(self, expected: str, knob: str | None = None) -> InfeasibleCohortError:
        """The error of a model that has no place for this."""
        field = self.name if knob is None else f"{self.name}.{knob}"
        return InfeasibleCohortError(f"{field}: expected {expected}; the model has none")


class HiddenLayerTreatment(LayerTreatment):
    """A layer after each hidden layer's activation, at the kind of layers that the knob `sites` names."""

    def found(self, model: keras.Model) -> Found:
        """After dense and recurrent layers; after the pooling of a pooled convolution, else after the convolution."""
        wanted = str(self.structural("sites", "dense"))
        layers = hidden_layers(model, wanted)
        if not layers:
            raise self.nowhere(f"layers of kind '{wanted}' before the logits", "sites")
        return model, [(hidden.pooled, hidden.pooled) for hidden in layers]
