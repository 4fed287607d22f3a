import math

import pytest

from service.pages.curves import MAX_POINTS, CurveSeries, summarize
from service.views import CurveView, ReplicateView, TrialView
from trials.protocol import Metrics


def replicate(values: list[float | None] | None, *, last_epoch: int | None = None, seed: int = 0) -> ReplicateView:
    curve = None if values is None else CurveView(n_epochs=len(values), metrics={"validation_accuracy": values})
    return ReplicateView(
        id=seed,
        seed=seed,
        state="running",
        metrics=Metrics(),
        selected_epoch=None,
        last_epoch=last_epoch,
        n_epochs=0 if values is None else len(values),
        reason=None,
        curve=curve,
    )


def trial(*replicates: ReplicateView) -> TrialView:
    return TrialView(
        number=7, state="running", origin="grid", parameters={}, reason=None, metrics={}, replicates=list(replicates)
    )


def validation(*replicates: ReplicateView) -> CurveSeries:
    return summarize([trial(*replicates)], "accuracy").trials[0].series["validation"]


def test_the_curve_is_the_mean_over_replicates_with_one_standard_error_around_it() -> None:
    series = validation(replicate([0.5, 0.6]), replicate([0.7, 0.8]))

    assert series.epoch == [1, 2]
    assert series.mean == pytest.approx([0.6, 0.7])
    standard_error = math.sqrt(0.02) / math.sqrt(2)
    assert series.high[0] - series.mean[0] == pytest.approx(standard_error, rel=1e-3)
    assert series.n == [2, 2]


def test_the_band_of_a_single_replicate_is_its_line() -> None:
    series = validation(replicate([0.5, 0.6]))

    assert series.low == series.mean == series.high


def test_the_curve_ends_where_fewer_than_half_of_the_replicates_train() -> None:
    series = validation(replicate([0.1] * 2), replicate([0.1] * 4), replicate([0.1] * 9))

    assert series.epoch == [1, 2, 3, 4]


def test_epochs_after_a_replicates_own_stop_do_not_count() -> None:
    assert validation(replicate([0.1, 0.2, 0.3, 0.4], last_epoch=1)).epoch == [1, 2]


def test_epochs_that_were_not_read_are_left_out() -> None:
    assert validation(replicate([0.1, None, 0.3])).epoch == [1, 3]


@pytest.mark.parametrize("values", [None, [], [None, None]], ids=["no curve", "no epoch", "nothing read"])
def test_a_trial_without_values_has_no_series(values: list[float | None] | None) -> None:
    assert summarize([trial(replicate(values))], "accuracy").trials[0].series == {}


def test_a_measure_that_was_not_logged_has_no_series() -> None:
    assert summarize([trial(replicate([0.1]))], "loss").trials[0].series == {}


def test_a_long_curve_is_thinned_and_keeps_both_ends() -> None:
    series = validation(replicate([0.5] * 4000))

    assert len(series.epoch) == MAX_POINTS
    assert (series.epoch[0], series.epoch[-1]) == (1, 4000)
