"""The training actor as a plain object, without a cluster."""

import select
import time
from pathlib import Path

import pytest

from tests.ray_cluster import ROOT
from tests.trials.executors.cohorts import make_cohort
from trials.executors.cluster.messages import Setup
from trials.executors.processes import ProcessLimits
from trials.executors.trainer import TrainerOptions
from trials.executors.wire import EVENTS
from trials.protocol import CohortLost, SegmentReport, Verdicts

pytest.importorskip("ray", reason="ray is not installed")

from trials.executors.cluster.actor import TrainingActor

BEHAVE = "tests.trials.executors.training_functions:behave"


def test_a_report_and_the_end_that_come_together_are_told_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUNE_NODE_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    limits = ProcessLimits(max_cohorts=10, recycle_bytes=0, progress_deadline_seconds=60.0)
    trainer = TrainerOptions(train=BEHAVE, datasets_dir=tmp_path, memory_bytes=0)
    actor = TrainingActor(Setup(address="", trainer=trainer, limits=limits).model_dump_json(), on_gpu=False)
    started_at = time.monotonic()
    cohort = make_cohort(max_seconds=20.0)
    try:
        assert isinstance(EVENTS.validate_json(actor.train(cohort.model_dump_json(), None)), SegmentReport)
        [slot] = actor._executor._slots
        assert slot.trainer is not None
        actor._executor.answer(Verdicts(cohort_id=cohort.cohort_id))
        select.select([slot.trainer.channel], [], [])
        slot.submitted_at = started_at - 20.0

        first, second = (EVENTS.validate_json(actor._next_event()) for _ in range(2))
    finally:
        actor._executor.close()
        actor._slot.close()

    assert isinstance(first, SegmentReport)
    assert isinstance(second, CohortLost)
    assert second.cause == "deadline"
