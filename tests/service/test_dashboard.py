"""Optuna's dashboard: shows the study, changes nothing."""

import gzip

import pytest

from service.security import DASHBOARD_POLICY
from tests.service.conftest import Finished

READ = ["/dashboard", "/dashboard/studies/1", "/api/meta", "/api/studies", "/api/studies/1", "/csv/1", "/favicon.ico"]


@pytest.mark.parametrize("path", READ)
def test_what_the_dashboard_shows_is_readable(finished: Finished, path: str) -> None:
    assert finished.client().get(path).status_code == 200


def test_the_dashboard_knows_the_study_and_its_parameters(finished: Finished) -> None:
    client = finished.client()
    summaries = client.get("/api/studies").json()["study_summaries"]
    assert [summary["study_name"] for summary in summaries] == [f"finished [{finished.study.id}]"]
    trials = client.get("/api/studies/1").json()["trials"]
    assert [trial["state"] for trial in trials] == ["Complete", "Complete"]
    assert {trial["params"][0]["name"] for trial in trials} == {"dropout.rate"}


def test_the_dashboard_page_is_framed_by_nobody_and_may_compile_its_plots(finished: Finished) -> None:
    assert finished.client().get("/dashboard").headers.get_list("content-security-policy") == [DASHBOARD_POLICY]


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_the_dashboards_script_is_served_whatever_the_client_accepts(finished: Finished, encoding: str | None) -> None:
    client = finished.client()
    del client.headers["accept-encoding"]
    headers = {} if encoding is None else {"accept-encoding": encoding}
    with client.stream("GET", "/static/bundle.js", headers=headers) as answer:
        content = b"".join(answer.iter_raw())
    assert answer.status_code == 200
    assert len(gzip.decompress(content) if encoding else content) > 1_000_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/studies/1"),
        ("POST", "/api/studies"),
        ("POST", "/api/studies/1"),
        ("PUT", "/dashboard"),
    ],
)
def test_what_the_dashboard_shows_cannot_be_changed(finished: Finished, method: str, path: str) -> None:
    client = finished.client()
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert len(client.get("/api/studies").json()["study_summaries"]) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/api/studies/1/rename",
        "/api/trials/1/tell",
        "/api/studies/1/note",
        "/api/artifacts/1",
        "/artifacts/1/abc",
        "/api/llm/trial_filter_query",
        "/incompatible-rdb-schema",
        "/static/../index.html",
        "/static/..%2findex.html",
        "/static/sub/file.js",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_of_the_dashboard_is_not_there(finished: Finished, method: str, path: str) -> None:
    assert finished.client().request(method, path).status_code == 404


def test_the_start_page_is_ours(finished: Finished) -> None:
    answer = finished.client().get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")
