"""A signature without a time stamp of its own: those over the file prove its time all together, or none."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from reuse_api.demo.pki import DemoAuthority
from signing.report import SignatureReport
from signing.validation import validate
from tests.attacks.honest_files import _stamped
from tests.attacks.parties import party
from tests.attacks.signing_files import Notary, letter

pytestmark = pytest.mark.anyio
Stamps = Callable[..., Awaitable[SignatureReport]]


@pytest.fixture
def judged(sealed_certificate: Any, tmp_path: Path) -> Stamps:
    """Sign by a certificate of ten days, stamp by authorities in a row, and judge after so many days."""
    ours = Notary(sealed_certificate.authority, sealed_certificate.key, sealed_certificate.at)
    strange = DemoAuthority.create(tmp_path / "strange", ours.at)
    theirs = Notary(strange, strange.issue_seal_key("Người lạ", "H00.00"), ours.at)
    signer = party(
        ours.authority,
        "Nguyễn Văn Ngắn",
        ec.generate_private_key(ec.SECP256R1()),
        at=ours.at,
        lives=timedelta(days=10),
    )

    async def judge(stamps: str, days: int) -> SignatureReport:
        content = await ours.signed(letter(), stamped=False, signer=signer)
        for minute, whose in enumerate(stamps, 1):
            by = replace(ours if whose == "o" else theirs, at=ours.at + timedelta(minutes=minute))
            content = await _stamped(by, content, f"Stamp{minute}")
        path = tmp_path / f"{stamps}.pdf"
        path.write_bytes(content)
        with path.open("rb") as stream:
            return await validate(
                stream, anchors=sealed_certificate.anchors, at=ours.at + timedelta(days=days)
            )

    return judge


@pytest.mark.parametrize("stamps", ["o", "oo"])
async def test_stamps_that_all_hold_prove_it_after_its_certificate_has_expired(
    judged: Stamps, stamps: str
) -> None:
    report = await judged(stamps, 30)
    assert (report.verdict, report.reasons) == ("valid", ())


@pytest.mark.parametrize("stamps", ["s", "os", "so", "oso"])
@pytest.mark.parametrize("days", [1, 30])
async def test_one_stamp_that_does_not_hold_leaves_nothing_proven(
    judged: Stamps, stamps: str, days: int
) -> None:
    report = await judged(stamps, days)
    assert report.verdict == "undetermined" and report.reasons
