"""A model of one's own, made by a builder that the administrator installed."""

from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from search_spaces.models.base import Description, Shape
from search_spaces.values import Scalar

ENTRY_POINT_GROUP = "regtune.models"

OptionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class Plugin(Description):
    """The model of an installed builder, called by its name with options of its own.

    A builder is a function `build(input_shape, n_classes, **options)` that gives a Keras model with logits at its end:
    one for two classes, else one per class. Its package names it as an entry point of the group `regtune.models`.
    """

    family: Literal["plugin"] = "plugin"
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
    options: Annotated[dict[OptionName, Scalar], Field(max_length=50)] = Field(default_factory=dict)

    @property
    def has_recurrence(self) -> bool:
        """Maybe: only building tells."""
        return True

    @property
    def places(self) -> None:
        """None: only building tells."""

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> None:
        """None: only building tells."""
        del input_shape, n_outputs


def installed_builders() -> dict[str, EntryPoint]:
    """The builders that are installed here, by name; nothing is imported."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
