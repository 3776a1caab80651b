"""Pictures of agencies' round seals."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version."""
    op.create_table(
        "seal_image",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("width_um", sa.Integer(), nullable=True),
        sa.Column("height_um", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_seal_image_agency")),
        sa.PrimaryKeyConstraint("agency", "n", name=op.f("pk_seal_image")),
    )
