from pathlib import Path
from typing import Any

import pytest

from trials.executors.cluster.messages import Setup
from trials.executors.processes import ProcessLimits
from trials.executors.trainer import TrainerOptions

pytest.importorskip("ray", reason="ray is not installed")

from trials.executors.cluster.conduct import _why, count_slots, takes_gpu
from trials.executors.cluster.pool import NoActorError

GPUS = {"CPU": 64.0, "GPU": 4.0}
CORES = {"CPU": 6.0}


def make_setup(**parts: Any) -> Setup:
    limits = ProcessLimits(max_cohorts=1, recycle_bytes=0, progress_deadline_seconds=1.0)
    trainer = TrainerOptions(train="", datasets_dir=Path(), memory_bytes=0)
    return Setup(address="auto", trainer=trainer, limits=limits, **parts)


@pytest.mark.parametrize(
    ("resources", "parts", "expected"),
    [
        (CORES, {}, (False, 6)),
        (CORES, {"max_slots": 4}, (False, 4)),
        (CORES, {"max_slots": 40}, (False, 6)),
        (CORES, {"device": "gpu"}, (True, 0)),
        (GPUS, {}, (True, 4)),
        (GPUS, {"processes_per_gpu": 3}, (True, 12)),
        (GPUS, {"processes_per_gpu": 3, "max_slots": 5}, (True, 5)),
        (GPUS, {"device": "cpu"}, (False, 64)),
        ({}, {}, (False, 0)),
    ],
)
def test_slots_are_what_the_cluster_has_up_to_what_is_asked(
    resources: dict[str, float], parts: dict[str, Any], expected: tuple[bool, int]
) -> None:
    setup = make_setup(**parts)

    assert (takes_gpu(setup, resources), count_slots(setup, resources)) == expected


def test_an_actor_that_cannot_be_started_is_no_fault_of_the_trial() -> None:
    assert _why(NoActorError("no room")) == ("killed", "no room")
