"""Keeps the balanced accuracy of each replicate: the mean of the classes' recalls."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAMES = ("train_balanced_accuracy", "validation_balanced_accuracy", "test_balanced_accuracy")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("regtune_replicates", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    for name in reversed(NAMES):
        op.drop_column("regtune_replicates", name)
