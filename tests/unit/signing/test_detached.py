"""A signature beside its file: judged like one inside, by the library and through a worker."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from asn1crypto import cms, core, ocsp, pem, x509

from signing.cades_values import RevocationValues
from signing.detached import judge_detached
from signing.grounds import Grounds, Piece
from signing.report import SignatureReport
from signing.revocation import collect_status
from signing.sealing import KeyHolder
from signing.timestamps import StampingAt
from signing.workers import LARGEST_SIGNATURE, WorkerPool

pytestmark = pytest.mark.anyio

WORDS = "Giấy xác nhận tình trạng hôn nhân\n".encode() * 50


async def _signed(sealed: Any, *, cades: bool, stamped: bool = True) -> cms.ContentInfo:
    chain = [x509.Certificate.load(one) for one in sealed.key.certificates]
    holder = KeyHolder(sealed.key, chain, [x509.Certificate.load(one) for one in sealed.roots])
    stamper = StampingAt(sealed.authority.timestamper(), sealed.at) if stamped else None
    return await holder.async_sign_general_data(WORDS, "sha256", use_cades=cades, timestamper=stamper)


@pytest.fixture(scope="module")
def signature(sealed_certificate: Any) -> bytes:
    return bytes(asyncio.run(_signed(sealed_certificate, cades=True)).dump())


@pytest.fixture(scope="module")
def fetched(sealed_certificate: Any) -> tuple[Piece, ...]:
    """What an asker would bring: the status of everybody concerned, fetched at the time of judging."""
    sealed = sealed_certificate
    stamper = StampingAt(sealed.authority.timestamper(), sealed.at)

    async def collect() -> tuple[Piece, ...]:
        await stamper.async_dummy_response("sha256")
        known = [*sealed.key.certificates, *sealed.roots]
        certificates = [*(x509.Certificate.load(one) for one in known), *stamper.cert_registry]
        status = await collect_status(sealed.authority.revocation(), certificates, sealed.at)
        return tuple(Piece("ocsp", one.dump()) for one in status.ocsps)

    return asyncio.run(collect())


async def _judged(
    sealed: Any, path: Path, content: bytes, signature: bytes, fetched: tuple[Piece, ...] = ()
) -> SignatureReport:
    path.write_bytes(content)
    with path.open("rb") as stream:
        return await judge_detached(
            stream, signature, anchors=sealed.anchors, at=sealed.at, grounds=Grounds(fetched)
        )


async def test_it_is_valid_with_the_status_from_outside(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, signature, fetched)
    assert (report.verdict, report.reasons) == ("valid", ())
    (one,) = report.signatures
    assert (one.kind, one.time_source, one.covers_whole_file) == ("cades", "timestamp", True)
    assert one.signed_at == sealed_certificate.at.replace(microsecond=0)
    assert [proof.source for proof in one.status_evidence] == ["fetched", "fetched"]
    assert [stamp.verdict for stamp in one.timestamps] == ["valid"]


async def test_the_status_may_stand_in_the_signature(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    inner = [ocsp.OCSPResponse.load(one.content)["response_bytes"]["response"].parsed for one in fetched]
    values = RevocationValues({"ocsp_vals": [cast(Any, one) for one in inner]})
    own = cms.CMSAttribute({"type": "1.2.840.113549.1.9.16.2.24", "values": [core.Any(values)]})
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, _grown(signature, own.dump()))
    assert (report.verdict, report.reasons) == ("valid", ())
    assert {proof.source for proof in report.signatures[0].status_evidence} == {"embedded"}


async def test_a_length_that_looks_like_none_costs_nothing(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    """A definite length may end with the byte that alone would mean an indefinite one."""
    sealed, paper = sealed_certificate, tmp_path / "paper"
    paper.write_bytes(WORDS)
    attributes = [_tlv(0x30, b"\x06\x03\x2a\x03\x04" + _tlv(0x31, _tlv(4, bytes(n)))) for n in range(300)]
    made = (_grown(signature, one) for one in attributes)
    odd = next(one for one in made if cms.ContentInfo.load(one)["content"]._header.endswith(b"\x80"))
    asked = {"anchors": sealed.anchors, "at": sealed.at, "max_bytes": 10_000, "fetched": fetched}
    pool = WorkerPool(size=1)
    await pool.start()
    try:
        found = await pool.examine_detached(paper, odd, **asked)
    finally:
        await pool.close()
    assert (found.report.verdict, found.report.reasons) == ("valid", ())


async def test_a_time_stamp_is_put_in_as_it_came(sealed_certificate: Any) -> None:
    stamper = StampingAt(sealed_certificate.authority.timestamper(), sealed_certificate.at)
    token = await stamper.async_timestamp(bytes(32), "sha256")
    before = token.dump()
    assert token["content"]["signer_infos"][0]["signed_attrs"].native, "every part was looked at"
    assert token.dump(force=True) == before


def _grown(value: bytes, attribute: bytes) -> bytes:
    """Put one more attribute behind the unsigned ones, which stand last in everything around them."""
    tag, body = value[0], value[_start(value) :]
    if tag == 0xA1:
        return _tlv(tag, body + attribute)
    last = 0
    while (end := last + _start(body[last:]) + _length(body[last:])) < len(body):
        last = end
    return _tlv(tag, body[:last] + _grown(body[last:], attribute))


def _start(value: bytes) -> int:
    return 2 + (value[1] & 0x7F if value[1] > 0x80 else 0)


def _length(value: bytes) -> int:
    return int.from_bytes(value[2 : _start(value)], "big") if value[1] > 0x80 else value[1]


def _tlv(tag: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


async def test_without_any_status_it_is_undetermined(
    sealed_certificate: Any, signature: bytes, tmp_path: Path
) -> None:
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, signature)
    assert (report.verdict, report.reasons) == ("undetermined", ("certificate_status_unknown",))


async def test_another_file_is_invalid(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS + b" ", signature, fetched)
    assert (report.verdict, report.reasons) == ("invalid", ("digest_mismatch",))
    assert not report.signatures[0].covers_whole_file


async def test_one_without_a_time_stamp_in_pem_is_read_too(
    sealed_certificate: Any, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    made = (await _signed(sealed_certificate, cades=False, stamped=False)).dump()
    armoured = pem.armor("PKCS7", made)
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, armoured, fetched)
    assert report.verdict == "valid"
    assert (report.signatures[0].kind, report.signatures[0].time_source) == ("cades", "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "format_wrong"), (b"\x30\x80" * 9, "format_wrong"), (b"-----BEGIN", "format_wrong")],
)
async def test_what_is_no_signature_is_said_to_be_none(
    sealed_certificate: Any, tmp_path: Path, content: bytes, reason: str
) -> None:
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, content)
    assert (report.verdict, report.reasons) == ("undetermined", (reason,))


async def test_one_that_holds_its_own_content_does_not_count_for_the_file(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    signed = cms.ContentInfo.load(signature)["content"]
    parts = {name: signed[name] for name in ("version", "digest_algorithms", "certificates", "signer_infos")}
    parts["encap_content_info"] = {"content_type": "data", "content": b"something else"}
    made = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(parts)})
    report = await _judged(sealed_certificate, tmp_path / "paper", WORDS, made.dump(), fetched)
    assert (report.verdict, report.reasons) == ("undetermined", ("signature_unsupported",))


async def test_a_worker_says_the_same(
    sealed_certificate: Any, signature: bytes, fetched: tuple[Piece, ...], tmp_path: Path
) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_bytes(WORDS)
    pool = WorkerPool(size=1)
    await pool.start()
    try:
        ask: dict[str, Any] = {"anchors": sealed_certificate.anchors, "at": sealed_certificate.at}
        ask |= {"max_bytes": 10**6, "fetched": fetched}
        examined = await pool.examine_detached(paper, signature, **ask)
        junk = await pool.examine_detached(paper, b"junk", **ask)
        large = await pool.examine_detached(paper, bytes(LARGEST_SIGNATURE + 1), **ask)
        sealed = await pool.examine(sealed_certificate.sealed, **ask, etsi=True)
        plain = await pool.examine(sealed_certificate.sealed, **ask)
    finally:
        await pool.close()
    assert examined.report.verdict == "valid"
    assert examined.judgement is not None
    assert {one.role for one in examined.judgement.footings} == {"signature", "timestamp"}
    assert junk.report.reasons == ("format_wrong",)
    assert (large.refusal, large.report.reasons) == ("too_large", ("file_refused",))
    assert replace(sealed, etsi_report=b"") == plain
    assert b"urn:etsi:019102:mainindication:total-passed" in sealed.etsi_report
