"""Whatever is sent: a problem document, never a fault of the server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.composition import Services
from tests.service.api.test_studies import SPEC

JSON = {"content-type": "application/json"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def keys_of(document: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield (key,)
            yield from ((key, *rest) for rest in keys_of(value))


def replaced(document: Any, path: tuple[str, ...], value: Any) -> Any:
    head, *rest = path
    return document | {head: replaced(document[head], tuple(rest), value) if rest else value}


def is_problem(answer: Any, *allowed: int) -> bool:
    return answer.status_code in allowed and answer.headers["content-type"] == "application/problem+json"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(list(keys_of(SPEC))), value=values)
def test_a_study_with_any_value_anywhere_is_answered_or_refused(
    client: TestClient, path: tuple[str, ...], value: Any
) -> None:
    body = json.dumps(replaced(SPEC, path, value))
    answer = client.post("/v1/studies:validate", content=body.encode(), headers=JSON)
    assert answer.status_code == 200 or is_problem(answer, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_refused_as_a_problem(client: TestClient, body: bytes) -> None:
    assert is_problem(client.post("/v1/studies", content=body, headers=JSON), 422)


def test_a_body_that_is_nested_without_end_is_refused(client: TestClient) -> None:
    body = b'{"name":' + b"[" * 500_000
    assert is_problem(client.post("/v1/studies", content=body, headers=JSON), 422)


@pytest.mark.parametrize("path", ["/nope", "/v1/nope", "/api/nope", "/ui/nope", "/static/..%2fapp.py"])
def test_an_unknown_path_is_a_problem(client: TestClient, path: str) -> None:
    assert is_problem(client.get(path, follow_redirects=True), 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/studies"), ("DELETE", "/v1/presets"), ("POST", "/livez")])
def test_a_wrong_method_is_a_problem(client: TestClient, method: str, path: str) -> None:
    assert is_problem(client.request(method, path), 405)


@contextmanager
def out_of_reach(services: Services) -> Iterator[None]:
    path = services.settings.data_dir / "regtune.sqlite3"
    services.database.dispose()
    for file in services.settings.data_dir.glob("regtune.sqlite3*"):
        file.unlink()
    path.mkdir()
    yield


@pytest.mark.parametrize("path", ["/readyz", "/v1/studies", "/v1/studies/abc"])
def test_a_database_out_of_reach_is_503_with_a_time_to_retry(services: Services, client: TestClient, path: str) -> None:
    with out_of_reach(services):
        answer = client.get(path)
    assert is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert str(services.settings.data_dir) not in answer.text


def test_without_its_database_the_process_is_still_alive(services: Services, client: TestClient) -> None:
    with out_of_reach(services):
        assert client.get("/livez").status_code == 200
