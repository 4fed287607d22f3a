"""What a database must hold after any storm."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optuna.trial import TrialState
from sqlalchemy import func, select

from search_spaces.grids import grid_points, point_key
from search_spaces.spec import StudySpec
from service.database.engine import Database
from service.database.tables import replicates, studies, trials
from service.optuna_bridge import OptunaBridge

ENDED = ("finished", "failed", "cancelled")


@dataclass(frozen=True)
class Told:
    """What clients and training were told.

    Attributes:
        studies: Ids of acknowledged studies, with their specs.
        results: Acknowledged results by replicate id.
    """

    studies: Mapping[str, StudySpec]
    results: Mapping[int, float]


def count_open(database: Database, study_ids: Iterable[str]) -> int:
    """Number of studies that have not ended."""
    statement = select(func.count()).where(studies.c.id.in_(list(study_ids)), studies.c.state.not_in(ENDED))
    with database.read() as connection:
        return int(connection.execute(statement).scalar_one())


def audit(database: Database, told: Told) -> None:
    """Asserts that nothing that was acknowledged is lost, and that every study ended whole."""
    assert lost_results(database, told.results) == []
    bridge = OptunaBridge(database)
    for study_id, spec in told.studies.items():
        _audit_study(database, bridge, study_id, spec)
    bridge.close()


def lost_results(database: Database, acknowledged: Mapping[int, float]) -> list[int]:
    """Ids of replicates whose acknowledged result is not what the ledger holds."""
    columns = replicates.c.id, replicates.c.state, replicates.c.validation_accuracy
    with database.read() as connection:
        held = {row[0]: row[2] for row in connection.execute(select(*columns)) if row[1] == "complete"}
    return [key for key, value in acknowledged.items() if held.get(key) != value]


def _audit_study(database: Database, bridge: OptunaBridge, study_id: str, spec: StudySpec) -> None:
    with database.read() as connection:
        study = connection.execute(select(studies).where(studies.c.id == study_id)).mappings().one()
        found = list(connection.execute(select(trials).where(trials.c.study_id == study_id)).mappings())
        of_study = select(replicates).where(replicates.c.study_id == study_id)
        trained = list(connection.execute(of_study).mappings())
    assert study["state"] == "finished", study["reason"]
    assert study["settled"]
    assert study["lease_holder"] is None
    assert {trial["state"] for trial in found} == {"complete"}, [t["reason"] for t in found if t["reason"]]
    assert {replicate["state"] for replicate in trained} == {"complete"}
    assert Counter(r["trial_id"] for r in trained) == dict.fromkeys((t["id"] for t in found), spec.budget.replicates)
    keys = Counter(trial["point_key"] for trial in found if trial["origin"] != "enqueued")
    if spec.search.sampler == "grid":
        assert keys == Counter(point_key(point) for point in grid_points(spec))
    else:
        assert (len(keys), keys.total()) == (spec.budget.trials, spec.budget.trials)
    told = bridge.trials(study_id, spec)
    assert {trial.state for trial in told} == {TrialState.COMPLETE}
    assert sorted(trial.user_attrs["trial"] for trial in told) == sorted(trial["number"] for trial in found)
