"""What is measured: processes that stay alive, idle while others are measured."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np

from benchmarks.fit_process import FitVariant
from benchmarks.processes import cpu_seconds
from benchmarks.workloads import Workload
from trials.curves import row, unpack
from trials.executors import ExecutorSettings, make_executor
from trials.executors.backends import BackendChoice
from trials.executors.processes import ProcessesExecutor
from trials.protocol import Cohort, CohortFinished, CohortLost, CohortRefused, LaneReport, SegmentReport, Verdicts

REPOSITORY = Path(__file__).resolve().parent.parent
POLL_SECONDS = 5.0


class NotTrainedError(Exception):
    """The engine did not train a cohort to its end."""


class Contestant(Protocol):
    """Processes that can be watched and ended."""

    def pids(self) -> list[int]:
        """Its processes."""

    def close(self) -> None:
        """Ends them."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one contestant did in one go.

    Attributes:
        seconds: Wall-clock seconds per lane-epoch of the whole machine.
        core_seconds: Processor seconds per lane-epoch, all processes together.
    """

    seconds: float
    core_seconds: float


class FitContestant:
    """Stock `fit` in one process on all cores, or in one pinned process per core at once.

    Args:
        workload: What to train.
        datasets_dir: Where its data lie.
        backend: Keras' backend.
        pinned: One process per core.
    """

    def __init__(self, workload: Workload, datasets_dir: Path, *, backend: str, pinned: bool) -> None:
        cores: Sequence[int | None] = sorted(os.sched_getaffinity(0)) if pinned else [None]
        self._children = [_FitChild(workload, datasets_dir, backend, core) for core in cores]

    def ready(self) -> float:
        """Waits until it has started; floating-point operations of an epoch."""
        flops = [float(child.read()["flops"]) for child in self._children]
        return flops[0]

    def measure(self, variant: FitVariant, epochs: int) -> Measurement:
        """Trains so many epochs in each process at once."""
        started = time.perf_counter()
        for child in self._children:
            child.ask({"variant": asdict(variant), "epochs": epochs})
        answers = [child.read() for child in self._children]
        n_epochs = epochs * len(answers)
        return Measurement(
            seconds=(time.perf_counter() - started) / n_epochs,
            core_seconds=sum(answer["cpu_seconds"] for answer in answers) / n_epochs,
        )

    def pids(self) -> list[int]:
        """Its processes."""
        return [child.process.pid for child in self._children]

    def close(self) -> None:
        """Ends them."""
        for child in self._children:
            child.process.kill()
            child.process.wait()


class _FitChild:
    def __init__(self, workload: Workload, datasets_dir: Path, backend: str, core: int | None) -> None:
        command = [sys.executable, "-m", "benchmarks.fit_process", workload.name, "--datasets-dir", str(datasets_dir)]
        self.process = subprocess.Popen(
            command if core is None else [*command, "--core", str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            env=os.environ
            | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            | ({} if core is None else {"OMP_NUM_THREADS": "1"}),
        )

    def ask(self, request: dict[str, Any]) -> None:
        to_child = cast(IO[str], self.process.stdin)
        to_child.write(json.dumps(request) + "\n")
        to_child.flush()

    def read(self) -> dict[str, Any]:
        line = cast(IO[str], self.process.stdout).readline()
        if not line:
            msg = f"expected an answer of a fit process; it ended: {self.process.args!r}"
            raise RuntimeError(msg)
        answer: dict[str, Any] = json.loads(line)
        return answer


class EngineContestant:
    """The engine in the product's own training processes: a cohort, made by the coordinator's rules, for each core.

    Args:
        make_cohort: Makes a cohort with a given id.
        datasets_dir: Where its data lie.
        logs_dir: Where the processes write their logs.
        backend: Keras' backend of the training processes.
        n_processes: How many train a cohort each at once, each on a core of its own.

    Attributes:
        start_seconds: From the first cohort's submission to its first report, compilation left out.
        compile_seconds: What the first segment took longer than a warm one.
        peak_bytes: Most memory that one of the processes held.
        trained_by: How the engine says it trained.
        n_readings: How often a lane was read on train and test data in the last measurement.
    """

    def __init__(
        self,
        make_cohort: Callable[[str], Cohort],
        datasets_dir: Path,
        logs_dir: Path,
        *,
        backend: BackendChoice,
        n_processes: int,
    ) -> None:
        self.backend: BackendChoice = backend
        self.start_seconds = self.compile_seconds = 0.0
        self.peak_bytes = self.n_readings = 0
        self.trained_by = ""
        self._make_cohort = make_cohort
        self._n_cohorts = 0
        settings = ExecutorSettings(
            datasets_dir=datasets_dir,
            logs_dir=logs_dir / backend,
            n_processes=n_processes,
            max_cohorts=10_000,
            recycle_bytes=0,
            backend=backend,
        )
        self._executor = cast(ProcessesExecutor, make_executor("processes", settings))

    def ready(self, epochs: int) -> None:
        """Starts the processes and lets them compile; then a warm go, to know what compiling cost."""
        cold = self._train(1)
        warm = self._train(epochs)
        self.start_seconds = cold.wall_seconds - cold.reported_seconds
        self.compile_seconds = cold.reported_seconds - warm.reported_seconds * cold.lane_epochs / warm.lane_epochs

    def measure(self, epochs: int) -> Measurement:
        """Trains every lane of one cohort per core for so many epochs, from its initial weights on."""
        cpu = cpu_seconds(self.pids())
        go = self._train(epochs)
        self.n_readings = go.n_readings
        return Measurement(
            seconds=go.wall_seconds / go.lane_epochs,
            core_seconds=(cpu_seconds(self.pids()) - cpu) / go.lane_epochs,
        )

    def pids(self) -> list[int]:
        """Its processes."""
        return self._executor.pids()

    def close(self) -> None:
        """Ends them."""
        self._executor.close()

    def _train(self, epochs: int) -> "_Go":
        """Trains one cohort per process for at least so many epochs per lane; segments end where the engine wants."""
        go, finished = _Go(), 0
        started = time.perf_counter()
        for _ in range(self._executor.n_slots):
            cohort = self._make_cohort(f"cohort-{self._n_cohorts}")
            self._n_cohorts += 1
            go.cohorts[cohort.cohort_id] = cohort
            self._executor.submit(cohort)
        while finished < len(go.cohorts):
            for event in self._executor.poll(POLL_SECONDS):
                if isinstance(event, (CohortRefused, CohortLost)):
                    raise NotTrainedError(event.reason)
                if isinstance(event, CohortFinished):
                    finished += 1
                    continue
                self.trained_by = event.trained_by
                self.peak_bytes = max(self.peak_bytes, event.peak_memory_bytes)
                self._executor.answer(Verdicts(cohort_id=event.cohort_id, stop=go.hear(event, epochs)))
        go.wall_seconds = time.perf_counter() - started
        return go


class _Go:
    """One cohort per process, from submission to end."""

    def __init__(self) -> None:
        self.cohorts: dict[str, Cohort] = {}
        self.wall_seconds = 0.0
        self._seconds: dict[str, float] = {}
        self._lanes: dict[tuple[str, int], LaneReport] = {}

    @property
    def reported_seconds(self) -> float:
        """Seconds that the slowest process spent in segments."""
        return max(self._seconds.values())

    @property
    def lane_epochs(self) -> int:
        """Epochs trained, of all lanes together."""
        return sum(lane.n_epochs for lane in self._lanes.values())

    @property
    def n_readings(self) -> int:
        """Epochs read on train and test data, of all lanes together."""
        return sum(int(np.isfinite(row(unpack(lane.curve), "train_loss")).sum()) for lane in self._lanes.values())

    def hear(self, report: SegmentReport, epochs: int) -> tuple[int, ...]:
        """Takes note of a report; the replicates that have been trained for long enough."""
        self._seconds[report.cohort_id] = self._seconds.get(report.cohort_id, 0.0) + report.seconds
        self._lanes |= {(report.cohort_id, lane.lane_id): lane for lane in report.lanes}
        ended = {lane.lane_id for lane in report.lanes if lane.n_epochs >= epochs}
        lanes = self.cohorts[report.cohort_id].lanes
        return tuple(reader.replicate_id for lane in lanes if lane.lane_id in ended for reader in lane.readers)
