"""What documents are worth: evidence of signatures, waiting seals, scans, quarantine, classes."""

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


def _waiting_seals() -> None:
    """Keep results that wait for their seal, and renewals."""


def _scans() -> None:
    """Keep what was measured of scans."""


def _quarantine() -> None:
    """Keep what was refused for what it holds."""


def _trust_classes() -> None:
    """Keep which rule gave a record its class."""
