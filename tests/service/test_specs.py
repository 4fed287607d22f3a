"""Specs: every refusal names the field, what was allowed and what came."""

import json
from pathlib import Path
from typing import Any

import pytest

from search_spaces.presets import load_preset, preset_names
from search_spaces.regularizers import REGULARIZERS
from service.documents import MAX_DOCUMENT_BYTES
from service.errors import InvalidStudySpecError
from service.specs import load_study, parse_spec

BASE: dict[str, Any] = {"name": "x", "dataset": "digits", "model": {"family": "mlp"}, "search": {"sampler": "grid"}}

NAN = float("nan")


def faults_of(data: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidStudySpecError) as refusal:
        parse_spec(data)
    return [(fault["field"], fault["expected"], fault["received"]) for fault in refusal.value.errors]


@pytest.mark.parametrize("name", preset_names())
def test_what_a_preset_prints_is_read_back_as_the_same_study(name: str) -> None:
    study = load_preset(name).study
    assert parse_spec(study.model_dump(mode="json")) == study


REFUSED: list[tuple[str, dict[str, Any], tuple[str, str, str]]] = [
    (
        "level out of range",
        {"regularizers": {"dropout": {"rate": {"grid": [0, 2]}}}},
        ("regularizers.dropout.rate", "a number from 0 to 0.95", "2"),
    ),
    (
        "word for a number",
        {"regularizers": {"dropout": {"rate": {"grid": [0, "a"]}}}},
        ("regularizers.dropout.rate", "a number from 0 to 0.95", "'a'"),
    ),
    (
        "null level",
        {"regularizers": {"dropout": {"rate": {"grid": [0, None]}}}},
        ("regularizers.dropout.rate.grid.1", "a number, a word, true or false", "null"),
    ),
    (
        "not a number at all",
        {"regularizers": {"dropout": {"rate": NAN}}},
        ("regularizers.dropout.rate", "a finite number, a word, true or false", "NaN"),
    ),
    (
        "list for a range",
        {"regularizers": {"dropout": {"rate": [0, 0.1]}}},
        (
            "regularizers.dropout.rate",
            "a number, a word, {grid: [...]}, {low, high, log?, step?} or {choices: [...]}",
            "[0, 0.1]",
        ),
    ),
    (
        "interval upside down",
        {"regularizers": {"dropout": {"rate": {"low": 0.5, "high": 0.1}}}},
        ("regularizers.dropout.rate", "low must be below high", "low 0.5 and high 0.1"),
    ),
    (
        "text for a bound",
        {"regularizers": {"dropout": {"rate": {"low": 0.5, "high": "a"}}}},
        ("regularizers.dropout.rate.high", "a number", '"a"'),
    ),
    (
        "unknown key in a range",
        {"regularizers": {"dropout": {"rate": {"grid": [0, 0.1], "x": 1}}}},
        ("regularizers.dropout.rate.x", "one of the keys grid", "x"),
    ),
    (
        "unknown regularizer",
        {"regularizers": {"dropuot": {"rate": 0.2}}},
        (
            "regularizers.dropuot",
            f"one of the keys {', '.join(REGULARIZERS)} (did you mean dropout?)",
            "dropuot",
        ),
    ),
    (
        "continuous range in a grid",
        {"regularizers": {"dropout": {"rate": {"low": 0.1, "high": 0.2}}}},
        (
            "regularizers.dropout.rate",
            "a grid, choices or an interval with step, since the sampler is grid",
            "a continuous interval",
        ),
    ),
    (
        "number for a regularizer",
        {"regularizers": {"l2": 0.1}},
        ("regularizers.l2", "a mapping with the keys optional, factor", "0.1"),
    ),
    (
        "unknown model",
        {"model": {"family": "mpl"}},
        ("model.family", "one of mlp, convnet, recurrent, layers, plugin (did you mean mlp?)", "mpl"),
    ),
    ("no model family", {"model": {}}, ("model.family", "one of mlp, convnet, recurrent, layers, plugin", "nothing")),
    (
        "key of another model",
        {"model": {"family": "mlp", "filters": [3]}},
        ("model.filters", "one of the keys family, hidden_units, activation", "filters"),
    ),
    (
        "zero units",
        {"model": {"family": "mlp", "hidden_units": [8, 0]}},
        ("model.hidden_units.1", "at least 1", "0"),
    ),
    (
        "option of another dataset",
        {"dataset": {"name": "digits", "noise": 1}},
        ("dataset.noise", "one of the keys name", "noise"),
    ),
    (
        "circles too small",
        {"dataset": {"name": "circles", "n_train": 99}},
        ("dataset", "n_train must be at most n_samples - 2 = 98", "99"),
    ),
    (
        "more informative features than features",
        {"dataset": {"name": "classification", "n_features": 4}},
        ("dataset", "n_informative must be at most n_features = 4", "5"),
    ),
    (
        "more classes than corners",
        {"dataset": {"name": "classification", "n_classes": 17}},
        ("dataset", "n_classes must be at most 2**(n_informative - 1) = 16", "17"),
    ),
    (
        "rarer words than the model embeds",
        {
            "dataset": {"name": "imdb", "vocabulary": 500},
            "preprocessing": "none",
            "model": {"family": "recurrent", "embedding": 4, "vocabulary": 499},
        },
        ("model.vocabulary", "at least the dataset's 500", "499"),
    ),
    (
        "reviews without an end",
        {"dataset": {"name": "imdb", "length": 2501}},
        ("dataset.length", "at most 2500", "2501"),
    ),
    (
        "sequences of rows of features",
        {"dataset": {"name": "classification", "n_features": 6}, "model": {"family": "recurrent"}},
        ("model.family", "mlp for examples of shape (6,)", "recurrent, which needs sequences (steps, features)"),
    ),
    (
        "convolutions over points",
        {"dataset": "circles", "model": {"family": "convnet"}},
        ("model.family", "mlp for examples of shape (2,)", "convnet, which needs images"),
    ),
    (
        "sequences of points",
        {"dataset": "circles", "model": {"family": "recurrent"}},
        ("model.family", "mlp for examples of shape (2,)", "recurrent, which needs sequences (steps, features)"),
    ),
    (
        "embedding of images",
        {
            "dataset": "digits",
            "preprocessing": "none",
            "model": {"family": "recurrent", "embedding": 4, "vocabulary": 9},
        },
        ("model.embedding", "nothing for examples of shape (8, 8, 1)", "a width, which needs sequences of numbers"),
    ),
    (
        "embedding of scaled numbers",
        {"dataset": "words", "model": {"family": "recurrent", "embedding": 4, "vocabulary": 9}},
        ("preprocessing", "none, since the model embeds whole numbers", "scale"),
    ),
    (
        "embedding without a vocabulary",
        {"dataset": "words", "model": {"family": "recurrent", "embedding": 4}},
        ("model", "embedding and vocabulary go together", "4 and None"),
    ),
    (
        "recurrent dropout in an mlp",
        {"regularizers": {"recurrent_dropout": {"rate": 0.2}}},
        ("regularizers.recurrent_dropout", "a model with recurrent layers", "mlp"),
    ),
    (
        "unknown sampler",
        {"search": {"sampler": "tpf"}},
        ("search.sampler", "one of grid, random, qmc, tpe (did you mean tpe?)", "tpf"),
    ),
    ("text for an integer", {"training": {"epochs": "10"}}, ("training.epochs", "an integer", '"10"')),
    ("float for an integer", {"training": {"epochs": 1.0}}, ("training.epochs", "an integer", "1.0")),
    (
        "text for a number",
        {"training": {"optimizer": {"learning_rate": "0.1"}}},
        ("training.optimizer.learning_rate", "a number", '"0.1"'),
    ),
    ("truth for an integer", {"seed": True}, ("seed", "an integer", "true")),
    ("huge integer", {"seed": 10**30}, ("seed", "below 2147483648", str(10**30))),
    (
        "unknown preprocessing",
        {"preprocessing": "zcb"},
        ("preprocessing.name", "one of none, scale, standardize, column_l2, zca (did you mean zca?)", "zcb"),
    ),
    (
        "epsilon of another preprocessing",
        {"preprocessing": {"name": "scale", "epsilon": 0.1}},
        ("preprocessing.epsilon", "one of the keys name", "epsilon"),
    ),
    (
        "epsilon of zero",
        {"preprocessing": {"name": "zca", "epsilon": 0}},
        ("preprocessing.epsilon", "at least 0.00000001", "0"),
    ),
    (
        "test data as objective",
        {"objective": {"metric": "test_accuracy"}},
        (
            "objective.metric",
            "'validation_accuracy', 'validation_balanced_accuracy' or 'validation_loss'",
            '"test_accuracy"',
        ),
    ),
    ("text for a list", {"tags": "abc"}, ("tags", "a list", '"abc"')),
    (
        "slash in a name",
        {"name": "a/b"},
        ("name", "text matching pattern '^[A-Za-z0-9 ._-]{1,100}$'", '"a/b"'),
    ),
]


