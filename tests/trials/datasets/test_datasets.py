from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_circles

from search_spaces.datasets import BUILT_IN, SHAPES, CirclesRef, NamedRef
from trials.datasets import LOADERS, RawDataset, load
from trials.errors import InfeasibleCohortError

OFFLINE = ("circles", "digits", "digits_rows", "mnist_5k")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RawDataset]:
    folder = tmp_path_factory.mktemp("empty")
    return {name: load(CirclesRef() if name == "circles" else NamedRef(name=name), folder) for name in OFFLINE}


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


@pytest.mark.parametrize(("name", "n_train", "n_test"), [("digits", 1437, 360), ("mnist_5k", 4000, 1000)])
def test_the_fixed_split_shares_out_the_classes_and_repeats_no_image(
    name: str, n_train: int, n_test: int, loaded: dict[str, RawDataset]
) -> None:
    raw = loaded[name]

    assert (len(raw.x_train), len(raw.x_test)) == (n_train, n_test)
    shares = np.bincount(raw.y_test) / np.bincount(np.concatenate([raw.y_train, raw.y_test]))
    np.testing.assert_allclose(shares, 0.2, atol=0.01)
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


def test_an_unknown_name_is_refused_with_everything_there_is(tmp_path: Path) -> None:
    (tmp_path / "mine.npz").touch()

    with pytest.raises(
        InfeasibleCohortError, match=r"circles, digits, .*, mine, or a file .*yours\.npz; received yours"
    ):
        load(NamedRef(name="yours"), tmp_path)
