"""Record: what training says goes to the ledger, then to Optuna; then training is answered."""

from service.coordinator.attention import guarded
from service.coordinator.desk import Desk, Flight, OwnedStudy
from service.coordinator.losses import lanes_after, lose, refuse
from service.coordinator.prune import prune
from service.coordinator.tell import tell_ended
from service.database import queries_work as work
from trials.protocol import (
    CohortFinished,
    CohortLost,
    CohortRefused,
    Event,
    Metrics,
    ReplicateResult,
    SegmentReport,
    Verdicts,
)


def record_all(desk: Desk) -> None:
    """Deals with every event; one that the database did not take stays on the desk.

    Raises:
        DatabaseUnavailableError: The database is away.
    """
    while desk.events:
        event = desk.events[0]
        study = desk.studies.get(desk.study_of(event))
        if study is not None:
            with guarded(desk, study):
                record(desk, event)
        if study is None or study.id not in desk.studies:
            dismiss(desk, event)
        desk.events.popleft()


def record(desk: Desk, event: Event) -> None:
    """Deals with one event. May be repeated after an outage: what is recorded already changes nothing.

    Raises:
        LeaseLostError: The study is no longer ours; nothing was recorded.
    """
    flight = desk.flights.get(event.cohort_id)
    study = desk.owner_of(flight) if flight else None
    if flight is None or study is None:
        dismiss(desk, event)
    elif isinstance(event, SegmentReport):
        _record_segment(desk, study, flight, event)
    else:
        _record_end(desk, study, flight, event)


def dismiss(desk: Desk, event: Event) -> None:
    """Ends a cohort whose study is no longer ours: all its replicates are told to stop."""
    flight = desk.flights.get(event.cohort_id)
    if isinstance(event, SegmentReport):
        owed = tuple(sorted(flight.owed)) if flight else ()
        desk.executor.answer(Verdicts(cohort_id=event.cohort_id, stop=owed))
    else:
        desk.flights.pop(event.cohort_id, None)


def _record_segment(desk: Desk, study: OwnedStudy, flight: Flight, report: SegmentReport) -> None:
    lanes = {lane.lane_id: lane for lane in flight.cohort.lanes}
    results = [_checked(result, study) for lane in report.lanes for result in lane.results]
    with desk.write(study) as connection:
        running = work.running_in_cohort(connection, report.cohort_id)
        epochs = {
            reader.replicate_id: (lane.n_epochs, lane.curve)
            for lane in report.lanes
            for reader in lanes[lane.lane_id].readers
            if reader.replicate_id in running and lane.n_epochs
        }
        work.save_epochs(connection, epochs)
        answered = [result for result in results if result.replicate_id in running]
        work.save_results(connection, answered, report.trained_by)
        work.close_trials(connection, {running[result.replicate_id] for result in answered})
    prune(desk, study, set(running.values()))
    tell_ended(desk, study)
    flight.owed -= {result.replicate_id for result in results}
    with desk.database.read() as connection:
        still_running = work.running_in_cohort(connection, report.cohort_id)
    stop = tuple(sorted(flight.owed - still_running.keys()))
    desk.executor.answer(Verdicts(cohort_id=report.cohort_id, stop=stop))


def _checked(result: ReplicateResult, study: OwnedStudy) -> ReplicateResult:
    """A result without the value that the search needs is a failure."""
    metric = study.spec.objective.metric
    if result.state == "failed" or getattr(result.metrics, metric) is not None:
        return result
    reason = f"expected a finite {metric} at the end of training, received none"
    return ReplicateResult(
        replicate_id=result.replicate_id, state="failed", metrics=Metrics(), last_epoch=result.last_epoch, reason=reason
    )


def _record_end(
    desk: Desk, study: OwnedStudy, flight: Flight, event: CohortFinished | CohortRefused | CohortLost
) -> None:
    study.max_lanes = lanes_after(study.max_lanes, flight, event)
    with desk.write(study) as connection:
        if isinstance(event, CohortRefused):
            refuse(connection, flight, event)
        else:
            lose(connection, flight, event)
    tell_ended(desk, study)
    del desk.flights[event.cohort_id]
