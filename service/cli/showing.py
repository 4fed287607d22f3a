"""Results for people: tables on the terminal, report and figure in files."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from service.views import StudyView, TrialView

if TYPE_CHECKING:
    from service.effects.records import StudyRecord
    from service.effects.view import Effects


def print_effects(effects: "Effects") -> None:
    """Prints the effect tables."""
    from service.effects.table import effects_table

    Console().print(effects_table(effects))


def write_report_files(effects: "Effects", record: "StudyRecord", folder: Path) -> list[Path]:
    """Writes `report.html` and `effects.png`, and returns their paths."""
    from service.effects.html import effects_html
    from service.effects.png import effects_png

    report, figure = folder / "report.html", folder / "effects.png"
    report.write_text(effects_html(effects, record), encoding="utf-8")
    effects_png(effects, record, figure)
    return [report, figure]


def print_studies(studies: list[StudyView]) -> None:
    """Prints one line per study."""
    table = Table("id", "name", "state", "trials", "replicates", "created", box=None)
    for study in studies:
        done, total = study.progress.trials.get("complete", 0), study.progress.trials_total
        replicates = study.progress.replicates.get("complete", 0)
        trials = f"{done}/{'?' if total is None else total}"
        table.add_row(study.id, study.name, study.state, trials, str(replicates), f"{study.created_at:%Y-%m-%d %H:%M}")
    Console().print(table)


def print_study(study: StudyView, trials: list[TrialView], *, more: bool) -> None:
    """Prints one study with its trials."""
    console = Console()
    print_studies([study])
    if study.reason:
        console.print(study.reason, markup=False)
    objective = str(study.spec.get("objective", {}).get("metric"))
    measure = "balanced_accuracy" if "balanced" in objective else "accuracy"
    shown = [f"{part}_{measure}" for part in ("validation", "test")]
    headings = [metric.replace("_", " ") for metric in shown]
    table = Table("trial", "state", "parameters", *headings, "reason", box=None)
    for trial in trials:
        parameters = ", ".join(f"{key}={value}" for key, value in trial.parameters.items())
        scores = [_score(trial, metric) for metric in shown]
        table.add_row(str(trial.number), trial.state, parameters, *scores, trial.reason or "")
    console.print(table)
    if more:
        console.print(f"… and more on the page /ui/studies/{study.id}")


def _score(trial: TrialView, metric: str) -> str:
    summary = trial.metrics.get(metric, {})
    mean, error = summary.get("mean"), summary.get("standard_error")
    if mean is None:
        return ""
    return f"{mean:.3f}" if error is None else f"{mean:.3f} ± {error:.3f}"
