"""What every regularizer's description promises: a real off, bounded knobs, and a model that has a place for it."""

from typing import Any

import pytest

from search_spaces.grids import grid_points
from search_spaces.ranges import Knob
from search_spaces.regularizers import REGULARIZERS
from search_spaces.values import Point, Scalar
from service.coordinator.group import CohortSize, QueuedReplicate, group
from service.errors import InvalidStudySpecError
from service.specs import parse_spec
from trials.protocol import Cohort

SWITCHED = [name for name in REGULARIZERS if name != "early_stopping"]
CONVNET = {"family": "convnet", "filters": [4], "residual": True}
RECURRENT = {"family": "recurrent", "units": [4]}
WORDS = RECURRENT | {"embedding": 3, "vocabulary": 10_000}
NO_HIDDEN_LAYER = {"family": "mlp", "hidden_units": []}


def study(regularizers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A study on images with a model that has every kind of place but recurrent layers."""
    searched: dict[str, Any] = {"sampler": "grid"}
    return (
        {"name": "x", "dataset": "digits", "model": CONVNET, "search": searched}
        | fields
        | {"regularizers": regularizers}
    )


def model_for(name: str) -> dict[str, Any]:
    return RECURRENT if name == "recurrent_dropout" else CONVNET


def dose(name: str) -> tuple[str, Knob]:
    return next(iter(REGULARIZERS[name].knobs().items()))


def strong(knob: Knob) -> Scalar:
    """A value at which it acts."""
    if knob.kind == "category":
        return next(word for word in knob.words if word != knob.off)
    return 2 if knob.kind == "int" else knob.maximum / 2


def cohorts(name: str, asked: dict[str, Any]) -> dict[bool, Cohort]:
    """The cohorts of a study of one regularizer, by whether it is off in them."""
    spec = parse_spec(study({name: asked}, model=model_for(name)))
    points = list(grid_points(spec))
    found = {}
    for number, point in enumerate(points):
        queued = [QueuedReplicate(number, number, 0, point)]
        (found[REGULARIZERS[name].is_off(point)],) = group("s", spec, queued, size=CohortSize(8), prefix="c")
    assert len(found) == len(points) == 2
    return found


@pytest.mark.parametrize("name", SWITCHED)
def test_the_dose_of_every_regularizer_has_a_value_that_is_off(name: str) -> None:
    knob_name, knob = dose(name)
    assert knob.off is not None
    assert knob.accepts(knob.off)
    assert REGULARIZERS[name].is_off({f"{name}.{knob_name}": knob.off})
    assert not REGULARIZERS[name].is_off({f"{name}.{knob_name}": strong(knob)})


@pytest.mark.parametrize("optional", [False, True], ids=["off value", "optional"])
@pytest.mark.parametrize("name", SWITCHED)
def test_off_reaches_training_as_structure_and_values_that_are_off(name: str, *, optional: bool) -> None:
    knob_name, knob = dose(name)
    asked: dict[str, Any] = {knob_name: strong(knob)} if optional else {knob_name: {"grid": [knob.off, strong(knob)]}}
    found = cohorts(name, asked | {"optional": True} if optional else asked)
    key = f"{name}.{knob_name}"
    if knob.role == "structural":
        assert {is_off: cohort.structure[key] for is_off, cohort in found.items()} == {
            True: knob.off,
            False: strong(knob),
        }
    else:
        assert found[True].lanes[0].settings.get(key, knob.off) == knob.off
        assert found[False].lanes[0].settings[key] == strong(knob)
        assert found[True].structure == found[False].structure


def bounded() -> list[tuple[str, str, Knob]]:
    return [(name, knob_name, knob) for name, kind in REGULARIZERS.items() for knob_name, knob in kind.knobs().items()]


@pytest.mark.parametrize(
    ("name", "knob_name", "knob"), bounded(), ids=[f"{name}.{knob}" for name, knob, _ in bounded()]
)
def test_a_value_out_of_bounds_is_refused_with_field_bounds_and_value(name: str, knob_name: str, knob: Knob) -> None:
    first, first_knob = dose(name)
    wrong = "sideways" if knob.kind == "category" else -1
    with pytest.raises(InvalidStudySpecError) as refusal:
        parse_spec(study({name: {first: strong(first_knob)} | {knob_name: wrong}}, model=model_for(name)))
    (fault,) = refusal.value.errors
    assert fault["field"] == f"regularizers.{name}.{knob_name}"
    assert fault["expected"] == knob.expected()
    assert fault["received"] == repr(wrong)


HIDDEN_LAYERS = "a model with dense layers or recurrent layers or convolutions"

HOMELESS: list[tuple[str, Point, dict[str, Any], str, str]] = [
    ("spatial_dropout", {"rate": 0.1}, {"model": {"family": "mlp"}}, "", "a model with convolutions or an embedding"),
    ("stochastic_depth", {"rate": 0.1}, {"model": CONVNET | {"residual": False}}, "", "a model with residual blocks"),
    ("recurrent_dropout", {"rate": 0.1}, {}, "", "a model with recurrent layers"),
    ("dropout", {"rate": 0.1}, {"model": NO_HIDDEN_LAYER}, ".sites", "a model with dense layers or recurrent layers"),
    ("l1", {"factor": 0.1}, {"model": NO_HIDDEN_LAYER}, "", HIDDEN_LAYERS),
    ("l2", {"factor": 0.1}, {"model": {"family": "layers", "layers": [{"kind": "flatten"}]}}, "", HIDDEN_LAYERS),
    ("max_norm", {"value": 0.1}, {"model": NO_HIDDEN_LAYER}, "", HIDDEN_LAYERS),
    (
        "gaussian_noise",
        {"stddev": 0.1, "sites": "convolution"},
        {"model": {"family": "mlp"}},
        ".sites",
        "a model with convolutions",
    ),
    (
        "batch_norm",
        {"placement": "before_activation"},
        {"model": RECURRENT},
        "",
        "a model with dense layers or convolutions",
    ),
    (
        "mixup",
        {"alpha": 0.1},
        {"model": WORDS, "dataset": "imdb", "preprocessing": "none"},
        "",
        "a model of examples that can be blended",
    ),
    (
        "cutmix",
        {"alpha": 0.1},
        {"model": RECURRENT, "dataset": "digits_rows"},
        "",
        "nothing for examples of shape (8, 8)",
    ),
    (
        "augmentation",
        {"policy": "shift"},
        {"model": {"family": "mlp"}, "dataset": "circles"},
        "",
        "nothing for examples of shape (2,)",
    ),
]


@pytest.mark.parametrize(("name", "asked", "fields", "field", "expected"), HOMELESS, ids=[row[0] for row in HOMELESS])
def test_a_regularizer_without_a_place_is_refused_before_training(
    name: str, asked: Point, fields: dict[str, Any], field: str, expected: str
) -> None:
    with pytest.raises(InvalidStudySpecError) as refusal:
        parse_spec(study({name: asked}, **fields))
    (fault,) = refusal.value.errors
    assert (fault["field"], fault["expected"]) == (f"regularizers.{name}{field}", expected)


@pytest.mark.parametrize(
    ("regularizers", "layers"),
    [
        ({"spatial_dropout": {"rate": 0.1}}, [{"kind": "conv2d", "filters": 2, "kernel_size": 3}, {"kind": "flatten"}]),
        ({"dropout": {"rate": 0.1}}, [{"kind": "flatten"}, {"kind": "dense", "units": 3}]),
        ({"dropout": {"rate": 0.1}}, [{"kind": "flatten"}, {"kind": "dropout"}]),
        ({"recurrent_dropout": {"rate": 0.1}}, [{"kind": "rows"}, {"kind": "gru", "units": 3}]),
        ({"batch_norm": {"placement": "none"}}, [{"kind": "flatten"}]),
        ({"gaussian_noise": {"stddev": 0.1}}, [{"kind": "flatten"}]),
    ],
    ids=["a convolution", "a hidden layer", "a marked place", "a recurrent layer", "nothing to normalize", "inputs"],
)
def test_a_list_of_layers_has_the_places_of_its_layers(regularizers: dict[str, Any], layers: list[Any]) -> None:
    assert parse_spec(study(regularizers, model={"family": "layers", "layers": layers}))
