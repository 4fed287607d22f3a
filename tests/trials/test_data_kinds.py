"""Images and sequences of numbers in a file, and a table, train with the models that suit them.

Sequences of words are in `test_train.py`.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.models import AnyModel, ConvNet, Recurrent
from search_spaces.preprocessing import ZCA, Plain, Preprocessing
from search_spaces.spec import Training
from tests.trials.executors.cohorts import make_cohort
from trials.curves import Curve, row, unpack
from trials.protocol import Cohort, Verdicts
from trials.train import train

RANDOM = np.random.default_rng(0)
LABELS = np.arange(40) % 2

KINDS: dict[str, tuple[npt.NDArray[Any], AnyModel, Preprocessing]] = {
    "images": (RANDOM.integers(0, 256, (40, 6, 6, 3)).astype(np.uint8), ConvNet(filters=(2,), hidden_units=()), ZCA()),
    "float sequences": (RANDOM.normal(size=(40, 4, 3)), Recurrent(cell="gru", units=(3,)), Plain(name="scale")),
}


def curve_of(cohort: Cohort, datasets_dir: Path) -> Curve:
    steps = train(cohort, datasets_dir)
    report = next(steps)
    with suppress(StopIteration):
        while True:
            report = steps.send(Verdicts(cohort_id=cohort.cohort_id))
    return unpack(report.lanes[0].curve)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_this_kind_trains(kind: str, tmp_path: Path) -> None:
    x, model, preprocessing = KINDS[kind]
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=LABELS, x_test=x, y_test=LABELS)
    changes = {"model": model, "preprocessing": preprocessing, "grafts": ()}

    curve = curve_of(make_cohort(dataset="mine", epochs=2).model_copy(update=changes), tmp_path)

    assert curve.shape[1] == 2
    assert np.isfinite(row(curve, "validation_loss")).all()


def test_tumours_are_told_apart_once_their_features_are_standardized(tmp_path: Path) -> None:
    training = Training(epochs=30, batch_size=64)
    changes = {"preprocessing": Plain(name="standardize"), "grafts": (), "training": training}

    curve = curve_of(make_cohort(dataset="breast_cancer").model_copy(update=changes), tmp_path)

    assert row(curve, "test_accuracy")[-1] > 0.9
