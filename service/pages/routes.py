"""The own pages at `/ui`: what a person looks at. Data reach them through `/v1`, by their scripts."""

import functools
import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.templating import Jinja2Templates
from pydantic import Field
from starlette.staticfiles import StaticFiles

from search_spaces.spec import StudySpec
from service.api.dependencies import STUDY_ID, StudiesCases, StudyId
from service.errors import StudyNotFoundError
from service.garbage import keep_loaded
from service.pages.curves import CurvesAnswer, Measure, summarize
from service.pages.words import question
from service.studies import Studies

MAX_TRIALS_DRAWN = 12
YEAR_SECONDS = 365 * 86_400

_HERE = Path(__file__).parent
_templates = Jinja2Templates(directory=_HERE / "templates")
_static = StaticFiles(directory=_HERE / "static")

router = APIRouter(prefix="/ui", include_in_schema=False)

TrialNumber = Annotated[int, Field(ge=0, lt=2**31)]


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Asks for the token, or takes it from the URL's fragment."""
    return _page(request, "sign_in.html")


@router.get("/")
def studies_page(request: Request) -> Response:
    """The list of studies."""
    return _page(request, "studies.html", here="studies", base_url=str(request.base_url).rstrip("/"))


@router.get("/studies/{study_id}")
def study_page(request: Request, study_id: str, studies: StudiesCases) -> Response:
    """One study, live."""
    return _study_page(request, "study.html", study_id, studies)


@router.get("/studies/{study_id}/effects")
def effects_page(request: Request, study_id: str, studies: StudiesCases) -> Response:
    """What a study says about its regularizers."""
    return _study_page(request, "effects.html", study_id, studies)


@router.get("/studies/{study_id}/curves")
def learning_curves(
    study_id: StudyId,
    studies: StudiesCases,
    trial: Annotated[list[TrialNumber], Query(max_length=MAX_TRIALS_DRAWN)],
    measure: Measure = "accuracy",
) -> CurvesAnswer:
    """Mean learning curves of some trials, thinned for drawing."""
    return summarize([studies.trial(study_id, number, curves=True) for number in trial], measure)


@router.get("/studies/{study_id}/figures")
def effect_figures(study_id: StudyId, studies: StudiesCases) -> Response:
    """The plotly figures of the effects page, by name."""
    from service.effects.estimate import estimate  # pandas and scipy are loaded when they are first needed
    from service.effects.figures import figures

    record = studies.record(study_id)
    drawn = figures(estimate(record), record)
    keep_loaded("figures")
    return JSONResponse(drawn)


@router.get("/static/plotly.min.js")
def plotting_library() -> Response:
    """The browser part of the installed plotly; its URL carries the version, so browsers may keep it."""
    headers = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
    return FileResponse(_plotly_path(), media_type="text/javascript", headers=headers)


@router.get("/static/{name}")
async def static_file(request: Request, name: str) -> Response:
    """Style sheet, scripts and icon; revalidated at each use, so that an upgrade shows at once."""
    response = await _static.get_response(name, request.scope)
    response.headers["Cache-Control"] = "no-cache"
    return response


@functools.cache
def _plotly_path() -> Path:
    """Where the library lies; found without importing plotly, which is slow."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        msg = "plotly is not installed"
        raise ModuleNotFoundError(msg)
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def _page(request: Request, template: str, *, status_code: int = 200, **context: Any) -> Response:
    context["plotly_version"] = version("plotly")
    return _templates.TemplateResponse(request, template, context, status_code=status_code)


def _study_page(request: Request, template: str, study_id: str, studies: Studies) -> Response:
    try:
        study = studies.get(study_id) if STUDY_ID.fullmatch(study_id) else None
    except StudyNotFoundError:
        study = None
    if study is None:
        return _page(request, "missing.html", status_code=404, study_id=study_id)
    return _page(request, template, study=study, question=question(StudySpec.model_validate(study.spec)))
