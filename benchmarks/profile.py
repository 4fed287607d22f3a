"""Where the engine's time goes: each piece of a workload switched off in turn, and what is saved by it.

Run `python -m benchmarks.profile`. Every figure is processor time per lane-epoch of one pinned training process on the
product's own path, taken round by round; the pieces' times are differences of medians. What is left when all are taken
away is the forward and backward pass with the least of optimizers. One piece, reading train and test data, is switched
on instead, at every epoch: hardly an epoch of the workload itself is read.
"""

import argparse
import contextlib
import json
import statistics
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import EngineContestant
from benchmarks.figures import machine
from benchmarks.workloads import WORKLOADS, Workload, cohort_of, data_folder, write_data
from search_spaces.datasets import CirclesRef, NamedRef
from search_spaces.optimizers import Optimizer
from trials.early_stopping import StoppingRule
from trials.executors.backends import BackendChoice
from trials.protocol import Cohort

N_FEW = 2
"""Validation rows where evaluation is switched off; there is no having none."""

NEVER = StoppingRule(patience=1_000_000, restore_best=False)
"""A rule that never stops, and whose reader has to know train and test metrics of every epoch."""

Change = Callable[[Cohort], Cohort]


def without_dropout(cohort: Cohort) -> Cohort:
    """No masks, so no random bits for them."""
    return cohort.model_copy(update={"grafts": ()})


def in_fixed_order(cohort: Cohort) -> Cohort:
    """The rows as they lie, so no permutation."""
    return cohort.model_copy(update={"training": cohort.training.model_copy(update={"shuffle": False})})


def without_adam(cohort: Cohort) -> Cohort:
    """Plain gradient descent, the least that an optimizer can do."""
    optimizer = Optimizer(name="sgd", learning_rate=0.01)
    return cohort.model_copy(update={"training": cohort.training.model_copy(update={"optimizer": optimizer})})


def hardly_evaluated(cohort: Cohort) -> Cohort:
    """Two validation rows."""
    if isinstance(cohort.dataset, CirclesRef):
        few = cohort.dataset.model_copy(update={"n_samples": cohort.dataset.n_train + N_FEW})
        return cohort.model_copy(update={"dataset": few})
    return cohort.model_copy(update={"dataset": NamedRef(name=_with_few(cohort.dataset.name))})


def always_read(cohort: Cohort) -> Cohort:
    """Train and test data are read at every epoch; here the test rows are the validation rows, already evaluated."""
    lanes = tuple(
        lane.model_copy(update={"readers": tuple(r.model_copy(update={"rule": NEVER}) for r in lane.readers)})
        for lane in cohort.lanes
    )
    return cohort.model_copy(update={"lanes": lanes})


PIECES: Mapping[str, Change] = {
    "everything": lambda cohort: cohort,
    "evaluation": hardly_evaluated,
    "dropout": without_dropout,
    "order": in_fixed_order,
    "Adam over SGD": without_adam,
    "a reading": always_read,
}


def measure(workload: Workload, backend: BackendChoice, rounds: int, folder: Path) -> dict[str, Any]:
    """Core-milliseconds per lane-epoch with each piece changed, round by round, and what the pieces take."""
    with contextlib.ExitStack() as stack:
        contestants = {}
        for name, change in PIECES.items():
            contestant = EngineContestant(
                partial(_changed, change, workload), folder / "datasets", folder / name, backend=backend, n_processes=1
            )
            contestants[name] = stack.enter_context(contextlib.closing(contestant))
            contestant.ready(workload.engine_epochs)
        taken: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, contestant in contestants.items():
                taken[name].append(1e3 * contestant.measure(workload.engine_epochs).core_seconds)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return {"workload": workload.name, "backend": backend, "core_ms": taken, "pieces": pieces_of(medians)}


def pieces_of(core_ms: Mapping[str, float]) -> dict[str, float]:
    """What each piece takes, in core-milliseconds per lane-epoch; of readings, each one.

    Args:
        core_ms: What a lane-epoch took with each piece changed.
    """
    everything = core_ms["everything"]
    saved = {name: everything - core_ms[name] for name in ("evaluation", "dropout", "order", "Adam over SGD")}
    return {
        "everything": everything,
        "forward, backward, SGD": everything - sum(saved.values()),
        **saved,
        "a reading": core_ms["a reading"] - everything,
    }


def line_of(workload: Workload, backend: str, pieces: Mapping[str, float]) -> str:
    """One line: milliseconds, and shares of the whole."""
    everything = pieces["everything"]
    texts = [f"{value:17.4g} {value / everything:4.0%}" for value in pieces.values()]
    return f"{f'{workload.name} {workload.title}, {backend}':60} {'  '.join(texts)}"


def write_few(datasets_dir: Path) -> None:
    """Beside each dataset one that has hardly any validation rows."""
    for path in list(datasets_dir.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            few = {key: arrays[key][:N_FEW] if key.endswith("_test") else arrays[key] for key in arrays.files}
        np.savez(path.with_stem(_with_few(path.stem)), **few)


def _with_few(name: str) -> str:
    return f"{name}_few"


def _changed(change: Change, workload: Workload, cohort_id: str) -> Cohort:
    return change(cohort_of(workload, cohort_id))


def main() -> None:
    """Measures and prints a table; writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=WORKLOADS, nargs="+", default=list(WORKLOADS))
    parser.add_argument("--backend", choices=("tensorflow", "jax"), nargs="+", default=["tensorflow"])
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder with mnist.npz, if there is one")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{machine()}; data: {write_data(asked.data, folder / 'datasets')}; core-ms per lane-epoch, one process")
        write_few(folder / "datasets")
        print(f"{'':60} {'  '.join(f'{piece:>22}' for piece in pieces_of(dict.fromkeys(PIECES, 0.0)))}", flush=True)
        for workload in (WORKLOADS[name] for name in asked.only):
            for backend in asked.backend:
                rows.append(measure(workload, backend, asked.rounds, folder))
                print(line_of(workload, backend, rows[-1]["pieces"]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
