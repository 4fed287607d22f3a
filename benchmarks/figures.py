"""Figures of one workload: medians, ratios with their ranges, the floor; as lines of a table and as JSON."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contestants import EngineContestant, Measurement
from benchmarks.fit_process import PLAIN, YARDSTICK, FitVariant
from benchmarks.workloads import Workload

PEAK_FLOPS = 90e9
"""Of one core, single precision, as the largest matrix products reach it on the machine of docs/performance.md."""

BUSY_CORES = 0.05
"""What idle contestants, or others on the machine, may take before the table says so."""

MIB = 2**20


@dataclass
class EngineFigures:
    """The engine on one backend; what it is made of is described at `EngineContestant`."""

    measurements: list[Measurement] = field(default_factory=list)
    start_seconds: float = 0.0
    compile_seconds: float = 0.0
    peak_bytes: int = 0
    n_readings: int = 0
    trained_by: str = ""
    failure: str = ""

    def take(self, engine: EngineContestant, measured: Measurement) -> None:
        """Adds a round."""
        self.measurements.append(measured)
        self.start_seconds, self.compile_seconds = engine.start_seconds, engine.compile_seconds
        self.peak_bytes, self.n_readings = engine.peak_bytes, engine.n_readings
        self.trained_by = engine.trained_by


@dataclass
class Figures:
    """Everything about one workload.

    Attributes:
        flops: Floating-point operations of the matrix products of one lane-epoch.
        tried: The ways of calling `fit` that were tried for the strongest.
        fits: Those that were measured round by round: `PLAIN`, `YARDSTICK` and the strongest.
        idle_cores: Cores that contestants took at most while they should have been idle.
        foreign_cores: Cores that the rest of the machine took at most.
    """

    workload: Workload
    flops: float = 0.0
    tried: dict[FitVariant, Measurement] = field(default_factory=dict)
    fits: dict[FitVariant, list[Measurement]] = field(default_factory=dict)
    engines: dict[str, EngineFigures] = field(default_factory=dict)
    idle_cores: float = 0.0
    foreign_cores: float = 0.0

    @property
    def strongest(self) -> FitVariant:
        """The fastest of those that were tried."""
        return min(self.tried, key=lambda variant: self.tried[variant].seconds)

    def note_load(self, idle_cores: float, foreign_cores: float) -> None:
        """Keeps the worst."""
        self.idle_cores = max(self.idle_cores, idle_cores)
        self.foreign_cores = max(self.foreign_cores, foreign_cores)

    def summary(self) -> dict[str, Any]:
        """For JSON; times in milliseconds per lane-epoch, of the whole machine unless they are core-milliseconds."""
        return {
            "workload": self.workload.name,
            "title": self.workload.title,
            "study": self.workload.study,
            "n_rows": self.workload.n_rows,
            "gflop_per_epoch": self.flops / 1e9,
            "floor_core_ms": 1e3 * self.flops / PEAK_FLOPS,
            "fit": {
                name: {"how": variant.title, **_times(self.fits[variant])}
                for name, variant in self._yardsticks().items()
            },
            "tried_fit": {variant.title: _times([measured]) for variant, measured in self.tried.items()},
            "targets": {"plain": self.workload.plain_target, "pinned": self.workload.pinned_target},
            "engine": {name: self._engine(figures) for name, figures in self.engines.items()},
            "idle_contestants_cores": self.idle_cores,
            "foreign_cores": self.foreign_cores,
        }

    def _yardsticks(self) -> dict[str, FitVariant]:
        return {"plain": PLAIN, "pinned": YARDSTICK, "strongest": self.strongest}

    def _engine(self, engine: EngineFigures) -> dict[str, Any]:
        if engine.failure:
            return {"failure": engine.failure}
        core_seconds = statistics.median(measured.core_seconds for measured in engine.measurements)
        return {
            **_times(engine.measurements),
            "times_faster_than": {
                name: _ratio(self.fits[variant], engine.measurements) for name, variant in self._yardsticks().items()
            },
            "gflops_per_core": self.flops / core_seconds / 1e9,
            "share_of_floor": self.flops / PEAK_FLOPS / core_seconds,
            "start_seconds": engine.start_seconds,
            "compile_seconds": engine.compile_seconds,
            "peak_mib_per_process": engine.peak_bytes / MIB,
            "lane_readings": engine.n_readings,
            "trained_by": engine.trained_by,
        }


def machine() -> str:
    """Processor and cores."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def heading() -> str:
    """Above the lines."""
    return (
        f"{'ms per lane-epoch':64} {'plain':>8} {'pinned':>8} {'best fit':>8} {'engine':>8}  {'x plain, target':>28} "
        f"{'x pinned, target':>28} {'x best fit':>22} {'core-ms':>8} {'GF/s':>5} {'floor':>5} {'compile':>7} {'MiB':>5}"
    )


def lines(figures: Figures) -> list[str]:
    """One line per backend, and what else has to be said; times in milliseconds per lane-epoch."""
    summary, texts = figures.summary(), []
    fits = " ".join(f"{fit['ms']:8.4g}" for fit in summary["fit"].values())
    for backend, engine in summary["engine"].items():
        title = f"{figures.workload.name} {figures.workload.title}, {backend}"
        if "failure" in engine:
            texts.append(f"{title:64} failed: {engine['failure']}")
            continue
        ratios = {
            name: _against(ratio, summary["targets"].get(name)) for name, ratio in engine["times_faster_than"].items()
        }
        texts.append(
            f"{title:64} {fits} {engine['ms']:8.4g}  {ratios['plain']:>28} {ratios['pinned']:>28} "
            f"{ratios['strongest']:>22} {engine['core_ms']:8.4g} {engine['gflops_per_core']:5.1f} "
            f"{engine['share_of_floor']:5.0%} {engine['compile_seconds']:6.1f}s {engine['peak_mib_per_process']:5.0f}"
        )
    texts.append(f"   best fit: {figures.strongest.title}")
    if figures.idle_cores > BUSY_CORES:
        texts.append(f"   not idle: contestants took up to {figures.idle_cores:.2f} cores while others were measured")
    if figures.foreign_cores > BUSY_CORES:
        texts.append(f"   not quiet: others on this machine took up to {figures.foreign_cores:.2f} cores meanwhile")
    return texts


def _times(measurements: Sequence[Measurement]) -> dict[str, Any]:
    seconds = [measured.seconds for measured in measurements]
    return {
        "ms": 1e3 * statistics.median(seconds),
        "core_ms": 1e3 * statistics.median(measured.core_seconds for measured in measurements),
        "rounds_ms": [1e3 * value for value in seconds],
    }


def _ratio(slow: Sequence[Measurement], fast: Sequence[Measurement]) -> dict[str, float]:
    ratios = [one.seconds / other.seconds for one, other in zip(slow, fast, strict=True)]
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def _against(ratio: dict[str, float], target: float | None) -> str:
    text = f"{ratio['median']:.4g} ({ratio['low']:.4g}-{ratio['high']:.4g})"
    if target is None:
        return text
    return f"{text}, {target:g}{'' if ratio['median'] >= target else ' !'}"
