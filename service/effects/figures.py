"""All plotly figures of a study, by name, for the pages and the report."""

from search_spaces.grids import is_off
from service.effects.curve_figures import learning_figure, patience_figure
from service.effects.dose_figure import dose_figure
from service.effects.forest_figure import forest_figure
from service.effects.frame import measured
from service.effects.interaction_figure import interaction_figure
from service.effects.layout import Figure
from service.effects.records import StudyRecord
from service.effects.view import Effects


def figures(effects: Effects, record: StudyRecord) -> dict[str, Figure]:
    """The figures in the order of reading; what was not measured is left out.

    Names: `differences`, `dose_<regularizer>`, `patience`, `interaction_<first>_<second>` and
    `learning_<trial number>`. Each holds at most about 2,000 points.
    """
    found: dict[str, Figure | None] = {"differences": forest_figure(effects)}
    for effect in effects.regularizers:
        if effect.levels:
            found[f"dose_{effect.name}"] = dose_figure(effect, record)
    found["patience"] = patience_figure(effects.patience, effects.study.measure)
    for interaction in effects.interactions:
        drawn = interaction_figure(interaction, effects.study.measure)
        found[f"interaction_{interaction.first}_{interaction.second}"] = drawn
    for trial, role in _trials_shown(effects, record).items():
        found[f"learning_{trial}"] = learning_figure(record, trial, role)
    return {name: one for name, one in found.items() if one is not None}


def _trials_shown(effects: Effects, record: StudyRecord) -> dict[int, str]:
    shown: dict[int, str] = {}
    if effects.best:
        shown[effects.best.trial] = f"the best trial ({effects.best.trial})"
    if effects.one_standard_error_pick:
        number = effects.one_standard_error_pick.trial
        shown.setdefault(number, f"the one-standard-error pick (trial {number})")
    off = [number for number, settings in measured(record).settings.items() if is_off(settings)]
    for number in off[:1]:
        shown.setdefault(number, f"everything off (trial {number})")
    return shown
