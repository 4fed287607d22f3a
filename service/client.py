"""Regtune's REST API from Python, as the commands use it."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from service.errors import InvalidDatasetError, InvalidStudySpecError, ServiceError
from service.views import DatasetView, Page, StudyView, TrialView

TIMEOUT_SECONDS = 60.0
UPLOAD_SECONDS = 600.0
"""The server reads every number before it answers."""


class ServerUnreachableError(ServiceError):
    """No server answers at the address."""

    title = "Server unreachable"


class ServerRefusedError(ServiceError):
    """The server answered with a problem.

    Attributes:
        answer_status: The HTTP status.
    """

    title = "Refused"

    def __init__(self, answer_status: int, text: str) -> None:
        super().__init__(text)
        self.answer_status = answer_status


class Client:
    """A connection to a running server.

    Args:
        base_url: Such as `http://127.0.0.1:8080`.
        token: The bearer token.
        transport: Another way to reach the server than the network.
    """

    def __init__(self, base_url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._base_url = base_url
        self._http = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(self, spec: dict[str, Any]) -> StudyView:
        """Stores a study on the server.

        Raises:
            InvalidStudySpecError: The server refuses it.
        """
        return StudyView.model_validate_json(self._ask("POST", "/v1/studies", json=spec))

    def studies(self, **query: str | int | None) -> Page[StudyView]:
        """One page of studies; the query may have `state`, `tag`, `cursor` and `limit`."""
        return Page[StudyView].model_validate_json(self._ask("GET", "/v1/studies", params=_given(query)))

    def study(self, study_id: str) -> StudyView:
        """One study."""
        return StudyView.model_validate_json(self._ask("GET", f"/v1/studies/{study_id}"))

    def trials(self, study_id: str, **query: str | int | None) -> Page[TrialView]:
        """One page of a study's trials; the query may have `cursor`, `limit` and `curves`."""
        content = self._ask("GET", f"/v1/studies/{study_id}/trials", params=_given(query))
        return Page[TrialView].model_validate_json(content)

    def effects(self, study_id: str, form: str = "json") -> bytes:
        """A study's effects as `json`, `csv`, `html` or `png`."""
        return self._ask("GET", f"/v1/studies/{study_id}/effects", params={"format": form})

    def steer(self, study_id: str, verb: str) -> StudyView:
        """Makes a study `pause`, `resume` or `cancel`."""
        return StudyView.model_validate_json(self._ask("POST", f"/v1/studies/{study_id}:{verb}"))

    def delete(self, study_id: str) -> None:
        """Deletes a study as it is now."""
        version = self.study(study_id).version
        self._ask("DELETE", f"/v1/studies/{study_id}", headers={"if-match": f'"{version}"'})

    def datasets(self) -> Page[DatasetView]:
        """Every dataset."""
        return Page[DatasetView].model_validate_json(self._ask("GET", "/v1/datasets"))

    def dataset(self, name: str) -> DatasetView:
        """One dataset."""
        return DatasetView.model_validate_json(self._ask("GET", f"/v1/datasets/{quote(name, safe='')}"))

    def add_dataset(self, source: Path, name: str) -> DatasetView:
        """Uploads a file, `.npz` or `.csv`.

        Raises:
            InvalidDatasetError: The server refuses what is in it.
        """
        media = "text/csv" if source.suffix == ".csv" else "application/octet-stream"
        with source.open("rb") as file:
            parts = {"params": {"name": name}, "headers": {"content-type": media}, "timeout": UPLOAD_SECONDS}
            return DatasetView.model_validate_json(self._ask("POST", "/v1/datasets", content=file, **parts))

    def remove_dataset(self, name: str) -> None:
        """Removes a dataset."""
        self._ask("DELETE", f"/v1/datasets/{quote(name, safe='')}")

    def _ask(self, method: str, path: str, **parts: Any) -> bytes:
        try:
            response = self._http.request(method, path, **parts)
        except httpx.TransportError as error:
            msg = f"no regtune answers at {self._base_url} ({error}); `regtune serve` starts one"
            raise ServerUnreachableError(msg) from None
        if response.is_success:
            return response.content
        raise _refusal(response)


def _given(query: dict[str, str | int | None]) -> dict[str, str | int]:
    return {key: value for key, value in query.items() if value is not None}


def _refusal(response: httpx.Response) -> ServiceError:
    if "json" not in response.headers.get("content-type", ""):
        return ServerRefusedError(response.status_code, f"the server answered {response.status_code}")
    document = response.json()
    if document.get("title") == InvalidStudySpecError.title:
        return InvalidStudySpecError(document.get("errors", []))
    if document.get("title") == InvalidDatasetError.title:
        return InvalidDatasetError(document.get("errors", []))
    return ServerRefusedError(response.status_code, f"{document.get('title')}: {document.get('detail')}")
