"""The ledger's tables. Optuna keeps its own beside them, so every name here starts with `regtune_`.

Times are seconds since 1970 by the database's clock. A study that is being deleted has the state `deleted`, which
no answer shows, until the coordinator has removed its twin in Optuna.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

PREFIX = "regtune_"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")

studies = Table(
    f"{PREFIX}studies",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    # How many transactions of coordinators have written to the study.
    Column("writes", Integer, nullable=False, server_default="0"),
    Column("lease_holder", String(200)),
    Column("lease_until", Double),
    # False while a coordinator has something to do for the study: training, or bringing Optuna's view up to date.
    Column("settled", Boolean, nullable=False),
    Column("next_number", Integer, nullable=False),
    # True once no more points will be planned from the study's own budget.
    Column("planned", Boolean, nullable=False),
    Column("reason", Text),
    Column("notes", Text, nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Index(None, "settled"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

study_tags = Table(
    f"{PREFIX}study_tags",
    metadata,
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), primary_key=True),
    Column("tag", String(100), primary_key=True),
)

trials = Table(
    f"{PREFIX}trials",
    metadata,
    Column("id", Key, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("point_key", String(32), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("reason", Text),
    Column("own_faults", Integer, nullable=False),
    Column("lost_workers", Integer, nullable=False),
    # How often the trial was one of several in a cohort that some trial of it broke.
    Column("suspicions", Integer, nullable=False, server_default="0"),
    Column("optuna_trial_id", Key),
    # True once Optuna knows the trial's end.
    Column("told", Boolean, nullable=False),
    UniqueConstraint("study_id", "number"),
    UniqueConstraint("study_id", "point_key"),
    Index(None, "study_id", "state"),
    Index(None, "study_id", "told"),
    sqlite_autoincrement=True,
)

replicates = Table(
    f"{PREFIX}replicates",
    metadata,
    Column("id", Key, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cohort_id", String(64)),
    Column("n_epochs", Integer, nullable=False),
    Column("train_accuracy", Double),
    Column("validation_accuracy", Double),
    Column("test_accuracy", Double),
    Column("train_balanced_accuracy", Double),
    Column("validation_balanced_accuracy", Double),
    Column("test_balanced_accuracy", Double),
    Column("train_loss", Double),
    Column("validation_loss", Double),
    Column("test_loss", Double),
    Column("test_spread", Double),
    Column("selected_epoch", Integer),
    Column("last_epoch", Integer),
    Column("reason", Text),
    Column("trained_by", String(100)),
    UniqueConstraint("trial_id", "seed"),
    Index(None, "study_id", "state"),
    Index(None, "cohort_id"),
    sqlite_autoincrement=True,
)

idempotency = Table(
    f"{PREFIX}idempotency",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Double, nullable=False),
    Index(None, "created_at"),
)

curves = Table(
    f"{PREFIX}curves",
    metadata,
    Column("replicate_id", ForeignKey(replicates.c.id, ondelete="CASCADE"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)
