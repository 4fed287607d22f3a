"""Datasets over HTTP: uploaded in a stream, checked, limited."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.composition import Services
from tests.service.conftest import BASE_URL
from tests.service.uploads import csv_of, npz

BINARY = {"content-type": "application/octet-stream"}
PATH = "/v1/datasets"


def files(services: Services) -> list[str]:
    return sorted(path.name for path in (services.settings.data_dir / "datasets").iterdir())


def test_an_upload_becomes_a_dataset_that_can_be_seen_and_removed(services: Services, client: TestClient) -> None:
    answer = client.post(PATH, params={"name": "mine"}, content=npz(), headers=BINARY)
    assert answer.status_code == 201, answer.text
    view = client.get(answer.headers["location"]).json()
    assert view == answer.json()
    assert (view["shape"], view["n_classes"], view["n_train"], view["n_test"]) == ([4], 2, 20, 10)
    assert files(services) == ["mine.npz"]
    assert client.delete(f"{PATH}/mine").status_code == 204
    assert client.get(f"{PATH}/mine").status_code == 404


def test_a_table_is_uploaded_as_csv(client: TestClient) -> None:
    body = csv_of("a,b,label", *(f"{n},{n},{'yes' if n % 2 else 'no'}" for n in range(20)))
    answer = client.post(
        PATH, params={"name": "table"}, content=body, headers={"content-type": "text/csv; charset=utf-8"}
    )
    assert (answer.status_code, answer.json()["shape"], answer.json()["n_classes"]) == (201, [2], 2)


@pytest.mark.parametrize(
    ("name", "media", "body", "status"),
    [
        ("mine", "multipart/form-data; boundary=x", b"x", 415),
        ("mine", "text/plain", b"x", 415),
        ("mine", "application/json", b"{}", 415),
        ("mine", "application/octet-stream", b"", 422),
        ("mine", "application/octet-stream", b"PK\x03\x04", 422),
        ("mine", "text/csv", b"a,b\n1,2\n", 422),
        ("../up", "application/octet-stream", b"x", 422),
        ("", "application/octet-stream", b"x", 422),
        ("digits", "application/octet-stream", b"x", 409),
    ],
)
def test_what_cannot_be_taken_is_a_problem_and_leaves_no_file(
    services: Services, client: TestClient, name: str, media: str, body: bytes, status: int
) -> None:
    answer = client.post(PATH, params={"name": name}, content=body, headers={"content-type": media})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert files(services) == []


@pytest.mark.parametrize("announced", [True, False])
def test_an_upload_over_the_limit_is_refused_before_it_is_all_there(services: Services, announced: bool) -> None:
    n_sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal n_sent
        while n_sent < 100:
            n_sent += 1
            yield b"x" * 1000

    settings = services.settings.model_copy(update={"max_upload_bytes": 5000})
    headers = BINARY | {"authorization": f"Bearer {services.token}"}
    headers |= {"content-length": "100000"} if announced else {}
    client = TestClient(create_app(settings, services), base_url=BASE_URL)
    answer = client.post(PATH, params={"name": "mine"}, content=parts(), headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (413, "Body too large")
    assert files(services) == []


def test_a_dataset_that_a_study_needs_stays(client: TestClient) -> None:
    client.post(PATH, params={"name": "mine"}, content=npz(), headers=BINARY)
    spec = {"name": "s", "dataset": "mine", "model": {"family": "mlp"}, "search": {"sampler": "grid"}}
    assert client.post("/v1/studies", json=spec).status_code == 201
    answer = client.delete(f"{PATH}/mine")
    assert (answer.status_code, answer.json()["title"]) == (409, "Dataset in use")


def test_another_sites_page_uploads_nothing(client: TestClient) -> None:
    headers = BINARY | {"origin": "http://evil.example"}
    assert client.post(PATH, params={"name": "mine"}, content=npz(), headers=headers).status_code == 403
