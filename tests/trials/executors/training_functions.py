"""Training functions without TensorFlow, well and badly behaved: a cohort's `study_id` names the behaviour."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

from trials.errors import InfeasibleCohortError
from trials.protocol import Cohort, CohortFinished, LaneReport, ReplicateResult, SegmentReport, Verdicts

Steps = Generator[SegmentReport, Verdicts, CohortFinished]


def behave(cohort: Cohort, datasets_dir: Path) -> Steps:
    """Reports once per epoch; answers each replicate at the last epoch or when told to stop."""
    if cohort.study_id == "tell_dataset":
        tell_dataset(datasets_dir / f"{cohort.dataset.name}.npz")
    if cohort.study_id == "tell_backend":
        raise InfeasibleCohortError(os.environ["KERAS_BACKEND"])
    if cohort.study_id in BEHAVIOURS:
        BEHAVIOURS[cohort.study_id]()
    open_lanes = {lane.lane_id for lane in cohort.lanes}
    for epoch in range(cohort.training.epochs):
        last = epoch == cohort.training.epochs - 1
        verdicts = yield SegmentReport(
            cohort_id=cohort.cohort_id,
            lanes=tuple(_report(lane_id, epoch + 1, last) for lane_id in sorted(open_lanes)),
            seconds=0.0,
            peak_memory_bytes=os.getpid(),
        )
        open_lanes -= set(verdicts.stop)
        if not open_lanes:
            break
    return CohortFinished(cohort_id=cohort.cohort_id)


def _report(lane_id: int, n_epochs: int, last: bool) -> LaneReport:
    results = (ReplicateResult(replicate_id=lane_id, state="complete"),) if last else ()
    return LaneReport(lane_id=lane_id, n_epochs=n_epochs, curve=bytes(range(256)), results=results)


def never_return() -> NoReturn:
    while True:
        signal.pause()


def tell_dataset(path: Path) -> NoReturn:
    content = path.read_text() if path.exists() else "nothing"
    message = f"{path} holds {content}"
    raise InfeasibleCohortError(message)


def refuse() -> NoReturn:
    message = "dataset: expected a file /nowhere/x.npz; received nothing"
    raise InfeasibleCohortError(message)


def fail() -> NoReturn:
    message = "a shape does not fit"
    raise ArithmeticError(message)


def take_memory() -> None:
    bytearray(2**44)


def abort() -> NoReturn:
    sys.stderr.write("F external/xla: Check failed: a == b\n")
    sys.stderr.flush()
    os.abort()


def abort_for_memory() -> NoReturn:
    sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
    sys.stderr.flush()
    os.abort()


def leave_a_grandchild() -> NoReturn:
    grandchild = subprocess.Popen(["sleep", "1000"])
    message = f"grandchild {grandchild.pid}"
    raise ArithmeticError(message)


def tell_environment() -> NoReturn:
    message = f"{sorted(os.environ)}; core {sorted(os.sched_getaffinity(0))}; session {os.getsid(0) == os.getpid()}"
    raise InfeasibleCohortError(message)


def tell_place() -> NoReturn:
    addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    message = f"sees {os.environ['CUDA_VISIBLE_DEVICES']}; addresses {addresses}; niceness {os.nice(0)}"
    raise InfeasibleCohortError(message)


def send_rubbish() -> NoReturn:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\x00\x00\x00\x02{}")
        except OSError:
            continue
    never_return()


BEHAVIOURS: dict[str, Callable[[], None]] = {
    "never_return": never_return,
    "refuse": refuse,
    "fail": fail,
    "take_memory": take_memory,
    "abort": abort,
    "abort_for_memory": abort_for_memory,
    "leave_a_grandchild": leave_a_grandchild,
    "tell_environment": tell_environment,
    "tell_place": tell_place,
    "send_rubbish": send_rubbish,
}
