"""The replayed patience rule against Keras' callback."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.regularizers.early_stopping import Monitor
from trials.early_stopping import StoppingRule, replay


class Stub(keras.Model):  # type: ignore[misc]  # keras ships no types
    """A model whose only weight is the number of epochs trained, for the callback to save and restore."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = self.add_weight(shape=(), name="counter", initializer="zeros")


def stop_with_keras(values: list[float], rule: StoppingRule) -> tuple[int, int]:
    """Last epoch trained and epoch whose weights count, according to Keras' own callback."""
    model = Stub()
    callback = keras.callbacks.EarlyStopping(
        monitor="monitored",
        patience=rule.patience,
        min_delta=rule.min_delta,
        mode="min" if rule.monitor == "validation_loss" else "max",
        restore_best_weights=rule.restore_best,
        start_from_epoch=rule.start_epoch,
    )
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    epoch = 0
    for epoch, value in enumerate(values):
        model.counter.assign(float(epoch))
        callback.on_epoch_end(epoch, {"monitored": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, int(model.counter.numpy())


@given(
    values=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.35, 0.5, 0.8]), min_size=1, max_size=15),
    patience=st.integers(0, 6),
    min_delta=st.sampled_from([0.0, 0.07, 0.2]),
    start_epoch=st.sampled_from([0, 0, 1, 3, 8, 20]),
    restore_best=st.booleans(),
    monitor=st.sampled_from(["validation_accuracy", "validation_balanced_accuracy", "validation_loss"]),
)
def test_replay_ends_where_keras_ends(
    values: list[float], patience: int, min_delta: float, start_epoch: int, restore_best: bool, monitor: Monitor
) -> None:
    rule = StoppingRule(
        patience=patience, min_delta=min_delta, start_epoch=start_epoch, restore_best=restore_best, monitor=monitor
    )
    end = replay(np.array(values), rule)
    assert (end.last_epoch, end.selected_epoch) == stop_with_keras(values, rule)


def test_what_was_best_before_the_start_does_not_count() -> None:
    end = replay(np.array([0.9, 0.9, 0.3, 0.5, 0.4, 0.4]), StoppingRule(patience=2, start_epoch=2))
    assert (end.selected_epoch, end.last_epoch, end.stopped) == (3, 5, True)


def test_a_curve_that_ends_before_the_start_keeps_its_last_epoch() -> None:
    end = replay(np.array([0.9, 0.1, 0.2]), StoppingRule(patience=0, start_epoch=3))
    assert (end.selected_epoch, end.last_epoch, end.stopped) == (2, 2, False)


def test_a_nan_never_improves() -> None:
    end = replay(np.array([0.5, np.nan, np.nan]), StoppingRule(patience=2))
    assert (end.best_epoch, end.last_epoch, end.stopped) == (0, 2, True)


def test_patience_longer_than_the_curve_never_stops() -> None:
    end = replay(np.array([0.1, 0.3, 0.2]), StoppingRule(patience=50))
    assert (end.best_epoch, end.last_epoch, end.stopped) == (1, 2, False)


def test_an_empty_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="0 epochs"):
        replay(np.array([]), StoppingRule(patience=1))
