"""Sign-in by an identity provider: sessions that end without use, can be listed and be made stronger."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXTS = (
    "id",
    "began_at",
    "idle_until",
    "assurance",
    "authenticated_at",
    "device",
    "issuer",
    "subject",
    "sid",
)


def upgrade() -> None:
    """Apply this version."""
    for table in ("session", "staff_session"):
        for name in _TEXTS:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
        for name in ("id_token", "mark"):
            op.add_column(table, sa.Column(name, sa.LargeBinary(), nullable=True))
    op.create_table(
        "officer_sign_in",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "officer"],
            ["officer.agency", "officer.id"],
            name=op.f("fk_officer_sign_in_agency_officer"),
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_officer_sign_in")),
    )
    op.create_table(
        "sign_in",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("session_hash", sa.LargeBinary(), nullable=True),
        sa.Column("back", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_sign_in")),
    )
