"""regtune itself: `regtune run` with SQLite, training processes, report and figure."""

from typing import TYPE_CHECKING

from benchmarks.rivals.task import Outcome, Trained, outcome_of, parse, say

if TYPE_CHECKING:
    from service.effects.records import StudyRecord


def main() -> None:
    """Runs the task as a study."""
    from service.cli.embedded import run_services
    from service.composition import compose
    from service.settings import Settings

    task, folder = parse(__doc__)
    services = compose(Settings(data_dir=folder / "regtune"))
    if run_services(task.spec, services, as_json=True, write_report=True):
        raise SystemExit("the study failed")
    (study,) = services.studies.list_studies().items
    record = services.studies.record(study.id)
    say(outcome(record))


def outcome(record: "StudyRecord") -> Outcome:
    """What the ledger says was done."""
    return outcome_of(
        Trained(
            rate=float(replicate.point["dropout.rate"]),
            seed=replicate.seed,
            epochs=(replicate.last_epoch or 0) + 1,
            test_accuracy=replicate.metrics.test_accuracy or 0.0,
        )
        for replicate in record.replicates
    )


if __name__ == "__main__":
    main()
