"""A regtune in a fresh directory, asked through its guarded application."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.composition import Services, compose
from service.settings import Settings

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
