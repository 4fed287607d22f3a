from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from search_spaces.values import Point
from service.database import tables
from service.views import StudyView
from tests.service.pages.conftest import Visitor

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" & 'so' </script>"


def test_the_page_follows_a_study_from_its_queue_to_its_end(visitor: Visitor) -> None:
    study = visitor.site.create("followed")
    visitor.open(f"/ui/studies/{study.id}")
    expect(visitor.page.locator("#state")).to_have_text("queued")

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(visitor.site.run, study.id)
        expect(visitor.page.locator("#state")).to_have_text("finished")
        ended.result()

    expect(visitor.page.locator("#counts")).to_have_text("4 trials complete")
    expect(visitor.page.locator("#trial-rows tr")).to_have_count(4)
    expect(visitor.page.locator("#curves.js-plotly-plot .subplot")).to_have_count(3)
    expect(visitor.page.get_by_role("button", name="Pause")).to_be_hidden()


def test_the_question_is_told_in_words(visitor: Visitor, finished: StudyView) -> None:
    visitor.open(f"/ui/studies/{finished.id}")

    expect(visitor.page.get_by_text("Do dropout and early stopping make an MLP on digits")).to_be_visible()
    expect(visitor.page.get_by_text("rate 0, 0.8")).to_be_visible()


def test_trials_are_sorted_by_the_heading_clicked(visitor: Visitor, finished: StudyView) -> None:
    visitor.open(f"/ui/studies/{finished.id}")
    rates = visitor.page.locator('#trial-rows td[data-key="parameter dropout.rate"]')
    expect(rates).to_have_text(["0", "0", "0.8", "0.8"])

    heading = visitor.page.locator("th").filter(has_text="dropout rate")
    heading.get_by_role("button").click()
    heading.get_by_role("button").click()

    expect(rates).to_have_text(["0.8", "0.8", "0", "0"])
    expect(heading).to_have_attribute("aria-sort", "descending")


def test_a_trial_shows_its_means_with_standard_errors(visitor: Visitor, finished: StudyView) -> None:
    trial = visitor.site.studies.trial(finished.id, 0)
    mean, error = trial.metrics["test_accuracy"]["mean"], trial.metrics["test_accuracy"]["standard_error"]
    assert mean is not None
    assert error is not None

    visitor.open(f"/ui/studies/{finished.id}")

    row = visitor.page.locator('#trial-rows tr[data-key="0"]')
    expect(row).to_contain_text(f"{100 * mean:.1f} ± {100 * error:.1f} %")
    expect(row).to_contain_text("3 / 3")


def test_curves_show_the_trials_that_are_ticked(visitor: Visitor, finished: StudyView) -> None:
    visitor.open(f"/ui/studies/{finished.id}")
    chips = visitor.page.locator("#chosen li")
    expect(chips).to_have_count(3)

    boxes = visitor.page.locator("#trial-rows input")
    for box in boxes.all():
        box.set_checked(box.get_attribute("aria-label") == "Show curves of trial 1")

    expect(chips).to_have_count(1)
    expect(chips).to_contain_text("#1")
    chips.get_by_role("button").click()
    expect(visitor.page.locator("#curves")).to_be_hidden()
    expect(visitor.page.locator("#no-curves")).to_be_visible()


def test_curves_switch_from_accuracy_to_loss(visitor: Visitor, finished: StudyView) -> None:
    visitor.open(f"/ui/studies/{finished.id}")
    expect(visitor.page.locator("#curves .ytitle")).to_have_text("accuracy")

    visitor.page.get_by_role("button", name="Loss").click()

    expect(visitor.page.locator("#curves .ytitle")).to_have_text("loss")


def test_a_study_is_paused_resumed_and_cancelled_from_its_page(visitor: Visitor) -> None:
    study = visitor.site.create("steered")
    state = visitor.page.locator("#state")
    visitor.open(f"/ui/studies/{study.id}")

    visitor.page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("paused")
    visitor.page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("queued")
    visitor.page.get_by_role("button", name="Cancel …").click()
    visitor.page.get_by_role("button", name="Keep it going").click()
    expect(state).to_have_text("queued")
    visitor.page.get_by_role("button", name="Cancel …").click()
    visitor.page.get_by_role("button", name="Cancel the study").click()

    expect(state).to_have_text("cancelled")
    assert visitor.site.studies.get(study.id).state == "cancelled"


def test_a_refused_action_shows_the_problem(visitor: Visitor) -> None:
    study = visitor.site.create("ended elsewhere")
    visitor.open(f"/ui/studies/{study.id}")
    pause = visitor.page.get_by_role("button", name="Pause")
    expect(pause).to_be_visible()
    visitor.page.route(f"**/v1/studies/{study.id}", lambda route: route.abort())
    visitor.site.studies.cancel(study.id)

    pause.click()

    expect(visitor.page.get_by_role("alert").filter(has_text="State conflict")).to_be_visible()
    visitor.complaints.clear()


def test_hostile_reasons_are_shown_as_the_text_they_are(visitor: Visitor) -> None:
    study = visitor.site.create("hostile")
    points: list[Point] = [
        {"dropout.rate": 0.0, "early_stopping.patience": 1},
        {"dropout.rate": 0.8, "early_stopping.patience": 1},
    ]
    visitor.site.studies.enqueue(study.id, points)
    with visitor.site.services.database.begin() as connection:
        mine = tables.trials.c.study_id == study.id
        connection.execute(update(tables.trials).where(mine).values(state="failed", reason=HOSTILE))
        connection.execute(update(tables.studies).where(tables.studies.c.id == study.id).values(reason=HOSTILE))

    visitor.open(f"/ui/studies/{study.id}")

    expect(visitor.page.locator("#failure-list")).to_have_text(f"Trials 0, 1 failed: {HOSTILE}")
    expect(visitor.page.locator("#reason")).to_have_text(HOSTILE)
    expect(visitor.page.locator("main img")).to_have_count(0)
