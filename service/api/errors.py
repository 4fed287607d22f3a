"""Every error as a problem document: the service's own, those of validation and of HTTP."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.errors import InvalidStudySpecError, ServiceError
from service.problems import problem
from service.refusals import in_words, show

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


def install(app: FastAPI) -> None:
    """Registers the one mapping from exceptions to answers."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _request_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def _service_error(_: Request, error: Exception) -> Response:
    if isinstance(error, InvalidStudySpecError):
        return problem(error.status, error.title, str(error), errors=error.errors)
    if not isinstance(error, ServiceError):
        raise error
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if error.status == 503 else None
    return problem(error.status, error.title, str(error), headers=headers)


def _request_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [
        {
            "field": ".".join(map(str, fault["loc"])),
            "expected": in_words(str(fault["msg"])),
            "received": show(fault.get("input")),
        }
        for fault in error.errors()
    ]
    detail = "; ".join(f"{f['field']}: expected {f['expected']}, received {f['received']}" for f in faults)
    return problem(422, "Invalid request", detail, errors=faults)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    titles = {404: "Not found", 405: "Method not allowed"}
    title = titles.get(error.status_code, "Request failed")
    return problem(
        error.status_code, title, f"{request.method} {request.url.path}: {error.detail}", headers=error.headers
    )


def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("request failed", exc_info=error, extra={"action": "request_failed", "path": request.url.path})
    return problem(500, "Internal error", "the server's log says more")
