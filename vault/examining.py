"""Having a file examined before it is taken: by a fresh worker process, and refused for what it finds."""

from datetime import datetime
from pathlib import Path

from signing.report import Examination
from vault.errors import FieldInvalid
from vault.services import MAX_UPLOAD, Vault


async def accepted(
    vault: Vault, file: Path, at: datetime, declared_type: str = "application/pdf"
) -> Examination:
    """Examine a file that somebody wants stored.

    Raises:
        FieldInvalid: the file is of no kind that is taken; nothing may be stored of it.
    """
    examined = await vault.workers.examine(
        file, roots=vault.roots, at=at, declared_type=declared_type, max_bytes=MAX_UPLOAD
    )
    if examined.refusal is not None:
        raise FieldInvalid("file", examined.refusal)
    return examined
