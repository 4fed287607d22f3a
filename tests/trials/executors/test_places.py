"""What each training process of this machine has to itself. The driver's tool is a script that these tests write."""

import os
import resource
from pathlib import Path

import pytest

from tests.trials.executors.cohorts import converse, make_cohort
from tests.trials.executors.test_processes import BEHAVE, REPOSITORY
from trials.executors import ExecutorMissingError, ExecutorSettings, make_executor, places
from trials.executors.places import VISIBLE, Device, Place, is_built_for_gpus, places_here, visible_gpus
from trials.executors.processes import ProcessesExecutor
from trials.process import NICENESS
from trials.protocol import CohortRefused

CORES = [Place(core=core) for core in sorted(os.sched_getaffinity(0))]
TWO_GPUS = "echo GPU-aa; echo GPU-bb"


@pytest.fixture(autouse=True)
def no_gpu_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)


@pytest.fixture(params=[TWO_GPUS])
def driver(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's tool that does what the parameter says."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{request.param}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)


def build_for_gpus(monkeypatch: pytest.MonkeyPatch, *, is_built: bool) -> None:
    monkeypatch.setattr(places, "is_built_for_gpus", lambda _backend: is_built)


@pytest.mark.usefixtures("driver")
def test_each_gpu_is_a_place_as_often_as_processes_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    build_for_gpus(monkeypatch, is_built=True)
    assert places_here("auto", "tensorflow", 1) == [Place(gpu="GPU-aa"), Place(gpu="GPU-bb")]
    assert [place.gpu for place in places_here("gpu", "jax", 2)] == ["GPU-aa", "GPU-bb"] * 2


@pytest.mark.usefixtures("driver")
def test_cores_are_taken_when_asked_for_or_when_the_backend_knows_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    build_for_gpus(monkeypatch, is_built=False)
    assert places_here("auto", "tensorflow", 1) == CORES
    build_for_gpus(monkeypatch, is_built=True)
    assert places_here("cpu", "tensorflow", 1) == CORES


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(("named", "gpus"), [("1", ["1"]), ("0, GPU-bb", ["0", "GPU-bb"]), ("-1", []), ("", [])])
def test_only_the_gpus_that_the_operator_shows_are_used(
    monkeypatch: pytest.MonkeyPatch, named: str, gpus: list[str]
) -> None:
    monkeypatch.setenv(VISIBLE, named)
    assert visible_gpus() == gpus


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("driver", ["exit 9", "true"], indirect=True)
def test_a_driver_without_an_answer_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    build_for_gpus(monkeypatch, is_built=True)
    assert places_here("auto", "tensorflow", 1) == CORES
    with pytest.raises(ExecutorMissingError, match="device gpu: expected an NVIDIA GPU"):
        places_here("gpu", "tensorflow", 1)


def test_the_packages_of_this_machine_are_built_for_cores() -> None:
    assert not is_built_for_gpus("jax")


@pytest.mark.usefixtures("driver")
def test_a_process_sees_its_gpu_without_a_limit_of_addresses_and_another_sees_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    cases: list[tuple[Device, int, str]] = [
        ("gpu", 2, f"sees GPU-aa; addresses {resource.RLIM_INFINITY}"),
        ("cpu", len(CORES), f"sees -1; addresses {2**40}"),
    ]
    for device, n_slots, seen in cases:
        asked = ExecutorSettings(
            datasets_dir=tmp_path,
            logs_dir=tmp_path,
            train=BEHAVE,
            n_processes=0,
            device=device,
            memory_bytes=2**40,
        )
        with make_executor("processes", asked) as executor:
            assert isinstance(executor, ProcessesExecutor)
            assert executor.n_slots == n_slots
            [told] = converse(executor, make_cohort(behaviour="tell_place"))
        assert isinstance(told, CohortRefused), told
        assert told.reason == f"{seen}; niceness {os.nice(0) + NICENESS}"
