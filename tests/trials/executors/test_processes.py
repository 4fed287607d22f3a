import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from search_spaces.values import Point
from tests.trials.executors.cohorts import converse, make_cohort, next_event
from trials.executors import ExecutorSettings, make_executor
from trials.executors.processes import ProcessesExecutor
from trials.protocol import CohortFinished, CohortLost, CohortRefused, SegmentReport

REPOSITORY = Path(__file__).resolve().parents[3]
BEHAVE = "tests.trials.executors.training_functions:behave"
MEBIBYTE = 2**20
SETTING: Point = {"dropout.rate": 0.5}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def make_processes(folder: Path, **settings: Any) -> ProcessesExecutor:
    asked = replace(ExecutorSettings(datasets_dir=folder, logs_dir=folder / "logs", train=BEHAVE), **settings)
    made = make_executor("processes", asked)
    assert isinstance(made, ProcessesExecutor)
    return made


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[ProcessesExecutor]:
    with make_processes(tmp_path) as made:
        yield made


def process_of(executor: ProcessesExecutor) -> int:
    [pid] = executor.pids()
    return pid


def reporting_pid(event: object) -> int:
    """The training functions of these tests report their process id as memory."""
    assert isinstance(event, SegmentReport)
    return event.peak_memory_bytes


def lost_in(events: list[object]) -> CohortLost:
    [lost] = events
    assert isinstance(lost, CohortLost), lost
    return lost


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_training_processes_run_on_the_backend_asked_for(tmp_path: Path, backend: str) -> None:
    with make_processes(tmp_path, backend=backend) as executor:
        [told] = converse(executor, make_cohort(behaviour="tell_backend"))

    assert isinstance(told, CohortRefused)
    assert told.reason == backend


def test_no_process_is_started_before_it_is_needed(executor: ProcessesExecutor) -> None:
    assert executor.pids() == []


def test_a_killed_process_loses_its_cohort_once_and_the_next_cohort_trains(executor: ProcessesExecutor) -> None:
    executor.submit(make_cohort())
    next_event(executor)

    os.kill(process_of(executor), signal.SIGKILL)

    lost = next_event(executor)
    assert isinstance(lost, CohortLost)
    assert lost.cause == "killed"
    assert "SIGKILL" in lost.reason
    assert executor.poll(0.0) == []
    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def test_a_process_killed_while_idle_is_replaced_without_an_event(executor: ProcessesExecutor) -> None:
    converse(executor, make_cohort())
    pid = process_of(executor)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)
    assert process_of(executor) != pid


def test_an_abort_is_told_with_its_signal_and_the_end_of_the_log(executor: ProcessesExecutor) -> None:
    lost = lost_in([*converse(executor, make_cohort(behaviour="abort"))])

    assert lost.cause == "abort"
    assert "SIGABRT" in lost.reason
    assert "Check failed: a == b" in lost.reason


def test_an_abort_for_want_of_memory_has_cause_memory(executor: ProcessesExecutor) -> None:
    assert lost_in([*converse(executor, make_cohort(behaviour="abort_for_memory"))]).cause == "memory"


def test_the_end_of_the_log_is_that_of_the_process_that_ended(executor: ProcessesExecutor) -> None:
    converse(executor, make_cohort(behaviour="abort"))
    executor.submit(make_cohort())
    next_event(executor)

    os.kill(process_of(executor), signal.SIGTERM)

    lost = next_event(executor)
    assert isinstance(lost, CohortLost)
    assert "SIGTERM" in lost.reason
    assert "Check failed" not in lost.reason


def test_memory_beyond_the_limit_loses_the_cohort_with_cause_memory(tmp_path: Path) -> None:
    with make_processes(tmp_path, memory_bytes=2048 * MEBIBYTE) as executor:
        assert lost_in([*converse(executor, make_cohort(behaviour="take_memory"))]).cause == "memory"
        assert isinstance(converse(executor, make_cohort())[-1], CohortFinished)


def shorten_progress_deadline(executor: ProcessesExecutor, seconds: float) -> None:
    """Once the process is up: its start alone can take longer on a busy machine."""
    executor._limits = replace(executor._limits, progress_deadline_seconds=seconds)


def test_a_silent_process_is_ended_as_hung(tmp_path: Path) -> None:
    with make_processes(tmp_path, progress_deadline_seconds=1.0) as executor:
        lost = lost_in([*converse(executor, make_cohort(behaviour="never_return"))])

        assert lost.cause == "hang"
        assert "1 s" in lost.reason
        assert executor.pids() == []


def test_a_stopped_process_is_ended_as_hung_even_if_it_reads_nothing(executor: ProcessesExecutor) -> None:
    converse(executor, make_cohort())
    pid = process_of(executor)
    shorten_progress_deadline(executor, 1.0)
    os.kill(pid, signal.SIGSTOP)
    large = make_cohort(*[SETTING] * 20_000)  # a list: mypy would spell out a repeated tuple, for minutes

    assert lost_in([*converse(executor, large)]).cause == "hang"
    assert not psutil.pid_exists(pid)


