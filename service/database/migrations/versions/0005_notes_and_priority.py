"""Lets users keep notes with a study and say which studies come first; counts the coordinators' writes to a study."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("regtune_studies", sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    op.add_column("regtune_studies", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("regtune_studies", sa.Column("writes", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("regtune_studies", "writes")
    op.drop_column("regtune_studies", "priority")
    op.drop_column("regtune_studies", "notes")
