import importlib.util
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ray_cluster import RayCluster, start_cluster
from tests.trials.executors.cohorts import converse, make_cohort, next_event, next_loss, next_report, wait_until_free
from trials.executors import ExecutorMissingError, ExecutorSettings, make_executor
from trials.executors.ray import RayExecutor
from trials.protocol import Cohort, CohortFinished, CohortLost, CohortRefused, SegmentReport, Verdicts

BEHAVE = "tests.trials.executors.training_functions:behave"
WAIT_SECONDS = 60.0


def make_ray(folder: Path, address: str, **settings: Any) -> RayExecutor:
    asked = ExecutorSettings(
        datasets_dir=folder, logs_dir=folder / "logs", train=BEHAVE, n_processes=0, ray_address=address
    )
    made = make_executor("ray", replace(asked, **settings))
    assert isinstance(made, RayExecutor)
    return made


@pytest.fixture(scope="module")
def shared(ray_cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayExecutor]:
    with make_ray(tmp_path_factory.mktemp("ray"), ray_cluster.address, progress_deadline_seconds=8.0) as made:
        yield made


@pytest.fixture
def executor(shared: RayExecutor) -> Iterator[RayExecutor]:
    yield shared
    for cohort_id in list(shared._under_way):
        shared.cancel(cohort_id)
    wait_until_free(shared)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:g} s"
        time.sleep(0.05)


def actor_of(training_process: int) -> psutil.Process:
    parent = psutil.Process(training_process).parent()
    assert parent is not None
    return parent


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def go_on(executor: RayExecutor, cohort: Cohort) -> None:
    executor.answer(Verdicts(cohort_id=cohort.cohort_id))


def driver_of(executor: RayExecutor) -> psutil.Process:
    assert executor._driver is not None
    return psutil.Process(executor._driver.pid)


def test_slots_follow_the_nodes_and_a_node_that_dies_loses_its_cohort(
    executor: RayExecutor, ray_cluster: RayCluster
) -> None:
    assert executor.n_slots == 2
    node = ray_cluster.add(1)
    until(lambda: executor.n_slots == 3)
    cohorts = [make_cohort(epochs=1) for _ in range(3)]
    for cohort in cohorts:
        executor.submit(cohort)
    assert executor.free_slots() == 0
    reports = [next_report(executor) for _ in range(3)]
    assert len({report.peak_memory_bytes for report in reports}) == 3, "three processes side by side"

    actors = [actor_of(report.peak_memory_bytes) for report in reports]
    ray_cluster.kill(node)
    until(lambda: not all(is_alive(actor) for actor in actors))
    for cohort in cohorts:
        go_on(executor, cohort)

    ends = [next_event(executor) for _ in range(3)]
    assert {end.cohort_id for end in ends} == {cohort.cohort_id for cohort in cohorts}
    [lost] = [end for end in ends if isinstance(end, CohortLost)]
    assert lost.cause == "killed"
    until(lambda: executor.n_slots == 2)
    assert executor.poll(0.2) == []


def test_the_training_process_ends_with_its_actor_and_the_next_cohort_trains(executor: RayExecutor) -> None:
    cohort = make_cohort()
    executor.submit(cohort)
    training_process = psutil.Process(next_report(executor).peak_memory_bytes)

    actor_of(training_process.pid).kill()
    go_on(executor, cohort)

    assert next_loss(executor).cause == "killed"
    until(lambda: not is_alive(training_process))
    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_an_actor_that_dies_idle_costs_no_cohort(executor: RayExecutor) -> None:
    report = converse(executor, make_cohort(epochs=1))[0]
    assert isinstance(report, SegmentReport)
    actor = actor_of(report.peak_memory_bytes)
    actor.kill()
    actor.wait(WAIT_SECONDS)

    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_a_training_process_that_was_killed_is_told_from_one_that_aborted(executor: RayExecutor) -> None:
    cohort = make_cohort()
    executor.submit(cohort)
    os.kill(next_report(executor).peak_memory_bytes, signal.SIGKILL)
    go_on(executor, cohort)
    assert next_loss(executor).cause == "killed"

    [lost] = converse(executor, make_cohort(behaviour="abort"))
    assert isinstance(lost, CohortLost)
    assert lost.cause == "abort"
    assert "Check failed: a == b" in lost.reason


