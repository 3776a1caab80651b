"""What is still to be done elsewhere: index entries first."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "outbox",
        sa.Column("n", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("next_at", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.Text(), nullable=True),
        sa.Column("dead_at", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_due", "outbox", ["topic", "dead_at", "next_at"], unique=False)
    op.create_index("ix_outbox_subject", "outbox", ["topic", "subject"], unique=False)
