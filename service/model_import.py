"""From a Keras model's own JSON to a model that a study can ask for."""

from typing import Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from search_spaces.keras_documents import Translation, UntranslatableModelError, translate
from search_spaces.models import Layers, check_model, estimate_parameters
from service.errors import InvalidModelError, InvalidStudySpecError
from service.specs import parse
from service.views import View


class ImportedModel(View):
    """A model in our words.

    Attributes:
        model: What a study gives as `model`.
        input_shape: Shape of one example; null where the document does not say.
        n_classes: Number of classes; two are told apart by one logit.
        parameters: Weights of the model; null where the shape is not known.
    """

    model: dict[str, Any] = Field(description="What a study gives as `model`.")
    input_shape: tuple[int, ...] | None
    n_classes: int
    parameters: int | None


def import_model(document: Any) -> ImportedModel:
    """Translates a Keras model's JSON, which is only read, never made into a model.

    Raises:
        InvalidModelError: It names every layer and argument that cannot be translated.
    """
    try:
        translation = translate(document)
    except UntranslatableModelError as error:
        raise InvalidModelError(error.faults) from None
    try:
        model = parse(Layers, {"layers": list(translation.layers)})
        n_parameters = _checked(model, translation)
    except InvalidStudySpecError as error:
        raise InvalidModelError([_renamed(fault, translation) for fault in error.errors]) from None
    except PydanticCustomError as error:
        fault = {key: str((error.context or {})[key]) for key in ("field", "expected", "received")}
        raise InvalidModelError([_renamed(fault, translation)]) from None
    layers = [{"kind": layer.kind} | layer.model_dump(mode="json", exclude_defaults=True) for layer in model.layers]
    return ImportedModel(
        model={"family": "layers", "layers": layers},
        input_shape=translation.input_shape,
        n_classes=translation.n_classes,
        parameters=n_parameters,
    )


def _checked(model: Layers, translation: Translation) -> int | None:
    if translation.input_shape is None:
        return None
    n_outputs = 1 if translation.n_classes == 2 else translation.n_classes
    check_model(model, translation.input_shape, n_outputs)
    return estimate_parameters(model, translation.input_shape, n_outputs)


def _renamed(fault: dict[str, str], translation: Translation) -> dict[str, str]:
    """The fault, with the layer called as Keras calls it instead of by its place in our list."""
    head, separator, rest = fault["field"].removeprefix("model.").partition(".")
    number, _, field = rest.partition(".")
    if head != "layers" or not separator or not number.isdigit():
        return fault
    return fault | {"field": ".".join(filter(None, (translation.labels[int(number)], field)))}
