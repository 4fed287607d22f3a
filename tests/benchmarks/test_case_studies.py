"""The page of case studies: written from what was kept of finished studies."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from benchmarks.case_studies.comparison import gain
from benchmarks.case_studies.exports import FOLDER, Export, families, load, path_of, save
from benchmarks.case_studies.page import page
from search_spaces.presets import Figure, load_preset
from service.effects.intervals import interval_over_seeds
from service.effects.view import Difference, MeanInterval

PAGE = Path("docs/case-studies.md")


def test_the_page_is_what_the_command_writes_from_the_exports() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_case_study_has_its_section() -> None:
    text = page()
    for preset, _ in families():
        assert f"\n## {preset.name}\n" in text


@pytest.mark.parametrize("name", ["b-dropout", "b-grid-held-out"])
def test_an_export_is_read_as_it_was_saved_and_dropped_when_the_preset_asks_something_else(
    name: str, tmp_path: Path
) -> None:
    kept = load(name)
    assert kept is not None
    save(kept, tmp_path)
    assert load(name, tmp_path) == kept
    study = kept.study.model_copy(update={"seed": 5})
    changed = Export(**{**dict(kept), "study": study})
    path_of(name, tmp_path).write_text(changed.model_dump_json())
    assert load(name, tmp_path) is None


def ours(export: Export, figure: Figure) -> MeanInterval | Difference | None:
    """Our estimate of a figure."""
    effects = export.effects
    if not figure.at:
        return effects.best.test_accuracy if effects.best else None
    (value,) = figure.at.values()
    level = next(one for effect in effects.regularizers for one in effect.levels if one.value == value)
    return level.difference_from_off if figure.metric == "test_difference" else level.test_accuracy


@pytest.mark.parametrize(
    "name", ["b-base", "b-dropout", "b-dropout-held-out", "b-repeats", "b-repeats-held-out", "b-grid-held-out"]
)
def test_the_circles_agree_with_earlier_measurements_within_their_intervals(name: str) -> None:
    export = load(name)
    assert export is not None
    figures = [figure for figure in load_preset(name).figures if figure.reference is not None]
    assert figures
    for figure in figures:
        estimate = ours(export, figure)
        assert estimate is not None
        mean, low = estimate.mean, estimate.low
        assert mean is not None
        assert low is not None
        assert mean == pytest.approx(figure.reference, abs=mean - low + (figure.within or 0.0)), figure


def test_dropout_before_and_after_a_relu_cannot_be_told_apart() -> None:
    export = load("d-dropout-after")
    assert export is not None
    assert [effect.verdict for effect in export.effects.regularizers] == ["not separable"]


def export_of(accuracies: list[float]) -> Export:
    """An export whose best trial has these test accuracies."""
    kept = load("b-base")
    assert kept is not None
    assert kept.effects.best is not None
    rows = pd.DataFrame({"all": "all", "seed": range(len(accuracies)), "test_accuracy": accuracies})
    estimate = interval_over_seeds(rows, "all", "test_accuracy")["all"]
    best = kept.effects.best.model_copy(update={"n": len(accuracies), "test_accuracy": estimate})
    return kept.model_copy(update={"effects": kept.effects.model_copy(update={"best": best})})


def test_two_case_studies_are_compared_as_welch_compares_their_seeds() -> None:
    one, two = [0.97, 0.972, 0.969, 0.975], [0.961, 0.966, 0.963]
    expected = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    gained = gain(export_of(one), export_of(two))
    assert gained is not None
    assert gained.mean == pytest.approx(sum(one) / 4 - sum(two) / 3)
    assert gained.low == pytest.approx(expected.low)
    assert gained.high == pytest.approx(expected.high)


def test_nothing_is_said_of_a_comparison_with_one_seed() -> None:
    assert gain(export_of([0.9]), export_of([0.8, 0.81])) is None


def test_the_leap_is_the_division_of_pixels_and_not_the_whitening() -> None:
    unscaled, scaled, whitened = (load(name) for name in ("a-unscaled", "a-scaled", "a-zca"))
    assert unscaled
    assert scaled
    assert whitened
    divided, rotated = gain(scaled, unscaled), gain(whitened, scaled)
    assert divided
    assert divided.low is not None
    assert divided.low > 0
    assert rotated
    assert rotated.high is not None
    assert rotated.high < 0


def test_exports_are_of_presets_that_exist() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")}
    assert names <= {preset.name for pair in families() for preset in pair if preset is not None}
