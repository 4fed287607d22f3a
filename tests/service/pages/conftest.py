"""A served regtune with a finished study, and a browser that notes what a user must never see."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from search_spaces.spec import StudySpec
from service.app import create_app
from service.composition import Services, compose, executor_of
from service.coordinator.loop import Coordinator
from service.settings import Settings
from service.studies import Studies
from service.views import StudyView

PATIENCE_MILLISECONDS = 60_000
"""A busy machine draws slowly; nothing waits longer than it has to."""

LAPTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def small_spec(name: str, **parts: object) -> StudySpec:
    """Two levels of dropout and of patience on real digits, a second or two of training."""
    asked: dict[str, object] = {
        "name": name,
        "tags": ["a tag", "it.s_-"],
        "dataset": "digits",
        "model": {"family": "mlp", "hidden_units": [16]},
        "regularizers": {
            "dropout": {"rate": {"grid": [0.0, 0.8]}},
            "early_stopping": {"patience": {"choices": [1, 3]}},
        },
        "training": {"epochs": 4, "batch_size": 64},
        "search": {"sampler": "grid"},
        "budget": {"replicates": 3},
    }
    return StudySpec.model_validate(asked | parts)


@dataclass(frozen=True)
class Site:
    """A regtune that is being served, with the use cases behind it."""

    base_url: str
    services: Services

    @property
    def token(self) -> str:
        return self.services.token

    @property
    def studies(self) -> Studies:
        return self.services.studies

    def create(self, name: str, **parts: object) -> StudyView:
        """Stores a small study, not yet run."""
        return self.studies.create(small_spec(name, **parts))

    def run(self, study_id: str) -> None:
        """Drives a study to its end, training in this process."""
        settings = self.services.settings
        executor = executor_of(settings)
        try:
            Coordinator(self.services.database, executor, settings).run_until_done(study_id)
        finally:
            executor.close()


@contextmanager
def served(data_dir: Path) -> Iterator[Site]:
    """Serves a fresh data directory on a free port; requests wait in the socket until the server is up."""
    settings = Settings(data_dir=data_dir, executor="inline")
    services = compose(settings)
    server = uvicorn.Server(uvicorn.Config(create_app(settings, services), log_level="warning", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", services)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def finished(site: Site) -> StudyView:
    study = site.create("finished study")
    site.run(study.id)
    return site.studies.get(study.id)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A browser page that notes errors, dialogs and requests to anywhere else."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Starts noting."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.site.base_url, "data:", "blob:")):
            self.complaints.append(f"request to {request.url}")

    def open(self, path: str) -> None:
        """Goes to a page of the site."""
        self.page.goto(self.site.base_url + path)

    def sign_in(self) -> None:
        """Signs in as the printed link does."""
        self.open(f"/ui/sign-in#token={self.site.token}")
        self.page.wait_for_url(f"{self.site.base_url}/ui/")


@contextmanager
def watched(context: BrowserContext, site: Site) -> Iterator[Visitor]:
    """A new page in a browser context, on which nothing may go wrong."""
    visitor = Visitor(context.new_page(), site)
    visitor.watch()
    yield visitor
    visitor.page.close()
    assert visitor.complaints == []


@pytest.fixture
def stranger(chromium: Browser, site: Site) -> Iterator[Visitor]:
    """A visitor who has not signed in."""
    with chromium.new_context(viewport=LAPTOP) as context, watched(context, site) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser that has signed in; it keeps what it may, so that pages open as fast as for a user."""
    with chromium.new_context(viewport=LAPTOP) as context:
        Visitor(context.new_page(), site).sign_in()
        yield context


@pytest.fixture
def visitor(signed_in: BrowserContext, site: Site) -> Iterator[Visitor]:
    """A visitor who has signed in."""
    with watched(signed_in, site) as visitor:
        yield visitor
