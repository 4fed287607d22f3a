"""R21: training processes that train cohort after cohort do not grow, and are replaced when they are old."""

from pathlib import Path
from statistics import fmean

import pytest

from search_spaces.values import Point
from tests.chaos.memory import allocated_bytes
from tests.chaos.promises import IS_LONG, Promises
from tests.trials.executors.cohorts import converse, make_cohort
from trials.executors import ExecutorSettings, make_executor
from trials.executors.processes import ProcessesExecutor
from trials.protocol import CohortFinished

N_COHORTS = 200
N_PER_PROCESS = 100
N_WARM_UP = 40
N_AVERAGED = 10
N_EPOCHS = (2, 3, 4)
"""Lengths of training that cohorts have by turns: each compiles a program of its own."""
MAX_GROWTH = 1.05


@pytest.mark.skipif(not IS_LONG, reason="two hundred cohorts take minutes: the long form has them")
def test_two_hundred_cohorts_leave_the_processes_as_large_as_forty(tmp_path: Path, promises: Promises) -> None:
    settings = ExecutorSettings(datasets_dir=tmp_path, logs_dir=tmp_path / "logs", max_cohorts=N_PER_PROCESS)
    held: dict[int, list[int]] = {}
    with make_executor("processes", settings) as executor:
        assert isinstance(executor, ProcessesExecutor)
        for number in range(N_COHORTS):
            rates: list[Point] = [{"dropout.rate": 0.8 * lane * number / (4 * N_COHORTS)} for lane in range(4)]
            cohort = make_cohort(*rates, epochs=N_EPOCHS[number % len(N_EPOCHS)])
            assert isinstance(converse(executor, cohort)[-1], CohortFinished)
            (pid,) = executor.pids()
            held.setdefault(pid, []).append(allocated_bytes(pid))
    assert [len(sizes) for sizes in held.values()] == [N_PER_PROCESS] * (N_COHORTS // N_PER_PROCESS)
    growths = [fmean(sizes[-N_AVERAGED:]) / fmean(sizes[N_WARM_UP : N_WARM_UP + N_AVERAGED]) for sizes in held.values()]
    assert max(growths) <= MAX_GROWTH, held
    between = max(fmean(sizes[-N_AVERAGED:]) for sizes in held.values()) / min(
        fmean(sizes[-N_AVERAGED:]) for sizes in held.values()
    )
    assert between <= MAX_GROWTH
    reached = f"{N_COHORTS} cohorts: {100 * (max(growths) - 1):+.1f} % within a process, {len(held)} processes by age"
    promises.reach("R21", "both", reached, is_full=True)
