"""What is written into Optuna's tables directly reads like what Optuna writes itself, on every kind of database."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from service.database.engine import Database
from service.optuna_bridge import make_storage
from service.optuna_rows import add_trials

SPACE = {
    "dropout.rate": FloatDistribution(0.0, 0.9),
    "l2.factor": FloatDistribution(1e-6, 1e-1, log=True),
    "early_stopping.patience": IntDistribution(1, 9),
    "augmentation.policy": CategoricalDistribution(("none", "shift")),
    "l1.enabled": CategoricalDistribution((False, True)),
}
PARAMS = {
    "dropout.rate": 0.25,
    "l2.factor": 3e-4,
    "early_stopping.patience": 5,
    "augmentation.policy": "shift",
    "l1.enabled": True,
}
STEPS = {1: 0.5, 2: math.inf, 3: -math.inf}
ENDED = [
    create_trial(state=TrialState.COMPLETE, value=0.75, params=PARAMS, distributions=SPACE, user_attrs={"trial": 0}),
    create_trial(state=TrialState.COMPLETE, value=math.inf),
    create_trial(state=TrialState.PRUNED, intermediate_values=STEPS, system_attrs={"completed_rung_0": 0.5}),
    create_trial(state=TrialState.FAIL, user_attrs={"trial": 3, "reason": "training diverged — at epoch 1"}),
]


@pytest.fixture
def storage(any_database: Database) -> Iterator[RDBStorage]:
    made = make_storage(any_database)
    yield made
    made.remove_session()
    made.engine.dispose()


def comparable(trial: FrozenTrial) -> dict[str, object]:
    shown = vars(trial) | {"_trial_id": None}
    return {name: value for name, value in shown.items() if "datetime" not in name}


def test_optuna_reads_the_same_as_if_it_had_written_the_trials_itself(
    any_database: Database, storage: RDBStorage
) -> None:
    ours, theirs = (optuna.create_study(storage=storage, study_name=name) for name in ("ours", "theirs"))
    theirs.add_trials(ENDED)
    twin_id = storage.get_study_id_from_name("ours")
    for part in (ENDED[:1], [], ENDED[1:]):
        with any_database.begin() as connection:
            ids = add_trials(connection, twin_id, part)
        assert [storage.get_trial(trial_id).state for trial_id in ids] == [trial.state for trial in part]
    found = ours.get_trials()
    assert [trial.number for trial in found] == [0, 1, 2, 3]
    assert [comparable(trial) for trial in found] == [comparable(trial) for trial in theirs.get_trials()]


def test_times_are_read_as_local_time_again(any_database: Database, storage: RDBStorage) -> None:
    study = optuna.create_study(storage=storage, study_name="times")
    began = datetime.now() - timedelta(hours=1)
    trial = create_trial(state=TrialState.COMPLETE, value=1.0)
    trial.datetime_start = began
    twin_id = storage.get_study_id_from_name("times")
    with any_database.begin() as connection:
        add_trials(connection, twin_id, [trial])
    (found,) = study.get_trials()
    assert found.datetime_start == began
    assert found.duration is not None
    assert found.duration > timedelta(minutes=59)


def test_trials_of_a_transaction_that_fails_are_not_there(any_database: Database, storage: RDBStorage) -> None:
    study = optuna.create_study(storage=storage, study_name="undone")
    twin_id = storage.get_study_id_from_name("undone")

    def fail() -> None:
        with any_database.begin() as connection:
            add_trials(connection, twin_id, ENDED)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert study.get_trials() == []
