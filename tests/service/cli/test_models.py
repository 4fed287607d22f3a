"""`regtune import-model`."""

from pathlib import Path

import keras
import pytest
import yaml
from keras import layers
from typer.testing import CliRunner

from search_spaces.models import Layers
from service.cli import app
from service.specs import load_study


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    body = [layers.Flatten(), layers.Dropout(0.5), layers.Dense(4, activation="relu", name="wide")]
    path.write_text(keras.Sequential([keras.Input((8, 8, 1)), *body, layers.Dense(10)]).to_json())
    return path


def test_the_list_of_layers_can_be_pasted_into_a_study(document: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["import-model", str(document)])
    assert told.exit_code == 0
    assert "3 layers; examples 8x8x1, 10 classes, 310 weights" in told.stderr
    study = tmp_path / "study.yaml"
    study.write_text(f"name: x\ndataset: digits\nsearch: {{sampler: grid}}\n{told.stdout}")
    model = load_study(str(study)).model
    assert isinstance(model, Layers)
    assert [layer.kind for layer in model.layers] == ["flatten", "dropout", "dense"]


def test_the_list_can_be_written_to_a_file(document: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.yaml"
    assert CliRunner().invoke(app, ["import-model", str(document), "--output", str(output)]).exit_code == 0
    assert yaml.safe_load(output.read_text())["model"]["layers"][2]["name"] == "wide"


def test_what_cannot_be_translated_is_named_and_is_wrong_input(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(keras.Sequential([keras.Input((4,)), layers.PReLU(name="p"), layers.Dense(3)]).to_json())
    told = CliRunner().invoke(app, ["import-model", str(path)])
    assert told.exit_code == 2
    assert "p: expected a layer of a kind" in told.stderr


@pytest.mark.parametrize("text", ["{", '{"class_name": NaN}', "[]"])
def test_a_file_that_is_no_model_is_wrong_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    assert CliRunner().invoke(app, ["import-model", str(path)]).exit_code == 2
    assert CliRunner().invoke(app, ["import-model", str(tmp_path / "nowhere.json")]).exit_code == 2
