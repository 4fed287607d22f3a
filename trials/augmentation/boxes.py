"""Random rectangles in images."""

from keras import ops

from trials.engine.random_bits import Key, Tensor, uniform


def inside_boxes(key: Key, area: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Which pixels lie in a random rectangle of each image, of the image's own proportions.

    Its centre is uniform over the image; what lies outside is cut off, so that its area is at most the one asked for.

    Args:
        key: Key of the draws.
        area: Share of the image, from 0 to 1, shape `(batch,)`.
        shape: Of the images, `(batch, height, width, channels)`.

    Returns:
        bool tensor of shape `(batch, height, width, 1)`.

    References:
        Yun et al., 2019, CutMix, arXiv:1905.04899, section 3.1.
    """
    batch, height, width, _ = shape
    centres = uniform(key, (2, batch, 1))
    side = ops.reshape(ops.sqrt(area), (-1, 1))

    def covered(size: int, centre: Tensor) -> Tensor:
        places = ops.reshape(ops.arange(size, dtype="float32") + 0.5, (1, size))
        return ops.abs(places - centre * size) < side * size / 2.0

    rows, columns = covered(height, centres[0]), covered(width, centres[1])
    return ops.expand_dims(ops.expand_dims(rows, 2) & ops.expand_dims(columns, 1), -1)
