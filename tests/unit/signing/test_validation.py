"""Judging signatures: ours hold, changed ones do not, strangers stay undetermined."""

import io
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from reuse_api import demo
from reuse_api.demo.pki import DemoAuthority
from signing.anchors import Anchor
from signing.reasons import REASON_CODES
from signing.report import SignatureReport
from signing.validation import validate

pytestmark = pytest.mark.anyio

SAMPLE = Path(next(iter(demo.__path__))) / "samples" / "government-signed.pdf"


async def _judge(
    path: Path, sealed: Any, at: datetime | None = None, anchors: Sequence[Anchor] | None = None
) -> SignatureReport:
    with path.open("rb") as stream:
        report = await validate(
            stream, anchors=sealed.anchors if anchors is None else anchors, at=at or sealed.at
        )
    assert set(report.reasons) <= REASON_CODES
    assert (report.verdict == "valid") == (not report.reasons)
    return report


@pytest.mark.parametrize("days", [0, 8, 400, 1700])
async def test_a_sealed_file_is_valid_for_years(sealed_certificate: Any, days: int) -> None:
    at = sealed_certificate.at + timedelta(days=days)
    report = await _judge(sealed_certificate.sealed, sealed_certificate, at)
    assert (report.verdict, report.sub_indication, report.reasons) == ("valid", "", ())
    (detail,) = report.signatures
    assert detail.level == "B-LTA"
    assert detail.signer == "Ủy ban nhân dân phường Trấn Biên"
    assert detail.signed_at == sealed_certificate.at.replace(microsecond=0)
    assert detail.covers_whole_file


async def test_after_all_certificates_have_expired_it_is_undetermined(sealed_certificate: Any) -> None:
    report = await _judge(
        sealed_certificate.sealed, sealed_certificate, sealed_certificate.at + timedelta(days=4000)
    )
    assert report.verdict == "undetermined"


async def test_strange_roots_or_none_leave_it_undetermined(sealed_certificate: Any, tmp_path: Path) -> None:
    stranger = DemoAuthority.create(tmp_path / "pki", sealed_certificate.at)
    for anchors in ((), stranger.anchors()):
        report = await _judge(sealed_certificate.sealed, sealed_certificate, anchors=anchors)
        assert (report.verdict, report.reasons) == ("undetermined", ("signer_not_trusted",))
        assert report.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


async def test_a_file_without_signature_says_so(sealed_certificate: Any) -> None:
    report = await _judge(sealed_certificate.composed, sealed_certificate)
    assert (report.verdict, report.reasons) == ("undetermined", ("no_signature",))


async def test_a_government_file_is_undetermined(sealed_certificate: Any) -> None:
    report = await _judge(SAMPLE, sealed_certificate)
    assert (report.verdict, report.reasons) == ("undetermined", ("signer_not_trusted",))
    (detail,) = report.signatures
    assert detail.signer == "CỔNG THÔNG TIN ĐIỆN TỬ CHÍNH PHỦ"
    assert detail.covers_whole_file
    assert detail.level == ""


async def test_a_government_file_with_one_bit_changed_is_invalid(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    content = bytearray(SAMPLE.read_bytes())
    content[150_000] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    report = await _judge(changed, sealed_certificate)
    assert (report.verdict, report.reasons[0]) == ("invalid", "digest_mismatch")


def _gaps(content: bytes) -> list[tuple[int, int]]:
    pattern = rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+\d+\s*\]"
    return [(int(found[1]), int(found[2])) for found in re.finditer(pattern, content)]


