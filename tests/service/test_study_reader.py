"""Progress is counted anew whenever something has changed, whoever changed it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database.engine import Database
from service.studies import Studies
from tests.formula_executor import FormulaExecutor
from tests.laboratory import Laboratory, one_round, open_laboratory
from tests.specs import small_grid


@pytest.fixture
def lab(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory


def test_a_reader_who_asks_all_the_time_sees_what_one_sees_who_asks_once(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    seen = []
    while lab.studies.get(study.id).state != "finished":
        one_round(coordinator)
        fresh = Studies(lab.database, lab.settings)
        assert lab.studies.get(study.id) == fresh.get(study.id)
        assert lab.studies.list_studies() == fresh.list_studies()
        seen.append(lab.studies.get(study.id).progress.epochs_done)
    assert len(set(seen)) > 2
    lab.studies.enqueue(study.id, [{"dropout.rate": 0.9}])
    assert lab.studies.get(study.id) == Studies(lab.database, lab.settings).get(study.id)


def test_a_study_that_has_not_changed_is_not_counted_again(lab: Laboratory) -> None:
    study = lab.finish(small_grid())
    assert lab.studies.get(study.id) is lab.studies.get(study.id)
    lab.studies.delete(study.id, lab.studies.get(study.id).version)
    assert lab.studies.list_studies().items == []
