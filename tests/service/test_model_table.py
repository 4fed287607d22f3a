"""A study's layers, described by a child process."""

import os
from pathlib import Path

import pytest

from service.errors import InvalidStudySpecError
from service.model_table import NoDescriptionError, describe_model, first_structure
from service.settings import Settings
from tests.builders import EXAMPLE, make_visible
from tests.specs import small_grid

MANY = {"choices": ["after_activation", "before_activation"]}


def test_structural_knobs_are_shown_at_their_first_value_that_is_not_off() -> None:
    asked = {
        "dropout": {"rate": 0.5, "placement": MANY},
        "batch_norm": {"placement": {"choices": ["none", "before_activation"]}},
    }
    structure = first_structure(small_grid(regularizers=asked))
    assert structure["dropout.placement"] == "after_activation"
    assert structure["batch_norm.placement"] == "before_activation"


def test_a_regularizer_that_finds_no_place_in_a_builders_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make_visible(tmp_path, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(EXAMPLE)]))
    regularizers = {"dropout": {"rate": 0.5, "sites": "convolution"}}
    spec = small_grid(model={"family": "plugin", "name": "wide_and_deep"}, regularizers=regularizers)
    with pytest.raises(InvalidStudySpecError) as error:
        describe_model(spec, Settings(data_dir=tmp_path_factory.mktemp("data")))
    assert error.value.errors == [
        {
            "field": "regularizers.dropout.sites",
            "expected": "layers of kind 'convolution' before the logits",
            "received": "the model has none",
        }
    ]


def test_a_machine_that_cannot_train_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), trainer_memory_bytes=2**27)
    with pytest.raises(NoDescriptionError, match="the layers cannot be shown: "):
        describe_model(small_grid(), settings)
