# mypy: allow-untyped-calls
"""Sealing what was composed here: PAdES-B-LTA, certified against any change.

The key works in this process, so nothing foreign may be sealed this way:
only files this vault composed itself.
"""

import asyncio
import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSigningSession,
    SigDSSPlacementPreference,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.appearance import Appearance, ImportedPage
from signing.coverage import has_tail
from signing.errors import SealingFailed
from signing.keys import SealKey
from signing.preparing import SEAL_FIELD, STAMP_FIELD
from signing.revocation import RevocationSource, anchoring, collect_status
from signing.sealing_threads import in_sealing_thread
from signing.timestamps import StampingAt, TimestampSource

# Everything to embed is collected beforehand, which pyHanko cannot know: it warns that it may not fetch.
logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)

_LARGEST = 64 * 1024 * 1024  # bytes; a composed result is some 50 KiB


@dataclass(frozen=True)
class Sealing:
    """Who seals, when and why; what evidence comes from whom. As the arguments of `seal`."""

    key: SealKey
    timestamper: TimestampSource
    revocation: RevocationSource
    roots: Sequence[bytes]
    at: datetime
    reason: str
    name: str
    appearance: Appearance | None = None  # None: the seal is not seen on a page
    request: str = ""  # what the signature is for, the same at each try (`signing.keys.SealKey.sign`)


async def seal(
    content: Path,
    target: Path,
    *,
    key: SealKey,
    timestamper: TimestampSource,
    revocation: RevocationSource,
    roots: Sequence[bytes],
    at: datetime,
    reason: str,
    name: str,
    appearance: Appearance | None = None,
    request: str = "",
) -> None:
    """Write the sealed form of the PDF `content` to `target` (mode 600): whole, durable, or not at all.

    `roots` (DER) are those the seal and its time stamps must lead to; they are embedded. `at` (aware) is the
    time of sealing, `reason` and `name` are shown by readers, `appearance` stands on the page, `request`
    names what the signature is for. Runs in a thread of its own; the two sources are called in the event loop
    of that thread. Raises SealingFailed, also when the certificate does not stand, when the file needs
    repair, or when it carries a signature already.
    """
    when = at.astimezone(UTC)
    order = Sealing(key, timestamper, revocation, tuple(roots), when, reason, name, appearance, request)
    await in_sealing_thread(lambda: _seal_in_thread(content, target, order))


def _seal_in_thread(content: Path, target: Path, order: Sealing) -> None:
    partial = target.with_name(f".{os.urandom(8).hex()}{target.suffix}")
    try:
        if content.stat().st_size > _LARGEST:
            raise SealingFailed("the file is too large to be sealed")
        with content.open("rb") as unsealed, open(partial, "xb", opener=_private) as copy:
            shutil.copyfileobj(unsealed, copy)
        _refuse_odd(partial)
        asyncio.run(_sign(partial, order))
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
        flush_folder(target.parent)
    except SealingFailed:
        raise
    except Exception as error:  # pyHanko raises plain errors of many kinds
        raise SealingFailed(f"the document could not be sealed: {type(error).__name__}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _refuse_odd(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(5) != b"%PDF-":
            raise SealingFailed("the file is not a PDF")
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            raise SealingFailed("the file must end with a newline, or the sealed one is no PDF/A")
        reader = PdfFileReader(file, strict=True)
        if has_tail(reader):
            raise SealingFailed("the file holds more than its cross-reference names")
        if reader.encrypted or reader.xrefs.total_revisions != 1 or reader.xrefs.hybrid_xrefs_present:
            raise SealingFailed("the file is encrypted, was changed after it was written, or is a hybrid")
        if reader.embedded_signatures or "/AcroForm" in reader.root:
            raise SealingFailed("the file carries a signature or a form already")


async def _sign(path: Path, order: Sealing) -> None:
    trusted = [x509.Certificate.load(root) for root in order.roots]
    chain = [x509.Certificate.load(one) for one in order.key.certificates]
    stamper = StampingAt(order.timestamper, order.at)
    await stamper.async_dummy_response("sha256")  # shows the certificates of the authority
    used = [*chain, *stamper.cert_registry]
    roots = anchoring(used, trusted)
    known = [*used, *roots]
    proofs = await collect_status(order.revocation, known, order.at)
    context = ValidationContext(
        trust_roots=roots,
        other_certs=known,
        moment=proofs.moment(order.at),
        ocsps=proofs.ocsps,
        crls=proofs.crls,
        revocation_mode="require",
    )
    metadata = PdfSignatureMetadata(
        field_name=SEAL_FIELD,
        timestamp_field_name=STAMP_FIELD,
        md_algorithm="sha256",
        reason=order.reason,
        name=order.name,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
        validation_context=context,
        embed_validation_info=True,
        use_pades_lta=True,
        # All evidence goes in with the seal, so that the archive stamp is the last thing and covers it all.
        dss_settings=DSSContentSettings(
            include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
        ),
        signer_key_usage={"non_repudiation"},
    )
    holder = KeyHolder(order.key, chain, roots, order.request)
    signer = _SignerAt(metadata, holder, stamper, order.at, order.appearance)
    with path.open("r+b") as file:
        await signer.async_sign_pdf(IncrementalPdfFileWriter(file, strict=True), in_place=True)


class KeyHolder(Signer):
    """What pyHanko asks to sign with: keeps the key object, so that it is not read again each time.

    `request` names what the signature is for. Each try prepares a file with times and proofs of its own, so
    another digest: a key whose signatures are counted by somebody else is held to the one it was asked for.
    """

    def __init__(
        self,
        key: SealKey,
        chain: Sequence[x509.Certificate],
        roots: Sequence[x509.Certificate],
        request: str = "",
    ) -> None:
        store = SimpleCertificateStore()
        store.register_multiple([*chain, *anchoring(chain, roots)])
        # Roots are embedded: without proof of their existence the archive level cannot be validated.
        super().__init__(signing_cert=chain[0], cert_registry=store, embed_roots=True)
        self._key = key
        self._request = "" if key.repeatable else request

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign `data`; only SHA-256 is known. A dry run only shows how much room a signature takes."""
        if digest_algorithm != "sha256":
            raise SealingFailed(f"a seal key does not sign with {digest_algorithm}")
        if dry_run:
            return bytes(self._key.signature_size)
        return await self._key.sign(hashlib.sha256(data).digest(), request_id=self._request)


class _SignerAt(PdfSigner):
    """pyHanko's signer, told what time it is."""

    def __init__(
        self,
        metadata: PdfSignatureMetadata,
        signer: Signer,
        stamper: StampingAt,
        at: datetime,
        drawn: Appearance | None,
    ) -> None:
        place = drawn.place if drawn is not None else None
        super().__init__(
            metadata,
            signer,
            timestamper=stamper,
            stamp_style=None if drawn is None else ImportedPage(drawn),
            new_field_spec=None
            if place is None
            else SigFieldSpec(SEAL_FIELD, on_page=place.page, box=place.box),
        )
        self._at = at

    def init_signing_session(self, *args: Any, **kwargs: Any) -> PdfSigningSession:
        """Start the session at the time given instead of the machine's."""
        session = super().init_signing_session(*args, **kwargs)
        session.system_time = self._at
        return session


def flush_folder(folder: Path) -> None:
    """Make what was renamed into a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
