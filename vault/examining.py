"""Having a file examined before it is taken: by a fresh worker process, and refused for what it finds."""

from datetime import datetime
from pathlib import Path

from signing.report import Examination
from vault import trusting
from vault.errors import FieldInvalid
from vault.services import MAX_UPLOAD, Vault


async def accepted(
    vault: Vault, file: Path, at: datetime, declared_type: str = "application/pdf"
) -> Examination:
    """Examine a file that somebody wants stored.

    Raises:
        FieldInvalid: the file is of no kind that is taken, or was changed after it was signed; whoever hands
            it in, nothing is stored of it. A signature that cannot be judged is no ground to refuse.
    """
    await trusting.look(vault)
    examined = await vault.workers.examine(
        file, anchors=vault.trust.current().anchors, at=at, declared_type=declared_type, max_bytes=MAX_UPLOAD
    )
    if examined.refusal is not None:
        raise FieldInvalid("file", examined.refusal)
    if examined.report.verdict == "invalid":
        raise FieldInvalid("file", "signature_invalid")
    return examined
