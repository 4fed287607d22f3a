"""Keeps how each replicate was trained: strategy, way of running it, and backend."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("regtune_replicates", sa.Column("trained_by", sa.String(length=100), nullable=True))


def downgrade() -> None:
    op.drop_column("regtune_replicates", "trained_by")
