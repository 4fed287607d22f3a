"""Random changes of images: what each elementary change does, and that off is off."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from search_spaces.values import Point
from trials.augmentation.affine import _sample, augment
from trials.augmentation.policies import STRENGTHS, strengths
from trials.engine.random_bits import Key

Images = npt.NDArray[np.float32]


def images(n: int = 64) -> Images:
    return np.random.default_rng(1).random((n, 12, 10, 2)).astype(np.float32)


def changed(x: Images, **asked: float) -> Images:
    key = Key(*(keras.ops.convert_to_tensor(word, "uint32") for word in (3, 4)))
    values = {name: keras.ops.convert_to_tensor(float(asked.get(name, 0.0))) for name in STRENGTHS}
    result: Images = keras.ops.convert_to_numpy(augment(key, keras.ops.convert_to_tensor(x), values))
    return result


def test_without_any_strength_images_come_back_untouched() -> None:
    np.testing.assert_array_equal(changed(images()), images())


def test_flip_mirrors_about_half_of_the_images_exactly() -> None:
    x = images(400)
    out = changed(x, flip=1.0)
    same = np.array([np.allclose(a, b, atol=1e-6) for a, b in zip(out, x, strict=True)])
    mirrored = np.array([np.allclose(a, b[:, ::-1], atol=1e-6) for a, b in zip(out, x, strict=True)])
    assert np.all(same ^ mirrored)
    assert 0.4 < mirrored.mean() < 0.6


@pytest.mark.parametrize("name", ["shift", "rotate", "zoom"])
def test_every_image_is_changed_differently_and_in_bounds(name: str) -> None:
    out = changed(np.repeat(images(1), 20, axis=0), **{name: 0.2})
    assert len({image.tobytes() for image in out}) == 20
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize(("name", "limit"), [("shift", 0.25 * 12), ("rotate", 0.0), ("zoom", 0.0)])
def test_the_centre_of_mass_moves_by_at_most_the_strength(name: str, limit: float) -> None:
    blob = np.zeros((100, 13, 13, 1), np.float32)
    blob[:, 6, 6] = 1.0
    out = changed(blob, **{name: 0.25 if name == "shift" else 0.1})
    centres = [ndimage.center_of_mass(image[..., 0]) for image in out]
    distance = np.abs(np.array(centres) - 6).max()
    assert distance <= limit * 13 / 12 + 1e-3
    assert limit == 0 or distance > limit / 2


def test_sampling_equals_scipy_at_any_position() -> None:
    x, rng = images(2), np.random.default_rng(5)
    rows, columns = rng.uniform(0, 11, (2, 12, 10)), rng.uniform(0, 9, (2, 12, 10))
    ours = keras.ops.convert_to_numpy(
        _sample(keras.ops.convert_to_tensor(x), rows.astype(np.float32), columns.astype(np.float32))
    )
    for i in range(2):
        theirs = ndimage.map_coordinates(x[i, ..., 1], [rows[i], columns[i]], order=1)
        np.testing.assert_allclose(ours[i, ..., 1], theirs, atol=1e-5)


def test_outside_an_image_there_is_nothing() -> None:
    far = np.full((2, 12, 10), 50.0, np.float32)
    out = _sample(keras.ops.convert_to_tensor(images(2)), far, far)
    assert not np.any(keras.ops.convert_to_numpy(out))


def test_a_policy_uses_its_own_strength_alone() -> None:
    asked: Point = {"augmentation.policy": "rotate", "augmentation.strength": 0.1}
    assert strengths(asked) == {"flip": 0.0, "shift": 0.0, "rotate": 0.1, "zoom": 0.0}
    assert set(strengths({"augmentation.policy": "none", "augmentation.strength": 0.1}).values()) == {0.0}
    assert set(strengths({}).values()) == {0.0}
