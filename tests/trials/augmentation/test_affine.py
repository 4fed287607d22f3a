"""Random changes of images: what each elementary change does, and that off is off."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from search_spaces.values import Point
from trials.augmentation.affine import _sample
from trials.augmentation.changes import augment
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


@pytest.mark.parametrize("name", ["shift", "rotate", "zoom", "shear", "erasing"])
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


def test_shear_moves_rows_sideways_in_proportion_to_their_height() -> None:
    line = np.zeros((50, 21, 21, 1), np.float32)
    line[:, :, 10] = 1.0
    out = changed(line, shear=0.3)[..., 0]
    places = (out[:, 4:17] * np.arange(21)).sum(axis=2) / out[:, 4:17].sum(axis=2)
    steps = np.diff(places, axis=1)
    assert np.abs(steps).max() <= 0.3 + 1e-3
    assert np.abs(steps).max() > 0.2
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-2)


def test_contrast_scales_the_distance_from_the_mean() -> None:
    x = images(50)
    out = changed(x, contrast=0.5)
    mean = x.mean(axis=(1, 2), keepdims=True)
    factors = ((out - mean) / (x - mean)).reshape(50, -1)
    np.testing.assert_allclose(factors, np.median(factors, axis=1, keepdims=True) * np.ones_like(factors), rtol=1e-2)
    assert 0.5 <= factors.min() < 0.6
    assert 1.4 < factors.max() <= 1.51


def test_erasing_blanks_one_rectangle_of_up_to_its_share() -> None:
    out = changed(np.ones((200, 20, 20, 1), np.float32), erasing=0.4)[..., 0]
    erased = out == 0
    assert set(np.unique(out)) == {0.0, 1.0}
    share = erased.mean(axis=(1, 2))
    assert 0.3 < share.max() <= 0.45
    boxes = erased.any(axis=2)[:, :, None] & erased.any(axis=1)[:, None, :]
    np.testing.assert_array_equal(erased, boxes)


def test_randaugment_changes_most_images_and_leaves_some() -> None:
    x = images(400)
    same = np.array([np.array_equal(a, b) for a, b in zip(changed(x, randaugment=0.2), x, strict=True)])
    assert same.mean() == pytest.approx(1 / 49, abs=0.03)


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
    assert {name: value for name, value in strengths(asked).items() if value} == {"rotate": 0.1}
    assert set(strengths({"augmentation.policy": "none", "augmentation.strength": 0.1}).values()) == {0.0}
    assert set(strengths({}).values()) == {0.0}
