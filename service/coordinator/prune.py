"""Asks the pruner about trials that have trained a segment further."""

import math
from collections.abc import Iterable, Sequence

from service.coordinator.desk import Desk, OwnedStudy
from service.database import queries_trials as trial_rows
from service.database import queries_work as work
from service.database.queries_trials import ReplicateRow
from trials.curves import row, unpack

PRUNED = "stopped by the pruner after {epoch} epochs: the mean {metric} of its replicates was {value:.4g}"


def prune(desk: Desk, study: OwnedStudy, trial_ids: Iterable[int]) -> None:
    """Reports each open trial's mean validation metric at the epoch that all its replicates have reached.

    A trial that the pruner gives up ends as pruned, all its open replicates with it; complete ones stay.

    Raises:
        LeaseLostError: The study is no longer ours.
    """
    if study.spec.search.pruner == "none":
        return
    metric = study.spec.objective.metric
    with desk.database.read() as connection:
        open_trials = work.select_open(connection, trial_ids)
        ids = [trial["id"] for trial in open_trials]
        replicates = trial_rows.select_replicates(connection, ids, with_curves=True)
    reached = {key: _reached(found) for key, found in replicates.items()}
    for trial in open_trials:
        trial_id, epoch = trial["id"], reached[trial["id"]]
        if epoch <= study.reported.get(trial_id, 0):
            continue
        value = _mean(replicates[trial_id], metric, epoch)
        study.reported[trial_id] = epoch
        if math.isfinite(value) and desk.twin(study).report(trial["parameters"], epoch, value):
            reason = PRUNED.format(epoch=epoch, metric=metric, value=value)
            with desk.write(study) as connection:
                work.end_replicates(connection, [trial_id], state="pruned", reason=reason)
                work.close_trials(connection, [trial_id])
                work.explain(connection, trial_id, reason)


def _mean(replicates: Sequence[ReplicateRow], metric: str, epoch: int) -> float:
    curves = [row(unpack(r["packed"]), metric) for r in replicates if r["packed"] is not None]
    values = [float(curve[min(epoch, curve.size) - 1]) for curve in curves if curve.size]
    return math.fsum(values) / len(values) if values else math.nan


def _reached(replicates: Sequence[ReplicateRow]) -> int:
    """Epochs that every replicate has trained; one that has ended early stands for itself to the end. 0: not all."""
    going = [r["n_epochs"] for r in replicates if r["state"] in work.OPEN]
    ended = [r["n_epochs"] for r in replicates if r["state"] == "complete"]
    return min(going) if going else max(ended, default=0)