async def test_a_bit_changed_in_any_signed_part_makes_it_invalid(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    content = sealed_certificate.sealed.read_bytes()
    (seal_start, seal_end), (stamp_start, stamp_end) = _gaps(content)
    composed = sealed_certificate.composed.stat().st_size
    places = {
        "header": 7,
        "content": composed // 2,
        "old cross-reference": composed - 20,
        "evidence": composed + 400,
        "seal dictionary": seal_start - 60,
        "seal container": seal_start + 2000,
        "padding of the seal": seal_end - 20,
        "end of the seal's revision": seal_end + 30,
        "stamp dictionary": stamp_start - 60,
        "end of the file": stamp_end + 60,
        "last byte but one": len(content) - 2,
    }
    changed = tmp_path / "changed.pdf"
    for place, position in places.items():
        flipped = bytearray(content)
        flipped[position] ^= 1
        changed.write_bytes(flipped)
        report = await _judge(changed, sealed_certificate)
        assert report.verdict == "invalid", (place, report)
        assert report.reasons[0] == "digest_mismatch", (place, report)


async def test_a_bit_changed_in_the_archive_stamp_is_never_valid(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    content = sealed_certificate.sealed.read_bytes()
    start, end = _gaps(content)[1]
    token = bytes.fromhex(content[start + 1 : end - 1].decode())
    used = len(token.rstrip(b"\x00"))
    issuer = token.rindex(b"Kho Demo Issuing CA")
    places = [*range(2, 50, 4), *range(50, used, used // 12), issuer, used + 20, len(token) - 1]
    changed = tmp_path / "changed.pdf"
    for place in places:
        flipped = bytearray(token)
        flipped[place] ^= 0x20 if place == issuer else 1  # the case of a letter in a name
        changed.write_bytes(content[: start + 1] + flipped.hex().upper().encode() + content[end - 1 :])
        report = await _judge(changed, sealed_certificate)
        assert report.verdict != "valid", place


async def test_the_case_of_the_hexadecimal_digits_is_not_free(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    content = bytearray(sealed_certificate.sealed.read_bytes())
    start, end = _gaps(bytes(content))[1]
    letter = next(place for place in range(start, end) if chr(content[place]) in "ABCDEF")
    content[letter] ^= 0x20
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    assert (await _judge(changed, sealed_certificate)).verdict != "valid"


@pytest.mark.parametrize("tail", [b"\n" * 17, b"% more\n", b"1 0 obj\n<<>>\nendobj\n", b"%%EOF\n"])
async def test_bytes_behind_the_end_are_never_valid(
    sealed_certificate: Any, tmp_path: Path, tail: bytes
) -> None:
    changed = tmp_path / "longer.pdf"
    changed.write_bytes(sealed_certificate.sealed.read_bytes() + tail)
    report = await _judge(changed, sealed_certificate)
    assert report.verdict != "valid"


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9, 0.999])
async def test_a_truncated_file_is_never_valid(sealed_certificate: Any, tmp_path: Path, share: float) -> None:
    content = sealed_certificate.sealed.read_bytes()
    changed = tmp_path / "shorter.pdf"
    changed.write_bytes(content[: int(len(content) * share)])
    report = await _judge(changed, sealed_certificate)
    assert report.verdict != "valid"


async def test_without_its_archive_stamp_it_is_still_signed_but_no_longer_archived(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    content = sealed_certificate.sealed.read_bytes()
    end_of_seal = content.index(b"%%EOF", _gaps(content)[0][1]) + len(b"%%EOF")
    shorter = tmp_path / "no-stamp.pdf"
    shorter.write_bytes(content[:end_of_seal] + b"\n")
    report = await _judge(shorter, sealed_certificate)
    assert [one.level for one in report.signatures] in (["B-LT"], [""])
    later = await _judge(shorter, sealed_certificate, sealed_certificate.at + timedelta(days=4000))
    assert later.verdict != "valid"


Change = Callable[[IncrementalPdfFileWriter], None]


def _retitle(writer: IncrementalPdfFileWriter) -> None:
    writer.set_info(generic.DictionaryObject({generic.pdf_name("/Title"): generic.pdf_string("Khác")}))


def _new_page_content(writer: IncrementalPdfFileWriter) -> None:
    page, _ = writer.find_page_for_modification(0)
    page.get_object()["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 0 99 99 re f"))
    writer.update_container(page.get_object())


def _annotate(writer: IncrementalPdfFileWriter) -> None:
    page, _ = writer.find_page_for_modification(0)
    note = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/FreeText"),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (10, 10, 200, 200))),
            generic.pdf_name("/Contents"): generic.pdf_string("Hằng"),
        }
    )
    page.get_object()["/Annots"] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page.get_object())


