"""Models over REST."""

import json

import keras
from keras import layers
from starlette.testclient import TestClient


def test_a_keras_model_is_imported_into_what_a_study_can_ask_for(client: TestClient) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(4), layers.Dense(10)])

    imported = client.post("/v1/models:import", json=json.loads(model.to_json())).json()

    assert (imported["input_shape"], imported["n_classes"], imported["parameters"]) == ([8, 8, 1], 10, 310)
    study = {"name": "x", "dataset": "digits", "model": imported["model"], "search": {"sampler": "grid"}}
    assert client.post("/v1/studies:validate", json=study).json()["parameters_of_model"] == 310


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
