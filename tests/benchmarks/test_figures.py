import json

from benchmarks.contestants import Measurement
from benchmarks.figures import EngineFigures, Figures, lines
from benchmarks.fit_process import PLAIN, SHORTLIST, YARDSTICK
from benchmarks.profile import pieces_of
from benchmarks.rivals.task import Trained, outcome_of
from benchmarks.workloads import WORKLOADS


def _measured(*milliseconds: float) -> list[Measurement]:
    return [Measurement(seconds=value / 1e3, core_seconds=2 * value / 1e3) for value in milliseconds]


def _figures() -> Figures:
    strongest = SHORTLIST[1]
    figures = Figures(WORKLOADS["W2"], flops=0.9e9)
    figures.tried = {YARDSTICK: _measured(60)[0], strongest: _measured(30)[0]}
    figures.fits = {PLAIN: _measured(100, 300, 400), YARDSTICK: _measured(50, 70, 60), strongest: _measured(20, 30, 30)}
    figures.engines = {
        "tensorflow": EngineFigures(_measured(10, 10, 20)),
        "jax": EngineFigures(failure="no such layer"),
    }
    return figures


def test_ratios_are_medians_and_ranges_of_the_rounds_ratios() -> None:
    engine = _figures().summary()["engine"]["tensorflow"]

    assert engine["times_faster_than"]["plain"] == {"median": 20.0, "low": 10.0, "high": 30.0}
    assert engine["times_faster_than"]["strongest"] == {"median": 2.0, "low": 1.5, "high": 3.0}
    assert abs(engine["share_of_floor"] - 0.5) < 1e-9


def test_a_missed_target_and_a_failed_backend_are_seen_in_the_table() -> None:
    text = "\n".join(lines(_figures()))

    assert "20 (10-30), 25 !" in text
    assert "failed: no such layer" in text
    assert "not quiet" not in text


def test_a_busy_machine_is_seen_in_the_table() -> None:
    figures = _figures()
    figures.note_load(0.0, 0.7)
    figures.note_load(0.0, 0.1)

    assert any("up to 0.70 cores" in line for line in lines(figures))


def test_figures_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(_figures().summary()))["fit"]["strongest"]["how"] == SHORTLIST[1].title


def test_what_no_piece_explains_is_the_arithmetic() -> None:
    changed = {"everything": 100.0, "evaluation": 90.0, "dropout": 80.0, "order": 95.0, "Adam over SGD": 85.0}

    pieces = pieces_of(changed | {"a reading": 130.0})

    assert pieces["forward, backward, SGD"] == 50.0
    assert pieces["a reading"] == 30.0


def test_the_best_rate_is_the_one_of_the_highest_mean() -> None:
    done = [(0.0, 0.9), (0.0, 0.1), (0.5, 0.6), (0.5, 0.7)]

    outcome = outcome_of(Trained(rate=rate, seed=0, epochs=3, test_accuracy=score) for rate, score in done)

    assert (outcome.n_rates, outcome.n_trainings, outcome.n_epochs) == (2, 4, 12)
    assert abs(outcome.best_rate_test_accuracy - 0.65) < 1e-9
