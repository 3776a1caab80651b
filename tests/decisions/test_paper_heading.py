"""The title of a paper is what stands first, in the largest letters; a type's name anywhere else is none."""

import pytest

from policies.paper_heading import Line, Title, title_of

BEGINNINGS = ("GIẤY KHAI SINH", "THẺ CĂN CƯỚC, CĂN CƯỚC CÔNG DÂN")
STATE = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM@12 | Độc lập - Tự do - Hạnh phúc@12"
HEADER = f"ỦY BAN NHÂN DÂN@12 | PHƯỜNG@12 | YÊN HÒA@12 | {STATE} | --------@12 | Số: 57/2026@12"
BODY = "Họ, chữ đệm, tên: NGUYỄN MINH ANH@12 | Giấy khai sinh@12"
BIRTH = "GIẤY KHAI SINH"


def page(text: str) -> tuple[Line, ...]:
    """Lines from the top down, each with its size behind "@"."""
    lines, bottom = [], 800.0
    for one in text.split(" | "):
        words, size = one.rsplit("@", 1)
        bottom -= 1.4 * float(size)
        lines.append(Line(words, float(size), 100, 400, bottom))
    return tuple(lines)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"{HEADER} | GIẤY KHAI SINH@16 | {BODY}", BIRTH),
        (f"{HEADER} | GIẤY@16 | KHAI@16 | SINH@16 | {BODY}", BIRTH),
        (f"{HEADER} | Giấy khai sinh@16 | (Đăng ký lại)@12 | Số: 57/2026@12 | {BODY}", BIRTH),
        (f"Người ký: UBND@7 | Thời gian ký: 09.07.2025@7 | {HEADER} | GIẤY KHAI SINH@16 | {BODY}", BIRTH),
        (f"SAO Y; UBND phường@12 | 2026-11-26T10:15:32+07:00@12 | {HEADER} | GIẤY KHAI SINH@16", BIRTH),
        (f"{HEADER} | Hà Nội, ngày 20 tháng 11 năm 2026@12 | GIẤY KHAI SINH@12 | {BODY}", BIRTH),
        (
            f"{HEADER} | THÔNG BÁO TỪ CHỐI CẤP@16 | Người nộp: 001206045678@12 | Giấy khai sinh@12",
            "THÔNG BÁO TỪ CHỐI CẤP",
        ),
        (
            f"{HEADER} | THÔNG BÁO@12 | Về việc từ chối cấp@12 | GIẤY KHAI SINH@16",
            "THÔNG BÁO VỀ VIỆC TỪ CHỐI CẤP GIẤY KHAI SINH",
        ),
        (f"{HEADER} | GIẤY KHAI SINH@16 | TỪ CHỐI CẤP@12 | {BODY}", "GIẤY KHAI SINH TỪ CHỐI CẤP"),
        (f"{HEADER} | Không cấp@8 | GIẤY KHAI SINH@16 | {BODY}", "KHÔNG CẤP GIẤY KHAI SINH"),
        ("ỦY BAN NHÂN DÂN@12 | TỪ CHỐI@12 | GIẤY KHAI SINH@16", "TỪ CHỐI GIẤY KHAI SINH"),
        ("CÔNG AN PHƯỜNG@12 | THẺ CĂN CƯỚC@12 | Căn cước@12", "THẺ CĂN CƯỚC CĂN CƯỚC"),
        (f"{HEADER} | Phiếu hẹn@14 | {BODY}", "PHIẾU HẸN"),
        (f"{HEADER} | Căn cứ Giấy khai sinh số 118/2026@12", "CĂN CỨ GIẤY KHAI SINH SỐ 118/2026"),
        (f"{HEADER} | V/v từ chối cấp giấy khai sinh@12", "V/V TỪ CHỐI CẤP GIẤY KHAI SINH"),
        (f"{HEADER} | A@14 | B@14 | C@14 | D@14 | E@14", "A B C D"),
    ],
)
def test_the_title_is_what_stands_first_under_state_agency_and_number(text: str, title: str) -> None:
    found = title_of(page(text), BEGINNINGS)
    assert found is not None
    assert found.text == title


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER} | {BODY}",
        f"{HEADER} | Người nộp: 001206045678@12 | GIẤY KHAI SINH@16",
        f"{HEADER} | Số: 12, từ chối cấp giấy khai sinh@12 | GIẤY KHAI SINH@16",
        HEADER,
        "@12",
    ],
)
def test_what_a_line_of_label_and_value_comes_before_has_no_title(text: str) -> None:
    assert title_of(page(text), BEGINNINGS) is None
    assert title_of(()) is None


def test_a_title_is_in_the_largest_letters_of_the_page() -> None:
    small = page(f"{HEADER} | Giấy khai sinh@12 | Lý do: hồ sơ giả mạo@12 | KHÔNG CẤP@16")
    assert title_of(small, BEGINNINGS) == Title(BIRTH, False)
    near = page(f"{HEADER} | Giấy khai sinh@13 | Họ và tên: AN@14 | 7@40")
    assert title_of(near, BEGINNINGS) == Title(BIRTH, True), "measures differ a little; a number is no title"


def test_a_title_ends_where_a_gap_is_and_holds_what_stands_beside_it() -> None:
    far = (Line("Giấy khai sinh", 14, 100, 200, 700), Line("Ủy ban nhân dân chứng nhận", 14, 100, 300, 650))
    assert title_of(far) == Title(BIRTH, True)
    aside = (Line("Giấy khai sinh", 14, 100, 200, 700), Line("bị từ chối", 10, 300, 400, 700))
    assert title_of(aside) == Title("GIẤY KHAI SINH BỊ TỪ CHỐI", True)
