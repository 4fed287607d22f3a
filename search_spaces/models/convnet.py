"""Blocks of convolutions."""

import math
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from search_spaces.models.base import Activation, Description, Shape, Width, check_activation, count_dense
from search_spaces.places import Place
from search_spaces.refusal import refusal


class ConvNet(Description):
    """Blocks of convolutions ("same" padding, stride 1), each with 2x2 max-pooling, then dense layers, then logits.

    `width` scales `filters`, which is one number per block; `convolutions_per_block` says how deep a block is. With
    `residual` each block's input is added to what its convolutions give, before the block's last activation; where the
    channels differ it goes through a 1x1 convolution.
    """

    family: Literal["convnet"] = "convnet"
    filters: Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=1024)], ...], Field(min_length=1, max_length=6)] = (
        16,
        32,
    )
    kernel_size: Annotated[StrictInt, Field(ge=1, le=11)] = 3
    hidden_units: Annotated[tuple[Width, ...], Field(max_length=20)] = (64,)
    activation: Activation = "relu"
    width: Annotated[float, Field(ge=1 / 64, le=4)] = 1.0
    convolutions_per_block: Annotated[StrictInt, Field(ge=1, le=4)] = 1
    residual: StrictBool = False

    @property
    def channels(self) -> tuple[int, ...]:
        """Filters of each block's convolutions, `width` included."""
        return tuple(math.ceil(filters * self.width) for filters in self.filters)

    @property
    def places(self) -> frozenset[Place]:
        """The convolutions; hidden layers and residual blocks where there are any."""
        found: set[Place] = {"convolutions"}
        if self.hidden_units:
            found.add("dense layers")
        if self.residual:
            found.add("residual blocks")
        return frozenset(found)

    def check(self, input_shape: Shape) -> None:
        """Refuses what is no image, or too small for so many poolings, or too large for so many filters."""
        if len(input_shape) != 3:
            raise refusal("model.family", f"mlp for examples of shape {input_shape}", "convnet, which needs images")
        if min(input_shape[:2]) >> len(self.filters) < 1:
            raise refusal("model.filters", f"fewer poolings for {input_shape} images", f"{len(self.filters)}")
        height, width, _ = input_shape
        for number, channels in enumerate(self.channels):
            check_activation(f"model.filters.{number}", (height >> number, width >> number, channels))

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """Number of weights."""
        total = 0
        height, width, incoming = input_shape
        for channels in self.channels:
            first = (self.kernel_size**2 * incoming + 1) * channels
            other = (self.kernel_size**2 * channels + 1) * channels
            total += first + (self.convolutions_per_block - 1) * other
            if self.residual and incoming != channels:
                total += (incoming + 1) * channels
            height, width, incoming = height // 2, width // 2, channels
        return total + count_dense(height * width * incoming, (*self.hidden_units, n_outputs))
