"""What is asked of, and said by, the process that describes a study's model: plain data, without Keras."""

from pydantic import Field

from search_spaces.models import ModelSpec
from search_spaces.values import Point, Value


class DescriptionRequest(Value):
    """Which model, on which examples, with which regularizers.

    Attributes:
        input_shape: Shape of one example.
        grafts: The regularizers.
        structure: Their structural knobs.
    """

    model: ModelSpec
    input_shape: tuple[int, ...]
    n_classes: int
    grafts: tuple[str, ...] = ()
    structure: Point = Field(default_factory=dict)


class LayerRow(Value):
    """One layer of the model with regularizers in place.

    Attributes:
        kind: Class of the layer.
        output_shape: Shape of its output for one example.
        n_parameters: Its weights.
        regularizers: Those that act on its output or its weights.
    """

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    n_parameters: int
    regularizers: tuple[str, ...] = ()


class DescribedModel(Value):
    """A model as it is trained.

    Attributes:
        rows: Its layers, from input to output.
        n_parameters: All weights.
        elsewhere: What the regularizers that sit at no layer act on.
    """

    rows: tuple[LayerRow, ...]
    n_parameters: int
    elsewhere: dict[str, str] = Field(default_factory=dict)


class Undescribable(Value):
    """The model cannot be had, or a regularizer has no place in it."""

    reason: str
