"""Ray Tune with `fit`: one trial per core at a time, actors reused from trial to trial."""

from dataclasses import asdict
from typing import Any

from benchmarks.rivals.keras_training import train_once
from benchmarks.rivals.task import Trained, n_workers, outcome_of, parse, say

ONE_THREAD = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")


def main() -> None:
    """Trains every point of the grid as a trial."""
    import ray
    from ray import tune

    task, folder = parse(__doc__)
    ray.init(
        address="local",
        num_cpus=n_workers(),
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": ONE_THREAD},
    )

    def trial(point: dict[str, Any]) -> None:
        trained, validation_accuracy = train_once(task, point["rate"], point["seed"])
        tune.report({"validation_accuracy": validation_accuracy, **asdict(trained)})

    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={"rate": tune.grid_search(list(task.rates)), "seed": tune.grid_search(list(range(task.n_seeds)))},
        tune_config=tune.TuneConfig(metric="validation_accuracy", mode="max", reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(folder.resolve()), verbose=0),
    )
    results = tuner.fit()
    ray.shutdown()
    if results.errors:
        raise SystemExit(f"trials failed: {results.errors[0]}")
    names = tuple(Trained.__dataclass_fields__)
    say(outcome_of(Trained(**{name: result.metrics[name] for name in names}) for result in results))


if __name__ == "__main__":
    main()
