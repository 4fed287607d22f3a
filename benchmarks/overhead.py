"""What the service costs per trial when training costs nothing, beside bare Optuna on the same database.

Run `python -m benchmarks.overhead`. Four questions, each on SQLite and on PostgreSQL:

- service cost of a trial of 30 epochs (plan, claim, three segments of reports, finish, telling Optuna) against Optuna's
  own `ask`, 30 × `report` and `tell` with the same knobs and sampler, from 1 and from 8 processes at once;
- trivial trials per second through the inline executor;
- how much processor time TPE takes for one draw when 1,000 trials are finished (it touches no database).

Bare Optuna gets regtune's faster settings of SQLite too. Costs are compared by processor time, which a busy machine
disturbs less; wall-clock time stands beside it. Throughput is wall-clock, so it needs a quiet machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, quantiles
from typing import NamedTuple

import optuna

from benchmarks.trivial_training import train
from search_spaces.grids import point_key
from search_spaces.spec import StudySpec
from service.coordinator.loop import Coordinator
from service.database.engine import Database
from service.optuna_bridge import EndedTrial, OptunaBridge, make_storage
from service.optuna_samplers import make_sampler, suggest_point
from service.settings import Settings
from service.studies import Studies
from tests.databases import fresh_postgresql, running_postgresql
from tests.specs import small_search
from trials.executors.inline import InlineExecutor

EPOCHS = 30
FINISHED = 1000
DRAWS = 100
TARGET_RATIO = 0.5
TARGET_DRAW_SECONDS = 0.05
TARGET_TRIALS_PER_SECOND = {"sqlite": 60, "postgresql": 100}


class Cost(NamedTuple):
    """Seconds per trial."""

    wall: float
    processor: float


def main() -> int:
    """Prints each figure when it is known; 1 if a target is missed."""
    arguments = _parse()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if arguments.worker:
        print(json.dumps(WORKERS[arguments.worker](arguments.database, arguments.trials)))
        return 0
    met = True
    with tempfile.TemporaryDirectory() as folder, running_postgresql() as server:
        fresh: dict[str, Callable[[], str]] = {
            "sqlite": lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/regtune.sqlite3",
            "postgresql": lambda: fresh_postgresql(server),
        }
        for kind, url in fresh.items():
            for n_processes in arguments.processes:
                met &= _compare(kind, url, n_processes, arguments.trials)
            met &= _throughput(kind, url(), arguments.throughput_trials)
            met &= _draws(kind, url())
    return 0 if met else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--trials", type=int, default=64, help="trials of each process in a comparison")
    parser.add_argument("--throughput-trials", type=int, default=500)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--worker", choices=sorted(WORKERS), help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(kind: str, fresh_url: Callable[[], str], n_processes: int, n_trials: int) -> bool:
    costs = {name: _measure(name, fresh_url(), n_processes, n_trials) for name in WORKERS}
    for name, cost in costs.items():
        print(
            f"{kind}, {n_processes} processes, {name}: {_milliseconds(cost)} per trial of {EPOCHS} epochs", flush=True
        )
    ratio = costs["regtune"].processor / costs["optuna"].processor
    return _judge(f"{kind}, {n_processes} processes: cost against bare Optuna", ratio, "at most", TARGET_RATIO)


def _measure(worker: str, url: str, n_processes: int, n_trials: int) -> Cost:
    """Mean over processes that work at once on one database."""
    database = Database(url)
    database.migrate()
    make_storage(database).engine.dispose()
    database.dispose()
    command = [sys.executable, "-m", "benchmarks.overhead", "--worker", worker, "--database", url]
    command += ["--trials", str(n_trials)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(n_processes)]
    answers = [process.communicate()[0] for process in started]
    costs = [Cost(*json.loads(answer)) for answer in answers]
    return Cost(fmean(cost.wall for cost in costs), fmean(cost.processor for cost in costs))


def _spec(n_trials: int) -> StudySpec:
    return small_search("random", n_trials, training={"epochs": EPOCHS})


@contextmanager
def _timed(n_trials: int) -> Iterator[list[float]]:
    cost: list[float] = []
    wall, processor = time.perf_counter(), time.process_time()
    yield cost
    cost += [(time.perf_counter() - wall) / n_trials, (time.process_time() - processor) / n_trials]


def _bare_optuna(url: str, n_trials: int) -> list[float]:
    spec = _spec(n_trials)
    study = optuna.create_study(
        storage=make_storage(Database(url)), study_name="bare", direction="maximize", load_if_exists=True
    )
    with _timed(n_trials) as cost:
        for number in range(n_trials):
            study.sampler = make_sampler(spec, number, 0)
            trial = study.ask()
            point = suggest_point(spec, trial)
            for epoch in range(EPOCHS):
                trial.report(float(point["dropout.rate"]), epoch)
            study.tell(trial, float(point["dropout.rate"]))
    return cost


def _regtune(url: str, n_trials: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        database, settings = Database(url), Settings(data_dir=Path(folder))
        study = Studies(database, settings).create(_spec(n_trials))
        with InlineExecutor(train, Path(folder)) as executor, _timed(n_trials) as cost:
            ended = Coordinator(database, executor, settings).run_until_done(study.id)
        assert ended.progress.trials == {"complete": n_trials}  # noqa: S101 - a figure of an unfinished study is none
        database.dispose()
    return cost


WORKERS: dict[str, Callable[[str, int], list[float]]] = {"optuna": _bare_optuna, "regtune": _regtune}


def _throughput(kind: str, url: str, n_trials: int) -> bool:
    cost = _measure("regtune", url, 1, n_trials)
    print(f"{kind}: {_milliseconds(cost)} per trivial trial, start included", flush=True)
    return _judge(f"{kind}: trivial trials per second", 1 / cost.wall, "at least", TARGET_TRIALS_PER_SECOND[kind])


def _draws(kind: str, url: str) -> bool:
    """Draws with as many trials finished as the target names, each under its own number, as planning does."""
    database = Database(url)
    database.migrate()
    spec = small_search("tpe", FINISHED + DRAWS)
    bridge = OptunaBridge(database)
    source = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    points = [suggest_point(spec, source.ask()) for _ in range(FINISHED)]
    twin = bridge.open("bench", spec, [])
    with database.begin() as connection:
        twin.tell(
            connection,
            [
                EndedTrial(
                    number=n, state="complete", point=p, value=float(p["dropout.rate"]), attributes={}, reason=None
                )
                for n, p in enumerate(points)
            ],
        )
    twin, keys, seconds = bridge.open("bench", spec, []), {point_key(point) for point in points}, []
    for number in range(FINISHED, FINISHED + DRAWS):
        began = time.process_time()
        point = twin.draw(number, 0, keys)
        seconds.append(time.process_time() - began)
        keys |= {point_key(point)} if point is not None else set()
    bridge.close()
    database.dispose()
    p95 = quantiles(seconds, n=20)[-1]
    print(f"{kind}: a draw by TPE after {FINISHED} trials: mean {fmean(seconds) * 1000:.1f} ms", flush=True)
    return _judge(f"{kind}: 95 % of draws within ms", p95 * 1000, "at most", TARGET_DRAW_SECONDS * 1000)


def _milliseconds(cost: Cost) -> str:
    return f"{cost.wall * 1000:.1f} ms of wall-clock, {cost.processor * 1000:.1f} ms of processor time"


def _judge(what: str, figure: float, bound: str, target: float) -> bool:
    met = figure <= target if bound == "at most" else figure >= target
    print(f"  {'met   ' if met else 'MISSED'}  {what}: {figure:.3g} (target: {bound} {target:g})", flush=True)
    return met


if __name__ == "__main__":
    sys.exit(main())
