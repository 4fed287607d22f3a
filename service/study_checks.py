"""What a spec alone cannot tell: whether its data exist and suit the model, and what the study would take."""

import math
import zipfile
from pathlib import Path

import numpy as np
from pydantic_core import PydanticCustomError

from search_spaces.datasets import BUILT_IN, SHAPES, shape_of
from search_spaces.models import Plugin, estimate_parameters
from search_spaces.models.plugin import installed_builders
from search_spaces.spec import MAX_REPLICATES_PER_STUDY, MAX_TRIALS, StudySpec, check_fits
from service.coordinator.group import count_lanes, lanes_per_cohort
from service.errors import InvalidStudySpecError
from service.settings import Settings
from service.study_views import trials_in_budget
from service.views import Estimate

MAX_LABELS_READ = 2**27


def estimate_study(spec: StudySpec, settings: Settings) -> Estimate:
    """Checks a spec against this installation, and counts what it would take.

    Raises:
        InvalidStudySpecError: There is no such dataset or builder, the model does not suit, or the study is too large.
    """
    _check_builder(spec)
    shape, n_classes = shape_of_data(spec, settings)
    if spec.dataset.name not in SHAPES:
        try:
            check_fits(spec, shape, n_classes)
        except PydanticCustomError as error:
            raise InvalidStudySpecError([_fault(error)]) from None
    points = trials_in_budget(spec) or 0
    replicates = points * spec.budget.replicates
    _check_size(points, replicates)
    lanes = count_lanes(spec)
    return Estimate(
        points=points,
        replicates=replicates,
        lanes=lanes,
        cohorts=math.ceil(lanes / lanes_per_cohort(spec, settings.n_processes)),
        epochs=lanes * spec.training.epochs,
        parameters_of_model=estimate_parameters(spec.model, shape, 1 if n_classes == 2 else n_classes),
    )


def shape_of_data(spec: StudySpec, settings: Settings) -> tuple[tuple[int, ...], int]:
    """Shape of one example of a study's data, and the number of classes.

    Raises:
        InvalidStudySpecError: There is no such dataset.
    """
    return _shape_of(spec, settings.data_dir / "datasets")


def _check_builder(spec: StudySpec) -> None:
    if isinstance(spec.model, Plugin) and spec.model.name not in (builders := installed_builders()):
        expected = f"an installed builder ({', '.join(builders) or 'there is none'})"
        raise InvalidStudySpecError([{"field": "model.name", "expected": expected, "received": spec.model.name}])


def _check_size(points: int, replicates: int) -> None:
    limits = [("budget.trials", "points", points, MAX_TRIALS)]
    limits.append(("budget.replicates", "replicates in all", replicates, MAX_REPLICATES_PER_STUDY))
    wrong = [
        {"field": field, "expected": f"at most {limit:,} {what}", "received": f"{count:,}"}
        for field, what, count, limit in limits
        if count > limit
    ]
    if wrong:
        raise InvalidStudySpecError(wrong)


def _fault(error: PydanticCustomError) -> dict[str, str]:
    context = error.context or {}
    return {name: str(context.get(name, error.message())) for name in ("field", "expected", "received")}


def _shape_of(spec: StudySpec, folder: Path) -> tuple[tuple[int, ...], int]:
    """Shape of one example and number of classes, from a table or from the file's header."""
    name = spec.dataset.name
    known = shape_of(spec.dataset)
    if known is not None:
        return known
    path = folder / f"{name}.npz"
    if not path.is_file():
        own = sorted(found.stem for found in folder.glob("*.npz") if found.stem not in BUILT_IN)
        expected = f"one of {', '.join((*BUILT_IN, *own))}, or a file {path}"
        raise InvalidStudySpecError([{"field": "dataset", "expected": expected, "received": name}])
    try:
        return _read_shape(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        expected = f"a readable {path} with x_train, y_train, x_test and y_test"
        raise InvalidStudySpecError([{"field": "dataset", "expected": expected, "received": str(error)}]) from None


def _read_shape(path: Path) -> tuple[tuple[int, ...], int]:
    with zipfile.ZipFile(path) as archive:
        examples, _ = _header(archive, "x_train")
        labels, kind = _header(archive, "y_train")
    if len(examples) < 2 or math.prod(labels) > MAX_LABELS_READ or kind not in "biuf":
        msg = f"x_train of shape {examples}, y_train of shape {labels} and kind {kind}"
        raise ValueError(msg)
    with np.load(path, allow_pickle=False) as arrays:
        y_train = arrays["y_train"]
    if not y_train.size or not np.isfinite(y_train).all():
        msg = "labels that are missing or not finite"
        raise ValueError(msg)
    return examples[1:], int(y_train.max()) + 1


def _header(archive: zipfile.ZipFile, key: str) -> tuple[tuple[int, ...], str]:
    with archive.open(f"{key}.npy") as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
    return shape, dtype.kind
