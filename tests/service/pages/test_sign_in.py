import pytest
from playwright.sync_api import expect

from tests.service.pages.conftest import Visitor

pytestmark = pytest.mark.browser


def test_the_printed_link_signs_in_and_leaves_no_token_in_the_address(stranger: Visitor) -> None:
    stranger.open(f"/ui/sign-in#token={stranger.site.token}")

    expect(stranger.page.get_by_role("heading", name="Studies")).to_be_visible()
    assert stranger.page.url == f"{stranger.site.base_url}/ui/"
    stranger.page.go_back()
    assert stranger.site.token not in stranger.page.url


def test_a_pasted_token_signs_in(stranger: Visitor) -> None:
    stranger.open("/ui/sign-in")

    stranger.page.get_by_label("Token").fill(f"  {stranger.site.token}\n")
    stranger.page.get_by_role("button", name="Sign in").click()

    expect(stranger.page.get_by_role("heading", name="Studies")).to_be_visible()


@pytest.mark.parametrize("where", ["fragment", "form"])
def test_a_wrong_token_is_refused_in_words(stranger: Visitor, where: str) -> None:
    stranger.open("/ui/sign-in" + ("#token=wrong" if where == "fragment" else ""))
    if where == "form":
        stranger.page.get_by_label("Token").fill("wrong")
        stranger.page.get_by_role("button", name="Sign in").click()

    expect(stranger.page.get_by_role("alert").filter(has_text="token is not valid")).to_be_visible()
    assert "wrong" not in stranger.page.url
    assert all("401" in complaint for complaint in stranger.complaints)
    stranger.complaints.clear()


@pytest.mark.parametrize("path", ["/ui/", "/ui/studies/any", "/ui/studies/any/effects", "/dashboard"])
def test_a_signed_out_visit_is_sent_to_the_sign_in_page(stranger: Visitor, path: str) -> None:
    stranger.open(path)

    expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_that_ends_while_a_page_is_open_leads_back_to_it_after_sign_in(stranger: Visitor) -> None:
    stranger.sign_in()
    study = stranger.site.create("watched while the session ends")
    stranger.open(f"/ui/studies/{study.id}")
    expect(stranger.page.locator("#times")).not_to_be_empty()

    stranger.page.context.clear_cookies()
    expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()
    stranger.page.get_by_label("Token").fill(stranger.site.token)
    stranger.page.get_by_role("button", name="Sign in").click()

    expect(stranger.page.get_by_role("heading", name=study.name)).to_be_visible()
    assert all("401" in complaint for complaint in stranger.complaints)
    stranger.complaints.clear()


def test_signing_out_ends_the_session(stranger: Visitor) -> None:
    stranger.sign_in()
    stranger.page.get_by_role("button", name="Sign out").click()
    expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()

    stranger.open("/ui/")

    expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()
