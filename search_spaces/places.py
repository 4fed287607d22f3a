"""The kinds of places in a model that regularizers act at: what models have, and what regularizers need."""

from typing import Literal, TypeAlias

Place: TypeAlias = Literal["dense layers", "recurrent layers", "convolutions", "an embedding", "residual blocks"]
"""Hidden layers of a kind."""

HIDDEN: dict[str, tuple[Place, ...]] = {
    "inputs": (),
    "dense": ("dense layers", "recurrent layers"),
    "convolution": ("convolutions",),
    "both": ("dense layers", "recurrent layers", "convolutions"),
}
"""The words of the knob `sites` to the places of which a model must have one; none for the inputs."""
