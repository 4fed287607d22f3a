"""`PATCH /v1/studies/{id}`: what it takes, and what it refuses."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service.api.test_studies import created


def test_a_change_needs_the_current_version_and_answers_with_the_next(client: TestClient) -> None:
    study = created(client)
    path, etag = f"/v1/studies/{study['id']}", f'"{study["version"]}"'
    change = {"notes": "seen", "budget": {"trials": 1}}
    assert client.patch(path, json=change).status_code == 428
    first = client.patch(path, json=change, headers={"if-match": etag})
    assert first.status_code == 200
    assert (first.json()["notes"], first.json()["progress"]["trials_total"]) == ("seen", 1)
    assert first.headers["etag"] == client.get(path).headers["etag"] != etag
    second = client.patch(path, json={"notes": "lost"}, headers={"if-match": etag})
    assert (second.status_code, second.json()["title"]) == (412, "Stale version")
    assert client.get(path).json()["notes"] == "seen"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "a/b"}, "name"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"notes": "\x00"}, "notes"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"priority": 1.5}, "priority"),
        ({"priority": 101}, "priority"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"budget": {"replicates": 9}}, "budget.replicates"),
        ({"budget": None}, "budget"),
        ({"model": {"family": "mlp"}}, "model"),
        ({"state": "finished"}, "state"),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_is_refused_by_field(client: TestClient, change: dict[str, Any], field: str) -> None:
    study = created(client)
    path = f"/v1/studies/{study['id']}"
    answer = client.patch(path, json=change, headers={"if-match": f'"{study["version"]}"'})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert client.get(path).json()["version"] == study["version"]


def test_an_unknown_study_cannot_be_changed(client: TestClient) -> None:
    assert client.patch("/v1/studies/nope", json={}, headers={"if-match": '"1"'}).status_code == 404
