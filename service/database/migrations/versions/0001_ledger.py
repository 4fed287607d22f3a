"""The ledger: studies, their tags, trials, replicates and curves."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regtune_studies",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_holder", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_regtune_studies")),
        sa.UniqueConstraint("id", name=op.f("uq_regtune_studies_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_regtune_studies_settled"), "regtune_studies", ["settled"], unique=False)
    op.create_index(op.f("ix_regtune_studies_state"), "regtune_studies", ["state"], unique=False)
    op.create_table(
        "regtune_study_tags",
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["regtune_studies.id"], name=op.f("fk_regtune_study_tags_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "tag", name=op.f("pk_regtune_study_tags")),
    )
    op.create_table(
        "regtune_trials",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("point_key", sa.String(length=32), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("own_faults", sa.Integer(), nullable=False),
        sa.Column("lost_workers", sa.Integer(), nullable=False),
        sa.Column("optuna_trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["regtune_studies.id"], name=op.f("fk_regtune_trials_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regtune_trials")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_regtune_trials_study_id_number")),
        sa.UniqueConstraint("study_id", "point_key", name=op.f("uq_regtune_trials_study_id_point_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_regtune_trials_study_id_state"), "regtune_trials", ["study_id", "state"], unique=False)
    op.create_index(op.f("ix_regtune_trials_study_id_told"), "regtune_trials", ["study_id", "told"], unique=False)
    op.create_table(
        "regtune_replicates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cohort_id", sa.String(length=64), nullable=True),
        sa.Column("n_epochs", sa.Integer(), nullable=False),
        sa.Column("train_accuracy", sa.Double(), nullable=True),
        sa.Column("validation_accuracy", sa.Double(), nullable=True),
        sa.Column("test_accuracy", sa.Double(), nullable=True),
        sa.Column("train_loss", sa.Double(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("test_loss", sa.Double(), nullable=True),
        sa.Column("selected_epoch", sa.Integer(), nullable=True),
        sa.Column("last_epoch", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_id"], ["regtune_studies.id"], name=op.f("fk_regtune_replicates_study_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["regtune_trials.id"], name=op.f("fk_regtune_replicates_trial_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regtune_replicates")),
        sa.UniqueConstraint("trial_id", "seed", name=op.f("uq_regtune_replicates_trial_id_seed")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_regtune_replicates_cohort_id"), "regtune_replicates", ["cohort_id"], unique=False)
    op.create_index(
        op.f("ix_regtune_replicates_study_id_state"), "regtune_replicates", ["study_id", "state"], unique=False
    )
    op.create_table(
        "regtune_curves",
        sa.Column("replicate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["replicate_id"], ["regtune_replicates.id"], name=op.f("fk_regtune_curves_replicate_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("replicate_id", name=op.f("pk_regtune_curves")),
    )


def downgrade() -> None:
    op.drop_table("regtune_curves")
    op.drop_table("regtune_replicates")
    op.drop_table("regtune_trials")
    op.drop_table("regtune_study_tags")
    op.drop_table("regtune_studies")
