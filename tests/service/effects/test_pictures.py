import csv
import io
import json
import struct
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from rich.console import Console

from search_spaces.values import Point
from service.effects.curve_figures import bands
from service.effects.estimate import estimate
from service.effects.export import effects_csv
from service.effects.figures import figures
from service.effects.html import effects_html
from service.effects.palette import SERIES
from service.effects.png import DOTS_PER_INCH, effects_png
from service.effects.records import StudyRecord
from service.effects.table import effects_table
from tests.service.effects.studies import make_record, make_spec, rate
from trials.curves import CURVE_METRICS, Curve

HOSTILE = '<img src=x onerror="alert(1)"> $x$ [red]'

FULL = {
    "dropout": {"rate": {"grid": [0.0, 0.2, 0.8]}},
    "l2": {"factor": {"grid": [1e-5, 1e-3]}, "optional": True},
    "augmentation": {"policy": {"choices": ["none", "shift"]}},
    "early_stopping": {"patience": {"choices": [2, 5]}},
}


def falling_curve(_: Point, seed: int) -> Curve:
    curve = np.full((len(CURVE_METRICS), 20), np.nan, np.float32)
    curve[CURVE_METRICS.index("validation_accuracy")] = 0.5 + seed / 100 + np.arange(20) / 100
    curve[CURVE_METRICS.index("test_accuracy"), ::5] = 0.6
    return curve


@pytest.fixture(scope="module")
def full() -> StudyRecord:
    rng = np.random.default_rng(0)

    def accuracies(point: Point, _: int) -> tuple[float, float, float]:
        mean = 0.7 + {0.0: 0.0, 0.2: 0.03, 0.8: -0.03}[rate(point)]
        return 0.9, mean + rng.normal(0, 0.01), mean + rng.normal(0, 0.005)

    spec = make_spec(FULL, training={"epochs": 20})
    return make_record(spec, accuracies, seeds=range(4), name=HOSTILE, curve=falling_curve)


def test_csv_parses_back_to_one_row_per_level(full: StudyRecord) -> None:
    effects = estimate(full)
    rows = list(csv.DictReader(io.StringIO(effects_csv(effects))))
    levels = [level for effect in effects.regularizers for level in effect.levels]
    assert len(rows) == len(levels) == 10
    assert float(rows[1]["test_accuracy_mean"]) == levels[1].test_accuracy.mean
    assert levels[1].difference_from_off is not None
    assert float(rows[1]["difference_mean"]) == levels[1].difference_from_off.mean
    assert rows[0]["difference_mean"] == ""
    assert rows[0]["verdict"] == "helps"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"], ids=["equals", "plus", "minus", "at", "tab"])
def test_csv_text_never_starts_a_formula(start: str) -> None:
    record = make_record(make_spec({"dropout": {"rate": 0.2}}), lambda _, __: (1.0, 0.8, 0.7), name=f"{start}cmd()")
    (row,) = csv.DictReader(io.StringIO(effects_csv(estimate(record))))
    assert row["study"] == f"'{start}cmd()"


def test_negative_numbers_stay_numbers_in_csv(full: StudyRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(effects_csv(estimate(full)))))
    assert float(rows[2]["difference_mean"]) < 0


def test_table_says_verdicts_picks_and_noise_floor_in_80_columns(full: StudyRecord) -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(effects_table(estimate(full)))
    text = console.export_text()
    lines = " ".join(text.split())
    assert "dropout helps: at rate 0.2 test accuracy rises by" in lines
    assert "Noise floor: with everything off" in lines
    assert "Most regularized within one standard error: trial" in lines
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_every_figure_is_valid_plotly_with_words_and_few_points(full: StudyRecord) -> None:
    found = figures(estimate(full), full)
    assert list(found)[:6] == [
        "differences",
        "dose_dropout",
        "dose_l2",
        "dose_augmentation",
        "dose_early_stopping",
        "patience",
    ]
    assert "interaction_dropout_l2" in found
    assert any(name.startswith("learning_") for name in found)
    for figure in found.values():
        drawn = go.Figure(figure)
        assert drawn.layout.title.text
        assert drawn.layout.xaxis.title.text
        assert sum(len(trace["x"]) for trace in figure["data"]) <= 2000
        json.dumps(figure, allow_nan=False)


def test_dose_figure_shows_every_replicate_and_off_at_the_left(full: StudyRecord) -> None:
    figure = figures(estimate(full), full)["dose_l2"]
    points = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert [len(trace["x"]) for trace in points] == [len(full.replicates)] * 3
    assert figure["layout"]["xaxis"]["ticktext"] == ["off", "1e-05", "0.001"]
    assert figure["layout"]["xaxis"]["tickvals"][1:] == pytest.approx([-5, -3])
    assert figure["layout"]["xaxis"]["tickvals"][0] < -5


