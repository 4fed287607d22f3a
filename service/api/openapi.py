"""The API's description, and a page that shows it without scripts from elsewhere."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.templating import Jinja2Templates
from pydantic.json_schema import models_json_schema

from search_spaces.spec import StudySpec
from service.study_changes import StudyChanges

router = APIRouter(include_in_schema=False)

_templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schema of the bodies that the routes parse themselves."""
    if app.openapi_schema is None:
        document = get_openapi(title="regtune", version=version("regtune"), routes=app.routes)
        _, bodies = models_json_schema(
            [(StudySpec, "validation"), (StudyChanges, "validation")], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"] |= bodies["$defs"]
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        app.openapi_schema = document
    return app.openapi_schema


@router.get("/v1/docs")
def docs_page(request: Request) -> Response:
    """Every route, for people."""
    return _templates.TemplateResponse(request, "docs.html", {"document": request.app.openapi()})
