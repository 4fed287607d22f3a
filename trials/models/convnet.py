"""Convolutions with pooling, dense hidden layers, then logits."""

import keras

from search_spaces.models import ConvNet
from trials.errors import InfeasibleCohortError
from trials.models.head import finish


def build_convnet(spec: ConvNet, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Builds the network.

    Args:
        spec: The description.
        input_shape: Shape of one image: height, width, channels.
        n_outputs: Width of the last layer, which has no activation.

    Raises:
        InfeasibleCohortError: The examples are not images, or too small for so many poolings.
    """
    if len(input_shape) != 3:
        raise InfeasibleCohortError(f"model.family: expected mlp for examples of shape {input_shape}; received convnet")
    if min(input_shape[:2]) >> len(spec.filters) < 1:
        raise InfeasibleCohortError(
            f"model.filters: expected fewer poolings for images of shape {input_shape}; received {len(spec.filters)}"
        )
    inputs = x = keras.Input(input_shape, name="inputs")
    for number, filters in enumerate(spec.filters, start=1):
        convolution = keras.layers.Conv2D(
            filters, spec.kernel_size, padding="same", activation=spec.activation, name=f"conv_{number}"
        )
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(convolution(x))
    features = keras.layers.Flatten(name="flatten")(x)
    return finish(inputs, features, spec.hidden_units, spec.activation, n_outputs)
