"""Which rows are validation, and which are test."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from search_spaces.spec import Evaluation
from trials.datasets.dataset import Examples, Labels, RawDataset
from trials.errors import InfeasibleCohortError


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A dataset split in three, not yet preprocessed."""

    x_train: Examples
    y_train: Labels
    x_validation: Examples
    y_validation: Labels
    x_test: Examples
    y_test: Labels


def split_validation(raw: RawDataset, evaluation: Evaluation, split_seed: int) -> Parts:
    """Makes the three parts.

    `as_published`: the published test part is validation and test at once. `held_out`: the source's own validation part
    if it has one, else a fraction of the training rows: the last ones (as Keras' `validation_split`), or a random
    draw with equal shares of the classes where every class has enough rows.

    Raises:
        InfeasibleCohortError: A part would be empty.
    """
    if evaluation.protocol == "as_published":
        x, y = (raw.x_test, raw.y_test) if raw.x_rest is None or raw.y_rest is None else (raw.x_rest, raw.y_rest)
        return Parts(x_train=raw.x_train, y_train=raw.y_train, x_validation=x, y_validation=y, x_test=x, y_test=y)
    if raw.x_rest is not None and raw.y_rest is not None:
        train, x_validation, y_validation = np.arange(len(raw.y_train)), raw.x_rest, raw.y_rest
    else:
        train, validation = _choose_rows(raw.y_train, evaluation, split_seed)
        x_validation, y_validation = raw.x_train[validation], raw.y_train[validation]
    return Parts(
        x_train=raw.x_train[train],
        y_train=raw.y_train[train],
        x_validation=x_validation,
        y_validation=y_validation,
        x_test=raw.x_test,
        y_test=raw.y_test,
    )


def _choose_rows(labels: Labels, evaluation: Evaluation, split_seed: int) -> tuple[npt.NDArray[np.int_], ...]:
    n_rows = len(labels)
    n_train = math.floor(n_rows * (1.0 - evaluation.validation_fraction))
    n_validation = n_rows - n_train
    if not 1 <= n_train < n_rows:
        raise InfeasibleCohortError(
            f"evaluation.validation_fraction: expected a part and a rest of at least one of {n_rows} training rows; "
            f"received {evaluation.validation_fraction:g}"
        )
    rows = np.arange(n_rows)
    if evaluation.split == "last":
        return rows[:n_train], rows[n_train:]
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    can_stratify = counts.min() >= 2 and min(n_train, n_validation) >= len(counts)
    train, validation = train_test_split(
        rows, test_size=n_validation, random_state=split_seed, stratify=labels if can_stratify else None
    )
    return train, validation
