"""`/v1/models`: the families of models, and models brought from Keras."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from search_spaces.models import MODEL_FAMILIES
from service.api.catalog import TypedOffer, typed_offer
from service.documents import parse_json
from service.model_import import ImportedModel, import_model
from service.views import Page

router = APIRouter(prefix="/v1", tags=["models"])

KERAS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "What `model.to_json()` of Keras gives.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


async def _document(request: Request) -> Any:
    return parse_json(await request.body())


@router.get("/models")
def list_models() -> Page[TypedOffer]:
    """Every model family."""
    return Page(items=[typed_offer(name, kind, _first_line(kind)) for name, kind in MODEL_FAMILIES.items()])


@router.post("/models:import", openapi_extra=KERAS_BODY)
def import_keras_model(document: Annotated[Any, Depends(_document)]) -> ImportedModel:
    """Translates the JSON of a Keras model into the family `layers`, without ever making that model."""
    return import_model(document)


def _first_line(kind: type[object]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
