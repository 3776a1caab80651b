"""What a paper says of itself, and what no hint of a copy may pass for."""

import pytest

from policies.paper_heading import Line
from policies.paper_words import Showing, Words, showing

NAMES = {"GKS": "Giấy khai sinh", "GCNKH": "Giấy chứng nhận kết hôn", "GPXD": "Giấy phép xây dựng"}
CHILD, MOTHER = "001207000001", "001180034562"
PAPER = f"ỦY BAN NHÂN DÂN\nGIẤY\nKHAI SINH\nSố định danh cá nhân: {CHILD}\nNgười mẹ: {MOTHER}"
MARK = (
    "BẢN SỐ HÓA TỪ VĂN BẢN GIẤY\nCơ quan chuyển đổi: Công an phường Nghĩa Đô\n"
    "Người chuyển đổi: Ngô Quang Huy\nThời gian chuyển đổi: 2026-11-26T10:15:32+07:00"
)
SAO_Y = "SAO Y\nỦy ban nhân dân phường Nghĩa Đô\n2026-11-26T10:15:32+07:00"
CERTIFIED = (
    "Chứng thực bản sao đúng với bản chính\nSố chứng thực: 815, quyển số 02-SCT/BS\nNgày 26 tháng 11 năm 2026"
)


def lines(page: str) -> tuple[Line, ...]:
    """Set a page in letters of one size."""
    return tuple(Line(one, 12, 50, 500, 800 - 17 * at) for at, one in enumerate(page.splitlines()))


def shown(
    *pages: str, complete: bool = True, kind: str = "GKS", owner: str = CHILD, places: int = 1
) -> Showing:
    words = Words(pages, complete, lines("".join(pages[:1])))
    return showing(words, kind, NAMES, [[("personal_number", owner)]], places)


@pytest.mark.parametrize(
    ("pages", "complete", "mark"),
    [
        ((PAPER,), True, "none"),
        ((PAPER,), False, "unreadable"),
        ((), False, "unreadable"),
        ((f"{MARK}\n{PAPER}",), True, "conversion"),
        ((f"{MARK}\n",), False, "unreadable"),
        ((PAPER, MARK.replace("Người chuyển đổi", "Người")), True, "unreadable"),
        ((MARK.partition("\nThời")[0],), True, "unreadable"),
        ((f"{SAO_Y}\n{PAPER}",), True, "copy"),
        ((f"TRÍCH SAO\n{SAO_Y}\n{PAPER}",), True, "copy"),
        ((f"SAO Y\nngày 26/11/2026\n{PAPER}",), True, "unreadable"),
        ((f"{PAPER}\nNgười sao y: ông A",), True, "none"),
        ((f"{PAPER}\nSao y bản chính",), True, "unreadable"),
        ((PAPER, CERTIFIED), True, "certified"),
        ((PAPER, CERTIFIED.replace("Số chứng thực: 815", "Số:")), True, "unreadable"),
        ((f"{PAPER}\n(BẢN SAO)\nBẢN SAO",), True, "unreadable"),
        ((f"{MARK}\n{PAPER}", CERTIFIED), True, "unreadable"),
        ((f"SAO Y; UBND phường Nghĩa Đô; 2026-11-26T10:15:32+07:00\n{PAPER}",), True, "copy"),
        ((f"SAO LỤC: UBND phường Nghĩa Đô\n2026-11-26T10:15:32+07:00\n{PAPER}",), True, "copy"),
        ((f"SAO Y; UBND phường Nghĩa Đô\n{PAPER}",), True, "unreadable"),
        ((f"SAO Y CÔNG CHỨNG\n2026-11-26T10:15:32+07:00\n{PAPER}",), True, "unreadable"),
    ],
)
def test_a_copy_is_known_by_its_whole_mark_and_a_hint_is_enough_to_be_no_original(
    pages: tuple[str, ...], complete: bool, mark: str
) -> None:
    assert shown(*pages, complete=complete).mark == mark