@pytest.mark.parametrize(
    ("behaviour", "cause"), [("abort_for_memory", "memory"), ("take_memory", "memory"), ("never_return", "hang")]
)
def test_the_cause_of_a_loss_is_found_out_on_the_node(executor: RayExecutor, behaviour: str, cause: str) -> None:
    [lost] = converse(executor, make_cohort(behaviour=behaviour))

    assert isinstance(lost, CohortLost)
    assert lost.cause == cause


def test_a_training_process_sees_no_token_and_stays_on_one_core(executor: RayExecutor) -> None:
    [told] = converse(executor, make_cohort(behaviour="tell_environment"))

    assert isinstance(told, CohortRefused)
    assert "'CUDA_VISIBLE_DEVICES'" in told.reason
    assert "RAY_" not in told.reason
    assert "core [" in told.reason
    assert "," not in told.reason.split("core [")[1].split("]")[0]


def test_the_driver_sees_rays_token_and_nothing_else_that_is_secret(
    executor: RayExecutor, ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUNE_DATABASE", "postgresql+psycopg://canary")
    with make_ray(tmp_path, ray_cluster.address) as another:
        assert another.free_slots() == 2
        seen = driver_of(another).environ()

    assert seen["RAY_AUTH_TOKEN"] == os.environ["RAY_AUTH_TOKEN"]
    assert "canary" not in "".join(seen.values())


def test_a_dataset_travels_and_follows_its_file(executor: RayExecutor) -> None:
    def told() -> str:
        [refused] = converse(executor, make_cohort(behaviour="tell_dataset", dataset="travelling"))
        assert isinstance(refused, CohortRefused)
        return refused.reason

    path = executor._setup.datasets_dir / "travelling.npz"
    assert told() == f"{path} holds nothing"
    path.write_text("first")
    assert told() == f"{path} holds first"
    path.write_text("second and longer")
    assert told() == f"{path} holds second and longer"
    path.unlink()
    assert told() == f"{path} holds nothing"


def test_states_of_lanes_are_kept_where_nodes_share_a_folder_alone(tmp_path: Path) -> None:
    from trials.executors.cluster.actor import _without_lonely_checkpoints

    shared, lonely = (
        make_cohort().model_copy(update={"checkpoints_dir": folder / "study"}) for folder in (tmp_path, tmp_path / "no")
    )

    assert _without_lonely_checkpoints(shared) == shared
    assert _without_lonely_checkpoints(lonely).checkpoints_dir is None


def loss_after_reports(executor: RayExecutor) -> CohortLost:
    """The next loss; what a cohort had said before it was cancelled may still arrive."""
    event = next_event(executor)
    while isinstance(event, SegmentReport):
        event = next_event(executor)
    assert isinstance(event, CohortLost), event
    return event


def test_cohorts_that_are_cancelled_at_once_leave_their_slots_free(executor: RayExecutor) -> None:
    for _ in range(5):
        cohorts = [make_cohort() for _ in range(executor.free_slots())]
        for cohort in cohorts:
            executor.submit(cohort)
            executor.cancel(cohort.cohort_id)
        assert {loss_after_reports(executor).cause for _ in cohorts} == {"cancelled"}

    for _ in range(2):
        assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_a_lost_driver_loses_its_cohorts_and_the_cluster_is_found_again(
    executor: RayExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    executor.submit(make_cohort())
    next_report(executor)
    with caplog.at_level(logging.WARNING):
        driver_of(executor).kill()

        lost = next_loss(executor)

    assert lost.cause == "killed"
    assert "out of reach" in caplog.text
    until(lambda: executor.free_slots() == 2)
    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_a_cluster_that_refuses_our_token_gives_no_slot_and_the_log_says_why(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    monkeypatch.setenv("RAY_NUM_REDIS_GET_RETRIES", "2")  # a second each
    with caplog.at_level(logging.WARNING), make_ray(tmp_path, ray_cluster.address) as refused:
        assert refused.free_slots() == 0
        assert refused.n_slots == 1
        with pytest.raises(RuntimeError, match="free slot"):
            refused.submit(make_cohort())

    assert "out of reach" in caplog.text


def test_the_loss_of_the_head_loses_the_cohort_and_not_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "2")
    with start_cluster(tmp_path, head_cores=1) as cluster, make_ray(tmp_path, cluster.address) as executor:
        executor.submit(make_cohort())
        next_report(executor)

        cluster.kill_head()

        assert next_loss(executor).cause == "killed"
        assert (executor.free_slots(), executor.n_slots) == (0, 1)
        assert executor.poll(0.0) == []


def test_without_ray_the_error_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(ExecutorMissingError, match=r"regtune\[ray\]"):
        make_ray(tmp_path, "auto")