def test_many_replicates_are_thinned_and_the_title_says_so() -> None:
    record = make_record(make_spec({"dropout": {"rate": 0.2}}), lambda _, __: (1.0, 0.8, 0.7), seeds=range(1000))
    figure = figures(estimate(record), record)["dose_dropout"]
    assert "600 of 1,000 replicates drawn" in figure["layout"]["title"]["text"]
    assert len(figure["data"][0]["x"]) == 600


def test_train_validation_and_test_have_the_same_colours_in_every_figure(full: StudyRecord) -> None:
    colours = {name: colour for name, colour, _ in SERIES.values()}
    found = figures(estimate(full), full)
    lines = [trace for figure in found.values() for trace in figure["data"] if trace.get("name") in colours]
    assert {trace["name"] for trace in lines} == set(colours)
    assert all(trace["line"]["color"] == colours[trace["name"]] for trace in lines)


def test_learning_curve_is_shown_where_at_least_half_of_the_seeds_were_read(full: StudyRecord) -> None:
    found = bands(full, 0)
    assert found["test_accuracy"].epochs == [1, 6, 11, 16]
    assert found["validation_accuracy"].mean[0] == pytest.approx(0.515)
    assert "train_accuracy" not in found


def test_forest_colours_levels_by_whether_they_are_separable(full: StudyRecord) -> None:
    traces = {trace["name"]: trace for trace in figures(estimate(full), full)["differences"]["data"]}
    assert traces["better"]["x"][0] > 0
    assert traces["worse"]["x"][0] < 0
    assert len(traces["not separable from noise"]["x"]) == 4


@pytest.mark.parametrize(
    ("regularizers", "words"),
    [
        ({"dropout": {"rate": {"grid": [0.0, 0.2]}}}, "from off "),
        ({"early_stopping": {"patience": {"grid": [2, 5]}}}, "from off or the level named "),
    ],
    ids=["off", "no off"],
)
def test_differences_are_said_to_be_from_what_they_are_from(regularizers: dict[str, object], words: str) -> None:
    record = make_record(make_spec(regularizers), lambda _, seed: (1.0, 0.8, 0.7 + seed / 100), seeds=range(3))
    effects = estimate(record)
    assert words in figures(effects, record)["differences"]["layout"]["xaxis"]["title"]["text"]
    assert f"difference {words}(points)" in effects_html(effects, record)


def test_study_without_replicates_has_no_figures_and_still_a_report() -> None:
    record = make_record(make_spec({"dropout": {"rate": 0.2}}), lambda _, __: (1.0, 0.8, 0.7), points=[])
    effects = estimate(record)
    assert figures(effects, record) == {}
    assert "Nothing has been measured yet." in effects_html(effects, record)


def png_size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_png_has_a_panel_beside_the_forest_for_each_regularizer(full: StudyRecord, tmp_path: Path) -> None:
    effects_png(estimate(full), full, tmp_path / "effects.png")
    width, height = png_size((tmp_path / "effects.png").read_bytes())
    assert width == pytest.approx(3 * 5.6 * DOTS_PER_INCH, abs=1)
    assert height > 8 * DOTS_PER_INCH


@pytest.mark.parametrize(
    "regularizers",
    [{}, {"dropout": {"rate": 0.2}}, {"dropout": {"rate": {"grid": [0.0, 0.5]}}}],
    ids=["none", "one level", "two levels"],
)
def test_png_is_drawn_for_small_studies(regularizers: dict[str, object]) -> None:
    record = make_record(make_spec(regularizers), lambda _, __: (None, 0.8, 0.7), seeds=[0], name=HOSTILE)
    buffer = io.BytesIO()
    effects_png(estimate(record), record, buffer)
    assert png_size(buffer.getvalue())[0] == pytest.approx(2 * 5.6 * DOTS_PER_INCH, abs=1)


def test_report_holds_sentences_figures_and_escapes_names(full: StudyRecord) -> None:
    effects = estimate(full)
    page = effects_html(effects, full)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=" in page
    for effect in effects.regularizers:
        assert effect.sentence in page
    assert 'id="dose_dropout"' in page
    assert page.count("plotly.js v") == 1
    assert "As published" not in page


def test_report_of_a_study_as_published_has_its_badge() -> None:
    spec = make_spec({"dropout": {"rate": 0.4}}, evaluation={"protocol": "as_published"})
    record = make_record(spec, lambda _, __: (1.0, 0.8, 0.8))
    assert '<p class="badge">As published' in effects_html(estimate(record), record)