@pytest.mark.parametrize(
    ("parts", "fault"), [case[1:] for case in REFUSED], ids=[case[0].replace(" ", "-") for case in REFUSED]
)
def test_a_wrong_spec_is_refused_by_field_allowed_and_received(
    parts: dict[str, Any], fault: tuple[str, str, str]
) -> None:
    assert faults_of(BASE | parts) == [fault]


def test_every_fault_is_told_at_once() -> None:
    faults = faults_of({"dataset": "digits", "buget": 1, "seed": -1})
    assert [field for field, _, _ in faults] == ["name", "seed", "buget"]
    assert faults[2][1].endswith("(did you mean budget?)")


@pytest.mark.parametrize("data", [None, [1], "text", 3], ids=["nothing", "list", "text", "number"])
def test_what_is_no_mapping_is_no_study(data: Any) -> None:
    field, expected, _ = faults_of(data)[0]
    assert field == "study"
    assert expected.startswith("a mapping with the keys name, tags, dataset")


def test_keys_and_text_that_json_cannot_hold_are_refused() -> None:
    assert faults_of({(1, 2): 3})[0][0] == "study"
    assert faults_of(BASE | {"name": "\ud800"})[0][0] == "study"


def test_a_study_is_loaded_by_the_name_of_its_preset() -> None:
    assert load_study("b-grid") == load_preset("b-grid").study


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_study_is_loaded_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"study{suffix}"
    path.write_text(json.dumps(BASE))
    assert load_study(str(path)) == parse_spec(BASE)


def test_a_name_near_a_preset_is_refused_with_a_hint() -> None:
    with pytest.raises(InvalidStudySpecError, match=r"did you mean demo\?.*received dmo"):
        load_study("dmo")


def test_a_file_that_holds_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("- 1\n- 2\n")
    with pytest.raises(InvalidStudySpecError, match=r"expected a mapping with the keys of a study, received \[1, 2\]"):
        load_study(str(path))


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b" " * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(InvalidStudySpecError, match=r"at most 1,048,576 bytes"):
        load_study(str(path))
