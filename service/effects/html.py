"""The report: one self-contained page with sentences, figures and tables."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from service.effects import wording
from service.effects.figures import figures
from service.effects.palette import VERDICT_COLOURS
from service.effects.records import StudyRecord
from service.effects.view import Effects


def effects_html(effects: Effects, record: StudyRecord) -> str:
    """Renders the report. It needs no network: the plotting library is a part of the page."""
    environment = Environment(
        loader=PackageLoader("service.effects"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html").render(
        effects=effects,
        dataset=record.spec.dataset.name,
        model=record.spec.model.family,
        figures=figures(effects, record),
        words=wording,
        verdict_colours=VERDICT_COLOURS,
        plotly_javascript=get_plotlyjs(),
    )
