"""Having a file examined before it is taken: by a fresh worker process, and refused for what it finds.

A worker has no network: where it says that the status of certificates is wanting, this process fetches from
whom the operator allows, looks at nothing of it, and has the file examined again.
"""

from datetime import datetime
from pathlib import Path

from signing.report import Examination
from vault import status_cache, trusting
from vault.errors import FieldInvalid
from vault.services import MAX_UPLOAD, Vault

_ROUNDS = 2  # of fetching: whom a certificate names first, then the lists


async def accepted(
    vault: Vault, file: Path, at: datetime, declared_type: str = "application/pdf"
) -> Examination:
    """Examine a file that somebody wants stored.

    Raises:
        FieldInvalid: the file is of no kind that is taken, or was changed after it was signed; whoever hands
            it in, nothing is stored of it. A signature that cannot be judged is no ground to refuse.
    """
    await trusting.look(vault)
    examined = await judged(vault, file, at, declared_type=declared_type)
    if examined.refusal is not None:
        raise FieldInvalid("file", examined.refusal)
    if examined.report.verdict == "invalid":
        raise FieldInvalid("file", "signature_invalid")
    return examined


async def judged(
    vault: Vault, file: Path, at: datetime, *, declared_type: str = "application/pdf"
) -> Examination:
    """Examine a file by whom the vault trusts now, with whatever status can be had of its certificates."""
    anchors = vault.trust.current().anchors
    examined = await vault.workers.examine(
        file, anchors=anchors, at=at, declared_type=declared_type, max_bytes=MAX_UPLOAD
    )
    asked = status_cache.Asked()
    for _ in range(_ROUNDS):
        answers = await status_cache.ask(vault, examined.questions, asked)
        if not answers or examined.judgement is None:
            break
        examined = await vault.workers.examine(
            file,
            anchors=anchors,
            at=at,
            declared_type=declared_type,
            max_bytes=MAX_UPLOAD,
            fetched=examined.judgement.fetched,
            answers=answers,
        )
        await status_cache.learn(vault, answers, examined.accepted)
        asked.proven(answers, examined.accepted)
    return examined
