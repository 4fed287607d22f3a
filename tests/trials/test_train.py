import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.datasets import NamedRef
from search_spaces.models import Recurrent
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


EMBEDDING = Recurrent(units=(3,), embedding=2, vocabulary=6)


def write_words(folder: Path, words: npt.NDArray[np.generic]) -> Cohort:
    np.savez(folder / "words.npz", x_train=words, y_train=LABELS, x_test=words, y_test=LABELS)
    changes = {"model": EMBEDDING, "grafts": ("recurrent_dropout",)}
    return make_cohort(dataset="words").model_copy(update=changes)


def test_sequences_of_words_train_an_embedding(tmp_path: Path) -> None:
    words = np.random.default_rng(0).integers(0, 6, size=(40, 5))
    assert first_report(write_words(tmp_path, words), tmp_path).lanes


@pytest.mark.parametrize(
    ("word", "received"), [(6, "0 to 6"), (-1, "-1 to 5"), (0.5, "0 to 5")], ids=["beyond", "negative", "broken"]
)
def test_words_outside_the_vocabulary_are_refused(tmp_path: Path, word: float, received: str) -> None:
    words = np.tile(np.arange(6.0), (40, 1))
    words[3, 1] = word
    with pytest.raises(InfeasibleCohortError, match=rf"vocabulary: .* from 0 to 5; received numbers from {received}"):
        first_report(write_words(tmp_path, words), tmp_path)
