"""The catalog: what can be asked for."""

import pytest
from starlette.testclient import TestClient

from search_spaces.presets import preset_names
from search_spaces.regularizers import REGULARIZERS
from service.composition import Services


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("regularizers", list(REGULARIZERS)),
        ("models", ["mlp", "convnet", "recurrent", "layers", "plugin"]),
        ("samplers", ["grid", "random", "qmc", "tpe"]),
        ("pruners", ["none", "median", "asha"]),
        ("presets", list(preset_names())),
    ],
)
def test_everything_on_offer_is_listed_with_a_summary(client: TestClient, path: str, names: list[str]) -> None:
    answer = client.get(f"/v1/{path}").json()
    assert [item["name"] for item in answer["items"]] == names
    assert all(item["summary"] for item in answer["items"])
    assert answer["next_cursor"] is None


@pytest.mark.parametrize(("path", "knob"), [("regularizers", "rate"), ("models", "hidden_units")])
def test_what_can_be_set_up_has_a_json_schema(client: TestClient, path: str, knob: str) -> None:
    first = client.get(f"/v1/{path}").json()["items"][0]
    assert knob in first["json_schema"]["properties"]


def test_a_presets_study_can_be_posted_as_it_is(client: TestClient) -> None:
    study = client.get("/v1/presets/b-grid").json()["study"]
    assert client.post("/v1/studies:validate", json=study).json()["points"] == 10


def test_an_unknown_preset_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/presets/nope")
    assert (answer.status_code, answer.json()["title"]) == (404, "Preset not found")


def test_files_of_the_data_directory_are_datasets(services: Services, client: TestClient) -> None:
    (services.settings.data_dir / "datasets" / "mine.npz").write_bytes(b"")
    (services.settings.data_dir / "datasets" / "mnist.npz").write_bytes(b"")
    items = {item["name"]: item for item in client.get("/v1/datasets").json()["items"]}
    assert (items["mine"]["summary"], items["mine"]["built_in"], items["mine"]["shape"]) == ("mine.npz", False, None)
    assert items["mnist"]["shape"] == [28, 28, 1]
