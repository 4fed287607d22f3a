"""`/v1/models`: the families of models, and models brought from Keras."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from search_spaces.models import MODEL_FAMILIES
from search_spaces.models.plugin import installed_builders
from service.api.catalog import TypedOffer, typed_offer
from service.api.route import Route
from service.documents import parse_json
from service.model_import import ImportedModel, import_model
from service.views import Page

router = APIRouter(route_class=Route, prefix="/v1", tags=["models"])

KERAS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "What `model.to_json()` of Keras gives.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class ModelOffer(TypedOffer):
    """A family of models, with the names that `plugin` may have here."""

    installed: tuple[str, ...] = ()


async def _document(request: Request) -> Any:
    return parse_json(await request.body())


@router.get("/models")
def list_models() -> Page[ModelOffer]:
    """Every model family, and the builders that are installed here."""
    return Page(items=[_offer(name) for name in MODEL_FAMILIES])


@router.post("/models:import", openapi_extra=KERAS_BODY)
def import_keras_model(document: Annotated[Any, Depends(_document)]) -> ImportedModel:
    """Translates the JSON of a Keras model into the family `layers`, without ever making that model."""
    return import_model(document)


def _offer(name: str) -> ModelOffer:
    kind = MODEL_FAMILIES[name]
    offer = typed_offer(name, kind, (kind.__doc__ or "").partition("\n")[0])
    return ModelOffer(**offer.model_dump(), installed=tuple(installed_builders()) if name == "plugin" else ())
