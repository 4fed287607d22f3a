from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.datasets import make_circles
from sklearn.neighbors import KNeighborsClassifier

from search_spaces.datasets import BUILT_IN, SHAPES, CirclesRef, ClassificationRef, DatasetRef, NamedRef
from trials.datasets import LOADERS, RawDataset, load
from trials.errors import InfeasibleCohortError

OFFLINE = ("circles", "classification", "breast_cancer", "wine", "digits", "digits_rows", "mnist_5k")
REF: TypeAdapter[DatasetRef] = TypeAdapter(DatasetRef)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RawDataset]:
    folder = tmp_path_factory.mktemp("empty")
    return {name: load(REF.validate_python(name), folder) for name in OFFLINE}


def test_every_dataset_that_a_spec_may_name_has_a_loader() -> None:
    assert set(LOADERS) == set(BUILT_IN) == set(SHAPES)


@pytest.mark.parametrize("name", OFFLINE)
def test_shapes_and_classes_are_those_that_specs_are_checked_against(name: str, loaded: dict[str, RawDataset]) -> None:
    raw = loaded[name]

    assert (raw.x_train.shape[1:], raw.n_classes) == SHAPES[name]
    assert raw.x_test.shape[1:] == raw.x_train.shape[1:]
    assert len(raw.x_train) == len(raw.y_train)
    assert len(raw.x_test) == len(raw.y_test)
    assert raw.y_train.dtype == raw.y_test.dtype == np.int32
    assert set(np.unique(raw.y_train)) == set(np.unique(raw.y_test)) == set(range(raw.n_classes))


@pytest.mark.parametrize(
    ("name", "n_train", "n_test"),
    [("digits", 1437, 360), ("mnist_5k", 4000, 1000), ("breast_cancer", 455, 114), ("wine", 142, 36)],
)
def test_the_fixed_split_shares_out_the_classes_and_repeats_no_example(
    name: str, n_train: int, n_test: int, loaded: dict[str, RawDataset]
) -> None:
    raw = loaded[name]

    assert (len(raw.x_train), len(raw.x_test)) == (n_train, n_test)
    shares = np.bincount(raw.y_test) / np.bincount(np.concatenate([raw.y_train, raw.y_test]))
    np.testing.assert_allclose(shares, 0.2, atol=0.015)
    train = {image.tobytes() for image in raw.x_train}
    test = {image.tobytes() for image in raw.x_test}
    assert len(train & test) <= 1  # digits holds one image twice


def test_the_fixed_split_is_the_same_every_time(loaded: dict[str, RawDataset], tmp_path: Path) -> None:
    again = load(NamedRef(name="digits"), tmp_path)

    np.testing.assert_array_equal(again.y_test, loaded["digits"].y_test)
    np.testing.assert_array_equal(again.x_test, loaded["digits"].x_test)


def test_digits_rows_are_the_digits_without_channel(loaded: dict[str, RawDataset]) -> None:
    np.testing.assert_array_equal(loaded["digits_rows"].x_test, loaded["digits"].x_test[..., 0])


def test_mnist_5k_holds_bytes_that_look_like_digits(loaded: dict[str, RawDataset]) -> None:
    images = loaded["mnist_5k"].x_train

    assert images.dtype == np.uint8
    assert images.max() == 255
    assert images[:, 0].max() < images[:, 14].max()


def test_circles_are_the_tutorials_points_in_the_order_drawn(loaded: dict[str, RawDataset]) -> None:
    x, y = make_circles(n_samples=100, noise=0.1, random_state=1)
    raw = loaded["circles"]

    assert raw.x_rest is not None
    assert raw.y_rest is not None
    np.testing.assert_array_equal(raw.x_train, x[:30].astype(np.float32))
    np.testing.assert_array_equal(raw.x_rest, x[30:].astype(np.float32))
    np.testing.assert_array_equal(raw.y_rest, y[30:])


def test_circles_are_tested_on_fresh_points_of_both_classes(loaded: dict[str, RawDataset]) -> None:
    raw = loaded["circles"]

    assert len(raw.x_test) == 2000
    assert set(map(bytes, raw.x_test)).isdisjoint(map(bytes, raw.x_train))
    np.testing.assert_allclose(np.linalg.norm(raw.x_test[raw.y_test == 1], axis=1).mean(), 0.8, atol=0.03)


def test_circles_with_the_largest_random_state_still_have_fresh_points(tmp_path: Path) -> None:
    assert len(load(CirclesRef(random_state=2**32 - 1, n_fresh=10), tmp_path).x_test) == 10


def test_points_of_a_classification_train_rest_and_are_fresh_without_repeating(loaded: dict[str, RawDataset]) -> None:
    raw = loaded["classification"]

    assert raw.x_rest is not None
    assert raw.x_train.shape == raw.x_rest.shape == (200, 10)
    assert raw.x_test.shape == (2000, 10)
    assert len({row.tobytes() for part in (raw.x_train, raw.x_rest, raw.x_test) for row in part}) == 2400


def test_fresh_points_of_a_classification_are_of_the_same_problem(tmp_path: Path) -> None:
    raw = load(ClassificationRef(n_train=390, class_sep=3.0, flip_y=0.0), tmp_path)

    nearest = KNeighborsClassifier(5).fit(raw.x_train, raw.y_train)

    assert nearest.score(raw.x_test, raw.y_test) > 0.95


def test_a_classification_is_drawn_as_asked(tmp_path: Path) -> None:
    ref = ClassificationRef(n_features=7, n_informative=7, n_classes=5, n_fresh=50, random_state=3)
    raw = load(ref, tmp_path)

    assert raw.x_train.shape == (200, 7)
    assert set(raw.y_train) == set(range(raw.n_classes)) == set(range(5))
    assert len(raw.x_test) == 50
    np.testing.assert_array_equal(load(ref, tmp_path).x_train, raw.x_train)
    assert (load(ref.model_copy(update={"random_state": 4}), tmp_path).x_train != raw.x_train).any()


def test_an_unknown_name_is_refused_with_everything_there_is(tmp_path: Path) -> None:
    (tmp_path / "mine.npz").touch()

    with pytest.raises(
        InfeasibleCohortError, match=r"circles, classification, .*, mine, or a file .*yours\.npz; received yours"
    ):
        load(NamedRef(name="yours"), tmp_path)
