"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "agency",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
    )
    op.create_table(
        "epoch",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_epoch")),
    )
    op.create_table(
        "key_pair",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_private", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "id", "purpose", name=op.f("pk_key_pair")),
    )
    op.create_table(
        "log_entry",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_log_entry")),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "owner",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )
    op.create_table(
        "policy_version",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "procedure",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("package", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_procedure")),
    )
    op.create_table(
        "request",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_request")),
    )
    op.create_table(
        "used_assertion",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti", name=op.f("pk_used_assertion")),
    )
    op.create_table(
        "agency_code",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_agency_code_agency")),
        sa.PrimaryKeyConstraint("agency", "code", "valid_from", name=op.f("pk_agency_code")),
    )
    op.create_table(
        "agency_right",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_agency_right_agency")),
        sa.PrimaryKeyConstraint("agency", "right", "object", "valid_from", name=op.f("pk_agency_right")),
    )
    op.create_table(
        "document_serial",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_document_serial_owner")),
        sa.PrimaryKeyConstraint("owner", "type", name=op.f("pk_document_serial")),
    )
    op.create_table(
        "entry_holder",
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_entry_holder_idx")),
        sa.PrimaryKeyConstraint("idx", "holder_kind", "holder", name=op.f("pk_entry_holder")),
    )
    with op.batch_alter_table("entry_holder", schema=None) as batch_op:
        batch_op.create_index("ix_entry_holder_of", ["holder_kind", "holder", "idx"], unique=False)

    op.create_table(
        "officer",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_officer_agency")),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_officer")),
    )
    op.create_table(
        "owner_identifier",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=True),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_owner_identifier_owner")),
        sa.PrimaryKeyConstraint("scheme", "value", name=op.f("pk_owner_identifier")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_receipt_idx")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("idx", name=op.f("uq_receipt_idx")),
    )
    op.create_table(
        "record",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issued_on", sa.Text(), nullable=True),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("data_blob", sa.Text(), nullable=True),
        sa.Column("data_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("data_size", sa.Integer(), nullable=True),
        sa.Column("data_sealed_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("dossier", sa.Text(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issuer"], ["agency.id"], name=op.f("fk_record_issuer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index("ix_record_content", ["content_sha256"], unique=False)

    op.create_table(
        "session",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_session_owner")),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_session")),
    )
    op.create_table(
        "system",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_system_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system")),
    )
    op.create_table(
        "damage",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_damage_record")),
        sa.PrimaryKeyConstraint("record", "at", name=op.f("pk_damage")),
    )
    op.create_table(
        "dossier",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("case_key", sa.Text(), nullable=True),
        sa.Column("additional_cases", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("evidence_reference", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_dossier_agency")),
        sa.ForeignKeyConstraint(["system"], ["system.id"], name=op.f("fk_dossier_system")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_dossier")),
    )
    op.create_table(
        "record_owner",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("document_code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_record_owner_owner")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_record_owner_record")),
        sa.PrimaryKeyConstraint("record", "owner", name=op.f("pk_record_owner")),
        sa.UniqueConstraint("document_code", name=op.f("uq_record_owner_document_code")),
    )
    with op.batch_alter_table("record_owner", schema=None) as batch_op:
        batch_op.create_index("ix_record_owner_of", ["owner"], unique=False)

    op.create_table(
        "record_relation",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_record_relation_record")),
        sa.PrimaryKeyConstraint("record", "field", name=op.f("pk_record_relation")),
    )
    op.create_table(
        "signature_report",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("sub_indication", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_signature_report_record")),
        sa.PrimaryKeyConstraint("record", "n", name=op.f("pk_signature_report")),
    )
    op.create_table(
        "system_key",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("thumbprint", sa.Text(), nullable=False),
        sa.Column("jwk", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["system"], ["system.id"], name=op.f("fk_system_key_system")),
        sa.PrimaryKeyConstraint("system", "thumbprint", name=op.f("pk_system_key")),
    )
    op.create_table(
        "validity_event",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_validity_event_record")),
        sa.PrimaryKeyConstraint("record", "n", name=op.f("pk_validity_event")),
    )
    op.create_table(
        "dossier_person",
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("represented", sa.Boolean(), nullable=False),
        sa.Column("representation_evidence", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_dossier_person_dossier")),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_dossier_person_owner")),
        sa.PrimaryKeyConstraint("dossier", "role", name=op.f("pk_dossier_person")),
    )
    with op.batch_alter_table("dossier_person", schema=None) as batch_op:
        batch_op.create_index("ix_dossier_person_of", ["owner"], unique=False)

    op.create_table(
        "release",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("epochs", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossier.code"], name=op.f("fk_release_dossier")),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_release_idx")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_release_record")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.create_index("ix_release_of", ["dossier"], unique=False)
        batch_op.create_index("ix_release_record", ["record"], unique=False)

    op.create_table(
        "delivery_share",
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("epochs", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["log_entry.idx"], name=op.f("fk_delivery_share_idx")),
        sa.ForeignKeyConstraint(["release"], ["release.id"], name=op.f("fk_delivery_share_release")),
        sa.PrimaryKeyConstraint("release", "token_hash", "epochs", name=op.f("pk_delivery_share")),
    )


def downgrade() -> None:
    """Go back one version."""
    op.drop_table("delivery_share")
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.drop_index("ix_release_record")
        batch_op.drop_index("ix_release_of")

    op.drop_table("release")
    with op.batch_alter_table("dossier_person", schema=None) as batch_op:
        batch_op.drop_index("ix_dossier_person_of")

    op.drop_table("dossier_person")
    op.drop_table("validity_event")
    op.drop_table("system_key")
    op.drop_table("signature_report")
    op.drop_table("record_relation")
    with op.batch_alter_table("record_owner", schema=None) as batch_op:
        batch_op.drop_index("ix_record_owner_of")

    op.drop_table("record_owner")
    op.drop_table("dossier")
    op.drop_table("damage")
    op.drop_table("system")
    op.drop_table("session")
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index("ix_record_content")

    op.drop_table("record")
    op.drop_table("receipt")
    op.drop_table("owner_identifier")
    op.drop_table("officer")
    with op.batch_alter_table("entry_holder", schema=None) as batch_op:
        batch_op.drop_index("ix_entry_holder_of")

    op.drop_table("entry_holder")
    op.drop_table("document_serial")
    op.drop_table("agency_right")
    op.drop_table("agency_code")
    op.drop_table("used_assertion")
    op.drop_table("request")
    op.drop_table("procedure")
    op.drop_table("policy_version")
    op.drop_table("owner")
    op.drop_table("log_head")
    op.drop_table("log_entry")
    op.drop_table("key_pair")
    op.drop_table("epoch")
    op.drop_table("agency")
