"""What can be asked for: regularizers, models, samplers, pruners, presets and datasets."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from search_spaces.datasets import BUILT_IN, SHAPES
from search_spaces.models import MODEL_FAMILIES
from search_spaces.presets import Preset, UnknownPresetError, load_preset, preset_names
from search_spaces.pruners import PRUNERS
from search_spaces.regularizers import REGULARIZERS
from search_spaces.samplers import SAMPLERS
from service.api.dependencies import AppSettings
from service.errors import PresetNotFoundError
from service.views import Page

router = APIRouter(prefix="/v1", tags=["catalog"])


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


class DatasetOffer(Offer):
    """Data a study may name; shape and classes are known for built-in data only."""

    built_in: bool
    shape: tuple[int, ...] | None
    n_classes: int | None


@router.get("/regularizers")
def list_regularizers() -> Page[TypedOffer]:
    """Every regularizer with its knobs."""
    return Page(items=[_typed(name, kind, kind.summary) for name, kind in REGULARIZERS.items()])


@router.get("/models")
def list_models() -> Page[TypedOffer]:
    """Every model family."""
    return Page(items=[_typed(name, kind, _first_line(kind)) for name, kind in MODEL_FAMILIES.items()])


@router.get("/samplers")
def list_samplers() -> Page[Offer]:
    """Every sampler."""
    return Page(items=[Offer(name=name, summary=summary) for name, summary in SAMPLERS.items()])


@router.get("/pruners")
def list_pruners() -> Page[Offer]:
    """Every pruner."""
    return Page(items=[Offer(name=name, summary=summary) for name, summary in PRUNERS.items()])


@router.get("/presets")
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


@router.get("/datasets")
def list_datasets(settings: AppSettings) -> Page[DatasetOffer]:
    """Every dataset: built in, or an `.npz` file in the data directory."""
    return Page(items=datasets_on_offer(settings))


def datasets_on_offer(settings: AppSettings) -> list[DatasetOffer]:
    """Built-in data first, then the files of the data directory."""
    offers = [
        DatasetOffer(name=name, summary=summary, built_in=True, shape=SHAPES[name][0], n_classes=SHAPES[name][1])
        for name, summary in BUILT_IN.items()
    ]
    files = (settings.data_dir / "datasets").glob("*.npz")
    names = sorted(path.stem for path in files if path.stem not in BUILT_IN)
    return offers + [
        DatasetOffer(name=name, summary=f"{name}.npz", built_in=False, shape=None, n_classes=None) for name in names
    ]


def _typed(name: str, kind: type[BaseModel], summary: str) -> TypedOffer:
    schema = kind.model_json_schema()
    return TypedOffer(name=name, summary=summary, description=schema.get("description", ""), json_schema=schema)


def _first_line(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _offer(preset: Preset) -> PresetOffer:
    return PresetOffer(name=preset.name, summary=preset.title, question=preset.question, minutes=preset.minutes)
