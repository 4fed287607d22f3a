from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from service.views import StudyView
from tests.service.pages.conftest import Visitor, served

pytestmark = pytest.mark.browser


def test_the_list_shows_each_study_with_state_tags_and_progress(visitor: Visitor, finished: StudyView) -> None:
    visitor.open("/ui/")

    row = visitor.page.get_by_role("row").filter(has_text=finished.name)
    means = [trial.metrics["validation_accuracy"]["mean"] for trial in visitor.site.studies.trials(finished.id).items]
    best = max(mean for mean in means if mean is not None)
    for text in ("a tag", "finished", "4 of 4 trials", f"{100 * best:.1f} %"):
        expect(row).to_contain_text(text)
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "4")
    row.get_by_role("link", name=finished.name).click()
    expect(visitor.page.get_by_role("heading", name=finished.name)).to_be_visible()


def test_a_new_study_appears_on_top_without_reloading(visitor: Visitor, finished: StudyView) -> None:
    visitor.open("/ui/")
    expect(visitor.page.get_by_text(finished.name, exact=True)).to_be_visible()

    visitor.site.create("appeared later")

    expect(visitor.page.locator("#rows tr").first).to_contain_text("appeared later")


def test_an_as_published_study_wears_a_badge(visitor: Visitor) -> None:
    visitor.site.create("published", evaluation={"protocol": "as_published"})

    visitor.open("/ui/")

    row = visitor.page.get_by_role("row").filter(has_text="published").first
    expect(row).to_contain_text("as published: test data selected")


def test_without_studies_the_page_tells_how_to_start_one(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as site, chromium.new_context() as context:
        visitor = Visitor(context.new_page(), site)
        visitor.sign_in()

        expect(visitor.page.get_by_text("regtune submit demo")).to_be_visible()
        expect(visitor.page.get_by_text(f"{site.base_url}/v1/studies")).to_be_visible()
        expect(visitor.page.locator("#studies")).to_be_hidden()