def _new_catalogue_entry(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OpenAction"] = generic.ArrayObject()
    writer.update_root()


@pytest.mark.parametrize("change", [_new_page_content, _annotate, _new_catalogue_entry])
async def test_an_update_after_sealing_is_invalid(
    sealed_certificate: Any, tmp_path: Path, change: Change
) -> None:
    out = io.BytesIO(sealed_certificate.sealed.read_bytes())
    writer = IncrementalPdfFileWriter(out)
    change(writer)
    writer.write_in_place()
    changed = tmp_path / "updated.pdf"
    changed.write_bytes(out.getvalue())
    report = await _judge(changed, sealed_certificate)
    assert (report.verdict, report.reasons) == ("invalid", ("changed_after_signing",))
    assert not report.signatures[0].covers_whole_file


async def test_rewriting_a_sealed_file_breaks_it(sealed_certificate: Any, tmp_path: Path) -> None:
    changed = tmp_path / "compressed.pdf"
    with pikepdf.open(sealed_certificate.sealed) as document:
        document.save(changed, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    report = await _judge(changed, sealed_certificate)
    assert report.verdict != "valid"


async def test_one_signature_in_two_fields_is_noticed(sealed_certificate: Any, tmp_path: Path) -> None:
    out = io.BytesIO(sealed_certificate.sealed.read_bytes())
    writer = IncrementalPdfFileWriter(out)
    form = writer.root["/AcroForm"]
    twin = generic.DictionaryObject(
        {
            generic.pdf_name("/FT"): generic.pdf_name("/Sig"),
            generic.pdf_name("/T"): generic.pdf_string("Twin"),
            generic.pdf_name("/V"): form["/Fields"][0].raw_get("/V"),
        }
    )
    form["/Fields"].append(writer.add_object(twin))
    writer.update_container(form["/Fields"])
    writer.write_in_place()
    changed = tmp_path / "twice.pdf"
    changed.write_bytes(out.getvalue())
    report = await _judge(changed, sealed_certificate)
    assert report.verdict != "valid"
    assert "signature_shown_twice" in report.reasons


async def test_too_many_revisions_are_too_complex(sealed_certificate: Any, tmp_path: Path) -> None:
    out = io.BytesIO(sealed_certificate.composed.read_bytes())
    for _ in range(51):
        writer = IncrementalPdfFileWriter(out)
        _retitle(writer)
        writer.write_in_place()
    changed = tmp_path / "revisions.pdf"
    changed.write_bytes(out.getvalue())
    report = await _judge(changed, sealed_certificate)
    assert (report.verdict, report.reasons) == ("undetermined", ("too_complex",))


def _fake_signature(contents: bytes) -> bytes:
    with pikepdf.new() as document:
        document.add_blank_page()
        signature = pikepdf.Dictionary(
            Type=pikepdf.Name.Sig,
            Filter=pikepdf.Name("/Adobe.PPKLite"),
            SubFilter=pikepdf.Name("/ETSI.CAdES.detached"),
            ByteRange=pikepdf.Array([0, 10, 20, 10]),
            Contents=pikepdf.String(contents),
        )
        field = pikepdf.Dictionary(
            FT=pikepdf.Name.Sig, T=pikepdf.String("Fake"), V=document.make_indirect(signature)
        )
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([document.make_indirect(field)]))
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


@pytest.mark.parametrize(
    "contents",
    [b"", bytes(100), b"\x30\x80" * 5_000, b"\x30\x03\x02\x01\x00", bytes(3_000_000), b"\xff" * 64],
    ids=["empty", "zeros", "deep", "no CMS", "huge", "noise"],
)
async def test_hostile_containers_are_never_valid_and_never_raise(
    sealed_certificate: Any, tmp_path: Path, contents: bytes
) -> None:
    hostile = tmp_path / "hostile.pdf"
    hostile.write_bytes(_fake_signature(contents))
    report = await _judge(hostile, sealed_certificate)
    assert report.verdict == "undetermined"
    assert report.reasons


async def test_a_file_of_a_common_program_that_nobody_signed_carries_no_signature(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    """Pillow counts the free entry of its cross-reference to 65536, which the strict reader refuses."""
    written = tmp_path / "scan.pdf"
    Image.new("RGB", (60, 80), "white").save(written, resolution=200)
    report = await _judge(written, sealed_certificate)
    assert (report.verdict, report.reasons) == ("undetermined", ("no_signature",))
