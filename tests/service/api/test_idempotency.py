"""Requests that may be repeated."""

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from service.composition import Services
from service.database.queries_idempotency import KEPT_SECONDS
from service.database.tables import idempotency
from tests.service.api.test_studies import SPEC

KEYED = {"Idempotency-Key": "a-key"}


def test_a_repeated_request_makes_one_study_and_is_answered_alike(client: TestClient) -> None:
    first, again = (client.post("/v1/studies", json=SPEC, headers=KEYED) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert len(client.get("/v1/studies").json()["items"]) == 1


def test_another_study_under_the_same_key_is_refused(client: TestClient) -> None:
    client.post("/v1/studies", json=SPEC, headers=KEYED)
    other = client.post("/v1/studies", json=SPEC | {"name": "other"}, headers=KEYED)
    assert other.status_code == 422
    assert other.json()["title"] == "Idempotency-Key reused"
    assert len(client.get("/v1/studies").json()["items"]) == 1


def test_without_a_key_equal_requests_make_different_studies(client: TestClient) -> None:
    assert client.post("/v1/studies", json=SPEC).json()["id"] != client.post("/v1/studies", json=SPEC).json()["id"]


def test_a_key_is_forgotten_after_a_day(client: TestClient, services: Services) -> None:
    first = client.post("/v1/studies", json=SPEC, headers=KEYED).json()
    with services.database.begin() as connection:
        past = idempotency.c.created_at - KEPT_SECONDS - 1
        connection.execute(update(idempotency).values(created_at=past))
    assert client.post("/v1/studies", json=SPEC, headers=KEYED).json()["id"] != first["id"]


@pytest.mark.parametrize("key", ["", "x" * 201, "two words"])
def test_a_key_of_another_form_is_refused(client: TestClient, key: str) -> None:
    refused = client.post("/v1/studies", json=SPEC, headers={"Idempotency-Key": key})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "header.Idempotency-Key"
