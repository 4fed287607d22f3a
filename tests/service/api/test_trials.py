"""Trials over HTTP: list, look, add points of one's own."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service.api.test_studies import created


def enqueued(client: TestClient, study_id: str, *rates: float) -> Any:
    points = [{"dropout.rate": rate} for rate in rates]
    return client.post(f"/v1/studies/{study_id}/trials", json={"points": points})


def test_a_study_that_is_not_planned_has_no_trials(client: TestClient) -> None:
    answer = client.get(f"/v1/studies/{created(client)['id']}/trials")
    assert answer.json() == {"items": [], "next_cursor": None}


def test_enqueued_points_become_trials_with_all_replicates(client: TestClient) -> None:
    study_id = created(client)["id"]
    answer = enqueued(client, study_id, 0.0, 0.5)
    assert answer.status_code == 202
    trials = client.get(f"/v1/studies/{study_id}/trials").json()["items"]
    assert [trial["parameters"] for trial in trials] == [{"dropout.rate": 0.0}, {"dropout.rate": 0.5}]
    assert [len(trial["replicates"]) for trial in trials] == [3, 3]
    assert trials == answer.json()["items"]


def test_a_trial_is_found_by_its_number(client: TestClient) -> None:
    study_id = created(client)["id"]
    trial = enqueued(client, study_id, 0.5).json()["items"][0]
    path = f"/v1/studies/{study_id}/trials"
    assert client.get(f"{path}/{trial['number']}").json() == trial
    assert client.get(f"{path}/999").json()["title"] == "Trial not found"
    assert client.get(f"{path}/{2**31}").status_code == 422
    assert client.get(f"{path}/-1").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"points": []}, "points"),
        ({"points": [{"dropout.rate": None}]}, "points.0.dropout.rate"),
        ({"points": [{"dropout.rate": 0.1}] * 1001}, "points"),
        ({"points": [{}], "more": 1}, "more"),
        ({}, "points"),
    ],
    ids=["none", "null", "too many", "unknown key", "missing"],
)
def test_malformed_points_are_refused_by_field(client: TestClient, body: dict[str, Any], field: str) -> None:
    answer = client.post(f"/v1/studies/{created(client)['id']}/trials", json=body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_points_of_another_search_space_are_refused(client: TestClient) -> None:
    answer = client.post(f"/v1/studies/{created(client)['id']}/trials", json={"points": [{"l2.factor": 0.1}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("points.0")
