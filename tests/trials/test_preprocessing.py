from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter

from search_spaces.preprocessing import Preprocessing
from search_spaces.spec import Evaluation
from trials.datasets.dataset import Dataset, RawDataset
from trials.preprocessing import BYTE_DIVISORS, PLAIN, prepare
from trials.zca import fit_zca

RANDOM = np.random.default_rng(0)
LAST = Evaluation(validation_fraction=0.25, split="last")


def make_raw(x: npt.NDArray[Any], n_test: int = 10) -> RawDataset:
    labels = (np.arange(len(x)) % 2).astype(np.int32)
    return RawDataset(
        x_train=x[:-n_test], y_train=labels[:-n_test], x_test=x[-n_test:], y_test=labels[-n_test:], n_classes=2
    )


def prepared(raw: RawDataset, name: str, evaluation: Evaluation = LAST) -> Dataset:
    asked: TypeAdapter[Preprocessing] = TypeAdapter(Preprocessing)
    return prepare(raw, asked.validate_python(name), evaluation, 0)


BYTES = RANDOM.integers(0, 200, (50, 4, 5, 1)).astype(np.uint8)
IMAGES = RANDOM.uniform(0, 16, (50, 4, 5, 1)).astype(np.float32)
ROWS = RANDOM.normal(5, 3, (50, 6)).astype(np.float32)


@pytest.mark.parametrize("x", [BYTES, IMAGES, ROWS], ids=["bytes", "images", "rows"])
@pytest.mark.parametrize("name", [*PLAIN, "zca"])
def test_all_parts_come_out_contiguous_in_the_same_shape(name: str, x: npt.NDArray[Any]) -> None:
    data = prepared(make_raw(x), name)

    for part, n_rows in ((data.x_train, 30), (data.x_validation, 10), (data.x_test, 10)):
        assert part.dtype == (np.uint8 if x is BYTES and name in BYTE_DIVISORS else np.float32)
        assert part.flags.c_contiguous
        assert part.shape == (n_rows, *x.shape[1:])
        assert np.isfinite(part).all()
    assert data.input_shape == x.shape[1:]


def test_none_leaves_the_values_alone() -> None:
    data = prepared(make_raw(BYTES), "none")

    np.testing.assert_array_equal(data.x_test, BYTES[-10:])
    assert data.divisor == 1.0


def test_scale_leaves_bytes_to_be_divided_by_255_in_the_step_whatever_their_maximum() -> None:
    data = prepared(make_raw(BYTES), "scale")

    np.testing.assert_array_equal(data.x_test, BYTES[-10:])
    assert data.divisor == 255.0


def test_the_published_test_part_that_is_also_validation_is_held_once() -> None:
    data = prepared(make_raw(IMAGES), "scale", Evaluation(protocol="as_published"))

    assert data.x_test is data.x_validation


def test_scale_divides_other_images_by_their_largest_training_value() -> None:
    data = prepared(make_raw(IMAGES), "scale")

    assert data.x_train.max() == 1.0
    np.testing.assert_allclose(data.x_test, IMAGES[-10:] / IMAGES[:30].max(), rtol=1e-6)


def test_scale_leaves_images_that_are_scaled_already() -> None:
    scaled = IMAGES / 20

    np.testing.assert_array_equal(prepared(make_raw(scaled), "scale").x_test, scaled[-10:])


def test_scale_leaves_rows_of_features_alone() -> None:
    np.testing.assert_array_equal(prepared(make_raw(ROWS), "scale").x_train, ROWS[:30])


def test_standardize_gives_the_training_part_mean_0_and_deviation_1() -> None:
    train = prepared(make_raw(ROWS), "standardize").x_train

    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-5)


def test_standardize_turns_a_constant_feature_into_zeros() -> None:
    constant = ROWS.copy()
    constant[:, 2] = 0.1

    data = prepared(make_raw(constant), "standardize")

    assert (data.x_train[:, 2] == 0).all()
    assert (data.x_test[:, 2] == 0).all()


@pytest.mark.parametrize("name", ["scale", "standardize", "zca"])
@pytest.mark.parametrize("row", [35, -1], ids=["validation", "test"])
def test_statistics_come_from_training_rows_alone(name: str, row: int) -> None:
    changed = IMAGES.copy()
    changed[row] = 1e6

    before = prepared(make_raw(IMAGES), name).x_train
    np.testing.assert_array_equal(prepared(make_raw(changed), name).x_train, before)


@pytest.mark.parametrize("x", [BYTES, ROWS], ids=["bytes", "rows"])
def test_column_l2_equals_keras_normalize(x: npt.NDArray[Any]) -> None:
    raw = make_raw(x)

    expected = keras.utils.normalize(raw.x_test.astype(np.float64), axis=1)

    np.testing.assert_allclose(prepared(raw, "column_l2").x_test, expected, rtol=1e-6)


def test_column_l2_leaves_empty_columns_empty() -> None:
    blank = np.zeros_like(BYTES)

    assert (prepared(make_raw(blank), "column_l2").x_train == 0).all()


def test_zca_whitens_bytes_as_fractions_of_255() -> None:
    data = prepared(make_raw(BYTES), "zca")

    whiten = fit_zca(BYTES[:30].astype(np.float32) / 255, 0.1)
    np.testing.assert_allclose(data.x_test, whiten(BYTES[-10:].astype(np.float32) / 255), atol=1e-6)
    assert data.divisor == 1.0


@pytest.mark.parametrize("name", ["standardize", "zca"])
@pytest.mark.parametrize("part", ["x_validation", "x_test"])
def test_validation_and_test_are_transformed_by_what_training_taught(name: str, part: str) -> None:
    among_others = getattr(prepared(make_raw(IMAGES), name), part)
    alone = IMAGES.copy()
    alone[31:40], alone[-9:] = 0, 0

    np.testing.assert_allclose(getattr(prepared(make_raw(alone), name), part)[0], among_others[0], atol=1e-6)
