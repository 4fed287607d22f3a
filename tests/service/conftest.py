"""A regtune in a fresh directory, asked through its guarded application."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.composition import Services, compose, executor_of
from service.coordinator.loop import Coordinator
from service.settings import Settings
from service.specs import parse_spec
from service.views import StudyView

BASE_URL = "http://127.0.0.1:8080"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return compose(Settings(data_dir=tmp_path / "data", executor="inline"))


@pytest.fixture
def stranger(services: Services) -> TestClient:
    """Someone without the token."""
    app = create_app(services.settings, services)
    return TestClient(app, base_url=BASE_URL, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def client(services: Services, stranger: TestClient) -> TestClient:
    """Someone with the token."""
    stranger.headers["authorization"] = f"Bearer {services.token}"
    return stranger


@dataclass(frozen=True)
class Finished:
    """A regtune with one study that has been trained for real."""

    services: Services
    study: StudyView

    def client(self) -> TestClient:
        app = create_app(self.services.settings, self.services)
        headers = {"authorization": f"Bearer {self.services.token}"}
        return TestClient(app, base_url=BASE_URL, headers=headers, follow_redirects=False)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Two rates of dropout with two seeds each on digits, two epochs."""
    services = compose(Settings(data_dir=tmp_path_factory.mktemp("finished"), executor="inline"))
    spec = parse_spec(
        {
            "name": "finished",
            "dataset": "digits",
            "model": {"family": "mlp", "hidden_units": [8]},
            "regularizers": {"dropout": {"rate": {"grid": [0.0, 0.5]}}},
            "training": {"epochs": 2, "batch_size": 128},
            "search": {"sampler": "grid"},
            "budget": {"replicates": 2},
        }
    )
    study = services.studies.create(spec)
    executor = executor_of(services.settings)
    try:
        Coordinator(services.database, executor, services.settings).run_until_done(study.id)
    finally:
        executor.close()
    return Finished(services, services.studies.get(study.id))
