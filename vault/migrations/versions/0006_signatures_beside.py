"""Signatures that stand beside a record's file: where their sealed bytes lie, and their hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("record", sa.Column("signature_blob", sa.Text(), nullable=True))
    op.add_column("record", sa.Column("signature_type", sa.Text(), nullable=True))
    op.add_column("record", sa.Column("signature_sha256", sa.LargeBinary(), nullable=True))
    op.add_column("record", sa.Column("signature_size", sa.Integer(), nullable=True))
    op.add_column("record", sa.Column("signature_sealed_sha256", sa.LargeBinary(), nullable=True))
    op.add_column("record", sa.Column("signature_sealed_size", sa.Integer(), nullable=True))
