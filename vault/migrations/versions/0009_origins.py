"""Under which names the log was signed, and whether the vault is served here at all."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
phase = "pre"

_NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "log_origin",
        sa.Column("n", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_line", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("first", _NUMBER, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("old_size", _NUMBER, nullable=True),
        sa.Column("old_root", sa.LargeBinary(), nullable=True),
        sa.Column("backup", sa.Text(), nullable=True),
        sa.Column("idx", _NUMBER, nullable=True),
        sa.Column("opening", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_log_origin")),
    )
    op.create_table(
        "vault_standing",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_standing")),
    )
