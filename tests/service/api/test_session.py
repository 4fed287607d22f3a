"""Sign-in: the token buys a cookie, and nothing else does."""

import pytest
from starlette.testclient import TestClient

from service.composition import Services
from service.security import COOKIE_NAME


def test_the_token_buys_a_cookie_that_opens_everything(services: Services, stranger: TestClient) -> None:
    answer = stranger.post("/ui/session", json={"token": services.token})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert services.token not in cookie
    assert stranger.get("/v1/presets").status_code == 200


def test_a_wrong_token_buys_nothing(stranger: TestClient) -> None:
    answer = stranger.post("/ui/session", json={"token": "x"})
    assert (answer.status_code, answer.json()["title"]) == (401, "Wrong token")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": "x", "more": 1}, [], None])
def test_a_malformed_sign_in_is_a_problem(stranger: TestClient, body: object) -> None:
    assert stranger.post("/ui/session", json=body).status_code == 422


def test_another_site_cannot_sign_a_browser_in(services: Services, stranger: TestClient) -> None:
    answer = stranger.post("/ui/session", json={"token": services.token}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_made_up_cookie_opens_nothing(stranger: TestClient) -> None:
    stranger.cookies.set(COOKIE_NAME, "0" * 64)
    assert stranger.get("/v1/presets").status_code == 401


def test_after_signing_out_the_cookie_is_gone(services: Services, stranger: TestClient) -> None:
    stranger.post("/ui/session", json={"token": services.token})
    assert stranger.delete("/ui/session").status_code == 204
    assert stranger.get("/v1/presets").status_code == 401
