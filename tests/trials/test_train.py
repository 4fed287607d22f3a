import os
from pathlib import Path

import numpy as np
import pytest

from search_spaces.datasets import NamedRef
from tests.trials.executors.cohorts import make_cohort
from trials.errors import InfeasibleCohortError
from trials.protocol import Cohort, SegmentReport
from trials.train import train

LABELS = np.arange(40) % 2


def write(folder: Path, n_features: int) -> None:
    x = np.random.default_rng(0).normal(size=(40, n_features)).astype(np.float32)
    np.savez(folder / "mine.npz", x_train=x, y_train=LABELS, x_test=x, y_test=LABELS)


def first_report(cohort: Cohort, datasets_dir: Path) -> SegmentReport:
    steps = train(cohort, datasets_dir)
    report = next(steps)
    steps.close()
    return report


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, 3)
    assert first_report(make_cohort(dataset="mine"), tmp_path).lanes
    (tmp_path / "mine.npz").write_bytes(b"broken since")
    os.utime(tmp_path / "mine.npz", (0, 0))

    with pytest.raises(InfeasibleCohortError, match="readable"):
        first_report(make_cohort(dataset="mine"), tmp_path)


def test_augmentation_of_anything_but_images_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 3)
    cohort = make_cohort(dataset="mine").model_copy(update={"grafts": ("augmentation",)})

    with pytest.raises(InfeasibleCohortError, match=r"regularizers\.augmentation: expected images .* shape \(3,\)"):
        first_report(cohort, tmp_path)


def test_a_dataset_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    cohort = make_cohort().model_copy(update={"dataset": NamedRef(name="nowhere")})

    with pytest.raises(InfeasibleCohortError, match=r"nowhere\.npz"):
        first_report(cohort, tmp_path)
