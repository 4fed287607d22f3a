from pathlib import Path

import numpy as np
import pytest

from tests.chaos.promises import IS_LONG, Promises
from tests.trials.engine.cohorts import Outcome, cohort, digits, drive, lane, mlp
from trials import checkpoints
from trials.checkpoints import Checkpoints, LaneState
from trials.curves import unpack
from trials.engine import train as engine
from trials.engine.train import train_cohort
from trials.protocol import Cohort, SegmentReport, Verdicts

N_EPOCHS = 12
LOST_IN = range(2, N_EPOCHS + 1) if IS_LONG else (5,)
"""Epochs that a cohort may be lost in, after it has trained them and before it has kept them."""


def asked(directory: Path | None = None) -> Cohort:
    lanes = [lane(0, dropout_rate=0.0), lane(1, dropout_rate=0.4), lane(2, dropout_rate=0.2)]
    return cohort(lanes, epochs=N_EPOCHS, grafts=("dropout",)).model_copy(update={"checkpoints_dir": directory})


@pytest.fixture(autouse=True)
def segments_of_one_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_GROWTH", 1)
    monkeypatch.setattr(checkpoints, "MAX_SHARE", 1e9)


@pytest.fixture(scope="module")
def undisturbed() -> Outcome:
    return drive(asked(), digits(), mlp(16))


def train_until(epoch: int, directory: Path) -> SegmentReport:
    """Trains so many epochs, and is then lost without a word; the last segment was reported, not kept."""
    steps = train_cohort(asked(directory), digits(), mlp(16))
    report = next(steps)
    while report.lanes[0].n_epochs < epoch:
        report = steps.send(Verdicts(cohort_id=report.cohort_id))
    steps.close()
    return report


def test_a_lost_cohort_continues_at_its_last_segment_and_ends_the_same_to_the_last_bit(
    tmp_path: Path, undisturbed: Outcome, promises: Promises
) -> None:
    for epoch in LOST_IN:
        place = tmp_path / str(epoch)
        place.mkdir()
        train_until(epoch, place)

        first = next(train_cohort(asked(place), digits(), mlp(16)))
        resumed = drive(asked(place), digits(), mlp(16))

        assert [report.n_epochs for report in first.lanes] == [epoch] * 3  # all before were kept, this one is repeated
        assert resumed.reports[0].lanes[0].n_epochs == epoch
        for i in range(3):
            np.testing.assert_array_equal(resumed.curves[i], undisturbed.curves[i])
            assert resumed.results[i] == undisturbed.results[i]
    reached = f"lost in {len(LOST_IN)} of {N_EPOCHS} epochs: 1 segment repeated, every curve equal to the last bit"
    promises.reach("R9", "engine", reached, is_full=IS_LONG)


def test_lanes_that_have_ended_leave_nothing_behind(tmp_path: Path) -> None:
    drive(asked(tmp_path), digits(), mlp(16))

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_state_is_as_good_as_none(tmp_path: Path, undisturbed: Outcome) -> None:
    train_until(3, tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])

    report = next(train_cohort(asked(tmp_path), digits(), mlp(16)))

    assert [one.n_epochs for one in report.lanes] == [1, 1, 1]
    np.testing.assert_array_equal(unpack(report.lanes[0].curve), undisturbed.curves[0][:, :1])


def test_other_data_do_not_continue_from_these_states(tmp_path: Path) -> None:
    train_until(3, tmp_path)

    report = next(train_cohort(asked(tmp_path), digits(160), mlp(16)))

    assert [one.n_epochs for one in report.lanes] == [1, 1, 1]


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = LaneState(
        [np.arange(6, dtype=np.float32).reshape(2, 3), np.float32(3.5) * np.ones(())],
        -0.25,
        np.eye(3, dtype=np.float32),
    )
    kept = Checkpoints(tmp_path, "mine")

    assert kept.save([(lane(0), state)], seconds=1.0)

    loaded = kept.load(lane(0))
    assert loaded is not None
    assert loaded.best == state.best
    for one, other in zip([*loaded.state, loaded.curve], [*state.state, state.curve], strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept.load(lane(0, 1)) is None
    assert kept.load(lane(0, dropout_rate=0.1)) is None
    assert Checkpoints(tmp_path, "yours").load(lane(0)) is None


def test_a_costly_write_is_not_repeated_before_training_has_paid_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MAX_SHARE", 0.02)
    kept = Checkpoints(tmp_path, "mine")
    state = LaneState([np.zeros(1_000_000, np.float32)], 0.0, np.zeros((1, 1), np.float32))

    assert kept.save([(lane(0), state)], seconds=0.0)
    assert not kept.save([(lane(0), state)], seconds=0.0)
    assert kept.save([(lane(0), state)], seconds=3600.0)


def test_where_nothing_can_be_written_training_goes_on(tmp_path: Path, undisturbed: Outcome) -> None:
    (tmp_path / "file").write_text("in the way")

    outcome = drive(asked(tmp_path / "file" / "folder"), digits(), mlp(16))

    np.testing.assert_array_equal(outcome.curves[0], undisturbed.curves[0])
