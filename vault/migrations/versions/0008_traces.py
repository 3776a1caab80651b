"""What caused what is done later: the trace of the request (vault/tracing.py)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.add_column("outbox", sa.Column("trace", sa.Text(), nullable=True))
    op.add_column("waiting_seal", sa.Column("trace", sa.Text(), nullable=True))
