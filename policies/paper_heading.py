"""The title of a paper: what stands first under the names of State and agency, in the largest letters.

Papers are laid out by Nghị định 30/2020/NĐ-CP, Phụ lục I: the State's name and motto, the agency on the left,
number, place and day; then the title, in capitals, over lines of its own. Whatever else stands first is
another title, known or not, so that the name of a type further down says nothing of the paper.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from unicodedata import normalize

_STATE = frozenset(
    {
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "ĐỘC LẬP TỰ DO HẠNH PHÚC",
        "SOCIALIST REPUBLIC OF VIET NAM",
        "SOCIALIST REPUBLIC OF VIETNAM",
        "INDEPENDENCE FREEDOM HAPPINESS",
    }
)
_AGENCY = re.compile(
    r"(?:ỦY BAN|UỶ BAN|UBND|HỘI ĐỒNG|BỘ|SỞ|CỤC|CHI CỤC|TỔNG CỤC|THUẾ|CÔNG AN|VĂN PHÒNG|PHÒNG|BAN|CHI NHÁNH|"
    r"TRUNG TÂM|TRƯỜNG|ĐẠI HỌC|HỌC VIỆN|VIỆN|BỆNH VIỆN|TRẠM|TÒA ÁN|TOÀ ÁN|BẢO HIỂM XÃ HỘI|KHO BẠC|"
    r"ĐẠI SỨ QUÁN|TỔNG LÃNH SỰ QUÁN|CƠ QUAN|QUỐC HỘI|CHÍNH PHỦ|THÀNH PHỐ|TP|TỈNH|QUẬN|HUYỆN|THỊ XÃ|"
    r"THỊ TRẤN|PHƯỜNG|XÃ|ĐẶC KHU)\b"
)
_NUMBERED = re.compile(
    r"(?:SỐ|QUYỂN SỐ|QUYỂN|LUẬT SỐ|NO|SERIAL|MẪU|MẪU SỐ|MÃ|MÃ SỐ|MÃ HỒ SƠ|MÃ GIẤY TỜ|SỐ PHÁT HÀNH|"
    r"SỐ VÀO SỔ(?: CẤP GIẤY CHỨNG NHẬN)?|SỐ CHỨNG THỰC)"
    r"(?:\s*[:.]\s*.{0,60}|\s+\S*\d\S*(?:\s\S+){0,3})?"
)
_DATED = re.compile(r"(?:[^:]{0,50}, ?)?NGÀY [\d.…_/ ]+ ?THÁNG [\d.…_/ ]+ ?NĂM [\d.…_/ ]+")
# How a signature or a mark of a copy tells of itself: those stand at the top of page 1 as well.
_SIGNED = re.compile(
    r"(?:NGƯỜI KÝ|KÝ BỞI|KÝ SỐ BỞI|ĐƯỢC KÝ BỞI|EMAIL|CƠ QUAN|TỔ CHỨC|ĐƠN VỊ|THỜI GIAN KÝ|NGÀY KÝ|KÝ NGÀY|"
    r"CHỨC VỤ|SIGNED BY|NGƯỜI CHUYỂN ĐỔI|CƠ QUAN CHUYỂN ĐỔI|THỜI GIAN CHUYỂN ĐỔI)\s*:.*"
)
_MARKED = re.compile(
    r"(?:SAO Y|SAO LỤC|TRÍCH SAO|BẢN SỐ HÓA TỪ VĂN BẢN GIẤY|CHỨNG THỰC BẢN SAO|"
    r"BẢN SAO ĐIỆN TỬ ĐƯỢC CHỨNG THỰC)\b.*|\d{4}-\d{2}-\d{2}T[\d:]{8}(?:[+-]\d{2}:\d{2}|Z)"
)
# What no name of an agency holds: of such a line the rest decides nothing.
_TITLED = re.compile(
    r"\b(?:THÔNG BÁO|GIẤY|ĐƠN|TỜ KHAI|TỜ TRÌNH|PHIẾU|BIÊN BẢN|BIÊN NHẬN|QUYẾT ĐỊNH|CÔNG VĂN|BÁO CÁO|"
    r"CHỨNG NHẬN|CHỨNG THƯ|TRÍCH LỤC|HỢP ĐỒNG|VĂN BẢN|HƯỚNG DẪN|DANH SÁCH|KẾ HOẠCH|CAM KẾT|BẢN KHAI|"
    r"XÁC NHẬN|VỀ VIỆC|V/V|TRẢ LỜI|KÍNH GỬI|LÝ LỊCH|TỪ CHỐI|KHÔNG|THU HỒI|HỦY|HUỶ|TRẢ LẠI|ĐỀ NGHỊ|YÊU CẦU|"
    r"BỔ SUNG)\b"
)
_BESIDE_TITLE = frozenset({"(ĐĂNG KÝ LẠI)", "(BẢN CHÍNH)"})
_LARGEST = 0.9  # of the largest letters of the page, at least: measures of letters differ by less
_GAP = 2.4  # times the size of the letters from line to line, at most, within one title
_SAME_HEIGHT = 0.3  # of the size
_MOST_LINES = 3
_LEAST_LETTERS = 3  # of a line whose size counts: a number or a drawn initial is none


@dataclass(frozen=True)
class Line:
    """A line of page 1: the size of its letters and its place from the lower left corner, in points."""

    text: str
    size: float
    left: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Title:
    """The first title of a paper, folded, and whether it is in the largest letters of the page."""

    text: str
    largest: bool


def title_of(lines: Sequence[Line], beginnings: Collection[str] = ()) -> Title | None:
    """Find the title of page 1; None where there is none before the first line of label and value.

    `lines` are given from the top of the page down; `beginnings` are the folded names of what papers there
    are: no line that one of them begins with belongs to an agency's name.
    """
    header: Line | None = None
    for at, line in enumerate(lines):
        if _is_header(line, header, beginnings):
            header = line if _is_agency(line, header, beginnings) else header
            continue
        if ":" in line.text:
            return None
        block = _block(lines[at:])
        largest = max(one.size for one in lines if sum(map(str.isalpha, one.text)) >= _LEAST_LETTERS)
        return Title(" ".join(folded(one.text) for one in block), block[0].size >= _LARGEST * largest)
    return None


def folded(line: str) -> str:
    """Put a line in capitals, NFC, with single spaces."""
    return " ".join(normalize("NFC", line).upper().split())


def _is_header(line: Line, above: Line | None, beginnings: Collection[str]) -> bool:
    text = folded(line.text)
    if not any(one.isalnum() for one in text) or " ".join(re.findall(r"\w+", text)) in _STATE:
        return True
    if any(known.fullmatch(text) for known in (_SIGNED, _MARKED)):
        return True
    if any(known.fullmatch(text) for known in (_NUMBERED, _DATED)):
        return _TITLED.search(text) is None
    return _is_agency(line, above, beginnings)


def _is_agency(line: Line, above: Line | None, beginnings: Collection[str]) -> bool:
    """Tell whether a line names an agency, or goes on with the name that stands above it."""
    text = folded(line.text)
    if ":" in text or _TITLED.search(text) or any(one.startswith(text) for one in beginnings):
        return False
    if _AGENCY.match(text):
        return True
    return (
        above is not None
        and line.text == line.text.upper()
        and 0 < above.bottom - line.bottom <= _GAP * above.size
        and line.size <= above.size / _LARGEST
        and line.left < above.right
        and above.left < line.right
    )


def _block(lines: Sequence[Line]) -> list[Line]:
    """Give the lines that a title is broken over: large or in capitals, close under each other."""
    found = [lines[0]]
    for line in lines[1:]:
        last, text = found[-1], folded(line.text)
        if text in _BESIDE_TITLE or any(known.fullmatch(text) for known in (_NUMBERED, _DATED)):
            continue
        if ":" in text or last.bottom - line.bottom > _GAP * max(last.size, line.size):
            break
        aside = abs(last.bottom - line.bottom) <= _SAME_HEIGHT * line.size
        if not aside and line.size < _LARGEST * found[0].size and line.text != line.text.upper():
            break
        found.append(line)
        if len(found) > _MOST_LINES:
            break  # longer than any title: it is none of a type's
    return found
