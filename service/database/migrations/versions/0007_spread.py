"""Keeps how far sampled predictions scatter."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("regtune_replicates", sa.Column("test_spread", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("regtune_replicates", "test_spread")
