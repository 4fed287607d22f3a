"""Alembic's environment: the connection comes from the caller, who also holds the transaction."""

from alembic import context

from service.database.migration import VERSION_TABLE, is_ours
from service.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_object=is_ours,
    render_as_batch=True,
)
context.run_migrations()
