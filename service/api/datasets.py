"""`/v1/datasets`: the data that studies may name, built in or uploaded."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.requests import ClientDisconnect

from search_spaces.datasets import DATASET_NAME_PATTERN
from service.api.dependencies import AppSettings
from service.api.route import Route
from service.datasets import Datasets
from service.errors import UploadBrokenError, UploadTooLargeError
from service.security import UPLOADED_FORMS, media_type
from service.views import DatasetView, Page

STALL_SECONDS = 60.0
"""Longest silence in mid-upload."""
WRITE_BYTES = 2**20

router = APIRouter(route_class=Route, prefix="/v1/datasets", tags=["datasets"])

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in UPLOADED_FORMS},
    }
}


def _datasets(request: Request) -> Datasets:
    datasets: Datasets = request.app.state.datasets
    return datasets


DatasetsCases = Annotated[Datasets, Depends(_datasets)]
DatasetName = Annotated[str, Query(pattern=DATASET_NAME_PATTERN)]


@router.get("")
def list_datasets(datasets: DatasetsCases) -> Page[DatasetView]:
    """Every dataset: built in, uploaded, or put into the data directory."""
    return Page(items=datasets.list_datasets())


@router.get("/{name}")
def get_dataset(name: str, datasets: DatasetsCases) -> DatasetView:
    """One dataset."""
    return datasets.get(name)


@router.delete("/{name}", status_code=204)
def remove_dataset(name: str, datasets: DatasetsCases) -> None:
    """Removes a dataset that no unfinished study needs."""
    datasets.remove(name)


@router.post("", status_code=201, openapi_extra=UPLOAD_BODY)
async def add_dataset(
    request: Request, name: DatasetName, datasets: DatasetsCases, settings: AppSettings, response: Response
) -> DatasetView:
    """Adds an `.npz` (`application/octet-stream`) or CSV (`text/csv`) file, sent as the body, under a name."""
    form = UPLOADED_FORMS[media_type(request.headers)]
    await anyio.to_thread.run_sync(datasets.expect_free, name)
    with datasets.draft() as draft:
        async for part in _parts(request, settings.max_upload_bytes):
            await anyio.to_thread.run_sync(draft.file.write, part)
        view = await anyio.to_thread.run_sync(datasets.publish, draft, name, form)
    response.headers["location"] = f"/v1/datasets/{name}"
    return view


async def _parts(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    """The body in parts worth a write.

    Raises:
        UploadTooLargeError: It is larger than that, by its own account or in fact.
        UploadBrokenError: It stopped before its end.
    """
    announced = request.headers.get("content-length", "0")
    n_bytes, waiting = 0, bytearray()
    _expect_small(int(announced) if announced.isdigit() else 0, max_bytes)
    stream = aiter(request.stream())
    while (received := await _next_part(stream)) is not None:
        n_bytes += len(received)
        _expect_small(n_bytes, max_bytes)
        waiting += received
        if len(waiting) >= WRITE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


async def _next_part(stream: AsyncIterator[bytes]) -> bytes | None:
    try:
        with anyio.fail_after(STALL_SECONDS):
            return await anext(stream, None)
    except (ClientDisconnect, TimeoutError):
        msg = f"expected all of the body, with no silence over {STALL_SECONDS:g} s; received a part of it"
        raise UploadBrokenError(msg) from None


def _expect_small(n_bytes: int, max_bytes: int) -> None:
    if n_bytes > max_bytes:
        msg = f"expected at most {max_bytes:,} bytes (REGTUNE_MAX_UPLOAD_BYTES)"
        raise UploadTooLargeError(msg)
