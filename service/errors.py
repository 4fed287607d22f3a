"""What can go wrong in a use case. Names say what follows; one handler maps them to problem+json."""

from typing import ClassVar


class ServiceError(Exception):
    """Something the caller has to know."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"


class InvalidStudySpecError(ServiceError):
    """A study was asked for that cannot be run.

    Attributes:
        errors: For each fault the field's path, what was expected and what was received.
    """

    status = 422
    title = "Invalid study"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{e['field']}: expected {e['expected']}, received {e['received']}" for e in errors))
        self.errors = errors


class RefusedSettingError(ServiceError):
    """The operator set something that this service does not do."""

    title = "Refused setting"


class StudyNotFoundError(ServiceError):
    """No study has this id."""

    status = 404
    title = "Study not found"


class TrialNotFoundError(ServiceError):
    """The study has no trial of this number."""

    status = 404
    title = "Trial not found"


class PresetNotFoundError(ServiceError):
    """No preset has this name."""

    status = 404
    title = "Preset not found"


class StateConflictError(ServiceError):
    """The study is in a state in which this cannot be done."""

    status = 409
    title = "State conflict"


class InvalidModelError(InvalidStudySpecError):
    """A model was brought that the family `layers` has no words for."""

    title = "Untranslatable model"


class InvalidDatasetError(InvalidStudySpecError):
    """What was uploaded is no dataset."""

    title = "Invalid dataset"


class DatasetNotFoundError(ServiceError):
    """No dataset has this name."""

    status = 404
    title = "Dataset not found"


class DatasetNameTakenError(ServiceError):
    """There is a dataset of this name; remove it first, or take another name."""

    status = 409
    title = "Dataset name taken"


class DatasetInUseError(ServiceError):
    """A study still needs this dataset."""

    status = 409
    title = "Dataset in use"


class UploadTooLargeError(ServiceError):
    """An upload is larger than this service takes."""

    status = 413
    title = "Body too large"


class UploadBrokenError(ServiceError):
    """An upload ended before its end."""

    status = 400
    title = "Upload broken"


class DiskFullError(ServiceError):
    """There is no room on the disk for what was sent."""

    status = 507
    title = "Disk full"


class KeyReusedError(ServiceError):
    """This `Idempotency-Key` came with another request before."""

    status = 422
    title = "Idempotency-Key reused"


class StaleVersionError(ServiceError):
    """`If-Match` names a version that is no longer current."""

    status = 412
    title = "Stale version"


class MissingVersionError(ServiceError):
    """The request needs `If-Match`."""

    status = 428
    title = "If-Match required"


class DatabaseUnavailableError(ServiceError):
    """The database cannot be reached; try again later."""

    status = 503
    title = "Database unavailable"


class LeaseLostError(ServiceError):
    """Another coordinator owns the study now; stop working on it."""
