from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.datasets import ImdbRef
from trials.datasets import load
from trials.datasets.imdb import pad
from trials.errors import InfeasibleCohortError

LABELS = np.array([0, 1, 1])


def write(folder: Path, reviews: npt.NDArray[Any]) -> None:
    np.savez(folder / "imdb.npz", x_train=reviews, y_train=LABELS, x_test=reviews[::-1], y_test=LABELS)


def test_short_reviews_are_padded_in_front_and_long_ones_keep_their_end() -> None:
    rows = pad([[1, 5, 7], [1, 4, 5, 6, 7, 8, 9], [1]], ImdbRef(length=4))

    np.testing.assert_array_equal(rows, [[0, 1, 5, 7], [6, 7, 8, 9], [0, 0, 0, 1]])
    assert rows.dtype == np.float32


def test_words_beyond_the_vocabulary_count_as_rare() -> None:
    np.testing.assert_array_equal(pad([[1, 5, 6, 7, 600]], ImdbRef(vocabulary=6, length=5)), [[1, 5, 2, 2, 2]])


@pytest.mark.parametrize("side", ["front", "back"])
def test_a_file_is_padded_anew_on_whatever_side_it_was(side: str, tmp_path: Path) -> None:
    words = np.array([[1, 4, 5, 6], [1, 7, 0, 0], [1, 8, 9, 0]])
    write(tmp_path, words if side == "back" else np.array([[1, 4, 5, 6], [0, 0, 1, 7], [0, 1, 8, 9]]))

    raw = load(ImdbRef(length=3), tmp_path)

    np.testing.assert_array_equal(raw.x_train, [[4, 5, 6], [0, 1, 7], [1, 8, 9]])
    np.testing.assert_array_equal(raw.x_test, raw.x_train[::-1])
    np.testing.assert_array_equal(raw.y_test, LABELS)
    assert raw.n_classes == 2
    assert raw.y_train.dtype == np.int32


@pytest.mark.parametrize(
    "reviews",
    [np.array([[1, -4]] * 3), np.array([[1, 0.5]] * 3), np.ones((3, 2, 2))],
    ids=["negative", "broken", "images"],
)
def test_a_file_of_anything_but_words_is_refused(reviews: npt.NDArray[Any], tmp_path: Path) -> None:
    write(tmp_path, reviews)

    with pytest.raises(InfeasibleCohortError, match=r"imdb\.npz: expected rows of whole numbers from 0; received"):
        load(ImdbRef(), tmp_path)


REAL_REVIEWS = Path(__file__).resolve().parents[4] / "shared" / "data" / "imdb_5k.npz"


@pytest.mark.skipif(not REAL_REVIEWS.exists(), reason="no real reviews on this machine")
def test_real_reviews_come_in_the_length_and_vocabulary_asked_for(tmp_path: Path) -> None:
    (tmp_path / "imdb.npz").symlink_to(REAL_REVIEWS)

    raw = load(ImdbRef(vocabulary=1000, length=50), tmp_path)

    assert raw.x_train.shape == raw.x_test.shape == (5000, 50)
    assert (raw.x_train.min(), raw.x_train.max()) == (0, 999)
    assert (raw.x_train == 2).mean() > 0.05
