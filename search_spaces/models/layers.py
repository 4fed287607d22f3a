"""A model as a list of typed layers."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from search_spaces.models.base import Description, Shape, check_activation, count_dense
from search_spaces.models.kinds import REARRANGING, AnyLayer, TypedLayer
from search_spaces.models.kinds.base import Outcome
from search_spaces.models.kinds.dense import Embedding
from search_spaces.models.kinds.disturbing import Disturbance, GaussianNoise
from search_spaces.models.kinds.recurrences import Bidirectional
from search_spaces.places import Place
from search_spaces.refusal import refusal

MAX_LAYERS = 200
INPUTS, LOGITS = "inputs", "logits"
WITH_RECURRENT_DROPOUT = ("lstm", "gru")


class Layers(Description):
    """A list of layers, each on the one before or on those that `from` names; logits are put at its end.

    The last one gives flat features. `{kind: dropout}` without a rate marks where the study's `dropout` goes, and so do
    `spatial_dropout`, `gaussian_dropout`, `alpha_dropout` and `gaussian_noise`; with a strength they are fixed layers.
    Layers without a `name` are called by their kind and count: `dense_1`, `dense_2`.
    """

    family: Literal["layers"] = "layers"
    layers: Annotated[tuple[TypedLayer, ...], Field(max_length=MAX_LAYERS)]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        seen: dict[str, int] = {INPUTS: -1}
        used: set[str] = set()
        for number, (layer, name, sources) in enumerate(self.steps()):
            unknown = [source for source in sources if source not in seen]
            if unknown:
                raise refusal(f"model.layers.{number}.from", f"{INPUTS} or the name of an earlier layer", unknown[0])
            if name in seen or name == LOGITS:
                kind = f"another name than {INPUTS}, {LOGITS} and those of other layers"
                raise refusal(f"model.layers.{number}.{'name' if layer.name else 'kind'}", kind, name)
            seen[name] = number
            used.update(sources)
        unused = [name for name in list(seen)[:-1] if name not in used]
        if unused and self.layers:
            expected = f"that a later layer takes {unused[0]}"
            raise refusal(f"model.layers.{seen[unused[0]]}.name", expected, "a layer that nothing comes from")
        return self

    @property
    def n_words(self) -> int | None:
        """The smallest vocabulary of its embeddings."""
        return min((layer.input_dim for layer in self.layers if isinstance(layer, Embedding)), default=None)

    @property
    def has_recurrence(self) -> bool:
        """Whether there is an LSTM or a GRU."""
        cells = [layer.layer if isinstance(layer, Bidirectional) else layer for layer in self.layers]
        return any(cell.kind in WITH_RECURRENT_DROPOUT for cell in cells)

    @property
    def places(self) -> frozenset[Place]:
        """Those of its layers."""
        return frozenset(layer.place for layer in self.layers if layer.place is not None)

    @property
    def marked(self) -> frozenset[str]:
        """The kinds of its layers that stand for the study's own."""
        return frozenset(
            layer.kind for layer in self.layers if isinstance(layer, Disturbance | GaussianNoise) and layer.is_site
        )

    def steps(self) -> Iterator[tuple[AnyLayer, str, tuple[str, ...]]]:
        """Each layer with its name and the names of those that it takes."""
        counts: Counter[str] = Counter()
        before = INPUTS
        for layer in self.layers:
            counts[layer.kind] += 1
            name = layer.name or f"{layer.kind}_{counts[layer.kind]}"
            yield layer, name, layer.sources(before)
            before = name

    def outcomes(self, input_shape: Shape) -> dict[str, Outcome]:
        """Shape and weights of each layer by name; the inputs come first.

        Raises:
            PydanticCustomError: A layer does not suit what comes in.
        """
        found = {INPUTS: Outcome(input_shape)}
        for number, (layer, name, sources) in enumerate(self.steps()):
            field = f"model.layers.{number}"
            try:
                found[name] = layer.outcome_of(tuple(found[source].shape for source in sources))
            except PydanticCustomError as error:
                context = error.context or {}
                raise refusal(f"{field}.{context['field']}", context["expected"], context["received"]) from None
            check_activation(f"{field}.kind", found[name].shape)
            check_activation(f"{field}.kind", (found[name].n_inner,))
        return found

    def check(self, input_shape: Shape) -> None:
        """Refuses a layer that does not suit what comes in, and features that are not flat at the end."""
        *_, last = self.outcomes(input_shape).values()
        if len(last.shape) != 1:
            field = f"model.layers.{len(self.layers) - 1}.kind" if self.layers else "model.layers"
            raise refusal(field, "flat features at the end (flatten or a global pooling)", f"shape {last.shape}")
        self._check_words()

    def _check_words(self) -> None:
        words = {INPUTS}
        for number, (layer, name, sources) in enumerate(self.steps()):
            if isinstance(layer, REARRANGING) and words.issuperset(sources):
                words.add(name)
            if isinstance(layer, Embedding) and not words.issuperset(sources):
                expected = "the model's inputs, rearranged at most, since they are whole numbers"
                raise refusal(f"model.layers.{number}.from", expected, sources[0])

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """Number of weights."""
        outcomes = list(self.outcomes(input_shape).values())
        total = sum(outcome.n_parameters for outcome in outcomes)
        return total + count_dense(math.prod(outcomes[-1].shape), (n_outputs,))
