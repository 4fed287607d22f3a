"""The data of a study as stock Keras takes them: split and preprocessed by the study's rules, in single precision."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.spec import StudySpec
from trials.datasets import load
from trials.datasets.split import split_validation
from trials.preprocessing import fit


@dataclass(frozen=True, kw_only=True)
class FitData:
    """Arrays for `fit` and `evaluate`; labels are numbers of classes."""

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[np.int32]
    x_validation: npt.NDArray[np.float32]
    y_validation: npt.NDArray[np.int32]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.int32]
    n_classes: int


def fit_data(spec: StudySpec, datasets_dir: Path) -> FitData:
    """The study's data."""
    raw = load(spec.dataset, datasets_dir)
    parts = split_validation(raw, spec.evaluation, spec.seed)
    transform = fit(spec.preprocessing, parts.x_train)

    def ready(examples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(transform(examples), dtype=np.float32)

    return FitData(
        x_train=ready(parts.x_train),
        y_train=parts.y_train,
        x_validation=ready(parts.x_validation),
        y_validation=parts.y_validation,
        x_test=ready(parts.x_test),
        y_test=parts.y_test,
        n_classes=raw.n_classes,
    )
