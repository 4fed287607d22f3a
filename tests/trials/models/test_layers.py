"""The family `layers`: what its parser and its check accept is built as they say."""

from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic_core import PydanticCustomError

from search_spaces.models import Layers, check_model, estimate_parameters
from search_spaces.models.kinds import KINDS
from service.errors import InvalidStudySpecError
from service.specs import parse
from tests.trials.models.layer_lists import ARGUMENTS, layer_lists
from trials.layers.site import Site
from trials.models import build
from trials.models.layers import KERAS_LAYERS


def layers(*given: dict[str, Any]) -> Layers:
    return Layers.model_validate({"layers": list(given)})


def refused_field(given: list[dict[str, Any]], shape: tuple[int, ...]) -> str | None:
    """The field of the refusal, by the parser or by the check; None if the list is accepted."""
    try:
        check_model(parse(Layers, {"layers": given}), shape, 10)
    except InvalidStudySpecError as error:
        return str(error.errors[0]["field"])
    except PydanticCustomError as error:
        return str((error.context or {})["field"])
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_lists())
def test_every_list_is_built_as_predicted_or_refused_by_layer_and_field(
    drawn: tuple[list[dict[str, Any]], tuple[int, ...]],
) -> None:
    given, shape = drawn
    field = refused_field(given, shape)
    if field is not None:
        assert field.removeprefix("model.").split(".")[0] == "layers"
        assert 0 <= int(field.removeprefix("model.").split(".")[1]) < len(given)
        return
    spec = layers(*given)
    model = build(spec, shape, 10)

    assert model.count_params() == estimate_parameters(spec, shape, 10)
    for name, outcome in spec.outcomes(shape).items():
        assert tuple(model.get_layer(name).output.shape[1:]) == outcome.shape, name
