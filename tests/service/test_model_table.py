"""A study's layers, described by a child process."""

import pytest

from service.errors import InvalidStudySpecError
from service.model_table import NoDescriptionError, describe_model, first_structure
from service.settings import Settings
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


def test_a_study_whose_regularizer_has_no_place_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    spec = small_grid(regularizers={"dropout": {"rate": 0.5, "sites": "convolution"}})
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
