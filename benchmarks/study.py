"""One study from nothing to its result: regtune against Optuna, KerasTuner and Ray Tune with `fit`.

Run `python -m benchmarks.study`. Each program gets its own process and an empty folder; the figure is wall-clock from
its start to its end, imports, compilation, database and reports included. All train every rate with every seed for
equally many epochs with validation after each; what they did is printed beside the time.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.rivals.optuna_fit import STRONG
from benchmarks.rivals.task import TASKS, Outcome, Task

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A program that can do the task.

    Attributes:
        module: Its file in `benchmarks.rivals`.
        needs: The package without which it is left out.
        environment: What is added to its environment.
    """

    title: str
    module: str
    needs: str
    environment: dict[str, str] = field(default_factory=dict)


RIVALS = {
    "regtune": Rival(title="regtune run, with report", module="regtune", needs="keras"),
    "optuna": Rival(title="Optuna + fit, a process per core", module="optuna_fit", needs="optuna"),
    "optuna-strong": Rival(
        title="Optuna + fit with tf.data, 32 steps per call",
        module="optuna_fit",
        needs="optuna",
        environment={STRONG: "1"},
    ),
    "keras-tuner": Rival(title="KerasTuner grid search", module="keras_tuner_grid", needs="keras_tuner"),
    "ray": Rival(title="Ray Tune + fit, a trial per core", module="ray_tune_fit", needs="ray"),
}


@dataclass
class Result:
    """One program on one task; `outcome` is None where it is not installed."""

    rival: str
    seconds: list[float] = field(default_factory=list)
    outcome: Outcome | None = None


def play(rival: Rival, task: Task) -> tuple[float, Outcome]:
    """Lets one program do the task.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.rivals.{rival.module}", task.name, folder]
        command += ["--seeds", str(task.n_seeds), "--epochs", str(task.epochs)]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | rival.environment
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, check=False)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{rival.title} on {task.name} failed: {done.stderr[-2000:]}")
    return seconds, Outcome(**json.loads(done.stdout.splitlines()[-1]))


def compare(task: Task, names: list[str], rounds: int) -> list[Result]:
    """All programs on one task, round by round."""
    results = [Result(name) for name in names]
    for _ in range(rounds):
        for result in results:
            rival = RIVALS[result.rival]
            if importlib.util.find_spec(rival.needs) is not None:
                seconds, result.outcome = play(rival, task)
                result.seconds.append(seconds)
    return results


def lines(task: Task, results: list[Result]) -> list[str]:
    """The table of one task."""
    texts = [
        f"{task.title}: {len(task.rates)} rates x {task.n_seeds} seeds x {task.epochs} epochs",
        f"  {'':46} {'seconds':>8} {'x':>6}  rates trainings epochs  mean test  best rate's test accuracy",
    ]
    own = next((statistics.median(result.seconds) for result in results if result.rival == "regtune"), None)
    for result in results:
        title = RIVALS[result.rival].title
        if result.outcome is None:
            texts.append(f"  {title:46} not installed")
            continue
        seconds, outcome = statistics.median(result.seconds), result.outcome
        ratio = "" if own is None else f"{seconds / own:.2f}"
        texts.append(
            f"  {title:46} {seconds:8.1f} {ratio:>6}  {outcome.n_rates:5} {outcome.n_trainings:9} {outcome.n_epochs:6} "
            f"{outcome.mean_test_accuracy:10.4f} {outcome.best_rate_test_accuracy:10.4f}"
        )
    return texts


def summary(task: Task, results: list[Result]) -> dict[str, Any]:
    """For JSON."""
    return {
        "task": task.name,
        "rates": task.rates,
        "seeds": task.n_seeds,
        "epochs": task.epochs,
        "results": [asdict(result) for result in results],
    }


def main() -> None:
    """Compares and prints; writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TASKS, nargs="+", default=list(TASKS))
    parser.add_argument("--programs", choices=RIVALS, nargs="+", default=list(RIVALS))
    parser.add_argument("--seeds", type=int, help="seeds per rate, instead of the task's own number")
    parser.add_argument("--epochs", type=int, help="epochs, instead of the task's own number")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    summaries = []
    for name in asked.only:
        task = TASKS[name]
        task = replace(task, n_seeds=asked.seeds or task.n_seeds, epochs=asked.epochs or task.epochs)
        results = compare(task, asked.programs, asked.rounds)
        print("\n".join(lines(task, results)), flush=True)
        summaries.append(summary(task, results))
    if asked.json:
        asked.json.write_text(json.dumps(summaries, indent=1))


if __name__ == "__main__":
    main()
