"""Small real data and cohorts for the engine's tests."""

from functools import cache
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

from search_spaces.optimizers import Optimizer
from search_spaces.spec import Evaluation, Training
from trials.curves import Curve, unpack
from trials.datasets.dataset import Dataset
from trials.engine.train import train_cohort
from trials.protocol import Cohort, CohortFinished, Lane, Reader, ReplicateResult, SegmentReport, Verdicts


@cache
def digits(n_train: int = 192, n_validation: int = 100) -> Dataset:
    """The first rows of scikit-learn's digits, scaled to [0, 1]."""
    x, y = load_digits(return_X_y=True)
    images = np.ascontiguousarray(x.reshape(-1, 8, 8, 1) / 16.0, dtype=np.float32)
    labels = y.astype(np.int32)
    end = n_train + n_validation
    return Dataset(
        x_train=images[:n_train],
        y_train=labels[:n_train],
        x_validation=images[n_train:end],
        y_validation=labels[n_train:end],
        x_test=images[end : end + 100],
        y_test=labels[end : end + 100],
        n_classes=10,
    )


def mlp(*units: int, regularizer: Any = None) -> keras.Model:
    """A flattening MLP on 8x8 images with ten logits."""
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    for i, width in enumerate(units):
        x = keras.layers.Dense(width, activation="relu", kernel_regularizer=regularizer, name=f"hidden_{i + 1}")(x)
    return keras.Model(inputs, keras.layers.Dense(10, name="logits")(x))


def convnet(regularizer: Any = None) -> keras.Model:
    """Two convolutions with pooling, a hidden layer and ten logits."""
    x = inputs = keras.Input((8, 8, 1))
    for i, filters in enumerate((4, 6)):
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_regularizer=regularizer, name=f"conv_{i + 1}"
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool_{i + 1}")(x)
    x = keras.layers.Dense(16, activation="relu", kernel_regularizer=regularizer, name="hidden_1")(
        keras.layers.Flatten()(x)
    )
    return keras.Model(inputs, keras.layers.Dense(10, name="logits")(x))


EVERY_GRAFT = ("dropout", "l1", "l2", "augmentation")


def cohort(lanes: list[Lane], *, epochs: int = 8, batch_size: int = 32, shuffle: bool = True, **fields: Any) -> Cohort:
    """A cohort of lanes on digits. Cohorts that differ in their lanes alone share a compiled program."""
    optimizer = fields.pop("optimizer", Optimizer())
    class_weights = fields.pop("class_weights", "none")
    return Cohort(
        cohort_id=fields.pop("cohort_id", "cohort"),
        study_id="study",
        dataset=fields.pop("dataset", "digits"),
        model=fields.pop("model", {"family": "mlp", "hidden_units": [16]}),
        preprocessing="none",
        evaluation=Evaluation(),
        grafts=fields.pop("grafts", EVERY_GRAFT),
        training=Training(
            epochs=epochs, batch_size=batch_size, optimizer=optimizer, shuffle=shuffle, class_weights=class_weights
        ),
        lanes=tuple(lanes),
        **fields,
    )


def lane(lane_id: int, seed: int = 0, *readers: Reader, **settings: Any) -> Lane:
    """A lane; knobs as `dropout_rate=0.5`. Without readers it has one of its own number."""
    return Lane(
        lane_id=lane_id,
        seed=seed,
        settings={name.replace("_", ".", 1): value for name, value in settings.items()},
        readers=readers or (Reader(replicate_id=lane_id),),
    )


class Outcome:
    """Everything that a driven cohort said."""

    def __init__(self) -> None:
        self.reports: list[SegmentReport] = []
        self.results: dict[int, ReplicateResult] = {}
        self.curves: dict[int, Curve] = {}
        self.finished: CohortFinished | None = None


def drive(
    asked: Cohort, data: Dataset, model: keras.Model, stop_after: dict[int, tuple[int, ...]] | None = None
) -> Outcome:
    """Trains a cohort to its end, stopping the given replicates after the given report (counted from 0)."""
    outcome = Outcome()
    training = train_cohort(asked, data, model)
    try:
        report = next(training)
        while True:
            for lane_report in report.lanes:
                outcome.curves[lane_report.lane_id] = unpack(lane_report.curve)
                outcome.results |= {result.replicate_id: result for result in lane_report.results}
            stop = (stop_after or {}).get(len(outcome.reports), ())
            outcome.reports.append(report)
            report = training.send(Verdicts(cohort_id=asked.cohort_id, stop=stop))
    except StopIteration as end:
        outcome.finished = end.value
    return outcome
