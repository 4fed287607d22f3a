"""`/v1/studies/{id}/effects`: what each regularizer did to accuracy."""

import io
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from service.api.dependencies import StudiesCases, StudyId
from service.effects.records import StudyRecord
from service.effects.view import Effects
from service.garbage import keep_loaded
from service.recent import Recent

router = APIRouter(prefix="/v1/studies/{study_id}", tags=["effects"])

EffectsFormat = Literal["json", "csv", "html", "png"]

MEDIA_TYPES: dict[EffectsFormat, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "html": "text/html",
    "png": "image/png",
}


MAX_KEPT = 16


def _recent(request: Request) -> Recent[bytes]:
    recent: Recent[bytes] = request.app.state.effects
    return recent


RecentEffects = Annotated[Recent[bytes], Depends(_recent)]
"""Effects that were asked for before; estimating them again takes most of a second where trials are many."""


@router.get(
    "/effects",
    response_model=Effects,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values() if media != "application/json"}}},
)
def get_effects(
    study_id: StudyId,
    studies: StudiesCases,
    recent: RecentEffects,
    asked: Annotated[EffectsFormat | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """The effects so far, as JSON, CSV, report or figure: by `?format=`, or by `Accept`."""
    chosen = asked or _accepted(accept)
    key = (studies.stamp(study_id), chosen)
    content = recent.get_or_make(key, lambda: rendered(studies.record(study_id), chosen))
    disposition = f'attachment; filename="effects-{study_id}.{chosen}"' if chosen in {"csv", "html"} else "inline"
    headers = {"content-disposition": disposition, "vary": "Accept"}
    return Response(content, media_type=MEDIA_TYPES[chosen], headers=headers)


def rendered(record: StudyRecord, chosen: EffectsFormat) -> bytes:
    """Estimates the effects of a study and writes them in one of the formats."""
    content = _written(record, chosen)
    keep_loaded(f"effects as {chosen}")
    return content


def _written(record: StudyRecord, chosen: EffectsFormat) -> bytes:
    from service.effects.estimate import estimate

    effects = estimate(record)
    if chosen == "csv":
        from service.effects.export import effects_csv

        return effects_csv(effects).encode()
    if chosen == "html":
        from service.effects.html import effects_html

        return effects_html(effects, record).encode()
    if chosen == "png":
        from service.effects.png import effects_png

        buffer = io.BytesIO()
        effects_png(effects, record, buffer)
        return buffer.getvalue()
    return effects.model_dump_json().encode()


def _accepted(accept: str) -> EffectsFormat:
    """The first format that an `Accept` header names; JSON where it names none."""
    named = [part.partition(";")[0].strip() for part in accept.split(",")]
    formats: dict[str, EffectsFormat] = {media: name for name, media in MEDIA_TYPES.items()}
    return next((formats[media] for media in named if media in formats), "json")
