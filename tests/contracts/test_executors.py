"""What every executor promises, once with real training and once with training that needs no TensorFlow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.trials.executors.cohorts import converse, make_cohort, next_event, wait_until_free
from trials.curves import row, unpack
from trials.executors import EXECUTORS, Executor, ExecutorSettings, make_executor
from trials.protocol import Cohort, CohortFinished, CohortLost, CohortRefused, SegmentReport, Verdicts

REPOSITORY = Path(__file__).resolve().parents[2]
BEHAVE = "tests.trials.executors.training_functions:behave"


@pytest.fixture(scope="module", params=list(EXECUTORS))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    with make(request, tmp_path_factory.mktemp(request.param)) as executor:
        yield executor


@pytest.fixture(scope="module", params=list(EXECUTORS))
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        with make(request, tmp_path_factory.mktemp(request.param), train=BEHAVE) as executor:
            yield executor


@pytest.fixture
def executor(shared: Executor) -> Iterator[Executor]:
    """An executor without a cohort under way. One serves many tests, as a cluster takes seconds to reach."""
    submitted: list[Cohort] = []
    submit = shared.submit

    def noted(cohort: Cohort) -> None:
        submit(cohort)
        submitted.append(cohort)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "submit", noted)
        yield shared
    for cohort in submitted:
        shared.cancel(cohort.cohort_id)
    wait_until_free(shared)


def make(request: pytest.FixtureRequest, folder: Path, train: str = "trials.train:train") -> Executor:
    address = request.getfixturevalue("ray_cluster").address if request.param == "ray" else ""
    settings = ExecutorSettings(datasets_dir=folder, logs_dir=folder / "logs", train=train, ray_address=address)
    return make_executor(request.param, settings)


def test_real_lanes_train_to_the_end_with_exactly_one_result_each(trained: Executor) -> None:
    cohort = make_cohort({"dropout.rate": 0.0}, {"dropout.rate": 0.5}, {"dropout.rate": 0.9}, epochs=30)

    events = converse(trained, cohort)

    assert isinstance(events[-1], CohortFinished), events[-1]
    reports = [event for event in events[:-1] if isinstance(event, SegmentReport)]
    results = [result for report in reports for lane in report.lanes for result in lane.results]
    assert sorted(result.replicate_id for result in results) == [0, 1, 2]
    assert all(result.state == "complete" for result in results)
    accuracy = {r.replicate_id: r.metrics.test_accuracy or 0.0 for r in results}
    assert accuracy[0] > 0.5
    curves = {lane.lane_id: unpack(lane.curve) for report in reports for lane in report.lanes}
    assert row(curves[0], "validation_loss").shape == (30,)
    assert np.isfinite(row(curves[0], "validation_loss")).all()


def test_data_that_cannot_be_had_refuse_the_cohort_with_the_path(trained: Executor) -> None:
    [refused] = converse(trained, make_cohort(dataset="nowhere"))

    assert isinstance(refused, CohortRefused)
    assert "nowhere.npz" in refused.reason
    assert "mnist_5k" in refused.reason


def test_a_refused_cohort_leaves_the_slot_free_for_the_next(executor: Executor) -> None:
    [refused] = converse(executor, make_cohort(behaviour="refuse"))

    assert refused == CohortRefused(
        cohort_id=refused.cohort_id, reason="dataset: expected a file /nowhere/x.npz; received nothing"
    )
    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_a_verdict_ends_its_replicate_and_no_other(executor: Executor) -> None:
    events = converse(executor, make_cohort({}, {}, epochs=4), stop=lambda r: (0,) if r.lanes[0].n_epochs == 2 else ())

    reported = [[lane.lane_id for lane in event.lanes] for event in events if isinstance(event, SegmentReport)]
    assert reported == [[0, 1], [0, 1], [1], [1]]


def test_curves_arrive_byte_for_byte(executor: Executor) -> None:
    report = converse(executor, make_cohort(epochs=1))[0]

    assert isinstance(report, SegmentReport)
    assert report.lanes[0].curve == bytes(range(256))


def test_training_waits_for_the_answer(executor: Executor) -> None:
    executor.submit(make_cohort())
    assert isinstance(next_event(executor), SegmentReport)

    assert executor.poll(0.2) == []


def test_an_answer_for_another_cohort_is_ignored(executor: Executor) -> None:
    executor.submit(make_cohort())
    next_event(executor)

    executor.answer(Verdicts(cohort_id="another"))

    assert executor.poll(0.2) == []


def test_an_error_in_training_loses_the_cohort_and_is_named(executor: Executor) -> None:
    [lost] = converse(executor, make_cohort(behaviour="fail"))

    assert lost == CohortLost(cohort_id=lost.cohort_id, cause="abort", reason="ArithmeticError: a shape does not fit")


def test_a_cohort_beyond_the_free_slots_is_an_error(executor: Executor) -> None:
    executor.submit(make_cohort())

    assert executor.n_slots == 1
    assert executor.free_slots() == 0
    with pytest.raises(RuntimeError, match="free slot"):
        executor.submit(make_cohort())


def test_a_cancelled_cohort_is_lost_once_and_the_next_one_trains(executor: Executor) -> None:
    cohort = make_cohort()
    executor.submit(cohort)
    next_event(executor)

    executor.cancel(cohort.cohort_id)
    executor.cancel(cohort.cohort_id)

    lost = next_event(executor)
    assert isinstance(lost, CohortLost)
    assert lost.cause == "cancelled"
    assert executor.poll(0.0) == []
    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_cancelling_an_unknown_cohort_does_nothing(executor: Executor) -> None:
    executor.cancel("unknown")

    assert executor.poll(0.0) == []


def test_a_cohort_over_its_time_limit_is_lost(executor: Executor) -> None:
    cohort = make_cohort(epochs=100_000, max_seconds=0.5)

    lost = converse(executor, cohort)[-1]

    assert isinstance(lost, CohortLost)
    assert lost.cause == "deadline"
    assert "0.5 s" in lost.reason


def test_close_may_be_called_twice_and_frees_the_slots(executor: Executor) -> None:
    executor.submit(make_cohort())

    executor.close()
    executor.close()

    assert executor.free_slots() == 1


def test_an_unknown_executor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"expected one of processes, ray, inline; received cloud"):
        make_executor("cloud", ExecutorSettings(datasets_dir=Path(), logs_dir=Path()))
