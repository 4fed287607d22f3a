"""From a cohort to its training: load, split, preprocess, build, train."""

from collections.abc import Generator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from search_spaces.datasets import AnyDatasetRef
from search_spaces.preprocessing import Preprocessing
from search_spaces.regularizers import REGULARIZERS
from search_spaces.spec import Evaluation
from trials.datasets import Dataset, file_of, load
from trials.datasets.kept import keep
from trials.engine.train import train_cohort
from trials.errors import InfeasibleCohortError
from trials.models import build
from trials.precision import computing_in
from trials.preprocessing import prepare
from trials.protocol import Cohort, CohortFinished, SegmentReport, Verdicts

PREPARED = ".prepared"
"""Folder beside the datasets; what is removed from it is made again."""

MAX_DATASETS = 2
"""Datasets kept in the memory of one process."""


def train(cohort: Cohort, datasets_dir: Path) -> Generator[SegmentReport, Verdicts, CohortFinished]:
    """Trains a cohort.

    Args:
        cohort: What to train.
        datasets_dir: Where `NAME.npz` files lie.

    Yields:
        A report per segment; send the verdicts.

    Returns:
        The cohort's end.

    Raises:
        InfeasibleCohortError: Its data or model cannot be had.
    """
    file_version = _file_version(file_of(cohort.dataset, datasets_dir))
    dataset = _dataset(
        cohort.dataset, cohort.preprocessing, cohort.evaluation, cohort.split_seed, (datasets_dir, file_version)
    )
    of_images = next((name for name in cohort.grafts if REGULARIZERS[name].needs_images), None)
    if of_images is not None and len(dataset.input_shape) != 3:
        raise InfeasibleCohortError(
            f"regularizers.{of_images}: expected images (height, width, channels); received examples of shape "
            f"{dataset.input_shape}"
        )
    if cohort.model.n_words is not None:
        _check_words(dataset, cohort.model.n_words)
    with computing_in(cohort.training.precision):
        model = build(cohort.model, dataset.input_shape, dataset.n_classes)
    return (yield from train_cohort(cohort, dataset, model))


def _check_words(dataset: Dataset, vocabulary: int) -> None:
    """Refuses examples that are no whole numbers from 0 to vocabulary - 1: an embedding would read beyond its end."""
    for part in (dataset.x_train, dataset.x_validation, dataset.x_test):
        low, high = float(part.min()), float(part.max())
        if low < 0 or high >= vocabulary or not np.array_equal(part, np.floor(part)):
            raise InfeasibleCohortError(
                f"model.vocabulary: expected whole numbers from 0 to {vocabulary - 1}; "
                f"received numbers from {low:g} to {high:g}"
            )


def _file_version(path: Path) -> tuple[int, int] | None:
    """Changes when the file is replaced, so that nobody trains on data kept from before."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=MAX_DATASETS)
def _dataset(
    ref: AnyDatasetRef,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    split_seed: int,
    source: tuple[Path, tuple[int, int] | None],
) -> Dataset:
    directory, file_version = source
    described = [value.model_dump_json() for value in (ref, preprocessing, evaluation)]
    return keep(
        directory / PREPARED,
        repr([version("regtune"), *described, split_seed, file_version]),
        lambda: prepare(load(ref, directory), preprocessing, evaluation, split_seed),
    )
