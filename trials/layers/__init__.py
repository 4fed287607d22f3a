"""Layers that stock Keras cannot offer: they draw from the lane's key, and their strength may be a knob of the lane."""

from trials.layers.alpha_dropout import LaneAlphaDropout
from trials.layers.base import LaneLayer
from trials.layers.dropout import LaneDropout
from trials.layers.gaussian import LaneGaussianDropout, LaneGaussianNoise
from trials.layers.stock import use_lane_draws

__all__ = [
    "LaneAlphaDropout",
    "LaneDropout",
    "LaneGaussianDropout",
    "LaneGaussianNoise",
    "LaneLayer",
    "use_lane_draws",
]
