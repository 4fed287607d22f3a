"""Remembers which study a request with an `Idempotency-Key` made."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regtune_idempotency",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["regtune_studies.id"], name=op.f("fk_regtune_idempotency_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_regtune_idempotency")),
    )
    op.create_index(op.f("ix_regtune_idempotency_created_at"), "regtune_idempotency", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_table("regtune_idempotency")
