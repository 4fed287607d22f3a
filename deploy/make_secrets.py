"""Writes the env files that docker-compose.yml asks for, with fresh secrets; files that exist stay as they are."""

import os
import secrets
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"


def main() -> None:
    """Writes `database.env` and `service.env`, which share a password, and `ray.env`."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    if not (FOLDER / "database.env").exists():
        password = secrets.token_hex(24)
        write("database.env", POSTGRES_USER="regtune", POSTGRES_DB="regtune", POSTGRES_PASSWORD=password)
        write("service.env", REGTUNE_DATABASE=f"postgresql+psycopg://regtune:{password}@database:5432/regtune")
    if not (FOLDER / "ray.env").exists():
        write("ray.env", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


def write(name: str, **values: str) -> None:
    """Writes an env file that its owner alone may read."""
    descriptor = os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{key}={value}\n" for key, value in values.items())


if __name__ == "__main__":
    main()
