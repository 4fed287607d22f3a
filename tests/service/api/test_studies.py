"""Studies over HTTP: create, look, steer, delete."""

from typing import Any

import pytest
from starlette.testclient import TestClient

SPEC: dict[str, Any] = {
    "name": "small grid",
    "tags": ["a tag"],
    "dataset": "digits",
    "model": {"family": "mlp", "hidden_units": [8]},
    "regularizers": {"dropout": {"rate": {"grid": [0.0, 0.5]}}},
    "training": {"epochs": 2},
    "search": {"sampler": "grid"},
    "budget": {"replicates": 3},
}


def created(client: TestClient, **parts: Any) -> dict[str, Any]:
    answer = client.post("/v1/studies", json=SPEC | parts)
    assert answer.status_code == 201, answer.text
    study: dict[str, Any] = answer.json()
    return study


def test_a_new_study_is_queued_and_says_where_it_is(client: TestClient) -> None:
    answer = client.post("/v1/studies", json=SPEC)
    study = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/studies/{study['id']}"
    assert answer.headers["etag"] == f'"{study["version"]}"'
    assert (study["name"], study["state"], study["tags"]) == ("small grid", "queued", ["a tag"])
    assert study["progress"]["trials_total"] == 2
    assert study["created_at"].endswith("Z")
    again = client.get(answer.headers["location"])
    assert again.json() == study
    assert again.headers["etag"] == answer.headers["etag"]


def test_a_refused_study_names_field_expected_and_received(client: TestClient) -> None:
    answer = client.post("/v1/studies", json=SPEC | {"model": {"family": "mpl"}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fault = {
        "field": "model.family",
        "expected": "one of mlp, convnet, recurrent, layers, plugin (did you mean mlp?)",
        "received": "mpl",
    }
    assert answer.json()["errors"] == [fault]
    assert client.get("/v1/studies").json()["items"] == []


def test_an_unknown_dataset_is_refused_with_those_there_are(client: TestClient) -> None:
    errors = client.post("/v1/studies", json=SPEC | {"dataset": "nope"}).json()["errors"]
    assert (errors[0]["field"], errors[0]["received"]) == ("dataset", "nope")
    assert "mnist_5k" in errors[0]["expected"]


def test_validation_counts_and_stores_nothing(client: TestClient) -> None:
    answer = client.post("/v1/studies:validate", json=SPEC)
    assert answer.status_code == 200
    assert (answer.json()["points"], answer.json()["replicates"], answer.json()["epochs"]) == (2, 6, 12)
    assert client.get("/v1/studies").json() == {"items": [], "next_cursor": None}


def test_the_list_is_paged_newest_first(client: TestClient) -> None:
    ids = [created(client, name=f"study {i}")["id"] for i in range(5)]
    first = client.get("/v1/studies", params={"limit": 3}).json()
    second = client.get("/v1/studies", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [study["id"] for study in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_the_list_is_filtered_by_state_and_tag(client: TestClient) -> None:
    paused, tagged = created(client), created(client, tags=["other"])
    client.post(f"/v1/studies/{paused['id']}:pause")
    by_state = client.get("/v1/studies", params={"state": "paused"}).json()["items"]
    by_tag = client.get("/v1/studies", params={"tag": "other"}).json()["items"]
    assert [study["id"] for study in by_state] == [paused["id"]]
    assert [study["id"] for study in by_tag] == [tagged["id"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "201"}, "query.limit"),
        ({"limit": "x"}, "query.limit"),
        ({"state": "done"}, "query.state"),
        ({"tag": "\x00"}, "query.tag"),
        ({"cursor": "'; drop"}, "query.cursor"),
        ({"cursor": "abc"}, "cursor"),
    ],
    ids=str,
)
def test_a_wrong_query_is_refused_by_field(client: TestClient, query: dict[str, str], field: str) -> None:
    answer = client.get("/v1/studies", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_study_is_paused_resumed_and_cancelled(client: TestClient) -> None:
    path = f"/v1/studies/{created(client)['id']}"
    states = [client.post(f"{path}:{verb}").json()["state"] for verb in ("pause", "resume", "cancel")]
    assert states == ["paused", "queued", "cancelled"]
    refusal = client.post(f"{path}:resume")
    assert (refusal.status_code, refusal.json()["title"]) == (409, "State conflict")


def test_deleting_needs_the_current_version(client: TestClient) -> None:
    study = created(client)
    path = f"/v1/studies/{study['id']}"
    stale = f'"{study["version"]}"'
    current = client.post(f"{path}:pause").headers["etag"]
    assert current != stale
    assert client.delete(path).status_code == 428
    assert client.delete(path, headers={"if-match": stale}).status_code == 412
    assert client.delete(path, headers={"if-match": "nonsense"}).status_code == 412
    assert client.delete(path, headers={"if-match": f"W/{current}"}).status_code == 412
    assert client.get(path).status_code == 200
    assert client.delete(path, headers={"if-match": current}).status_code == 204
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("study_id", ["nope", "%00", "a%2Fb", "é", "x" * 300, "..%2f..", "'"])
@pytest.mark.parametrize("suffix", ["", "/trials", "/trials/0", "/effects"])
def test_an_unknown_study_is_not_found(client: TestClient, study_id: str, suffix: str) -> None:
    answer = client.get(f"/v1/studies/{study_id}{suffix}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_an_unknown_study_cannot_be_steered(client: TestClient, verb: str) -> None:
    assert client.post(f"/v1/studies/nope:{verb}").json()["title"] == "Study not found"
