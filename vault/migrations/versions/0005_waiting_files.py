"""Files that wait for their seal: scans, and results handed in as files."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("waiting_seal", sa.Column("component", sa.Text(), nullable=True))
    op.create_table(
        "waiting_file",
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["waiting"], ["waiting_seal.id"], name=op.f("fk_waiting_file_waiting")),
        sa.PrimaryKeyConstraint("waiting", name=op.f("pk_waiting_file")),
    )
