"""`/livez` and `/readyz`: whether to restart this process, and whether to send it requests."""

from fastapi import APIRouter, Request

from service.api.route import Route
from service.database.engine import Database

router = APIRouter(route_class=Route, tags=["health"])


@router.get("/livez")
async def is_alive() -> dict[str, str]:
    """Answers as long as the process can answer anything."""
    return {"status": "alive"}


@router.get("/readyz")
def is_ready(request: Request) -> dict[str, str]:
    """Answers 200 if the database does, else 503."""
    database: Database = request.app.state.database
    database.ping()
    return {"status": "ready"}