def test_waiting_for_an_answer_does_not_count_as_hung(executor: ProcessesExecutor) -> None:
    executor.submit(make_cohort())
    assert isinstance(next_event(executor), SegmentReport)
    shorten_progress_deadline(executor, 0.2)

    assert executor.poll(0.5) == []


def test_a_deadline_ends_a_process_that_never_reports(executor: ProcessesExecutor) -> None:
    lost = lost_in([*converse(executor, make_cohort(behaviour="never_return", max_seconds=0.5))])

    assert lost.cause == "deadline"
    assert executor.pids() == []


def test_an_unreadable_message_loses_the_cohort(executor: ProcessesExecutor) -> None:
    lost = lost_in([*converse(executor, make_cohort(behaviour="send_rubbish"))])

    assert lost.cause == "abort"
    assert "unreadable" in lost.reason


def test_a_cohort_larger_than_the_socket_arrives_whole(executor: ProcessesExecutor) -> None:
    events = converse(executor, make_cohort(*[SETTING] * 5_000, epochs=1))

    assert isinstance(events[0], SegmentReport)
    assert len(events[0].lanes) == 5_000


def test_a_process_is_replaced_after_its_number_of_cohorts(tmp_path: Path) -> None:
    with make_processes(tmp_path, max_cohorts=2) as executor:
        pids = []
        for _ in range(3):
            converse(executor, make_cohort(epochs=1))
            pids.append(process_of(executor))

    assert pids[0] == pids[1] != pids[2]


def test_a_process_that_holds_too_much_memory_is_replaced_before_its_next_cohort(tmp_path: Path) -> None:
    with make_processes(tmp_path, recycle_bytes=MEBIBYTE) as executor:
        converse(executor, make_cohort(epochs=1))
        first = process_of(executor)
        converse(executor, make_cohort(epochs=1))

        assert process_of(executor) != first


def test_cohorts_train_side_by_side(tmp_path: Path) -> None:
    with make_processes(tmp_path, n_processes=2) as executor:
        executor.submit(make_cohort())
        executor.submit(make_cohort())

        assert executor.free_slots() == 0
        assert {reporting_pid(next_event(executor)) for _ in range(2)} == set(executor.pids())


def test_a_cohort_goes_to_the_process_that_has_compiled_its_program(tmp_path: Path) -> None:
    with make_processes(tmp_path, n_processes=2) as executor:
        for epochs in (1, 2):
            executor.submit(make_cohort(behaviour="refuse", epochs=epochs))
        _, second = executor.pids()
        for _ in range(2):
            assert isinstance(next_event(executor), CohortRefused)

        reports = converse(executor, make_cohort(epochs=2))

        assert reporting_pid(reports[0]) == second


def test_a_started_process_is_preferred_to_a_new_one(tmp_path: Path) -> None:
    with make_processes(tmp_path, n_processes=2) as executor:
        converse(executor, make_cohort(epochs=1))
        converse(executor, make_cohort(epochs=2))

        assert len(executor.pids()) == 1


def test_closing_leaves_no_child_behind(tmp_path: Path) -> None:
    executor = make_processes(tmp_path, n_processes=2)
    executor.submit(make_cohort(behaviour="never_return"))
    executor.submit(make_cohort())
    pids = executor.pids()
    assert all(psutil.pid_exists(pid) for pid in pids)

    executor.close()

    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_children_of_a_child_are_ended_with_it(executor: ProcessesExecutor) -> None:
    lost = lost_in([*converse(executor, make_cohort(behaviour="leave_a_grandchild"))])

    grandchild = int(lost.reason.rpartition(" ")[2])
    psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=5)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE


def test_a_child_sees_no_secret_and_stays_on_one_core_in_a_session_of_its_own(
    executor: ProcessesExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUNE_DATABASE", "postgresql+psycopg://canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")

    [told] = converse(executor, make_cohort(behaviour="tell_environment"))

    assert isinstance(told, CohortRefused)
    assert "'PATH'" in told.reason
    assert "REGTUNE_" not in told.reason
    assert "SECRET" not in told.reason
    assert f"core [{min(os.sched_getaffinity(0))}]" in told.reason
    assert "session True" in told.reason


PARENT = f"""
import sys
from pathlib import Path
from tests.trials.executors.cohorts import make_cohort
from trials.executors import ExecutorSettings, make_executor
folder = Path(sys.argv[1])
executor = make_executor("processes", ExecutorSettings(datasets_dir=folder, logs_dir=folder, train="{BEHAVE}"))
executor.submit(make_cohort())
executor.poll(60)
executor.cancel(executor._slots[0].cohort.cohort_id)
executor.poll(0)
executor.submit(make_cohort(behaviour="never_return"))
print(executor.pids()[0], flush=True)
sys.stdin.read()
"""


def test_the_death_of_the_parent_ends_a_child_in_mid_training(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()

    psutil.wait_procs([child], timeout=20)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_importing_executors_imports_neither_keras_nor_ray() -> None:
    script = (
        "import sys, trials.executors; sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'ray')))"
    )

    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False).returncode == 0
