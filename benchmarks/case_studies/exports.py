"""What is kept of a case study that was run: the study, its effects, and how long it took."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from search_spaces.presets import Preset, load_preset, preset_names
from search_spaces.spec import StudySpec
from service.effects.view import Effects

FOLDER = Path("docs/case-studies")


class Export(BaseModel):
    """One finished study.

    Attributes:
        seconds: Wall-clock seconds from the command to its end.
        finished_on: Day, UTC.
    """

    version: str
    seconds: float
    finished_on: str
    study: StudySpec
    effects: Effects

    @classmethod
    def of(cls, study: StudySpec, effects: Effects, *, version: str, seconds: float) -> "Export":
        """An export of today."""
        today = datetime.now(UTC).date().isoformat()
        return cls(version=version, seconds=round(seconds, 1), finished_on=today, study=study, effects=effects)


def path_of(name: str, folder: Path = FOLDER) -> Path:
    """The file of a preset's export."""
    return folder / f"{name}.json"


def load(name: str, folder: Path = FOLDER) -> Export | None:
    """A preset's export; None if it was not run, or if the preset asks something else now."""
    path = path_of(name, folder)
    if not path.exists():
        return None
    export = Export.model_validate_json(path.read_text(encoding="utf-8"))
    return export if export.study == load_preset(name).study else None


def save(export: Export, folder: Path = FOLDER) -> None:
    """Writes an export."""
    folder.mkdir(parents=True, exist_ok=True)
    path_of(export.study.name, folder).write_text(export.model_dump_json(indent=1) + "\n", encoding="utf-8")


def families() -> list[tuple[Preset, Preset | None]]:
    """Each case study with its corrected twin, in the order of the sources."""
    names = [name for name in preset_names() if not name.endswith("-held-out") and name != "demo"]
    twins = set(preset_names())
    return [
        (load_preset(name), load_preset(f"{name}-held-out") if f"{name}-held-out" in twins else None) for name in names
    ]
