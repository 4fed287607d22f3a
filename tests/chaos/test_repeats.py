"""R10 and R11: many clients repeat one request; two writers hold the same version."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from service.database.engine import Database
from tests.chaos.actors import Api, api_of
from tests.chaos.promises import IS_LONG, Promises
from tests.specs import small_grid

N_CLIENTS = 20
N_REPEATS = 50 if IS_LONG else 2
N_PAIRS = 1000 if IS_LONG else 10
N_DELETIONS = 100 if IS_LONG else 2


def at_once(n: int, act: Callable[[], None]) -> None:
    """Does something from so many threads that begin together."""
    gate = threading.Barrier(n)

    def enter() -> None:
        gate.wait()
        act()

    threads = [threading.Thread(target=enter) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_repeats_of_one_request_make_one_study(
    any_database: Database, tmp_path: Path, kind: str, promises: Promises
) -> None:
    document = small_grid().model_dump(mode="json", exclude_unset=True)
    answers: list[tuple[int, str]] = []
    with api_of(any_database.url, tmp_path) as api:

        def repeat() -> None:
            for _ in range(N_REPEATS):
                answer = api.client.post("/v1/studies", json=document, headers={"Idempotency-Key": "once"})
                answers.append((answer.status_code, answer.json().get("id", "")))

        at_once(N_CLIENTS, repeat)
        other = api.client.post("/v1/studies", json=document | {"name": "o"}, headers={"Idempotency-Key": "once"})
        n_studies = len(api.client.get("/v1/studies").json()["items"])
    assert len(answers) == N_CLIENTS * N_REPEATS
    assert {status for status, _ in answers} == {201}
    assert len({study_id for _, study_id in answers}) == n_studies == 1
    assert other.status_code == 422
    promises.reach("R10", kind, f"1 study of {len(answers)} repeats, other body 422", is_full=len(answers) >= 1000)


def test_of_two_writers_with_the_same_version_one_wins(
    any_database: Database, tmp_path: Path, kind: str, promises: Promises
) -> None:
    document = small_grid().model_dump(mode="json", exclude_unset=True)
    with api_of(any_database.url, tmp_path) as api:
        changed = Counter(_contest_change(api, document) for _ in range(N_PAIRS))
        deleted = Counter(_contest_deletion(api, document) for _ in range(N_DELETIONS))
    assert set(changed) == {(200, 412)}, changed
    assert set(deleted) == {(204, 404)}, deleted
    reached = f"exactly one of two writers wins, {N_PAIRS} of {N_PAIRS}, and of two deletions, {N_DELETIONS}"
    promises.reach("R11", kind, reached, is_full=N_PAIRS >= 1000)


def _contest_change(api: Api, document: dict[str, object]) -> tuple[int, ...]:
    """Two change the version that both saw; the loser's change must not be found afterwards."""
    study = api.client.post("/v1/studies", json=document)
    path, headers = study.headers["location"], {"If-Match": study.headers["etag"]}
    statuses: dict[str, int] = {}
    writers = iter(("first", "second"))

    def write() -> None:
        notes = next(writers)
        statuses[notes] = api.client.patch(path, headers=headers, json={"notes": notes}).status_code

    at_once(2, write)
    kept = api.client.get(path).json()
    assert statuses[kept["notes"]] == 200
    assert kept["version"] == study.json()["version"] + 1
    return tuple(sorted(statuses.values()))


def _contest_deletion(api: Api, document: dict[str, object]) -> tuple[int, ...]:
    study = api.client.post("/v1/studies", json=document)
    path, headers, statuses = study.headers["location"], {"If-Match": study.headers["etag"]}, []
    at_once(2, lambda: statuses.append(api.client.delete(path, headers=headers).status_code))
    return tuple(sorted(statuses))
