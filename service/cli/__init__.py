"""The command `regtune`."""

from service.cli import datasets, embedded, grid, information, models, remote, serving
from service.cli.options import application

__all__ = ["app", "main"]

app = application()

for group in (embedded, grid, serving, remote, datasets, models, information):
    group.register(app)


def main() -> None:
    """Entry point: exit status 0 done, 1 failed, 2 wrong input."""
    app(prog_name="regtune")
