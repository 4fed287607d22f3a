"""Effects over HTTP: one answer, four formats."""

import csv
import io

import pytest

from tests.service.conftest import Finished


def test_effects_are_the_contracts_object(finished: Finished) -> None:
    answer = finished.client().get(f"/v1/studies/{finished.study.id}/effects")
    effects = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert effects["study"]["id"] == finished.study.id
    assert effects["study"]["replicates"] == 4
    assert effects["noise_floor"]["n"] == 2
    assert [level["value"] for level in effects["regularizers"][0]["levels"]] == [0.0, 0.5]
    assert effects["best"]["trial"] in {0, 1}


@pytest.mark.parametrize(
    ("name", "media", "beginning"),
    [
        ("json", "application/json", b"{"),
        ("csv", "text/csv", b"study"),
        ("html", "text/html", b"<!doctype html>"),
        ("png", "image/png", b"\x89PNG"),
    ],
)
def test_effects_come_in_the_format_asked_for(finished: Finished, name: str, media: str, beginning: bytes) -> None:
    client, path = finished.client(), f"/v1/studies/{finished.study.id}/effects"
    by_query = client.get(path, params={"format": name})
    by_header = client.get(path, headers={"accept": media})
    for answer in (by_query, by_header):
        assert answer.headers["content-type"].partition(";")[0] == media
        assert answer.content[: len(beginning)].lower() == beginning.lower()


def test_a_report_is_saved_and_not_run_inside_our_pages(finished: Finished) -> None:
    answer = finished.client().get(f"/v1/studies/{finished.study.id}/effects?format=html")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_the_csv_has_a_row_for_each_level(finished: Finished) -> None:
    answer = finished.client().get(f"/v1/studies/{finished.study.id}/effects?format=csv")
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 2


def test_an_unknown_format_is_refused_by_field(finished: Finished) -> None:
    answer = finished.client().get(f"/v1/studies/{finished.study.id}/effects?format=xlsx")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.format"


def test_a_browsers_accept_header_gets_the_report(finished: Finished) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = finished.client().get(f"/v1/studies/{finished.study.id}/effects", headers={"accept": accept})
    assert answer.headers["content-type"].startswith("text/html")


def test_curves_come_when_asked_for(finished: Finished) -> None:
    path = f"/v1/studies/{finished.study.id}/trials/0"
    without = finished.client().get(path).json()["replicates"][0]
    curve = finished.client().get(path, params={"curves": "true"}).json()["replicates"][0]["curve"]
    assert without["curve"] is None
    assert curve["n_epochs"] == 2
    assert len(curve["metrics"]["validation_accuracy"]) == 2
