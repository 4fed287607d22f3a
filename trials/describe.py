"""Describes a study's model with regularizers in place: a request as JSON on standard input, the answer on the output.

Started as `python -m trials.describe` by the service, which never imports Keras.
"""

import argparse
import sys
from collections.abc import Iterator

import keras

from trials.attachments import all_kernels, hidden_kernels
from trials.description import DescribedModel, DescriptionRequest, LayerRow, Undescribable
from trials.engine.model_graph import flat_graph
from trials.errors import InfeasibleCohortError, reason_of
from trials.grafting import Graft, graft
from trials.models import build
from trials.process import limit_resources
from trials.regularizers import Treatment


def main() -> None:
    """Answers one request."""
    parser = argparse.ArgumentParser(prog="python -m trials.describe", description=__doc__)
    parser.add_argument("--memory-bytes", type=int, default=0, help="limit of the address space; 0 for none")
    limit_resources(parser.parse_args().memory_bytes, None)
    request = DescriptionRequest.model_validate_json(sys.stdin.buffer.read())
    sys.stdout.write(answer(request).model_dump_json())


def answer(request: DescriptionRequest) -> DescribedModel | Undescribable:
    """The description, or the reason why there is none."""
    try:
        model = build(request.model, request.input_shape, request.n_classes)
        return describe(graft(flat_graph(model, request.input_shape), request.grafts, request.structure))
    except InfeasibleCohortError as error:
        return Undescribable(reason=reason_of(error))


def describe(grafted: Graft) -> DescribedModel:
    """Each layer with what the regularizers do there."""
    acting = _acting_on_weights(grafted)
    rows = tuple(
        LayerRow(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(layer.output.shape[1:]),
            n_parameters=layer.count_params(),
            regularizers=(*_sitting_at(layer.name, grafted), *_acting_at(layer, acting)),
        )
        for layer in grafted.model.layers
    )
    at_layers = {name for row in rows for name in row.regularizers}
    elsewhere = {t.name: _elsewhere(t) for t in grafted.treatments if t.name not in at_layers}
    return DescribedModel(rows=rows, n_parameters=grafted.model.count_params(), elsewhere=elsewhere)


def _sitting_at(layer: str, grafted: Graft) -> Iterator[str]:
    """Regularizers that were put in as this layer, or inside it, and are shown there."""
    for regularizer, sites in grafted.sites.items():
        if layer in {f"{site}_{regularizer}" for site in sites}:
            yield regularizer


def _acting_on_weights(grafted: Graft) -> dict[str, set[int]]:
    """Regularizers of weights, each with the identities of the weights that it acts on."""
    variables = grafted.model.trainable_variables
    hidden = {id(variables[i]) for i in hidden_kernels(grafted.model)}
    kernels = {id(variables[i]) for i in all_kernels(grafted.model)}
    acting = {}
    for treatment in grafted.treatments:
        if _has_own(treatment, "penalty") or _has_own(treatment, "constrain"):
            acting[treatment.name] = hidden
        elif treatment.decays:
            acting[treatment.name] = kernels
    return acting


def _acting_at(layer: keras.layers.Layer, acting: dict[str, set[int]]) -> Iterator[str]:
    own = {id(variable) for variable in layer.trainable_variables}
    return (regularizer for regularizer, weights in acting.items() if own & weights)


def _elsewhere(treatment: Treatment) -> str:
    if treatment.changes_targets:
        return "training batches and their targets" if treatment.name != "label_smoothing" else "training targets"
    if _has_own(treatment, "batch"):
        return "training batches"
    if treatment.keeps_average:
        return "all weights, averaged for evaluation"
    return "predictions, averaged over samples" if treatment.evaluation_samples else "nothing at these settings"


def _has_own(treatment: Treatment, hook: str) -> bool:
    return getattr(type(treatment), hook) is not getattr(Treatment, hook)


if __name__ == "__main__":
    main()
