"""Three users: staff, consents, delegations, confirmations, scans, notices, edits, what audits filter by."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "catalogue_edit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("case_key", sa.Text(), nullable=True),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("legal_reference", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("end_idx", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_edit")),
    )
    op.create_index("ix_catalogue_edit_of", "catalogue_edit", ["procedure"], unique=False)
    op.create_table(
        "entry_fact",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("procedure", sa.Text(), nullable=True),
        sa.Column("dossier", sa.Text(), nullable=True),
        sa.Column("component", sa.Text(), nullable=True),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_entry_fact_idx")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_entry_fact")),
    )
    op.create_index("ix_entry_fact_agency", "entry_fact", ["agency", "idx"], unique=False)
    op.create_index("ix_entry_fact_day", "entry_fact", ["day"], unique=False)
    op.create_index("ix_entry_fact_dossier", "entry_fact", ["dossier"], unique=False)
    op.create_table(
        "row_reading",
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("case_key", sa.Text(), nullable=True),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("heading_rule", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("national_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("originals", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("alternative", sa.Text(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("edit", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["edit"], ["catalogue_edit.id"], name=op.f("fk_row_reading_edit")),
        sa.ForeignKeyConstraint(
            ["procedure", "version"],
            ["procedure.code", "procedure.version"],
            name=op.f("fk_row_reading_procedure_version"),
        ),
        sa.PrimaryKeyConstraint("procedure", "version", "place", name=op.f("pk_row_reading")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=False),
        sa.Column("answer_until", sa.Text(), nullable=False),
        sa.Column("max_reads", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_consent_agency")),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_consent_owner")),
        sa.ForeignKeyConstraint(["system"], ["system.id"], name=op.f("fk_consent_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_asked", "consent", ["agency", "asked"], unique=False)
    op.create_index("ix_consent_bundle", "consent", ["bundle"], unique=False)
    op.create_index("ix_consent_owner", "consent", ["owner"], unique=False)
    op.create_table(
        "delegation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("represented", sa.Text(), nullable=False),
        sa.Column("representative", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["evidence"], ["record.id"], name=op.f("fk_delegation_evidence")),
        sa.ForeignKeyConstraint(["representative"], ["owner.id"], name=op.f("fk_delegation_representative")),
        sa.ForeignKeyConstraint(["represented"], ["owner.id"], name=op.f("fk_delegation_represented")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_representative", "delegation", ["representative"], unique=False)
    op.create_index("ix_delegation_represented", "delegation", ["represented"], unique=False)
    op.create_table(
        "officer_role",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "officer"],
            ["officer.agency", "officer.id"],
            name=op.f("fk_officer_role_agency_officer"),
        ),
        sa.PrimaryKeyConstraint("agency", "officer", "role", name=op.f("pk_officer_role")),
    )
    op.create_table(
        "confirmation",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("weaknesses", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_confirmation_dossier")),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_confirmation_idx")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_confirmation_record")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_confirmation")),
    )
    op.create_index("ix_confirmation_of", "confirmation", ["dossier"], unique=False)
    op.create_index("ix_confirmation_record", "confirmation", ["record"], unique=False)
    op.create_table(
        "asked_plan",
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("epochs", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_asked_plan_dossier")),
        sa.PrimaryKeyConstraint("dossier", "token_hash", name=op.f("pk_asked_plan")),
    )
    op.create_index("ix_asked_plan_at", "asked_plan", ["at"], unique=False)
    op.create_index("ix_record_dossier", "record", ["dossier"], unique=False)
    op.create_index("ix_record_issuer", "record", ["issuer", "created_at"], unique=False)
    op.create_index("ix_dossier_of", "dossier", ["agency", "state", "opened_at"], unique=False)
    op.create_table(
        "consent_event",
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("delegation", sa.Text(), nullable=True),
        sa.Column("displayed", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["consent"], ["consent.id"], name=op.f("fk_consent_event_consent")),
        sa.ForeignKeyConstraint(["delegation"], ["delegation.id"], name=op.f("fk_consent_event_delegation")),
        sa.PrimaryKeyConstraint("consent", "n", name=op.f("pk_consent_event")),
    )
    op.create_table(
        "consent_record",
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["consent"], ["consent.id"], name=op.f("fk_consent_record_consent")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_consent_record_record")),
        sa.PrimaryKeyConstraint("consent", "record", name=op.f("pk_consent_record")),
    )
    op.create_table(
        "delegation_event",
        sa.Column("delegation", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delegation"], ["delegation.id"], name=op.f("fk_delegation_event_delegation")
        ),
        sa.PrimaryKeyConstraint("delegation", "n", name=op.f("pk_delegation_event")),
    )
    op.create_table(
        "digitisation",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("answered", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("scan_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scan_size", sa.Integer(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_digitisation_dossier")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_digitisation_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_digitisation")),
    )
    op.create_index("ix_digitisation_of", "digitisation", ["dossier", "component"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("dossier", sa.Text(), nullable=True),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_notice_agency")),
        sa.ForeignKeyConstraint(["consent"], ["consent.id"], name=op.f("fk_notice_consent")),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_notice_dossier")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_notice_record")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_of", "notice", ["agency", "at"], unique=False)
    op.create_table(
        "staff_session",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "officer", "role"],
            ["officer_role.agency", "officer_role.officer", "officer_role.role"],
            name=op.f("fk_staff_session_agency_officer_role"),
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_staff_session")),
    )
    op.create_table(
        "consent_use",
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["consent"], ["consent.id"], name=op.f("fk_consent_use_consent")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_consent_use_record")),
        sa.ForeignKeyConstraint(["release"], ["release.id"], name=op.f("fk_consent_use_release")),
        sa.PrimaryKeyConstraint("consent", "n", name=op.f("pk_consent_use")),
    )
    # A fetch under a consent has no dossier; it stands on its consent, and ends by itself.
    with op.batch_alter_table("release") as batch:
        batch.add_column(sa.Column("consent", sa.Text(), nullable=True))
        batch.add_column(sa.Column("until", sa.Text(), nullable=True))
        batch.alter_column("dossier", existing_type=sa.Text(), nullable=True)
        batch.alter_column("component", existing_type=sa.Text(), nullable=True)
        batch.create_foreign_key(op.f("fk_release_consent"), "consent", ["consent"], ["id"])
    _widen_record()
    with op.batch_alter_table("procedure") as batch:
        batch.add_column(sa.Column("name", sa.Text(), nullable=True))
        batch.add_column(sa.Column("policy", sa.Text(), nullable=True))
        batch.add_column(sa.Column("reading", sa.Text(), nullable=True))
    with op.batch_alter_table("session") as batch:
        batch.add_column(sa.Column("delegation", sa.Text(), nullable=True))
        batch.create_foreign_key(op.f("fk_session_delegation"), "delegation", ["delegation"], ["id"])
    _hash("log_entry", "body", "body_sha256")
    _hash("entry_holder", "sealed_seed", "seed_sha256")


def _widen_record() -> None:
    with op.batch_alter_table("record") as batch:
        batch.add_column(sa.Column("pages", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("subject_born_on", sa.Text(), nullable=True))


def _hash(table: str, content: str, column: str) -> None:
    """Put beside a column of sealed bytes their SHA-256, by which a changed one is found without a key."""
    with op.batch_alter_table(table) as batch:
        batch.add_column(sa.Column(column, sa.LargeBinary(), nullable=True))
    rows = op.get_bind()
    if rows.dialect.name == "postgresql":
        op.execute(f"UPDATE {table} SET {column} = sha256({content})")  # noqa: S608 - names from this file
    else:
        _hash_here(rows, table, content, column)
    with op.batch_alter_table(table) as batch:
        batch.alter_column(column, existing_type=sa.LargeBinary(), nullable=False)


def _hash_here(rows: sa.Connection, table: str, content: str, column: str) -> None:
    """SQLite knows no SHA-256."""
    place: sa.ColumnClause[int] = sa.literal_column("rowid", sa.Integer())
    kept = sa.table(table, sa.column(content), sa.column(column))
    for rowid, sealed in rows.execute(sa.select(place, kept.c[content])).all():
        rows.execute(kept.update().where(place == rowid).values({column: sha256(sealed).digest()}))