@pytest.mark.parametrize(
    "hint",
    [
        "(BẢN SAO)",
        "( Bản sao )",
        "BẢN SAO Y",
        "SAO Y: UBND phường Nghĩa Đô",
        "- SAO Y -",
        "SAO\nY",
        "(TRÍCH\nSAO)",
        "BẢN\nSAO",
        "SAO  LỤC từ bản chính",
        "BẢN SAO TRÍCH LỤC",
        "BẢN SAO ĐIỆN TỬ",
        "BẢN SAO TỪ SỔ GỐC",
        "Bản sao số hóa",
        "BẢN PHOTO",
        "Phô tô",
        "Bản chụp",
        "CHỨNG THỰC\nBẢN SAO",
    ],
)
def test_however_a_copy_is_called_it_is_no_original(hint: str) -> None:
    assert shown(f"{hint}\n{PAPER}").mark == "unreadable"
    assert shown(PAPER, f"trang hai\n{hint}").mark == "unreadable"


@pytest.mark.parametrize("words", ["Số bản sao: 02", "Sao Mai", "Người trích sao đã ký", "SAO\nBẢN"])
def test_what_only_sounds_like_a_copy_is_none(words: str) -> None:
    assert shown(f"{PAPER}\n{words}").mark == "none"


def test_what_lies_unseen_over_a_picture_is_read_of_a_conversion_alone() -> None:
    scan = (PAPER,)
    words = Words((MARK,), True, lines(MARK), scan, lines(PAPER))
    owner = [[("personal_number", CHILD)]]
    assert showing(words, "GKS", NAMES, owner, 1) == Showing("conversion", "yes", "yes")
    for mark in ("", SAO_Y, CERTIFIED):
        unseen = Words((mark,), True, lines(mark), scan, lines(PAPER))
        found = showing(unseen, "GKS", NAMES, owner, 1)
        assert (found.mark, found.owner) == ("unreadable", "no")


@pytest.mark.parametrize(
    ("page", "type"),
    [
        (PAPER, "yes"),
        ("giấy khai sinh", "yes"),
        ("Căn cứ Giấy khai sinh số 118/2026", "other"),
        ("GIẤY CHỨNG NHẬN KẾT HÔN\nCăn cứ giấy khai sinh", "other"),
        ("GIẤY KHAI SINH\nGIẤY PHÉP XÂY DỰNG", "other"),
        ("THÔNG BÁO TỪ CHỐI CẤP\nNgười nộp: 001206045678\nGiấy khai sinh\nLý do: giả mạo", "other"),
        ("Người nộp: 001206045678\nGiấy khai sinh", "no"),
        ("", "no"),
    ],
)
def test_the_title_says_of_which_type_a_paper_is(page: str, type: str) -> None:
    assert shown(page).type == type


def test_a_title_in_smaller_letters_than_others_says_nothing() -> None:
    large = (*lines(PAPER), Line("TỪ CHỐI CẤP", 20, 50, 500, 400))
    assert showing(Words((PAPER,), True, large), "GKS", NAMES, [], 1).type == "no"


def test_the_first_number_is_whose_paper_it_is() -> None:
    assert shown(PAPER).owner == "yes"
    assert shown(PAPER, owner=MOTHER).owner == "other", "a mother's number stands on her child's certificate"
    assert shown(PAPER, owner=MOTHER, places=2).owner == "yes", "where the law has two owners"
    assert shown("GIẤY KHAI SINH").owner == "no"
    assert shown(f"Mã vạch {CHILD}99").owner == "no"


def test_every_owner_must_be_named_and_an_enterprise_is_by_its_tax_code() -> None:
    words = Words((f"Vợ {MOTHER}\nChồng {CHILD}",), True)
    both = [[("personal_number", MOTHER)], [("personal_number", CHILD)]]
    assert showing(words, "GCNKH", NAMES, both, 2).owner == "yes"
    assert showing(words, "GCNKH", NAMES, both, 1).owner == "other"
    firm = Words(("Mã số doanh nghiệp: 0101234565\nĐiện thoại: 0912345678",), True)
    assert showing(firm, "GPXD", NAMES, [[("tax_code", "0101234565")]], 1).owner == "yes"
    assert showing(firm, "GPXD", NAMES, [[("tax_code", "0912345678")]], 1).owner == "no"
    assert showing(firm, "GPXD", NAMES, [], 1).owner == "no"
