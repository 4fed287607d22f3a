"""The client: REST as methods, problems as errors."""

import httpx
import pytest
from a2wsgi import ASGIMiddleware

from search_spaces.presets import load_preset
from service.app import create_app
from service.client import Client, ServerRefusedError, ServerUnreachableError
from service.composition import Services
from service.errors import InvalidStudySpecError
from tests.service.conftest import BASE_URL


@pytest.fixture
def connection(services: Services) -> Client:
    app = create_app(services.settings, services)
    return Client(BASE_URL, services.token, transport=httpx.WSGITransport(app=ASGIMiddleware(app)))


SPEC = load_preset("b-dropout").study.model_dump(mode="json")


def test_a_submitted_study_can_be_found_steered_and_deleted(connection: Client) -> None:
    study = connection.submit(SPEC)
    assert connection.study(study.id) == study
    assert [found.id for found in connection.studies(limit=10).items] == [study.id]
    assert connection.studies(state="paused").items == []
    assert connection.steer(study.id, "pause").state == "paused"
    assert connection.trials(study.id).items == []
    connection.delete(study.id)
    with pytest.raises(ServerRefusedError, match="Study not found: no study has the id") as refusal:
        connection.study(study.id)
    assert refusal.value.answer_status == 404


def test_a_refused_study_keeps_its_faults(connection: Client) -> None:
    with pytest.raises(InvalidStudySpecError) as refusal:
        connection.submit(SPEC | {"seed": -1})
    assert refusal.value.errors == [{"field": "seed", "expected": "at least 0", "received": "-1"}]


def test_a_wrong_token_is_told(services: Services) -> None:
    app = create_app(services.settings, services)
    stranger = Client(BASE_URL, "wrong", transport=httpx.WSGITransport(app=ASGIMiddleware(app)))
    with pytest.raises(ServerRefusedError, match="Not signed in"):
        stranger.studies()


def test_no_server_is_told_with_the_way_to_start_one() -> None:
    with (
        Client("http://127.0.0.1:9", "token") as client,
        pytest.raises(ServerUnreachableError, match=r"no regtune answers at http://127\.0\.0\.1:9 .*`regtune serve`"),
    ):
        client.studies()
