"""Accuracies of an evaluation against scikit-learn's, on whichever backend the tests run with."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops
from sklearn.metrics import accuracy_score, recall_score

from search_spaces.optimizers import Optimizer
from tests.trials.engine.cohorts import cohort, digits, lane, mlp
from trials.curves import row
from trials.datasets.dataset import Dataset
from trials.early_stopping import StoppingRule
from trials.engine.evaluation import WHOLE_ROWS, evaluate, sampled
from trials.engine.lane_scope import current_lane
from trials.engine.losses import CrossEntropy
from trials.engine.random_bits import Key, fold, normal
from trials.engine.training_program import training_program
from trials.protocol import Reader

RANDOM = np.random.default_rng(0)

Array = npt.NDArray[Any]


def balanced(labels: Array, predicted: Array) -> float:
    """scikit-learn's `balanced_accuracy_score`, without its warning about predicted classes that do not occur."""
    return float(recall_score(labels, predicted, labels=np.unique(labels), average="macro"))


@pytest.mark.parametrize("n_outputs", [1, 3, 10], ids=["two classes", "three", "ten"])
@pytest.mark.parametrize("n_rows", [5, WHOLE_ROWS, 1000], ids=["few", "one piece", "chunks and a rest"])
def test_accuracies_equal_those_of_scikit_learn_where_classes_are_rare(n_outputs: int, n_rows: int) -> None:
    loss = CrossEntropy(n_outputs)
    labels = np.minimum(RANDOM.geometric(0.6, n_rows) - 1, loss.n_classes - 1).astype(np.int32)
    logits = RANDOM.normal(size=(n_rows, n_outputs)).astype(np.float32)
    predicted = (logits[:, 0] > 0).astype(int) if n_outputs == 1 else logits.argmax(axis=1)

    found = evaluate(
        lambda x, _: (x, ops.convert_to_tensor(0.25)),
        loss,
        ops.convert_to_tensor(logits),
        ops.convert_to_tensor(labels),
    )
    _, accuracy, balanced_accuracy, spread = (float(ops.convert_to_numpy(value)) for value in found)

    assert accuracy == pytest.approx(accuracy_score(labels, predicted), abs=1e-6)
    assert balanced_accuracy == pytest.approx(balanced(labels, predicted), abs=1e-6)
    assert spread == pytest.approx(0.25)


def test_a_model_that_is_always_right_has_a_balanced_accuracy_of_exactly_1() -> None:
    labels = np.arange(49, dtype=np.int32) % 7

    found = evaluate(
        lambda x, _: (x, ops.convert_to_tensor(0.25)),
        CrossEntropy(7),
        ops.one_hot(labels, 7),
        ops.convert_to_tensor(labels),
    )

    assert float(ops.convert_to_numpy(found[2])) == 1.0


@pytest.mark.parametrize("n_outputs", [1, 4])
def test_sampled_predictions_are_averaged_and_their_spread_is_that_of_the_likeliest_class(n_outputs: int) -> None:
    loss = CrossEntropy(n_outputs)
    key = Key(ops.convert_to_tensor(1, "uint32"), ops.convert_to_tensor(2, "uint32"))

    logits, spread = sampled(lambda: normal(current_lane().key, (6, n_outputs)), loss, (key, {}), 3)
    drawn = [normal(fold(key, number), (6, n_outputs)) for number in range(3)]

    shares = np.stack([ops.convert_to_numpy(loss.probabilities(one)) for one in drawn])
    mean, likeliest = shares.mean(axis=0), shares.mean(axis=0).argmax(axis=-1)
    np.testing.assert_allclose(ops.convert_to_numpy(loss.probabilities(logits)), mean, rtol=1e-5)
    expected = shares.std(axis=0)[np.arange(6), likeliest].mean()
    assert float(ops.convert_to_numpy(spread)) == pytest.approx(expected, rel=1e-4)


def rare_digits() -> Dataset:
    """Digits of which 0 to 6 are rare, and 9 is missing from the test part."""
    whole = digits(900, 400)
    parts: dict[str, Any] = {}
    for part in ("train", "validation", "test"):
        x, y = getattr(whole, f"x_{part}"), getattr(whole, f"y_{part}")
        kept = ((y > 6) | (np.arange(len(y)) % 5 == 0)) & ((y != 9) | (part != "test"))
        parts |= {f"x_{part}": np.ascontiguousarray(x[kept]), f"y_{part}": y[kept]}
    return Dataset(n_classes=10, **parts)


def test_the_curve_holds_balanced_accuracies_of_every_part_and_early_stopping_can_follow_them() -> None:
    data, rule = rare_digits(), StoppingRule(patience=60, monitor="validation_balanced_accuracy")
    reader, fast = Reader(replicate_id=0, rule=rule), Optimizer(learning_rate=0.05)
    asked = cohort([lane(0, 3, reader)], epochs=60, grafts=(), monitor=rule.monitor, optimizer=fast)
    program = training_program(asked, data, mlp(8))
    active = program.start(asked.lanes[0], None)

    program.advance([active], 10 * program.program.plan.read_every)
    _put_into(program.model, program._weights, active.state)
    for part in ("train", "validation", "test"):
        x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        predicted = np.asarray(ops.convert_to_numpy(program.model(x, training=False))).argmax(axis=1)
        last = row(active.curve, f"{part}_balanced_accuracy")[-1]
        assert last == pytest.approx(balanced(y, predicted), abs=1e-6)

    assert (row(active.curve, "validation_balanced_accuracy") < row(active.curve, "validation_accuracy") - 0.01).any()

    program.advance([active], 60)
    (result,) = active.report(60).results
    followed = row(active.curve, "validation_balanced_accuracy")
    assert result.selected_epoch == followed.argmax() != row(active.curve, "validation_accuracy").argmax()
    assert result.metrics.test_balanced_accuracy == row(active.curve, "test_balanced_accuracy")[result.selected_epoch]


def _put_into(model: keras.Model, weights: list[keras.Variable], values: list[Array]) -> None:
    assert len(weights) == len(model.variables)
    for weight, value in zip(weights, values, strict=False):  # the optimizer's variables follow the weights
        weight.assign(value)
