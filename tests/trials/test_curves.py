import zlib

import numpy as np
import pytest

from trials.curves import CURVE_METRICS, pack, row, unpack

FIRST_METRICS = (
    "running_loss",
    "running_accuracy",
    "validation_loss",
    "validation_accuracy",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
)


@pytest.mark.parametrize("n_epochs", [0, 1, 7, 8, 11])
def test_a_curve_is_unpacked_as_it_was_packed(n_epochs: int) -> None:
    curve = np.random.default_rng(0).normal(size=(len(CURVE_METRICS), n_epochs)).astype(np.float32)
    curve[3:5] = np.nan

    np.testing.assert_array_equal(unpack(pack(curve)), curve)


@pytest.mark.parametrize("n_epochs", [0, 1, 11])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_a_curve_stored_without_balanced_accuracies_is_still_read(n_epochs: int, level: int) -> None:
    stored = np.arange(8 * n_epochs, dtype="<f4").reshape(8, n_epochs)

    curve = unpack(zlib.compress(stored.tobytes(), level=level))

    for number, metric in enumerate(FIRST_METRICS):
        np.testing.assert_array_equal(row(curve, metric), stored[number])
    for part in ("train", "validation", "test"):
        assert np.isnan(row(curve, f"{part}_balanced_accuracy")).all()
    assert curve.shape == (len(CURVE_METRICS), n_epochs)


def test_a_curve_of_a_format_to_come_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a format of b'2' or b'x'; received b'3'"):
        unpack(b"3" + pack(np.zeros((len(CURVE_METRICS), 1), np.float32))[1:])
