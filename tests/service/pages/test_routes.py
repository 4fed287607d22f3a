import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.views import StudyView
from tests.service.pages.conftest import Site

STATIC = Path(__file__).parents[3] / "service" / "pages" / "static"


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {site.token}", "Accept": "text/html"}
    with httpx.Client(base_url=site.base_url, headers=headers) as client:
        yield client


@pytest.mark.parametrize("path", ["/ui/sign-in", "/ui/"])
def test_pages_have_no_inline_script_and_forbid_it(client: httpx.Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert "script-src 'self';" in response.headers["content-security-policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=", response.text) == []


def test_an_unknown_study_is_a_page_that_says_so(client: httpx.Client) -> None:
    for path in ("/ui/studies/nope", "/ui/studies/nope/effects"):
        response = client.get(path)

        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")
        assert "Study not found" in response.text


def test_unknown_ids_are_escaped(client: httpx.Client) -> None:
    response = client.get("/ui/studies/%3Cimg%20src=x%3E")

    assert response.status_code == 404
    assert "<img src=x>" not in response.text


def test_the_plotting_library_is_kept_by_browsers(client: httpx.Client) -> None:
    page = client.get("/ui/").text
    url = re.search(r'<meta name="plotly" content="([^"]+)"', page)
    assert url is not None

    response = client.get(url[1])

    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert "plotly.js v" in response.text[:200]


def test_own_scripts_are_revalidated_and_not_sent_twice(client: httpx.Client) -> None:
    first = client.get("/ui/static/study.js")
    again = client.get("/ui/static/study.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert "javascript" in first.headers["content-type"]
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["nope.js", "..%2Froutes.py", "%2e%2e%2f__init__.py"])
def test_nothing_but_static_files_is_served_as_such(client: httpx.Client, name: str) -> None:
    assert client.get(f"/ui/static/{name}").status_code in {401, 404}


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_import_only_files_that_exist_and_never_set_html(path: Path) -> None:
    text = path.read_text()

    for imported in re.findall(r'from "\./([^"]+)"', text):
        assert (STATIC / imported).is_file(), imported
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_curves_of_chosen_trials_are_averaged_over_their_replicates(client: httpx.Client, finished: StudyView) -> None:
    answer = client.get(f"/ui/studies/{finished.id}/curves?trial=0&trial=2&measure=loss").json()

    assert answer["measure"] == "loss"
    assert [trial["number"] for trial in answer["trials"]] == [0, 2]
    assert answer["trials"][0]["series"]["validation"]["n"][0] == 3


def test_curves_of_an_unknown_trial_are_a_problem(client: httpx.Client, finished: StudyView) -> None:
    response = client.get(f"/ui/studies/{finished.id}/curves?trial=99")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_figures_are_sent_by_name(client: httpx.Client, finished: StudyView) -> None:
    figures = client.get(f"/ui/studies/{finished.id}/figures").json()

    assert {"differences", "dose_dropout", "dose_early_stopping", "patience"} <= set(figures)
    assert all({"data", "layout"} <= set(figure) for figure in figures.values())
