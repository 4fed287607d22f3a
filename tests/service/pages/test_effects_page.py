import re

import pytest
from playwright.sync_api import expect

from service.effects.estimate import estimate
from service.effects.figures import figures
from service.views import StudyView
from tests.service.pages.conftest import LAPTOP, PHONE, Visitor

pytestmark = pytest.mark.browser

LIGHT_INK = "rgb(27, 33, 39)"
DARK_INK = "rgb(229, 233, 236)"


def test_verdicts_come_first_with_their_word_and_sentence(visitor: Visitor, finished: StudyView) -> None:
    effects = estimate(visitor.site.studies.record(finished.id))

    visitor.open(f"/ui/studies/{finished.id}/effects")

    verdicts = visitor.page.locator(".verdict")
    expect(verdicts).to_have_count(2)
    for index, regularizer in enumerate(effects.regularizers):
        expect(verdicts.nth(index)).to_contain_text(regularizer.verdict)
        expect(verdicts.nth(index)).to_contain_text(regularizer.sentence)


def test_every_figure_is_drawn_with_labelled_axes(visitor: Visitor, finished: StudyView) -> None:
    record = visitor.site.studies.record(finished.id)
    expected = figures(estimate(record), record)

    visitor.open(f"/ui/studies/{finished.id}/effects")

    drawn = visitor.page.locator("figure:has(.js-plotly-plot)")
    expect(drawn).to_have_count(len(expected))
    for figure, (name, made) in zip(drawn.all(), expected.items(), strict=True):
        expect(figure).to_have_attribute("data-key", name)
        expect(figure.get_by_role("heading")).to_have_text(made["layout"]["title"]["text"])
        expect(figure.locator(".xtitle")).not_to_be_empty()


def test_the_table_has_a_row_for_each_level(visitor: Visitor, finished: StudyView) -> None:
    effects = estimate(visitor.site.studies.record(finished.id))
    n_levels = sum(len(regularizer.levels) for regularizer in effects.regularizers)

    visitor.open(f"/ui/studies/{finished.id}/effects")

    expect(visitor.page.locator("#level-rows tr:not(.group)")).to_have_count(n_levels)


def test_tiles_name_the_best_trial_and_the_noise_floor(visitor: Visitor, finished: StudyView) -> None:
    best = estimate(visitor.site.studies.record(finished.id)).best
    assert best is not None

    visitor.open(f"/ui/studies/{finished.id}/effects")

    tiles = visitor.page.locator("#facts-of-study")
    expect(tiles).to_contain_text(f"Best on validation: trial {best.trial}")
    expect(tiles).to_contain_text("Noise floor")


def test_a_study_without_results_says_so(visitor: Visitor) -> None:
    study = visitor.site.create("nothing yet")

    visitor.open(f"/ui/studies/{study.id}/effects")

    expect(visitor.page.locator("#partial")).to_contain_text("This study is queued: partial effects")
    expect(visitor.page.locator("#loading")).to_contain_text("effects appear with the first ones")


@pytest.mark.parametrize("page", ["", "/effects"], ids=["study", "effects"])
def test_no_page_is_wider_than_the_screen(visitor: Visitor, finished: StudyView, page: str) -> None:
    visitor.open(f"/ui/studies/{finished.id}{page}")
    plot = visitor.page.locator(".js-plotly-plot .main-svg").first
    plot.wait_for()

    for size in (LAPTOP, PHONE):
        visitor.page.set_viewport_size(size)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    expect(plot).to_have_attribute("width", re.compile("^3[0-9]{2}"))


def test_figures_follow_the_colour_scheme(visitor: Visitor, finished: StudyView) -> None:
    visitor.page.emulate_media(color_scheme="light")
    visitor.open(f"/ui/studies/{finished.id}/effects")
    title = visitor.page.locator("#forest .xtitle")
    expect(title).to_have_css("fill", LIGHT_INK)

    visitor.page.emulate_media(color_scheme="dark")

    expect(title).to_have_css("fill", DARK_INK)
