"""`Route`: what blocks runs in a thread, and nothing else does."""

import threading
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from pydantic import AfterValidator

from service.api.route import Route

seen: list[int] = []


def note_thread(value: int) -> int:
    """Notes which thread checks an answer."""
    seen.append(threading.get_ident())
    return value


Answer = Annotated[int, AfterValidator(note_thread)]
router = APIRouter(route_class=Route)


@router.get("/blocking/{number}", status_code=202)
def answer_blocking(number: int) -> Answer:
    """Answers with the number."""
    seen.append(threading.get_ident())
    return number


@router.get("/awaiting/{number}", status_code=202)
async def answer_awaiting(number: int) -> Answer:
    """Answers with the number."""
    seen.append(threading.get_ident())
    return number


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    return app


@pytest.mark.parametrize(("path", "n_threads"), [("/blocking", 2), ("/awaiting", 1)])
def test_only_the_endpoint_runs_in_a_thread(app: FastAPI, path: str, n_threads: int) -> None:
    seen.clear()
    with TestClient(app) as client:
        assert client.portal is not None
        loop_thread = client.portal.call(threading.get_ident)
        answer = client.get(f"{path}/7")
    assert (answer.status_code, answer.json()) == (202, 7)
    in_endpoint, in_check = seen
    assert in_check == loop_thread
    assert len({in_endpoint, in_check}) == n_threads


def test_the_description_stays_the_endpoints_own(app: FastAPI) -> None:
    described = app.openapi()["paths"]["/blocking/{number}"]["get"]
    assert described["description"] == "Answers with the number."
    assert described["parameters"][0]["name"] == "number"
    assert described["responses"]["202"]["content"]["application/json"]["schema"]["type"] == "integer"
