import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.spec import Evaluation
from trials.datasets.dataset import RawDataset
from trials.datasets.split import Parts, split_validation
from trials.errors import InfeasibleCohortError


def make_raw(n_train: int, n_classes: int = 2, n_test: int = 3, n_rest: int = 0) -> RawDataset:
    def part(
        start: int, n_rows: int
    ) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], np.ndarray[tuple[int], np.dtype[np.int32]]]:
        rows = np.arange(start, start + n_rows)
        return rows.astype(np.float32)[:, np.newaxis], (rows % n_classes).astype(np.int32)

    (x_train, y_train), (x_test, y_test), (x_rest, y_rest) = (
        part(0, n_train),
        part(10_000, n_test),
        part(20_000, n_rest),
    )
    return RawDataset(
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=n_classes,
        x_rest=x_rest if n_rest else None,
        y_rest=y_rest if n_rest else None,
    )


def ids(parts: Parts) -> tuple[list[int], list[int], list[int]]:
    train, validation, test = (
        [int(x) for x in part[:, 0]] for part in (parts.x_train, parts.x_validation, parts.x_test)
    )
    return train, validation, test


def test_the_last_rows_are_validation_as_in_keras_validation_split() -> None:
    train, validation, _ = ids(split_validation(make_raw(10), Evaluation(validation_fraction=0.25, split="last"), 0))

    assert train == [0, 1, 2, 3, 4, 5, 6]
    assert validation == [7, 8, 9]


@given(
    n_train=st.integers(10, 300),
    n_classes=st.integers(2, 12),
    fraction=st.floats(0.05, 0.85),
    split=st.sampled_from(["random", "last"]),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_training_row_is_in_exactly_one_part_with_its_own_label(
    n_train: int, n_classes: int, fraction: float, split: str, seed: int
) -> None:
    raw = make_raw(n_train, n_classes)

    parts = split_validation(raw, Evaluation.model_validate({"validation_fraction": fraction, "split": split}), seed)

    train, validation, test = ids(parts)
    assert sorted(train + validation) == list(range(n_train))
    assert abs(len(validation) - fraction * n_train) <= 1
    assert test == [10_000, 10_001, 10_002]
    for x, y in ((parts.x_train, parts.y_train), (parts.x_validation, parts.y_validation)):
        np.testing.assert_array_equal(x[:, 0] % n_classes, y)


def test_a_random_split_gives_every_class_its_share() -> None:
    parts = split_validation(make_raw(100, n_classes=5), Evaluation(validation_fraction=0.2), 3)

    assert np.bincount(parts.y_validation).tolist() == [4, 4, 4, 4, 4]


def test_a_class_with_a_single_row_does_not_prevent_a_random_split() -> None:
    raw = make_raw(21, n_classes=20)

    assert len(split_validation(raw, Evaluation(), 0).y_validation) == 5


def test_the_seed_decides_the_random_split() -> None:
    first, again, other = (ids(split_validation(make_raw(50), Evaluation(), seed))[1] for seed in (1, 1, 2))

    assert first == again != other


def test_a_validation_part_of_the_source_is_used_as_it_is() -> None:
    train, validation, test = ids(split_validation(make_raw(4, n_rest=3), Evaluation(), 0))

    assert train == [0, 1, 2, 3]
    assert validation == [20_000, 20_001, 20_002]
    assert test == [10_000, 10_001, 10_002]


@pytest.mark.parametrize(("n_rest", "published"), [(0, 10_000), (3, 20_000)], ids=["its test part", "its rest"])
def test_as_published_the_published_test_part_is_validation_and_test(n_rest: int, published: int) -> None:
    parts = ids(split_validation(make_raw(4, n_rest=n_rest), Evaluation(protocol="as_published"), 0))

    assert parts == ([0, 1, 2, 3], *([published, published + 1, published + 2],) * 2)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InfeasibleCohortError, match=r"evaluation\.validation_fraction: .* of 1 training rows"):
        split_validation(make_raw(1), Evaluation(), 0)
