"""Composing a result: right letters, same bytes, and a name for every fault."""

import shutil
import subprocess
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest

from reuse_api.demo import papers
from signing.composing import compose, fields_of
from signing.errors import ComposingFailed

AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)


def _text(content: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed")
    path = folder / "page.pdf"
    path.write_bytes(content)
    shown = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True)
    return unicodedata.normalize("NFC", shown.stdout.decode())


def test_the_page_shows_every_field_in_vietnamese(
    certificate_fields: dict[str, object], tmp_path: Path
) -> None:
    text = _text(compose("birth_certificate", certificate_fields, at=AT), tmp_path)
    for shown in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập – Tự do – Hạnh phúc",
        "GIẤY KHAI SINH",
        "(Đăng ký lại)",
        "NGUYỄN THỊ THÚY HẰNG",
        "14/03/2007",
        "Phạm Thị Mỹ Lệ",
        "075180004321",
        "ngày 20 tháng 11 năm 2026",
        "Trần Quốc Ẩn",
    ):
        assert shown in text


def test_a_first_registration_does_not_say_again(
    certificate_fields: dict[str, object], tmp_path: Path
) -> None:
    text = _text(compose("birth_certificate", certificate_fields | {"reregistered": False}, at=AT), tmp_path)
    assert "Đăng ký lại" not in text
    assert "Nơi đăng ký khai sinh" in text


def test_same_input_gives_the_same_bytes(certificate_fields: dict[str, object]) -> None:
    first = compose("birth_certificate", certificate_fields, at=AT)
    decomposed = {
        name: unicodedata.normalize("NFD", value) if isinstance(value, str) else value
        for name, value in certificate_fields.items()
    }
    assert compose("birth_certificate", decomposed, at=AT) == first
    assert compose("birth_certificate", certificate_fields, at=AT + timedelta(days=1)) != first


def test_the_file_claims_pdf_a_2b_and_ends_with_a_newline(
    certificate_fields: dict[str, object], tmp_path: Path
) -> None:
    content = compose("birth_certificate", certificate_fields, at=AT)
    assert content.endswith(b"%%EOF\n")
    path = tmp_path / "page.pdf"
    path.write_bytes(content)
    with pikepdf.open(path) as document, document.open_metadata() as metadata:
        assert metadata.pdfa_status == "2B"
        assert len(document.pages) == 1
        assert "/OutputIntents" in document.Root


def test_dates_are_taken_as_dates_too(certificate_fields: dict[str, object]) -> None:
    with_date = certificate_fields | {"birth_date": date(2007, 3, 14)}
    assert compose("birth_certificate", with_date, at=AT) == compose(
        "birth_certificate", certificate_fields, at=AT
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"full_name": None}, "full_name"),
        ({"full_name": "  "}, "full_name"),
        ({"mother_name": None}, "mother_name"),
        ({"nickname": "Hằng"}, "nickname"),
        ({"birth_date": "14/03/2007"}, "birth_date"),
        ({"birth_date": "2007-02-30"}, "birth_date"),
        ({"reregistered": "yes"}, "reregistered"),
        ({"home_town": 7}, "home_town"),
        ({"home_town": "Huế\x07"}, "home_town"),
        ({"home_town": "x" * 501}, "home_town"),
    ],
)
def test_a_fault_names_its_field(
    certificate_fields: dict[str, object], change: dict[str, object], field: str
) -> None:
    with pytest.raises(ComposingFailed) as raised:
        compose("birth_certificate", certificate_fields | change, at=AT)
    assert raised.value.field == field
    assert raised.value.code == "composing_failed"


def test_text_is_text_and_never_markup(certificate_fields: dict[str, object], tmp_path: Path) -> None:
    odd = '#import "/etc/passwd" *đậm* $x$ "lời"'
    text = _text(compose("birth_certificate", certificate_fields | {"home_town": odd}, at=AT), tmp_path)
    assert '#import "/etc/passwd" *đậm* $x$' in text


def test_the_fields_of_each_template_are_enough_to_compose_it() -> None:
    required, optional = fields_of("general_result")
    assert not required & optional
    fields: dict[str, object] = {name: "Nội dung" for name in required} | {"issued_on": "2026-11-20"}
    assert compose("general_result", fields, at=AT).startswith(b"%PDF-1.7")
    with pytest.raises(ComposingFailed):
        fields_of("passport")


