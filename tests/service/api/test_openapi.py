"""The API describes itself."""

from starlette.testclient import TestClient


def test_the_description_names_the_contracts_routes(client: TestClient) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    wanted = {
        "/v1/studies": {"get", "post"},
        "/v1/studies:validate": {"post"},
        "/v1/studies/{study_id}": {"get", "patch", "delete"},
        "/v1/studies/{study_id}:pause": {"post"},
        "/v1/studies/{study_id}:resume": {"post"},
        "/v1/studies/{study_id}:cancel": {"post"},
        "/v1/studies/{study_id}/trials": {"get", "post"},
        "/v1/studies/{study_id}/trials/{number}": {"get"},
        "/v1/studies/{study_id}/effects": {"get"},
        "/v1/presets/{name}": {"get"},
        "/v1/models": {"get"},
        "/v1/models:import": {"post"},
        "/v1/datasets": {"get", "post"},
        "/v1/datasets/{name}": {"get", "delete"},
        "/livez": {"get"},
        "/readyz": {"get"},
    }
    assert {path: set(paths[path]) for path in wanted} == wanted


def test_every_reference_of_the_description_resolves(client: TestClient) -> None:
    document = client.get("/v1/openapi.json")
    schemas = document.json()["components"]["schemas"]
    named = {part.split('"')[0] for part in document.text.split("#/components/schemas/")[1:]}
    assert "StudySpec" in named
    assert named <= schemas.keys()
    assert "#/$defs" not in document.text


def test_the_docs_page_lists_the_routes_without_any_script(client: TestClient) -> None:
    page = client.get("/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/studies/{study_id}:pause" in page.text
    assert "<script" not in page.text
