"""Presets: each is valid, and says what the source says."""

import pytest

from search_spaces.grids import count_grid, grid_points
from search_spaces.presets import UnknownPresetError, load_preset, preset_names

TWINS = [name for name in preset_names() if load_preset(name).study.evaluation.protocol == "as_published"]


def test_the_case_studies_of_the_sources_are_there() -> None:
    a = ("base", "l2", "l1", "dropout", "unscaled", "scaled", "zca", "augmentation", "early-stopping", "search")
    b = ("base", "dropout", "input-dropout", "max-norm", "repeats", "grid")
    layers: tuple[str, ...] = (
        "between",
        "visible",
        "mlp",
        "cnn",
        "cnn-spatial",
        "lstm",
        "lstm-input",
        "lstm-variational",
    )
    layers += ("bidirectional", "monte-carlo")
    wanted = {f"a-{row}" for row in a} | {f"b-{row}" for row in b} | {f"b-layers-{row}" for row in layers}
    wanted |= {"c-mlp", "c-lstm", "c-convnet", "c-placement", "d-base", "d-dropout", "d-dropout-after", "cocktail"}
    assert wanted | {f"{name}-held-out" for name in TWINS} <= set(preset_names())
    assert set(TWINS) >= {f"a-{row}" for row in a} | {f"b-{row}" for row in b}


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_a_valid_study_that_says_where_it_comes_from(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == preset.study.name == name
    assert preset.source
    assert preset.question.count(".") + preset.question.count("?") >= 1
    if preset.study.search.sampler == "grid":
        assert sum(1 for _ in grid_points(preset.study)) == count_grid(preset.study) >= 1


@pytest.mark.parametrize("name", TWINS)
def test_a_preset_that_selects_on_test_data_has_a_twin_that_differs_in_that_alone(name: str) -> None:
    published, corrected = load_preset(name).study, load_preset(f"{name}-held-out").study
    assert published.evaluation.protocol == "as_published"
    assert corrected.evaluation.protocol == "held_out"
    same = published.model_copy(
        update={"evaluation": corrected.evaluation, "name": corrected.name, "tags": corrected.tags}
    )
    assert same == corrected


def test_the_grid_on_circles_goes_from_0_to_nine_tenths_with_30_seeds() -> None:
    study = load_preset("b-grid").study
    rates = [point["dropout.rate"] for point in grid_points(study)]
    assert rates == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert (study.budget.replicates, study.training.epochs, study.preprocessing.name) == (30, 4000, "none")


def test_mnist_dropout_sits_before_the_activation_and_validates_on_the_last_tenth() -> None:
    study = load_preset("d-dropout").study
    assert {point["dropout.placement"] for point in grid_points(study)} == {"before_activation"}
    assert (study.evaluation.split, study.evaluation.validation_fraction) == ("last", 0.1)
    assert study.preprocessing.name == "column_l2"


def test_the_demo_asks_about_four_regularizers_on_real_images() -> None:
    study = load_preset("demo").study
    assert [name for name, _ in study.regularizers.items()] == ["dropout", "l2", "augmentation", "early_stopping"]
    assert study.dataset.name == "mnist_5k"


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownPresetError, match=r"expected one of a-augm.*; received 'nope'"):
        load_preset("nope")