PAPERS = {
    "marriage_certificate": papers.marriage("45/2026", "2026-11-20"),
    "land_use_certificate": papers.land("AA 00123456", "2026-11-20"),
    "business_registration": papers.enterprise("2026-11-20"),
    "civil_status_extract": papers.correction("12/TLCC-UBND", "2026-11-20", of="118/2026"),
}
SHOWN = {
    "marriage_certificate": (
        "GIẤY CHỨNG NHẬN KẾT HÔN",
        "TRẦN THỊ HỒNG NHUNG",
        "001078012345",
        "Nơi đăng ký kết hôn: Ủy ban nhân dân phường Cầu Giấy",
    ),
    "land_use_certificate": (
        "QUYỀN SỬ DỤNG ĐẤT, QUYỀN SỞ HỮU",
        "BÀ TRẦN THỊ HỒNG NHUNG",
        "ÔNG NGUYỄN ĐỨC THẮNG",
        "001180034562",
        "001078012345",
        "Diện tích: 86,4 m²",
        "Đất ở tại đô thị",
    ),
    "business_registration": (
        "DOANH NGHIỆP TƯ NHÂN",
        "Mã số doanh nghiệp: 0101234565",
        "500.000.000 đồng",
        "TRẦN THỊ HỒNG NHUNG",
        "Đăng ký lần đầu: ngày 20 tháng 11 năm 2026",
    ),
    "civil_status_extract": (
        "TRÍCH LỤC",
        "CẢI CHÍNH HỘ TỊCH",
        "Giấy khai sinh số 118/2026",
        "Sau khi thay đổi",
        "Bệnh viện Phụ sản Hà Nội",
    ),
}


@pytest.mark.parametrize("template", PAPERS)
def test_each_paper_shows_what_it_is_about_on_one_page_of_pdf_a(template: str, tmp_path: Path) -> None:
    content = compose(template, PAPERS[template], at=AT)
    path = tmp_path / "paper.pdf"
    path.write_bytes(content)
    with pikepdf.open(path) as document, document.open_metadata() as metadata:
        assert metadata.pdfa_status == "2B"
        assert len(document.pages) == 1
    assert compose(template, PAPERS[template], at=AT) == content, "the same bytes each time"
    text = " ".join(_text(content, tmp_path).split())
    for shown in SHOWN[template]:
        assert shown in text


@pytest.mark.parametrize("template", PAPERS)
def test_no_paper_is_composed_without_what_it_must_say(template: str) -> None:
    required, _ = fields_of(template)
    for name in required:
        with pytest.raises(ComposingFailed) as raised:
            compose(template, {**PAPERS[template], name: None}, at=AT)
        assert raised.value.field == name


def test_a_land_certificate_of_one_holder_or_of_a_company(tmp_path: Path) -> None:
    alone = {
        name: value
        for name, value in PAPERS["land_use_certificate"].items()
        if not name.startswith("second") and name != "holder_personal_number"
    }
    text = _text(compose("land_use_certificate", alone | {"holder_tax_code": "0101234565"}, at=AT), tmp_path)
    assert "0101234565" in text
    assert "Cùng sử dụng đất" not in text


def test_changes_noted_on_a_birth_certificate_stand_on_a_page_of_their_own(
    certificate_fields: dict[str, object], tmp_path: Path
) -> None:
    fields = papers.noted("118/2026", "2026-11-20", extract="12/TLCC-UBND")
    content = compose("birth_certificate", fields, at=AT)
    text = " ".join(_text(content, tmp_path).split())
    assert "NHỮNG THÔNG TIN THAY ĐỔI SAU NÀY" in text
    assert "Trích lục cải chính hộ tịch số 12/TLCC-UBND" in text
    with pikepdf.open(tmp_path / "page.pdf") as document:
        assert len(document.pages) == 2
    assert compose("birth_certificate", certificate_fields | {"changes": []}, at=AT) == compose(
        "birth_certificate", certificate_fields, at=AT
    )


ONE = {"noted_on": "2026-11-20", "content": "Tên", "ground": "Trích lục", "noted_by": "Hà"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ("a text", "changes"),
        ([1], "changes"),
        ([ONE | {"noted_on": "20/11/2026"}], "changes.0.noted_on"),
        ([ONE, {**ONE, "content": " "}], "changes.1.content"),
        ([ONE | {"more": "x"}], "changes.0.more"),
        ([ONE] * 21, "changes"),
        ([ONE | {"ground": [ONE]}], "changes.0.ground"),
    ],
)
def test_a_fault_in_a_list_names_its_place(
    certificate_fields: dict[str, object], changes: object, field: str
) -> None:
    with pytest.raises(ComposingFailed) as raised:
        compose("birth_certificate", certificate_fields | {"changes": changes}, at=AT)
    assert raised.value.field == field
