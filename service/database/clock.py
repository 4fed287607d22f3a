"""The database's own time. Leases compare it with itself only, so that no machine's clock matters."""

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class NowSeconds(FunctionElement[float]):
    """Seconds since 1970 by the database's clock, read when the statement runs."""

    type = Double()
    inherit_cache = True


@compiles(NowSeconds, "sqlite")
def _sqlite(_element: NowSeconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(NowSeconds, "postgresql")
def _postgresql(_element: NowSeconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
