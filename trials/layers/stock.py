"""Stock random layers made to draw from the lane's key, wherever in a model they sit."""

from collections.abc import Callable
from typing import Any

import keras

from trials.engine.lane_scope import in_lane
from trials.layers.alpha_dropout import LaneAlphaDropout
from trials.layers.base import LaneLayer
from trials.layers.dropout import LaneDropout
from trials.layers.gaussian import LaneGaussianDropout, LaneGaussianNoise

STOCK_STREAM = 0x08000000
"""Stream of the first stock random layer of a model; grafted layers count from 0."""


def use_lane_draws(model: keras.Model) -> int:
    """Makes dropout and noise layers of stock Keras draw from the lane's key, in training within the engine.

    The layers are changed in place, since many sit inside others (attention, wrappers, a layer of one's own) where no
    rewriting of the model's graph reaches. They keep their names, configuration and rates. Random layers of other kinds
    keep their own generators, whose states the engine seeds and carries for each lane.

    Returns:
        How many layers were changed.
    """
    stock = [layer for layer in model._flatten_layers() if type(layer) in LANE_VERSIONS]  # noqa: SLF001  # no public equivalent
    for number, layer in enumerate(stock):
        layer.call = _call(layer, LANE_VERSIONS[type(layer)](STOCK_STREAM + number, layer))
    return len(stock)


def _call(stock: Any, version: LaneLayer) -> Callable[..., Any]:
    original = stock.call

    def call(inputs: Any, training: bool = False) -> Any:
        if not in_lane() or version.strength == 0:
            return original(inputs, training=training)
        return version.call(inputs, training=training)

    return call


def _spatial(layer: Any) -> tuple[int | None, ...]:
    n_places = layer.input_spec.ndim - 2
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return (None, None, *[1] * n_places) if first else (None, *[1] * n_places, None)


def _spatial_dropout(stream: int, layer: Any) -> LaneLayer:
    return LaneDropout(stream, layer.rate, _spatial(layer))


LANE_VERSIONS: dict[type[keras.layers.Layer], Callable[[int, Any], LaneLayer]] = {
    keras.layers.Dropout: lambda stream, layer: LaneDropout(stream, layer.rate, layer.noise_shape),
    keras.layers.SpatialDropout1D: _spatial_dropout,
    keras.layers.SpatialDropout2D: _spatial_dropout,
    keras.layers.SpatialDropout3D: _spatial_dropout,
    keras.layers.AlphaDropout: lambda stream, layer: LaneAlphaDropout(stream, layer.rate, layer.noise_shape),
    keras.layers.GaussianDropout: lambda stream, layer: LaneGaussianDropout(stream, layer.rate),
    keras.layers.GaussianNoise: lambda stream, layer: LaneGaussianNoise(stream, layer.stddev),
}
"""Kind of stock layer, exactly, to its version that draws from the lane's key."""
