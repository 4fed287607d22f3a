"""What routes are given: the use cases, and checked parts of the request."""

import re
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from search_spaces.spec import StudySpec
from search_spaces.values import NAME_PATTERN, Point, Value
from service.documents import parse_json
from service.errors import MissingVersionError, StaleVersionError, StudyNotFoundError
from service.settings import Settings
from service.specs import parse, parse_spec
from service.studies import Studies
from service.study_changes import StudyChanges

STUDY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
ETAG = re.compile(r'"(\d{1,9})"')
MAX_POINTS = 1000


class Points(Value):
    """Points that a user wants to see trained."""

    points: Annotated[tuple[Point, ...], Query(min_length=1, max_length=MAX_POINTS)]


async def _studies(request: Request) -> Studies:
    studies: Studies = request.app.state.studies
    return studies


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _study_id(study_id: str) -> str:
    if not STUDY_ID.fullmatch(study_id):
        msg = f"no study has the id {study_id!r}"
        raise StudyNotFoundError(msg)
    return study_id


async def _spec(request: Request) -> StudySpec:
    return parse_spec(parse_json(await request.body()))


async def _points(request: Request) -> list[Point]:
    return list(parse(Points, parse_json(await request.body())).points)


async def _changes(request: Request) -> StudyChanges:
    return parse(StudyChanges, parse_json(await request.body()))


async def _version(if_match: Annotated[str | None, Header()] = None) -> int:
    if if_match is None:
        msg = "expected the study's ETag in the header If-Match; received none"
        raise MissingVersionError(msg)
    match = ETAG.fullmatch(if_match.strip())
    if match is None:
        msg = f'expected an ETag such as "3" in the header If-Match; received {if_match}'
        raise StaleVersionError(msg)
    return int(match[1])


StudiesCases = Annotated[Studies, Depends(_studies)]
AppSettings = Annotated[Settings, Depends(_settings)]
StudyId = Annotated[str, Depends(_study_id)]
SpecBody = Annotated[StudySpec, Depends(_spec)]
ChangesBody = Annotated[StudyChanges, Depends(_changes)]
PointsBody = Annotated[list[Point], Depends(_points)]
Version = Annotated[int, Depends(_version)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,200}$")]
Cursor = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_=.:-]{1,200}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Tag = Annotated[str | None, Query(pattern=NAME_PATTERN)]
