import pytest

from search_spaces.spec import StudySpec
from service.pages.words import question


def spec_of(**parts: object) -> StudySpec:
    return StudySpec.model_validate({"name": "words", "dataset": "digits", "search": {"sampler": "grid"}, **parts})


def facts_of(**parts: object) -> dict[str, str]:
    return {fact.label: fact.text for fact in question(spec_of(**parts)).facts}


@pytest.mark.parametrize(
    ("regularizers", "headline"),
    [
        ({}, "How well does an MLP on digits do without any regularizer"),
        ({"dropout": {"rate": {"grid": [0.0, 0.5]}}}, "Does dropout make an MLP on digits generalize better"),
        (
            {"early_stopping": {"patience": 3}, "dropout": {"rate": 0.1}, "l2": {"factor": 0.1}},
            "Do dropout, L2 and early stopping make an MLP on digits generalize better",
        ),
    ],
    ids=["none", "one", "three"],
)
def test_the_headline_names_regularizers_model_and_data(regularizers: dict[str, object], headline: str) -> None:
    assert question(spec_of(regularizers=regularizers)).headline.startswith(headline)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"rate": 0.25}, "rate 0.25"),
        ({"rate": {"grid": [0.0, 0.2, 0.4]}}, "rate 0, 0.2, 0.4"),
        ({"rate": {"low": 0.0, "high": 0.8, "step": 0.2}}, "rate 0 to 0.8 in steps of 0.2"),
        ({"rate": {"choices": [0.1, 0.2]}, "optional": True}, "rate 0.1, 0.2, or off"),
        ({"rate": 0.5, "placement": "before_activation"}, "rate 0.5; placement before activation"),
    ],
    ids=["fixed", "grid", "steps", "optional", "structural knob"],
)
def test_each_regularizer_is_told_with_its_ranges(asked: dict[str, object], text: str) -> None:
    assert facts_of(regularizers={"dropout": asked})["dropout"] == text


def test_a_log_range_is_told_as_such() -> None:
    facts = facts_of(
        regularizers={"l2": {"factor": {"low": 1e-6, "high": 1e-2, "log": True}}},
        search={"sampler": "random", "pruner": "median"},
        budget={"trials": 20, "replicates": 3},
    )

    assert facts["L2"] == "factor 1e-6 to 0.01 on a log scale"
    assert (
        facts["search"] == "random: independent uniform draws, at most 20 trials, median pruner; 3 replicates per trial"
    )


def test_a_stored_study_is_told_as_it_was_asked_without_its_defaults() -> None:
    asked = spec_of(regularizers={"dropout": {"rate": 0.5}})

    stored = StudySpec.model_validate(asked.model_dump(mode="json"))

    assert question(stored) == question(asked)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ({"family": "mlp", "hidden_units": [64, 32]}, "mlp, 64-32 hidden units, relu"),
        ({"family": "mlp", "hidden_units": []}, "mlp, no hidden layer, relu"),
        (
            {"family": "convnet", "filters": [8, 16], "hidden_units": [32]},
            "convnet, convolutions 8-16 (3×3), 32 hidden units, relu",
        ),
        ({"family": "convnet", "filters": [8], "hidden_units": []}, "convnet, convolutions 8 (3×3), relu"),
        (
            {"family": "convnet", "filters": [8], "width": 0.5, "convolutions_per_block": 2, "residual": True},
            "convnet, 2 residual convolutions a block, 4 (3×3), 64 hidden units, relu",
        ),
        (
            {"family": "layers", "layers": [{"kind": "flatten"}, {"kind": "dense", "units": 3}, {"kind": "dropout"}]},
            "layers, flatten, dense 3, dropout",
        ),
        ({"family": "plugin", "name": "mine", "options": {"units": 4}}, "plugin, mine: units 4"),
        ({"family": "recurrent", "units": [8, 4]}, "recurrent, LSTM 8-4"),
        (
            {
                "family": "recurrent",
                "cell": "gru",
                "units": [8],
                "bidirectional": True,
                "hidden_units": [5],
                "activation": "tanh",
            },
            "recurrent, bidirectional GRU 8, 5 hidden units, tanh",
        ),
    ],
    ids=[
        "mlp",
        "mlp without hidden layers",
        "convnet",
        "convnet without dense layers",
        "residual convnet",
        "layers",
        "plugin",
        "recurrent",
        "recurrent with dense layers",
    ],
)
def test_the_model_is_described_by_its_layers(model: dict[str, object], text: str) -> None:
    assert facts_of(model=model)["model"] == text


def test_an_as_published_study_says_that_test_data_validate() -> None:
    assert facts_of(evaluation={"protocol": "as_published"})["validation"] == "the test set itself, as published"


def test_a_held_out_study_says_where_validation_data_come_from() -> None:
    facts = facts_of(evaluation={"validation_fraction": 0.1, "split": "last"})

    assert facts["validation"] == "10% of the training data, its last rows"


def test_training_names_the_optimizer_with_what_was_changed_about_it() -> None:
    optimizer = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}
    training = {"epochs": 5, "optimizer": {**optimizer, "schedule": "cosine"}, "class_weights": "balanced"}
    told = facts_of(training=training)
    assert (
        "5 epochs, batch size 32, sgd at learning rate 0.1, cosine schedule, Nesterov momentum 0.9, weight decay 0.01, "
        "balanced class weights"
    ) in told.values()
    assert "5 epochs, batch size 32, adam at learning rate 0.001" in facts_of(training={"epochs": 5}).values()
