"""A study's progress as a bar on standard error."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.views import StudyView, TrialState

ENDED: tuple[TrialState, ...] = ("complete", "pruned", "failed", "cancelled")


class StudyBar:
    """Shows how many replicates have ended; quiet where standard error is no terminal, but for the last line."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("replicates"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("queued", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, study: StudyView) -> None:
        """Draws the state of a study."""
        counts = study.progress.replicates
        ended = sum(counts.get(state, 0) for state in ENDED)
        planned = sum(counts.values())
        open_trials = (study.progress.trials_total or 0) - sum(study.progress.trials.values())
        per_trial = study.spec.get("budget", {}).get("replicates", 1)
        total = planned + max(open_trials, 0) * per_trial
        self._progress.update(self._task, description=study.state, completed=ended, total=total or None)
