"""The page of case studies: written from what was kept of finished studies."""

from pathlib import Path

import pytest

from benchmarks.case_studies.exports import FOLDER, Export, families, load, path_of, save
from benchmarks.case_studies.page import page
from search_spaces.presets import Figure, load_preset
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


def test_exports_are_of_presets_that_exist() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")}
    assert names <= {preset.name for pair in families() for preset in pair if preset is not None}
