"""What a seal shows on the page: the agency in full, the time with its zone, over no text, still PDF/A."""

import asyncio
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from asn1crypto import cms
from PIL import Image, ImageChops

from signing.appearance import draw_seal
from signing.composing import compose_result
from signing.place import Place
from signing.sealing import seal

SHORT = "Ủy ban nhân dân phường Trấn Biên, tỉnh Đồng Nai"
LONG = (
    "Văn phòng đăng ký đất đai – Chi nhánh khu vực số 12 thuộc Sở Nông nghiệp và Môi trường tỉnh Bà Rịa – "
    "Vũng Tàu, Trung tâm Phục vụ hành chính công đặc khu Côn Đảo và các đơn vị sự nghiệp trực thuộc được "
    "ủy quyền giải quyết thủ tục"
)
SIGNED_AT = "2026-11-20T10:04:05+07:00"


@dataclass(frozen=True)
class Shown:
    """A sealed certificate, where its seal stands, and the file before it was sealed."""

    agency: str
    place: Place
    path: Path
    unsealed: bytes


@pytest.fixture(scope="module", params=[SHORT, LONG], ids=["short", "long"])
def shown(
    request: pytest.FixtureRequest,
    sealed_certificate: Any,
    certificate_fields: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Shown:
    folder = tmp_path_factory.mktemp("shown")
    made = compose_result("birth_certificate", certificate_fields, at=sealed_certificate.at)
    assert made.place is not None
    (folder / "composed.pdf").write_bytes(made.content)
    sealing = seal(
        folder / "composed.pdf",
        folder / "sealed.pdf",
        key=sealed_certificate.authority.issue_seal_key(request.param, "H19.25"),
        timestamper=sealed_certificate.authority.timestamper(),
        revocation=sealed_certificate.authority.revocation(),
        roots=sealed_certificate.roots,
        at=sealed_certificate.at,
        reason="Kết quả điện tử",
        name=request.param,
        appearance=draw_seal(request.param, sealed_certificate.at, made.place),
    )
    asyncio.run(sealing)
    return Shown(request.param, made.place, folder / "sealed.pdf", made.content)


def drawn(content: bytes | Path, page: int) -> Image.Image:
    with pypdfium2.PdfDocument(content) as document:
        document.init_forms()
        return document[page].render(scale=2, may_draw_forms=True).to_pil().convert("L")


def test_it_changes_pixels_in_its_place_alone_and_covers_no_text(shown: Shown) -> None:
    before, after = drawn(shown.unsealed, shown.place.page), drawn(shown.path, shown.place.page)
    left, bottom, right, top = (2 * edge for edge in shown.place.box)
    room = (left - 1, before.height - top - 1, right + 1, before.height - bottom + 1)
    assert before.crop(room).getextrema() == (255, 255), "the template left the room blank"
    changed = ImageChops.difference(before, after).getbbox()
    assert changed is not None
    assert (changed[0] >= room[0], changed[1] >= room[1]) == (True, True)
    assert (changed[2] <= room[2], changed[3] <= room[3]) == (True, True)


def test_its_text_can_be_read_and_is_whole(shown: Shown) -> None:
    with pikepdf.open(shown.path) as document:
        field = next(one for one in document.Root.AcroForm.Fields if str(one.T) == "Seal")
        assert [int(edge) for edge in field.Rect] == list(shown.place.box)
        form = field.AP.N
        with pikepdf.new() as alone:
            alone.add_blank_page(page_size=(shown.place.width, shown.place.height))
            alone.pages[0].obj.Resources = pikepdf.Dictionary(
                XObject=pikepdf.Dictionary(Seal=alone.copy_foreign(form))
            )
            alone.pages[0].obj.Contents = pikepdf.Stream(alone, b"/Seal Do")
            made = BytesIO()
            alone.save(made)
    with pypdfium2.PdfDocument(made.getvalue()) as document:
        text = " ".join(document[0].get_textpage().get_text_bounded().split())
    assert shown.agency.upper() in text
    assert f"Thời gian ký: {SIGNED_AT}" in text


def test_every_font_is_embedded_and_the_level_is_kept(shown: Shown) -> None:
    with pikepdf.open(shown.path) as document:
        form = next(one for one in document.Root.AcroForm.Fields if str(one.T) == "Seal").AP.N
        fonts = list(form.Resources.Font.values())
        assert fonts
        for font in fonts:
            assert "/FontFile3" in font.DescendantFonts[0].FontDescriptor, "embedded"
            assert str(font.BaseFont)[1:8].endswith("+"), "a subset"
            assert "/ToUnicode" in font
        assert "/OutputIntents" in document.Root
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"


def test_certificate_and_dictionary_name_the_agency(shown: Shown) -> None:
    with pikepdf.open(shown.path) as document:
        field = next(one for one in document.Root.AcroForm.Fields if str(one.T) == "Seal")
        assert str(field.V.Name) == shown.agency
        signed = cms.ContentInfo.load(bytes(field.V.Contents))["content"]
    names = [one.chosen.subject.native["common_name"] for one in signed["certificates"]]
    assert shown.agency[:64] in names, "64 characters are all that a certificate holds"


def test_a_long_name_shrinks_into_the_smallest_place(sealed_certificate: Any) -> None:
    page = draw_seal(LONG, sealed_certificate.at, Place(0, (0, 0, 200, 40))).page
    with pypdfium2.PdfDocument(page) as document:
        assert (len(document), document[0].get_size()) == (1, (200, 40))
        assert SIGNED_AT in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize("name", ["ỦY BAN " + "NHÂN DÂN " * 50, "W" * 500])
def test_a_name_without_end_stays_inside_the_frame(sealed_certificate: Any, name: str) -> None:
    page = draw_seal(name, sealed_certificate.at, Place(0, (0, 0, 200, 40))).page
    with pypdfium2.PdfDocument(page) as document:
        text = document[0].get_textpage()
        boxes = [text.get_charbox(one) for one in range(text.count_chars())]
        shown = text.get_text_bounded()
    assert SIGNED_AT in shown and "…" in shown
    assert min(box[0] for box in boxes) >= 0 and max(box[2] for box in boxes) <= 200
    assert min(box[1] for box in boxes) >= 0 and max(box[3] for box in boxes) <= 40
