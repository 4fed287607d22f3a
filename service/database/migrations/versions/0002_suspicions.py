"""Counts how often a trial was one of several whose cohort was broken by one of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("regtune_trials", sa.Column("suspicions", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("regtune_trials", "suspicions")
