"""Tells Optuna about trials that have ended. The ledger knows first; what Optuna has not heard is told again."""

from collections.abc import Sequence

from service.coordinator.desk import Desk, OwnedStudy
from service.database import queries_trials as trial_rows
from service.database import queries_work as work
from service.database.queries_trials import ReplicateRow, TrialRow
from service.optuna_bridge import EndedTrial
from service.study_views import summarize

PARTS = ("train", "validation", "test")


def tell_ended(desk: Desk, study: OwnedStudy) -> None:
    """Tells Optuna what it does not know yet, and notes it, in one transaction. Cancelled trials are not told.

    Raises:
        LeaseLostError: The study is no longer ours; nothing was told.
    """
    with desk.database.read() as connection:
        untold = work.select_untold(connection, study.id)
        replicates = trial_rows.select_replicates(connection, [trial["id"] for trial in untold])
    if not untold:
        return
    metric = study.spec.objective.metric
    ended = [
        _ended(trial, replicates.get(trial["id"], []), metric) for trial in untold if trial["state"] != "cancelled"
    ]
    twin = desk.twin(study) if ended else None
    with desk.write(study) as connection:
        ids = twin.tell(connection, ended) if twin else {}
        work.mark_told(connection, {trial["id"]: ids.get(trial["number"]) for trial in untold})


def _ended(trial: TrialRow, replicates: Sequence[ReplicateRow], metric: str) -> EndedTrial:
    summary = summarize(replicates)
    measures = ["accuracy", "balanced_accuracy"] if metric == "validation_balanced_accuracy" else ["accuracy"]
    shown = [f"{part}_{measure}" for measure in measures for part in PARTS]
    attributes = {f"{name}_{figure}": summary[name][figure] for name in shown for figure in ("mean", "standard_error")}
    return EndedTrial(
        number=trial["number"],
        state=trial["state"],
        point=trial["parameters"],
        value=summary[metric]["mean"],
        attributes=attributes | {"n": summary[metric]["n"]},
        reason=trial["reason"],
    )
