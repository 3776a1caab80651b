"""What a certificate's life and later changes do to a verdict."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.sign.signers import SimpleSigner

from reuse_api.demo.pki import DemoAuthority
from signing.grounds import Grounds, Piece
from signing.report import SignatureReport
from signing.revocation import collect_status
from signing.timestamps import StampingAt
from signing.validation import validate
from tests.attacks.parties import party
from tests.attacks.signing_files import STOLEN, Notary, appended, letter, letter_with_form
from tests.hostile.making import stream

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Notary:
    authority = DemoAuthority.create(tmp_path_factory.mktemp("notary") / "pki", AT)
    return Notary(authority, authority.issue_seal_key("Sở Nội vụ tỉnh Đắk Lắk", "H15.03"), AT)


async def judged(
    notary: Notary, content: bytes, folder: Path, after: timedelta, fetched: tuple[Piece, ...] = ()
) -> SignatureReport:
    path = folder / "file.pdf"
    path.write_bytes(content)
    with path.open("rb") as opened:
        anchors, at = notary.authority.anchors(), notary.at + after
        return await validate(opened, anchors=anchors, at=at, grounds=Grounds(fetched))


async def status_of(notary: Notary, signer: SimpleSigner) -> tuple[Piece, ...]:
    """Ask for everybody's status at the time of signing."""
    stamper = StampingAt(notary.authority.timestamper(), notary.at)
    await stamper.async_dummy_response("sha256")
    chain = [x509.Certificate.load(one) for one in (*notary.key.certificates, *notary.authority.roots())]
    known = [signer.signing_cert, *chain, *stamper.cert_registry]
    status = await collect_status(notary.authority.revocation(), known, notary.at)
    return tuple(Piece("ocsp", one.dump()) for one in status.ocsps)


@pytest.mark.parametrize(
    ("lives", "verdict", "reasons"),
    [(timedelta(days=30), "valid", ()), (timedelta(minutes=-1), "undetermined", ("certificate_expired",))],
    ids=["alive when it signed", "expired when it signed"],
)
async def test_a_certificate_expired_since_counts_for_its_own_time(
    notary: Notary, tmp_path: Path, lives: timedelta, verdict: str, reasons: Sequence[str]
) -> None:
    signer = party(
        notary.authority, "Sở Tư pháp", ec.generate_private_key(ec.SECP256R1()), at=notary.at, lives=lives
    )
    content = await notary.signed(letter(), signer=signer, careless=lives < timedelta())
    fetched = await status_of(notary, signer)
    report = await judged(notary, content, tmp_path, timedelta(days=400), fetched)
    assert (report.verdict, report.reasons) == (verdict, reasons)


async def test_a_form_filled_in_afterwards_is_a_state_of_its_own(notary: Notary, tmp_path: Path) -> None:
    content = await notary.signed(letter_with_form())
    look = b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 5 0 R>>>>"
    filled = appended(content, {7: stream(b"BT /F 12 Tf (900) Tj ET", look)}, root=_root(content))
    report = await judged(notary, filled, tmp_path, timedelta(hours=2))
    assert report.verdict == "undetermined"
    assert report.second_look == "different"
    assert [(one.page, one.field) for one in report.differences] == [(1, "Signature1")]
    left, bottom, right, top = report.differences[0].box
    assert 70 <= left < right <= 274 and 598 <= bottom < top <= 622
    assert "looks_changed" in report.reasons


async def test_the_second_look_finds_what_was_painted_over(notary: Notary, tmp_path: Path) -> None:
    content = await notary.signed(letter())
    changed = appended(content, {4: stream(STOLEN)}, root=_root(content))
    report = await judged(notary, changed, tmp_path, timedelta(hours=2))
    assert report.verdict == "undetermined"
    assert report.reasons == ("changed_after_signing", "looks_changed")
    assert report.signatures[0].changes == ("other",)


async def test_a_later_signature_over_signed_words_is_shown(notary: Notary, tmp_path: Path) -> None:
    content = await notary.signed(letter())
    over = await notary.signed(content, field="Signature2", box=(60, 690, 260, 730))
    report = await judged(notary, over, tmp_path, timedelta(hours=2))
    assert (report.verdict, report.reasons) == ("undetermined", ("looks_changed",))
    assert {one.field for one in report.differences} == {"Signature1"}


def _root(content: bytes) -> int:
    return int(content[content.rindex(b"/Root") :].split()[1])
