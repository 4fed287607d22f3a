"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem(
    status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> ProblemResponse:
    """One problem document.

    Args:
        status: The HTTP status.
        title: The kind of problem, the same for every occurrence.
        detail: What happened this time, for people.
        headers: Further headers of the response.
        members: Further members, such as `errors`.
    """
    slug = title.lower().replace(" ", "-")
    document = {"type": f"urn:regtune:{slug}", "title": title, "status": status, "detail": detail, **members}
    return ProblemResponse(document, status_code=status, headers=headers)
