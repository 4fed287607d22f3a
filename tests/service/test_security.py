"""The door: deny by default, whatever the path, and refuse what other sites or hosts send."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.composition import Services
from service.documents import MAX_DOCUMENT_BYTES
from service.errors import RefusedSettingError
from service.security import CONTENT_SECURITY_POLICY, Secured, check_host, ensure_token, is_public
from service.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
DASHBOARD_PATHS = ("/", "/dashboard", "/dashboard/studies/1", "/api/studies", "/api/studies/1", "/static/bundle.js")
UNKNOWN_PATHS = ("/nope", "/v1", "/docs", "/redoc", "/openapi.json", "/metrics", "/ui/static")


def paths_of(routes: Any) -> Iterator[str]:
    for route in routes:
        if hasattr(route, "original_router"):
            yield from paths_of(route.original_router.routes)
        elif hasattr(route, "routes"):
            yield from (route.path + path for path in paths_of(route.routes))
        else:
            yield route.path


def every_request(app: Secured) -> list[tuple[str, str]]:
    found = {path.replace("{study_id}", "abc").replace("{number}", "1") for path in paths_of(app.inner.routes)}  # type: ignore[attr-defined]  # a FastAPI application
    paths = sorted(path.replace("{name}", "demo") for path in found)
    return [(method, path) for path in (*paths, *DASHBOARD_PATHS, *UNKNOWN_PATHS) for method in METHODS]


def test_every_route_denies_strangers(services: Services, stranger: TestClient) -> None:
    requests = every_request(create_app(services.settings, services))
    assert ("POST", "/v1/studies/abc:pause") in requests
    assert ("GET", "/v1/docs") in requests
    answers = {
        (method, path): stranger.request(method, path).status_code
        for method, path in requests
        if not is_public(method, path)
    }
    assert len(answers) > 150
    assert set(answers.values()) == {401}


def test_little_more_than_health_and_sign_in_is_public(services: Services) -> None:
    requests = every_request(create_app(services.settings, services))
    public = {path for method, path in requests if is_public(method, path)}
    assert public == {
        "/livez",
        "/readyz",
        "/ui/sign-in",
        "/ui/session",
        "/ui/static/plotly.min.js",
        "/ui/static/demo",
    }


def test_climbing_out_of_the_public_folder_leads_to_the_same_door(stranger: TestClient) -> None:
    assert stranger.get("/ui/static/..%2f..%2fv1/presets").status_code == 401


def test_a_browser_that_is_not_signed_in_is_sent_to_sign_in(stranger: TestClient) -> None:
    answer = stranger.get("/ui/", headers={"accept": "text/html,application/xhtml+xml"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/sign-in")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer x", "Basic dG9rZW4=", "Bearer é"])
def test_a_wrong_token_opens_nothing(stranger: TestClient, value: str) -> None:
    answer = stranger.get("/v1/presets", headers={b"authorization": value.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens(services: Services, stranger: TestClient, scheme: str) -> None:
    answer = stranger.get("/v1/presets", headers={"authorization": f"{scheme} {services.token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "127.0.0.1:80:80", "", "10.0.0.1"]
)
def test_a_foreign_host_header_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/livez", headers={"host": host})
    assert (answer.status_code, answer.json()["title"]) == (400, "Host not allowed")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080"])
def test_the_names_of_this_machine_are_hosts(client: TestClient, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_another_sites_page_changes_nothing(client: TestClient, method: str, headers: dict[str, str]) -> None:
    answer = client.request(method, "/v1/studies/abc", headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (403, "Origin not allowed")


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "http://127.0.0.1:8080"}, {"sec-fetch-site": "same-origin"}], ids=str
)
def test_our_own_page_and_tools_may_change_things(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/v1/studies/abc:pause", headers=headers).status_code == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_forms_can_send_is_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/studies", content=b"{}", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["title"]) == (415, "Unsupported media type")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_over_the_limit_is_refused(client: TestClient, chunked: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(9):
            yield b" " * (MAX_DOCUMENT_BYTES // 8)

    content = chunks() if chunked else b" " * (MAX_DOCUMENT_BYTES + 1)
    answer = client.post("/v1/studies", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["title"]) == (413, "Body too large")


@pytest.mark.parametrize("path", ["/livez", "/v1/presets", "/v1/docs", "/ui/sign-in", "/nope", "/v1/studies/abc"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_token_has_256_bits_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    token, is_new = ensure_token(tmp_path / "data" / "token")
    assert is_new
    assert len(token) == 43
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["token"]


def test_a_second_start_keeps_the_token(tmp_path: Path) -> None:
    token, _ = ensure_token(tmp_path / "token")
    assert ensure_token(tmp_path / "token") == (token, False)


def test_starts_at_the_same_time_agree_on_one_token(tmp_path: Path) -> None:
    results: list[tuple[str, bool]] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        results.append(ensure_token(tmp_path / "token"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({token for token, _ in results}) == 1
    assert [is_new for _, is_new in results].count(True) == 1


@pytest.mark.parametrize("host", ["::", "192.168.1.5", "example.org", ""])
def test_listening_beyond_this_machine_is_refused(host: str) -> None:
    with pytest.raises(RefusedSettingError, match="--host: expected one of"):
        check_host(Settings(host=host))


def test_an_operator_may_insist_on_listening_beyond_this_machine() -> None:
    check_host(Settings(host="0.0.0.0", allow_remote=True))  # noqa: S104 - what is tested


def test_a_service_answers_to_the_names_its_operator_gave_it_and_no_other(services: Services) -> None:
    settings = services.settings.model_copy(update={"allowed_hosts": "Regtune.example,api"})
    asked = TestClient(create_app(settings, services))

    answers = {name: asked.get("/livez", headers={"Host": name}).status_code for name in ("regtune.example", "api:80")}
    assert set(answers.values()) == {200}
    assert asked.get("/livez", headers={"Host": "evil.example"}).status_code == 400
