"""What documents are worth: evidence of signatures, waiting seals, scans, quarantine, classes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    _evidence_of_signatures()
    _waiting_seals()
    _scans()
    _quarantine()
    _trust_classes()


def _evidence_of_signatures() -> None:
    """Keep what verdicts stood on."""
    op.create_table(
        "trust_set",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("anchors", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_trust_set")),
    )
    op.create_table(
        "trust_now",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["trust_set.digest"], name=op.f("fk_trust_now_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_now")),
    )
    _of_report(
        "report_ground",
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("trust_set", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trust_set"], ["trust_set.digest"], name=op.f("fk_report_ground_trust_set")),
    )
    _of_report(
        "report_anchor",
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        key=["anchor", "role", "moment"],
    )
    op.create_table(
        "evidence_piece",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence_piece")),
    )
    _of_report(
        "report_piece",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["evidence_piece.sha256"], name=op.f("fk_report_piece_sha256")),
        key=["sha256"],
    )
    op.create_table(
        "status_cache",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_status_cache")),
    )
    op.create_index("ix_status_cache_expires", "status_cache", ["expires"])


def _of_report(name: str, *parts: sa.schema.SchemaItem, key: Sequence[str] = ()) -> None:
    op.create_table(
        name,
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        *parts,
        sa.ForeignKeyConstraint(
            ["record", "n"],
            ["signature_report.record", "signature_report.n"],
            name=op.f(f"fk_{name}_record"),
        ),
        sa.PrimaryKeyConstraint("record", "n", *key, name=op.f(f"pk_{name}")),
    )


def _waiting_seals() -> None:
    """Keep results that wait for their seal, and renewals."""
    op.create_table(
        "waiting_seal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("key_thumbprint", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_seal")),
        sa.UniqueConstraint("caller", "key", name=op.f("uq_waiting_seal_caller_key")),
    )
    op.create_index("ix_waiting_seal_due", "waiting_seal", ["state", "next_at"], unique=False)
    op.create_index("ix_waiting_seal_of", "waiting_seal", ["agency", "state"], unique=False)
    op.create_table(
        "earlier_content",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_earlier_content_record")),
        sa.PrimaryKeyConstraint("record", "version", name=op.f("pk_earlier_content")),
    )
    op.create_index("ix_earlier_content_sha256", "earlier_content", ["content_sha256"], unique=False)
    op.create_table(
        "archive_stamp",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("looked_at", sa.Text(), nullable=False),
        sa.Column("put_off", sa.Text(), nullable=True),
        sa.Column("again_at", sa.Text(), nullable=True),
        sa.Column("put_offs", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_archive_stamp_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_archive_stamp")),
    )
    op.create_index("ix_archive_stamp_until", "archive_stamp", ["until"], unique=False)
    op.create_table(
        "handed_in_file",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_handed_in_file_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_handed_in_file")),
    )
    op.create_index("ix_handed_in_file_sha256", "handed_in_file", ["content_sha256"], unique=False)
    op.create_index("ix_archive_stamp_put_off", "archive_stamp", ["put_off"], unique=False)


def _scans() -> None:
    """Keep what was measured of scans."""
    op.create_table(
        "scan",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("read", sa.Text(), nullable=False),
        sa.Column("needs_person", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_scan_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_scan")),
    )
    op.create_table(
        "scan_finding",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("measured", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("legal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_scan_finding_record")),
        sa.PrimaryKeyConstraint("record", "rule", "page", name=op.f("pk_scan_finding")),
    )


def _quarantine() -> None:
    """Keep what was refused for what it holds."""
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("malware", sa.Text(), nullable=True),
        sa.Column("blob", sa.Text(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_of", "quarantine", ["holder_kind", "holder", "ended_at"], unique=False)
    op.create_index("ix_quarantine_until", "quarantine", ["ended_at", "until"], unique=False)


def _trust_classes() -> None:
    """Keep which rule gave a record its class, and whose signature a certificate makes."""
    op.create_table(
        "agency_certificate",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.Column("idx", sa.Integer(), nullable=True),
        sa.Column("end_idx", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_agency_certificate_agency")),
        sa.PrimaryKeyConstraint("agency", "sha256", name=op.f("pk_agency_certificate")),
    )
    op.create_index("ix_agency_certificate_of", "agency_certificate", ["sha256"], unique=False)
    op.create_table(
        "record_certificate",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_record_certificate_record")),
        sa.PrimaryKeyConstraint("record", "sha256", name=op.f("pk_record_certificate")),
    )
    op.create_index("ix_record_certificate_of", "record_certificate", ["sha256"], unique=False)
    op.create_table(
        "trust_class",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("report", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=op.f("fk_trust_class_record")),
        sa.PrimaryKeyConstraint("record", "n", name=op.f("pk_trust_class")),
    )
