"""Optuna with `fit`: one pinned process per core takes enqueued trials from one journal until none is left."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rivals.keras_training import train_once
from benchmarks.rivals.task import Task, Trained, outcome_of, parse, say, single_threaded

if TYPE_CHECKING:
    import optuna

WORKER = "REGTUNE_BENCHMARK_CORE"
STRONG = "REGTUNE_BENCHMARK_STRONG"
STUDY = "benchmark"


def main() -> None:
    """Enqueues every training as a trial, starts the workers, and sums up."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    task, folder = parse(__doc__)
    if WORKER in os.environ:
        work(task, folder, int(os.environ[WORKER]), strong=STRONG in os.environ)
        return
    study = optuna.create_study(study_name=STUDY, storage=_storage(folder), direction="maximize")
    for rate, seed in task.trainings:
        study.enqueue_trial({"rate": rate, "seed": seed})
    command = [sys.executable, "-m", "benchmarks.rivals.optuna_fit", *sys.argv[1:]]
    cores = sorted(os.sched_getaffinity(0))
    workers = [subprocess.Popen(command, env=single_threaded() | {WORKER: str(core)}) for core in cores]
    statuses = [worker.wait() for worker in workers]
    if any(statuses):
        raise SystemExit(f"workers ended with exit statuses {statuses}")
    say(outcome_of(Trained(**trial.user_attrs["trained"]) for trial in study.trials))


def work(task: Task, folder: Path, core: int, *, strong: bool) -> None:
    """Takes trials until none waits."""
    import optuna

    os.sched_setaffinity(0, {core})

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_categorical("rate", task.rates)
        seed = trial.suggest_int("seed", 0, task.n_seeds - 1)
        trained, validation_accuracy = train_once(task, float(rate), seed, strong=strong)
        trial.set_user_attr("trained", vars(trained))
        return validation_accuracy

    study = optuna.load_study(study_name=STUDY, storage=_storage(folder))
    while study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
        study.optimize(objective, n_trials=1)


def _storage(folder: Path) -> "optuna.storages.JournalStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(folder / "optuna.log")))


if __name__ == "__main__":
    main()
