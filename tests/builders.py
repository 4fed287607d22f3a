"""Builders of models that become visible without anything being installed."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "plugin"

BAD_BUILDERS = """
import keras
from keras import layers


def fails(input_shape, n_classes):
    raise ValueError("no luck")


def no_model(input_shape, n_classes):
    return "a model"


def probabilities(input_shape, n_classes):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, layers.Dense(n_classes, activation="softmax", name="end")(layers.Flatten()(inputs)))


def narrow(input_shape, n_classes):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factors = self.add_weight(shape=(input_shape[-1],), initializer="random_normal")

    def call(self, inputs):
        return inputs * self.factors


class Huge(layers.Layer):
    def build(self, input_shape):
        self.bytes = self.add_weight(shape=(200_000_001,), dtype="uint8", initializer="zeros", trainable=False)

    def call(self, inputs):
        return inputs


def huge(input_shape, n_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), Huge(), layers.Dense(n_classes)])


def scaled(input_shape, n_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), Scale(), layers.Dense(n_classes)])
"""


BAD_NAMES = ("fails", "no_model", "probabilities", "narrow", "scaled", "huge")


def make_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the example package, and some builders that are wrong, on the path, each with its entry point."""
    (tmp_path / "bad_builders.py").write_text(BAD_BUILDERS)
    metadata = tmp_path / "own_models-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own-models\nVersion: 1.0\n")
    bad = "".join(f"{name} = bad_builders:{name}\n" for name in BAD_NAMES)
    (metadata / "entry_points.txt").write_text(f"[regtune.models]\nwide_and_deep = wide_and_deep:build\n{bad}")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))
