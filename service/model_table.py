"""A study's model with regularizers in place, described by a process that has Keras; this one never has."""

import subprocess
import sys

from pydantic import TypeAdapter, ValidationError

from search_spaces.regularizers import REGULARIZERS
from search_spaces.regularizers.base import first_value
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.errors import InvalidStudySpecError, ServiceError
from service.settings import Settings
from service.study_checks import shape_of_data
from trials.description import DescribedModel, DescriptionRequest, Undescribable
from trials.executors.trainer import environment

TIMEOUT_SECONDS = 300.0
ANSWER: TypeAdapter[DescribedModel | Undescribable] = TypeAdapter(DescribedModel | Undescribable)


class NoDescriptionError(ServiceError):
    """The model could not be described, for a reason that is not the study's."""

    title = "No description"


def describe_model(spec: StudySpec, settings: Settings) -> DescribedModel:
    """Builds the study's model in a child process and says what each regularizer does where.

    Where a structural knob has several values, the first that is not "off" is shown.

    Raises:
        InvalidStudySpecError: The model cannot be had, or a regularizer has no place in it.
        NoDescriptionError: The child failed; Keras may not be installed here.
    """
    shape, n_classes = shape_of_data(spec, settings)
    request = DescriptionRequest(
        model=spec.model,
        input_shape=shape,
        n_classes=n_classes,
        grafts=tuple(name for name, _ in spec.regularizers.items() if name != "early_stopping"),
        structure=first_structure(spec),
    )
    described = _ask(request, settings)
    if isinstance(described, Undescribable):
        raise InvalidStudySpecError([_fault(described.reason)])
    return described


def first_structure(spec: StudySpec) -> Point:
    """The structural knobs, each at the first of its values that is not "off"."""
    return {
        f"{name}.{knob_name}": next((v for v in asked.levels() or () if v != knob.off), first_value(asked))
        for name, regularizer in spec.regularizers.items()
        for knob_name, knob, asked in regularizer.ranges()
        if knob.role == "structural"
    }


def _ask(request: DescriptionRequest, settings: Settings) -> DescribedModel | Undescribable:
    command = [sys.executable, "-P", "-m", "trials.describe", "--memory-bytes", str(settings.trainer_memory_bytes)]
    try:
        ended = subprocess.run(  # noqa: S603  # our own interpreter and module, no shell, no text of a user
            command,
            input=request.model_dump_json().encode(),
            env=environment() | {"KERAS_BACKEND": settings.backend, "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        return ANSWER.validate_json(ended.stdout)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        raise NoDescriptionError(f"the layers cannot be shown: {reason}") from None
    except (OSError, subprocess.TimeoutExpired, ValidationError) as error:
        raise NoDescriptionError(f"the layers cannot be shown: {error}") from None


def _fault(reason: str) -> dict[str, str]:
    """A refusal of training as one of a study: training says `field: expected this; received that`."""
    field, separator, rest = reason.partition(": expected ")
    if not separator:
        return {"field": "model", "expected": "a model that can be trained", "received": reason}
    expected, _, received = rest.partition("; ")
    field = f"regularizers.{field}" if field.partition(".")[0] in REGULARIZERS else field
    return {"field": field, "expected": expected, "received": received.removeprefix("received ")}
