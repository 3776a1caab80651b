"""What was read of a scan that waited: sealed apart from what waits. Identifiers are found by their owner.

What was kept of it until now opened as what waits does, so it is let go: it is not told any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = ("reading_key", "reading")


def upgrade() -> None:
    """Apply this version."""
    for name in _COLUMNS:
        op.add_column("waiting_seal", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute("UPDATE waiting_seal SET wrapped_key = NULL, body = NULL WHERE state = 'sealed'")
    op.create_index("ix_owner_identifier_owner", "owner_identifier", ["owner"])
