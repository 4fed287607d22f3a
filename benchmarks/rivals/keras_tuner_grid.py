"""KerasTuner's grid search: one process on all cores, as it runs unless a chief and workers are set up by hand."""

from typing import Any

from benchmarks.fit_models import MODELS
from benchmarks.fit_process import PLAIN, compile_model
from benchmarks.rivals.keras_training import data_of
from benchmarks.rivals.task import Trained, outcome_of, parse, say


def main() -> None:
    """Searches the grid."""
    import keras
    import keras_tuner

    task, folder = parse(__doc__)
    data, trained = data_of(task.name), list[Trained]()

    class Searched(keras_tuner.HyperModel):  # type: ignore[misc]  # keras_tuner ships no types
        def build(self, hp: Any) -> keras.Model:
            keras.utils.set_random_seed(len(trained) % task.n_seeds)
            model = MODELS[task.model](hp.Choice("rate", list(task.rates)))
            compile_model(model, data.n_classes, PLAIN)
            return model

        def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            history = model.fit(*args, **kwargs)
            trained.append(
                Trained(
                    rate=float(hp.get("rate")),
                    seed=len(trained) % task.n_seeds,
                    epochs=len(history.epoch),
                    test_accuracy=float(model.evaluate(data.x_test, data.y_test, verbose=0)[1]),
                )
            )
            return history

    tuner = keras_tuner.GridSearch(
        Searched(),
        objective="val_accuracy",
        max_trials=len(task.rates),
        executions_per_trial=task.n_seeds,
        directory=str(folder),
        project_name="keras_tuner",
    )
    tuner.search(
        data.x_train,
        data.y_train,
        batch_size=task.spec.training.batch_size,
        epochs=task.epochs,
        validation_data=(data.x_validation, data.y_validation),
        verbose=0,
    )
    say(outcome_of(trained))


if __name__ == "__main__":
    main()
