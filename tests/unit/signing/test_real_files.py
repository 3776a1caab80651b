"""Four files that the Government Portal published: what the evidence in them gives, and no more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter

from reuse_api import demo
from signing.anchors import Anchor, for_tests
from signing.report import SignatureReport
from signing.validation import validate

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent.parent.parent / "real_files"
OF_2020 = FOLDER / "2020-sha1-malformed-cms.pdf"
OF_2021 = FOLDER / "2021-sha256-certificate-expired-since.pdf"
OF_2023 = FOLDER / "2023-compressed-after-signing.pdf"
OF_2025 = Path(next(iter(demo.__path__))) / "samples" / "government-signed.pdf"
AT = datetime(2026, 11, 26, tzinfo=UTC)


async def judged(path: Path, anchors: Sequence[Anchor] = (), at: datetime = AT) -> SignatureReport:
    with path.open("rb") as stream:
        return await validate(stream, anchors=anchors, at=at)


def embedded_certificates(path: Path, *, of_stamp: bool) -> list[bytes]:
    """Give the certificates in the signature, or in its time stamp: all that the file brings."""
    with path.open("rb") as stream:
        signature = PdfFileReader(stream, strict=False).embedded_signatures[0]
        held = signature.signed_data
        if of_stamp:
            held = next(iter(extract_tst_data_iter(signature.signer_info, signed=False)))
        return [one.chosen.dump() for one in held["certificates"]]


def anchors_of(path: Path) -> tuple[Anchor, ...]:
    """Trust the signer's own certificate and those of the time stamp: their issuers are not to be had."""
    return for_tests(
        [*embedded_certificates(path, of_stamp=False), *embedded_certificates(path, of_stamp=True)]
    )


@pytest.mark.parametrize("path", [OF_2021, OF_2025], ids=["2021", "2025"])
async def test_without_their_root_they_are_undetermined_though_nothing_was_changed(path: Path) -> None:
    report = await judged(path)
    assert (report.verdict, report.sub_indication) == ("undetermined", "NO_CERTIFICATE_CHAIN_FOUND")
    assert report.reasons == ("signer_not_trusted",)
    (one,) = report.signatures
    assert (one.kind, one.covers_whole_file, one.changes) == ("pkcs7", True, ())
    assert (one.digest_algorithm, one.signature_algorithm, one.key_bits) == (
        "sha256",
        "rsassa_pkcs1v15",
        2048,
    )
    assert one.time_source == "claimed"
    (stamp,) = one.timestamps
    assert (stamp.kind, stamp.verdict) == ("signature", "undetermined")
    assert "dấu thời gian" in stamp.authority


async def test_a_time_stamp_over_sha1_proves_nothing_even_from_a_trusted_authority() -> None:
    """The authority still stamps SHA-1 imprints in 2025; by date that is ten years too late."""
    report = await judged(OF_2025, anchors_of(OF_2025))
    (one,) = report.signatures
    assert [stamp.reason for stamp in one.timestamps] == ["algorithm_too_weak"]
    assert one.time_source == "claimed"
    # The certificate, trusted as it stands, is alive today: so is the signature, its time only claimed.
    assert (report.verdict, one.signer) == ("valid", "CỔNG THÔNG TIN ĐIỆN TỬ CHÍNH PHỦ")


async def test_a_certificate_expired_since_needs_a_proven_time() -> None:
    signer = embedded_certificates(OF_2021, of_stamp=False)
    certificate = x509.Certificate.load(signer[0])
    report = await judged(OF_2021, anchors_of(OF_2021))
    (one,) = report.signatures
    assert one.signed_at is not None
    claimed_alive = certificate.not_valid_before < one.signed_at < certificate.not_valid_after
    assert claimed_alive and certificate.not_valid_after < AT
    assert [(stamp.verdict, stamp.reason) for stamp in one.timestamps] == [
        ("undetermined", "algorithm_too_weak")
    ]
    # Its time is only claimed: today the certificate counts for nothing, though trusted as it stands.
    assert (report.verdict, report.sub_indication) == ("undetermined", "OUT_OF_BOUNDS_NO_POE")
    assert (one.verdict, one.reason, one.anchor) == ("undetermined", "certificate_expired", None)
    while_alive = await judged(OF_2021, anchors_of(OF_2021), certificate.not_valid_after)
    assert while_alive.verdict == "valid"


async def test_one_with_a_malformed_container_is_undetermined_with_the_reason() -> None:
    report = await judged(OF_2020)
    assert (report.verdict, report.reasons) == ("undetermined", ("container_damaged",))
    assert report.signatures[0].signer == "Cổng Thông tin điện tử Chính phủ"


async def test_one_compressed_after_signing_is_never_called_unsigned() -> None:
    report = await judged(OF_2023, anchors_of(OF_2021))
    assert report.verdict == "undetermined"
    assert report.reasons == ("coverage_incomplete", "signature_hidden")
    assert "no_signature" not in report.reasons


@pytest.mark.parametrize("path", [OF_2021, OF_2025], ids=["2021", "2025"])
async def test_a_changed_bit_is_found(path: Path, tmp_path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    assert (await judged(changed, anchors_of(path))).verdict == "invalid"
