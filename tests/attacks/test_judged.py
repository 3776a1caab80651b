"""No attack is ever valid; the honest files they start from, and odd ones beside them, are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyhanko.sign.fields import MDPPerm

from reuse_api.demo.pki import DemoAuthority
from signing.report import SignatureReport
from signing.validation import validate
from tests.attacks.attacks import ATTACKS, Honest
from tests.attacks.honest_files import HONEST
from tests.attacks.signing_files import (
    Notary,
    letter,
    letter_with_cover,
    letter_with_form,
    letter_with_second_tree,
)
from tests.telling import report_can_be_told

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Notary:
    authority = DemoAuthority.create(tmp_path_factory.mktemp("notary") / "pki", AT)
    return Notary(authority, authority.issue_seal_key("Sở Nội vụ tỉnh Đắk Lắk", "H15.03"), AT)


@pytest.fixture(scope="module")
async def honest(notary: Notary) -> Honest:
    later = replace(notary, at=notary.at + timedelta(hours=1))
    # All of them archived: only then is each provable years later, and each change comes after all proof.
    once = await notary.signed(letter(), archive=True)
    return Honest(
        approval=once,
        certified=await notary.signed(letter(), archive=True, certify=MDPPerm.NO_CHANGES),
        fillable=await notary.signed(letter_with_form(), archive=True, certify=MDPPerm.FILL_FORMS),
        annotatable=await notary.signed(letter(), archive=True, certify=MDPPerm.ANNOTATE),
        covered=await notary.signed(letter_with_cover(), archive=True),
        second_tree=await notary.signed(letter_with_second_tree(), archive=True),
        form=await notary.signed(letter_with_form(), archive=True),
        twice=await notary.signed(await notary.signed(letter()), archive=True, field="Signature2"),
        other=await later.signed(letter(b"BT /F 24 Tf 72 700 Td (Pay 555) Tj ET"), archive=True),
    )


async def judged(
    notary: Notary, content: bytes, folder: Path, after: timedelta = timedelta(hours=2)
) -> SignatureReport:
    path = folder / "file.pdf"
    path.write_bytes(content)
    with path.open("rb") as stream:
        return await validate(stream, anchors=notary.authority.anchors(), at=notary.at + after)


@pytest.mark.parametrize("name", list(ATTACKS))
async def test_an_attack_is_never_valid(notary: Notary, honest: Honest, tmp_path: Path, name: str) -> None:
    content = ATTACKS[name](honest)
    report = await judged(notary, content, tmp_path)
    assert report.verdict != "valid", report
    assert report.reasons
    if name.startswith("saying_"):
        assert report.reasons == ("metadata_changed",)
        assert "metadata" in report.signatures[0].changes
    report_can_be_told(report)


@pytest.mark.parametrize("name", list(Honest.__dataclass_fields__))
async def test_what_was_attacked_was_valid(notary: Notary, honest: Honest, tmp_path: Path, name: str) -> None:
    report = await judged(notary, getattr(honest, name), tmp_path)
    assert (report.verdict, report.reasons) == ("valid", ())
    report_can_be_told(report)


@pytest.mark.parametrize("name", list(HONEST))
async def test_an_odd_but_honest_file_is_valid_and_stays_so(
    notary: Notary, tmp_path: Path, name: str
) -> None:
    content = await HONEST[name](notary)
    for after in (timedelta(hours=2), timedelta(days=400)):
        report = await judged(notary, content, tmp_path, after)
        assert (report.verdict, report.reasons, report.differences) == ("valid", (), ())
        for one in report.signatures:
            assert one.time_source == "timestamp"
            assert one.chain[0].sha256 != one.chain[-1].sha256
            assert one.anchor is not None and one.anchor.sha256 == one.chain[-1].sha256
            # The signer and the issuing authority, each by its own proof.
            assert [proof.certificate for proof in one.status_evidence] == [c.sha256 for c in one.chain[:-1]]
