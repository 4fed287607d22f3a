"""What can be asked for: regularizers, samplers, pruners and presets."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from search_spaces.presets import Preset, UnknownPresetError, load_preset, preset_names
from search_spaces.pruners import PRUNERS
from search_spaces.regularizers import REGULARIZERS
from search_spaces.samplers import SAMPLERS
from service.api.route import Route
from service.errors import PresetNotFoundError
from service.views import Page

router = APIRouter(route_class=Route, prefix="/v1", tags=["catalog"])


class Offer(BaseModel):
    """Something a study may name."""

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str


class TypedOffer(Offer):
    """Something a study may name and set up; `json_schema` says how."""

    description: str
    json_schema: dict[str, Any]


class PresetOffer(Offer):
    """A case study: what it asks, and how long that takes on two cores."""

    question: str
    minutes: float


@router.get("/regularizers")
def list_regularizers() -> Page[TypedOffer]:
    """Every regularizer with its knobs."""
    return Page(items=[typed_offer(name, kind, kind.summary) for name, kind in REGULARIZERS.items()])


@router.get("/samplers")
def list_samplers() -> Page[Offer]:
    """Every sampler."""
    return Page(items=[Offer(name=name, summary=summary) for name, summary in SAMPLERS.items()])


@router.get("/pruners")
def list_pruners() -> Page[Offer]:
    """Every pruner."""
    return Page(items=[Offer(name=name, summary=summary) for name, summary in PRUNERS.items()])


@router.get("/presets")
@cache
def list_presets() -> Page[PresetOffer]:
    """Every case study."""
    return Page(items=[_offer(load_preset(name)) for name in preset_names()])


@router.get("/presets/{name}")
def get_preset(name: str) -> Preset:
    """One case study with its StudySpec."""
    try:
        return load_preset(name)
    except UnknownPresetError as error:
        raise PresetNotFoundError(str(error)) from None


def typed_offer(name: str, kind: type[BaseModel], summary: str) -> TypedOffer:
    """What a study may set up, with its schema."""
    schema = kind.model_json_schema()
    return TypedOffer(name=name, summary=summary, description=schema.get("description", ""), json_schema=schema)


def _offer(preset: Preset) -> PresetOffer:
    return PresetOffer(name=preset.name, summary=preset.title, question=preset.question, minutes=preset.minutes)
