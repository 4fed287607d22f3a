from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from trials import zca
from trials.errors import InfeasibleCohortError
from trials.zca import fit_zca

RANDOM = np.random.default_rng(0)
MIXED = (RANDOM.normal(0.5, 0.2, (400, 12)) @ RANDOM.normal(0, 1, (12, 12))).astype(np.float32)
IMAGES = MIXED.reshape(400, 3, 4, 1)


def covariance(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.cov(x.reshape(len(x), -1).astype(np.float64), rowvar=False, bias=True))


def whiten_by_svd(x_train: npt.NDArray[Any], x: npt.NDArray[Any], epsilon: float) -> npt.NDArray[Any]:
    """The formula as published, without a covariance."""
    rows = x_train.reshape(len(x_train), -1).astype(np.float64)
    mean = rows.mean(axis=0)
    _, singular, directions = np.linalg.svd(rows - mean)
    singular, u = np.pad(singular, (0, rows.shape[1] - len(singular))), directions.T
    whiten = u @ np.diag(1 / np.sqrt(singular**2 / len(rows) + epsilon)) @ u.T
    return np.asarray(((x.reshape(len(x), -1) - mean) @ whiten).reshape(x.shape))


def test_the_covariance_of_whitened_training_examples_is_the_identity_where_epsilon_is_small() -> None:
    white = fit_zca(IMAGES, 1e-8)(IMAGES)

    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(covariance(white), np.eye(12), atol=1e-3)


@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 10.0])
@pytest.mark.parametrize("n_rows", [400, 8], ids=["more rows than features", "fewer rows than features"])
def test_whitening_equals_the_published_formula_by_singular_values(epsilon: float, n_rows: int) -> None:
    train, other = IMAGES[:n_rows], IMAGES[-20:]
    white = fit_zca(train, epsilon)(other)

    assert white.shape == other.shape
    assert white.dtype == np.float32
    np.testing.assert_allclose(white, whiten_by_svd(train, other, epsilon), rtol=1e-3, atol=1e-3)


def test_rows_are_whitened_alike_in_every_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = fit_zca(IMAGES, 0.1)(IMAGES)
    monkeypatch.setattr(zca, "ROWS_AT_ONCE", 7)

    np.testing.assert_allclose(fit_zca(IMAGES, 0.1)(IMAGES), at_once, atol=1e-5)


def test_whitened_examples_still_look_like_themselves() -> None:
    white = fit_zca(IMAGES, 0.1)(IMAGES).reshape(400, -1)
    correlations = [np.corrcoef(white[:, k], MIXED[:, k])[0, 1] for k in range(12)]

    assert min(correlations) > 0.3


@pytest.mark.parametrize("epsilon", [1e-2, 0.1])
def test_ink_on_a_border_that_is_blank_in_training_is_not_blown_up(epsilon: float) -> None:
    train = IMAGES.copy()
    train[:, 0] = 0.0
    inked = train[:1].copy()
    inked[:, 0] = 1.0

    change = fit_zca(train, epsilon)(inked) - fit_zca(train, epsilon)(train[:1])

    assert np.abs(change).max() <= 1 / np.sqrt(epsilon) + 1e-3
    np.testing.assert_allclose(change[0, 0], 1 / np.sqrt(epsilon), rtol=1e-3)


def test_a_constant_column_comes_out_as_zero() -> None:
    train = IMAGES.copy()
    train[:, 1, 2] = 0.7

    assert np.abs(fit_zca(train, 1e-8)(train)[:, 1, 2]).max() < 1e-2


def test_examples_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zca, "MAX_FEATURES", 11)

    with pytest.raises(InfeasibleCohortError, match=r"preprocessing: expected examples of at most 11 .*; received 12"):
        fit_zca(IMAGES, 0.1)
