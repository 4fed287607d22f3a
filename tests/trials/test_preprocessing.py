from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.spec import Evaluation
from trials.datasets.dataset import RawDataset
from trials.preprocessing import BYTE_DIVISORS, PREPROCESSING, prepare

RANDOM = np.random.default_rng(0)
LAST = Evaluation(validation_fraction=0.25, split="last")


def make_raw(x: npt.NDArray[Any], n_test: int = 10) -> RawDataset:
    labels = (np.arange(len(x)) % 2).astype(np.int32)
    return RawDataset(
        x_train=x[:-n_test], y_train=labels[:-n_test], x_test=x[-n_test:], y_test=labels[-n_test:], n_classes=2
    )


BYTES = RANDOM.integers(0, 200, (50, 4, 5, 1)).astype(np.uint8)
IMAGES = RANDOM.uniform(0, 16, (50, 4, 5, 1)).astype(np.float32)
ROWS = RANDOM.normal(5, 3, (50, 6)).astype(np.float32)


@pytest.mark.parametrize("x", [BYTES, IMAGES, ROWS], ids=["bytes", "images", "rows"])
@pytest.mark.parametrize("name", PREPROCESSING)
def test_all_parts_come_out_contiguous_in_the_same_shape(name: str, x: npt.NDArray[Any]) -> None:
    data = prepare(make_raw(x), name, LAST, 0)

    for part, n_rows in ((data.x_train, 30), (data.x_validation, 10), (data.x_test, 10)):
        assert part.dtype == (np.uint8 if x is BYTES and name in BYTE_DIVISORS else np.float32)
        assert part.flags.c_contiguous
        assert part.shape == (n_rows, *x.shape[1:])
        assert np.isfinite(part).all()
    assert data.input_shape == x.shape[1:]


def test_none_leaves_the_values_alone() -> None:
    data = prepare(make_raw(BYTES), "none", LAST, 0)

    np.testing.assert_array_equal(data.x_test, BYTES[-10:])
    assert data.divisor == 1.0


def test_scale_leaves_bytes_to_be_divided_by_255_in_the_step_whatever_their_maximum() -> None:
    data = prepare(make_raw(BYTES), "scale", LAST, 0)

    np.testing.assert_array_equal(data.x_test, BYTES[-10:])
    assert data.divisor == 255.0


def test_the_published_test_part_that_is_also_validation_is_held_once() -> None:
    data = prepare(make_raw(IMAGES), "scale", Evaluation(protocol="as_published"), 0)

    assert data.x_test is data.x_validation


def test_scale_divides_other_images_by_their_largest_training_value() -> None:
    data = prepare(make_raw(IMAGES), "scale", LAST, 0)

    assert data.x_train.max() == 1.0
    np.testing.assert_allclose(data.x_test, IMAGES[-10:] / IMAGES[:30].max(), rtol=1e-6)


def test_scale_leaves_images_that_are_scaled_already() -> None:
    scaled = IMAGES / 20

    np.testing.assert_array_equal(prepare(make_raw(scaled), "scale", LAST, 0).x_test, scaled[-10:])


def test_scale_leaves_rows_of_features_alone() -> None:
    np.testing.assert_array_equal(prepare(make_raw(ROWS), "scale", LAST, 0).x_train, ROWS[:30])


def test_standardize_gives_the_training_part_mean_0_and_deviation_1() -> None:
    train = prepare(make_raw(ROWS), "standardize", LAST, 0).x_train

    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-5)


def test_standardize_turns_a_constant_feature_into_zeros() -> None:
    constant = ROWS.copy()
    constant[:, 2] = 0.1

    data = prepare(make_raw(constant), "standardize", LAST, 0)

    assert (data.x_train[:, 2] == 0).all()
    assert (data.x_test[:, 2] == 0).all()


@pytest.mark.parametrize("name", ["scale", "standardize"])
@pytest.mark.parametrize("row", [35, -1], ids=["validation", "test"])
def test_statistics_come_from_training_rows_alone(name: str, row: int) -> None:
    changed = IMAGES.copy()
    changed[row] = 1e6

    before = prepare(make_raw(IMAGES), name, LAST, 0).x_train
    np.testing.assert_array_equal(prepare(make_raw(changed), name, LAST, 0).x_train, before)


@pytest.mark.parametrize("x", [BYTES, ROWS], ids=["bytes", "rows"])
def test_column_l2_equals_keras_normalize(x: npt.NDArray[Any]) -> None:
    raw = make_raw(x)

    expected = keras.utils.normalize(raw.x_test.astype(np.float64), axis=1)

    np.testing.assert_allclose(prepare(raw, "column_l2", LAST, 0).x_test, expected, rtol=1e-6)


def test_column_l2_leaves_empty_columns_empty() -> None:
    blank = np.zeros_like(BYTES)

    assert (prepare(make_raw(blank), "column_l2", LAST, 0).x_train == 0).all()
