"""Speed of the lanes engine against `model.fit`, per lane-epoch, interleaved on this machine.

Run `python -m benchmarks.engine` (or `make bench`). Each round measures, one after the other while the others are idle:
plain `fit` (one model, arrays, all cores); `fit` from an untuned tf.data pipeline in one pinned process per core; the
strongest `fit` that was found (several ways are tried once, Keras' JAX backend among them); and the engine on each
backend (the product's own path: study, cohort, training processes, grafting, program). The figure is wall-clock per
lane-epoch of the whole machine, validation included; compilation and first epochs are left out on all sides, and no
side reads train or test data in inference mode (circles: about ten times in 4,000 epochs). Ratios are taken within a
round; the table shows their medians and ranges.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.contestants import Contestant, EngineContestant, FitContestant, Measurement, NotTrainedError
from benchmarks.figures import EngineFigures, Figures, heading, lines, machine
from benchmarks.fit_process import EVERY, PLAIN, SHORTLIST, YARDSTICK, FitVariant
from benchmarks.processes import busy_seconds, cpu_seconds
from benchmarks.workloads import WORKLOADS, Workload, cohort_of, data_folder, write_data
from trials.executors.backends import BackendChoice, has_jax


class Match:
    """All contestants on one workload.

    Args:
        workload: What to train.
        backends: Keras' backends of the engine.
        variants: The ways of calling `fit` among which the strongest is sought; `YARDSTICK` is one of them.
        folder: Holds `datasets`.
        quick: Measure for a moment only, to see that everything works.
    """

    def __init__(
        self,
        workload: Workload,
        backends: Sequence[BackendChoice],
        variants: Sequence[FitVariant],
        folder: Path,
        *,
        quick: bool,
    ) -> None:
        self._variants = variants
        self._fit_epochs = 1 if quick else workload.fit_epochs
        self._engine_epochs = max(1, workload.engine_epochs // (4 if quick else 1))
        self._fits = {
            kind: FitContestant(workload, folder / "datasets", backend=kind[0], pinned=kind[1])
            for kind in dict.fromkeys(_kind(variant) for variant in (PLAIN, *variants))
        }
        self._engines = [
            EngineContestant(
                partial(cohort_of, workload),
                folder / "datasets",
                folder / "logs",
                backend=backend,
                n_processes=len(os.sched_getaffinity(0)),
            )
            for backend in backends
        ]
        self.figures = Figures(workload)

    def get_ready(self) -> None:
        """Compiles everything, finds the strongest `fit`, and ends the processes that are not needed for it."""
        for fit in self._fits.values():
            self.figures.flops = fit.ready()
        for variant in self._variants:
            self._fit(variant).measure(variant, 1)
            self.figures.tried[variant] = self._fit(variant).measure(variant, self._fit_epochs)
        self._fit(PLAIN).measure(PLAIN, 1)
        for kind in set(self._fits) - {_kind(variant) for variant in (PLAIN, YARDSTICK, self.figures.strongest)}:
            self._fits.pop(kind).close()
        for engine in list(self._engines):
            self.figures.engines[engine.backend] = EngineFigures()
            try:
                engine.ready(self._engine_epochs)
            except NotTrainedError as error:
                self.figures.engines[engine.backend].failure = str(error)
                self._engines.remove(engine)
                engine.close()

    def play_round(self) -> None:
        """Measures each contestant once."""
        for variant in dict.fromkeys((PLAIN, YARDSTICK, self.figures.strongest)):
            fit = self._fit(variant)
            measured = self._watched(fit, partial(fit.measure, variant, self._fit_epochs))
            self.figures.fits.setdefault(variant, []).append(measured)
        for engine in self._engines:
            measured = self._watched(engine, partial(engine.measure, self._engine_epochs))
            self.figures.engines[engine.backend].take(engine, measured)

    def close(self) -> None:
        """Ends all processes."""
        for contestant in self._contestants():
            contestant.close()

    def _contestants(self) -> list[Contestant]:
        return [*self._fits.values(), *self._engines]

    def _fit(self, variant: FitVariant) -> FitContestant:
        return self._fits[_kind(variant)]

    def _watched(self, active: Contestant, measure: Callable[[], Measurement]) -> Measurement:
        """Measures one contestant, and notes how busy the others and the rest of the machine were meanwhile."""
        own = active.pids()
        idle = [pid for other in self._contestants() if other is not active for pid in other.pids()]
        started, before = time.perf_counter(), (cpu_seconds(own), cpu_seconds(idle), busy_seconds())
        measured = measure()
        seconds, after = time.perf_counter() - started, (cpu_seconds(own), cpu_seconds(idle), busy_seconds())
        own_took, idle_took, all_took = (now - then for now, then in zip(after, before, strict=True))
        self.figures.note_load(idle_took / seconds, (all_took - own_took - idle_took) / seconds)
        return measured


def _kind(variant: FitVariant) -> tuple[str, bool]:
    return variant.backend, variant.pinned


def measure(workload: Workload, asked: argparse.Namespace, folder: Path) -> Figures:
    """Plays all rounds of one workload."""
    variants = EVERY if asked.every_fit else SHORTLIST[:2] if asked.quick else SHORTLIST
    if not has_jax():
        variants = tuple(variant for variant in variants if variant.backend != "jax")
    with contextlib.closing(Match(workload, asked.backend, variants, folder, quick=asked.quick)) as match:
        match.get_ready()
        for _ in range(1 if asked.quick else asked.rounds):
            match.play_round()
        return match.figures


def main() -> None:
    """Measures and prints a table; writes JSON where asked."""
    backends = ["tensorflow", *(["jax"] if has_jax() else [])]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=WORKLOADS, nargs="+", default=list(WORKLOADS))
    parser.add_argument("--backend", choices=("tensorflow", "jax"), nargs="+", default=backends, help="of the engine")
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder with mnist.npz, if there is one")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that everything works")
    parser.add_argument("--every-fit", action="store_true", help="try every way of calling fit, not the shortlist")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        source = write_data(asked.data, Path(name) / "datasets")
        print(f"{machine()}; data: {source}", flush=True)
        print(heading(), flush=True)
        rows = []
        for workload in asked.only:
            rows.append(measure(WORKLOADS[workload], asked, Path(name)))
            print("\n".join(lines(rows[-1])), flush=True)
    print(f"{time.monotonic() - started:.0f} s in all")
    if asked.json:
        asked.json.write_text(
            json.dumps({"machine": machine(), "data": source, "workloads": [row.summary() for row in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
