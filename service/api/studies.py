"""`/v1/studies`: ask for studies, see them, steer them."""

from typing import Any

from fastapi import APIRouter, Response

from service.api.dependencies import ChangesBody, Cursor, Key, Limit, SpecBody, StudiesCases, StudyId, Tag, Version
from service.api.route import Route
from service.views import Estimate, Page, StudyState, StudyView

router = APIRouter(route_class=Route, prefix="/v1", tags=["studies"])

SPEC_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StudySpec"}}},
    }
}
CHANGES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StudyChanges"}}},
    }
}


@router.post("/studies", status_code=201, openapi_extra=SPEC_BODY)
def create_study(spec: SpecBody, studies: StudiesCases, response: Response, key: Key = None) -> StudyView:
    """Stores a study; a coordinator will run it. Repeated with its `Idempotency-Key` it makes no second one."""
    study = studies.create(spec, key=key)
    response.headers["location"] = f"/v1/studies/{study.id}"
    return _tagged(study, response)


@router.post("/studies:validate", openapi_extra=SPEC_BODY)
def validate_study(spec: SpecBody, studies: StudiesCases) -> Estimate:
    """Says what a study would take, and stores nothing."""
    return studies.validate(spec)


@router.get("/studies")
def list_studies(
    studies: StudiesCases,
    state: StudyState | None = None,
    tag: Tag = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[StudyView]:
    """Studies, the newest first."""
    return studies.list_studies(state=state, tag=tag, cursor=cursor, limit=limit)


@router.get("/studies/{study_id}")
def get_study(study_id: StudyId, studies: StudiesCases, response: Response) -> StudyView:
    """One study with its progress; the header ETag is its version."""
    return _tagged(studies.get(study_id), response)


@router.patch("/studies/{study_id}", openapi_extra=CHANGES_BODY)
def change_study(
    study_id: StudyId, version: Version, changes: ChangesBody, studies: StudiesCases, response: Response
) -> StudyView:
    """Changes budget, priority, name, tags or notes of a study that still has the version of `If-Match`."""
    return _tagged(studies.change(study_id, version, changes), response)


@router.delete("/studies/{study_id}", status_code=204)
def delete_study(study_id: StudyId, version: Version, studies: StudiesCases) -> None:
    """Deletes a study with its trials, if it still has the version of `If-Match`."""
    studies.delete(study_id, version)


@router.post("/studies/{study_id}:pause")
def pause_study(study_id: StudyId, studies: StudiesCases, response: Response) -> StudyView:
    """Stops training at the next segment's end; nothing finished is lost."""
    return _tagged(studies.pause(study_id), response)


@router.post("/studies/{study_id}:resume")
def resume_study(study_id: StudyId, studies: StudiesCases, response: Response) -> StudyView:
    """Goes on with a paused study."""
    return _tagged(studies.resume(study_id), response)


@router.post("/studies/{study_id}:cancel")
def cancel_study(study_id: StudyId, studies: StudiesCases, response: Response) -> StudyView:
    """Ends a study for good; what is finished stays."""
    return _tagged(studies.cancel(study_id), response)


def _tagged(study: StudyView, response: Response) -> StudyView:
    response.headers["etag"] = f'"{study.version}"'
    return study
