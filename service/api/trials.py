"""`/v1/studies/{id}/trials`: configurations, with their replicates."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from service.api.dependencies import Cursor, Limit, Points, PointsBody, StudiesCases, StudyId
from service.api.route import Route
from service.views import Page, TrialView

router = APIRouter(route_class=Route, prefix="/v1/studies/{study_id}/trials", tags=["trials"])

POINTS_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Points.model_json_schema()}}}
}


@router.get("")
def list_trials(
    study_id: StudyId, studies: StudiesCases, cursor: Cursor = None, limit: Limit = 50, *, curves: bool = False
) -> Page[TrialView]:
    """Trials in the order of their numbers."""
    return studies.trials(study_id, cursor=cursor, limit=limit, curves=curves)


@router.post("", status_code=202, openapi_extra=POINTS_BODY)
def enqueue_points(study_id: StudyId, points: PointsBody, studies: StudiesCases) -> Page[TrialView]:
    """Adds points of the user's own, to be trained as any other."""
    return Page(items=studies.enqueue(study_id, points))


@router.get("/{number}")
def get_trial(
    study_id: StudyId,
    number: Annotated[int, Path(ge=0, lt=2**31)],
    studies: StudiesCases,
    *,
    curves: bool = False,
) -> TrialView:
    """One trial; with `?curves=true` its learning curves too."""
    return studies.trial(study_id, number, curves=curves)
