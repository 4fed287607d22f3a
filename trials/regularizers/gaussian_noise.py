"""Gaussian noise added to inputs or hidden activations."""

from typing import ClassVar

import keras

from trials.attachments import sites
from trials.layers import LaneGaussianNoise, LaneLayer
from trials.regularizers.base import HiddenLayerTreatment


class GaussianNoiseTreatment(HiddenLayerTreatment):
    """Puts it on the inputs, or after hidden layers."""

    name: ClassVar[str] = "gaussian_noise"
    stream: ClassVar[int] = 0x01300000
    kind: ClassVar[type[LaneLayer]] = LaneGaussianNoise

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """At marked sites, else where `sites` says."""
        if sites(model, self.name) or self.structural("sites", "inputs") != "inputs":
            return super().place(model)
        return self.at_inputs(model)
