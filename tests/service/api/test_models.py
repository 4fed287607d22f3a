"""Models over REST."""

import json
from pathlib import Path

import keras
import pytest
from keras import layers
from starlette.testclient import TestClient

from tests.builders import make_visible

STUDY = {"name": "x", "dataset": "digits", "search": {"sampler": "grid"}}


def test_a_keras_model_is_imported_into_what_a_study_can_ask_for(client: TestClient) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(4), layers.Dense(10)])

    imported = client.post("/v1/models:import", json=json.loads(model.to_json())).json()

    assert (imported["input_shape"], imported["n_classes"], imported["parameters"]) == ([8, 8, 1], 10, 310)
    estimate = client.post("/v1/studies:validate", json=STUDY | {"model": imported["model"]}).json()
    assert estimate["parameters_of_model"] == 310


def test_what_cannot_be_imported_is_a_problem_that_names_it(client: TestClient) -> None:
    kernel = layers.Dense(4, kernel_constraint="max_norm", name="kernel")
    answer = client.post(
        "/v1/models:import", json=json.loads(keras.Sequential([keras.Input((4,)), kernel, layers.Dense(3)]).to_json())
    )
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["title"] == "Untranslatable model"
    assert answer.json()["errors"] == [
        {
            "field": "kernel.kernel_constraint",
            "expected": "nothing (a study's regularizers do this)",
            "received": "MaxNorm",
        }
    ]


def test_installed_builders_are_listed_and_can_be_asked_for(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = STUDY | {"model": {"family": "plugin", "name": "wide_and_deep"}}
    before = client.post("/v1/studies:validate", json=study)
    make_visible(tmp_path, monkeypatch)
    offers = {item["name"]: item for item in client.get("/v1/models").json()["items"]}

    assert (before.status_code, before.json()["errors"][0]["field"]) == (422, "model.name")
    assert "wide_and_deep" in offers["plugin"]["installed"]
    assert offers["mlp"]["installed"] == []
    estimate = client.post("/v1/studies:validate", json=study)
    assert (estimate.status_code, estimate.json()["parameters_of_model"]) == (200, None)
