"""Ten thousand papers that nobody has, and a few: real types, made-up persons and places, always the same."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from policies.book import shipped_book
from search.index import Document

COUNT = 10_000
SEED = 20260703
READER = "owner:everybody"

TODAY = date(2026, 7, 3)
MERGED_ON = date(2025, 7, 1)
_FAMILIES = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Lý",
    "Đinh",
    "Trịnh",
    "Đoàn",
    "Mai",
]
_MIDDLE = [
    "Văn",
    "Thị",
    "Hữu",
    "Đức",
    "Minh",
    "Ngọc",
    "Thanh",
    "Thu",
    "Quốc",
    "Xuân",
    "Hồng",
    "Kim",
    "Gia",
    "Anh",
    "Bảo",
]
_GIVEN = [
    "An",
    "Anh",
    "Bình",
    "Châu",
    "Chi",
    "Cường",
    "Dũng",
    "Duyên",
    "Đạt",
    "Điệp",
    "Giang",
    "Hà",
    "Hạnh",
    "Hằng",
    "Hiếu",
    "Hòa",
    "Hoa",
    "Hoá",
    "Hùng",
    "Hương",
    "Huyền",
    "Khánh",
    "Lan",
    "Linh",
    "Long",
    "Lý",
    "Mai",
    "Mạnh",
    "My",
    "Mỹ",
    "Nam",
    "Nga",
    "Nghĩa",
    "Nhung",
    "Phong",
    "Phúc",
    "Phương",
    "Quân",
    "Quang",
    "Quý",
    "Sơn",
    "Tâm",
    "Thảo",
    "Thành",
    "Thanh",
    "Thủy",
    "Thúy",
    "Tiến",
    "Trang",
    "Trung",
    "Tú",
    "Tuấn",
    "Tuyết",
    "Uyên",
    "Vân",
    "Vi",
    "Vinh",
    "Yến",
]
_WARDS = [
    "Nghĩa Đô",
    "Yên Hòa",
    "Kim Liên",
    "Bạch Mai",
    "Hòa Cường",
    "An Khê",
    "Cái Răng",
    "Vĩnh Hưng",
    "Trần Phú",
    "Lê Lợi",
    "Đồng Tâm",
    "Thạch Hóa",
    "Sông Cầu",
    "Phước Long",
    "Mỹ Tho",
    "Ea Kao",
    "Đường Lâm",
    "Suối Hoa",
    "Hải Châu",
    "Tân Sơn",
]
PROVINCES = {  # as they were -> as they are since
    "Hà Giang": "Tuyên Quang",
    "Tuyên Quang": "Tuyên Quang",
    "Yên Bái": "Lào Cai",
    "Lào Cai": "Lào Cai",
    "Hải Dương": "Hải Phòng",
    "Hải Phòng": "Hải Phòng",
    "Quảng Nam": "Đà Nẵng",
    "Đà Nẵng": "Đà Nẵng",
    "Bình Định": "Gia Lai",
    "Gia Lai": "Gia Lai",
    "Sóc Trăng": "Cần Thơ",
    "Cần Thơ": "Cần Thơ",
    "Hà Nội": "Hà Nội",
    "Nghệ An": "Nghệ An",
}
_OTHERS = [  # of kinds and with numbers that types do not tell of, as people scan them
    ("GCNQSDD", "Giấy chứng nhận quyền sử dụng đất", "AA 261127061106"),
    ("GCNQSDD", "Giấy chứng nhận quyền sử dụng đất", "AA-261127061107"),
    ("GCNQSDD", "Giấy chứng nhận quyền sử dụng đất", "AA261127061108"),
    ("GCNQSDD", "Giấy chứng nhận quyền sử dụng đất", "CĐ 456789"),
    ("KHAC", "Chứng nhận đăng ký xe", "29A 123.45"),
    ("KHAC", "Chứng nhận đăng ký xe", "29A 123.46"),
    ("KHAC", "Giấy phép lái xe", "A1 010180034562"),
    ("KHAC", "Giấy phép lái xe", "B2-010180034563"),
    ("KHAC", "Chứng minh nhân dân", "012345678"),
]
_OFFICES = {"CCCD": "Cục Cảnh sát quản lý hành chính", "HC": "Công an", "VBTN": "Sở Giáo dục và Đào tạo"}


@dataclass(frozen=True)
class Paper:
    """One paper, with everything that judges of answers look at."""

    id: str
    type: str
    type_name: str
    person: str
    personal_number: str
    ward: str
    born_in: str  # the province before the mergers
    province: str  # as its issuer is called on the paper
    number: str
    issued_on: date

    @property
    def state(self) -> str:
        return ("in_force", "in_force", "in_force", "revoked", "replaced")[int(self.id[1:]) % 5]

    @property
    def valid_until(self) -> date | None:
        return date(2026, 6, 30) if int(self.id[1:]) % 9 == 0 else None

    @property
    def in_force(self) -> bool:
        """Whether it is, on TODAY."""
        return self.state == "in_force" and (self.valid_until is None or self.valid_until >= TODAY)

    def document(self) -> Document:
        office = _OFFICES.get(self.type, "UBND" if int(self.id[1:]) % 2 else "Ủy ban nhân dân")
        return Document(
            id=self.id,
            readers=(READER, f"owner:{self.personal_number}"),
            texts=(self.type, self.type_name, f"{office} phường {self.ward}", self.province, self.number),
            names=(self.person, f"{self.personal_number}-{self.type}-0001"),
            type=self.type,
            issuer=f"H{int(self.id[1:]) % 7}",
            state=self.state,
            trust="ABCDE"[int(self.id[1:]) % 5],
            issued_on=self.issued_on,
            valid_until=self.valid_until,
            stored_on=self.issued_on,
        )


@cache
def papers() -> tuple[Paper, ...]:
    """Make them all."""
    chance = random.Random(SEED)
    types = [(one.code, one.name.vi) for one in shipped_book().record_types]
    made = [_paper(chance, number, types) for number in range(COUNT)]
    for code, name, number in _OTHERS:
        made.append(replace(_paper(chance, len(made), [(code, name)]), number=number))
    return tuple(made)


def _paper(chance: random.Random, number: int, types: list[tuple[str, str]]) -> Paper:
    code, name = chance.choice(types)
    day = date(2005, 1, 1) + timedelta(days=chance.randrange(7_850))
    before = chance.choice(list(PROVINCES))
    person = " ".join((chance.choice(_FAMILIES), chance.choice(_MIDDLE), chance.choice(_GIVEN)))
    return Paper(
        id=f"r{number:05d}",
        type=code,
        type_name=name,
        person=person,
        personal_number=f"0{chance.randrange(10**10, 10**11)}",
        ward=chance.choice(_WARDS),
        born_in=before,
        province=PROVINCES[before] if day >= MERGED_ON else before,
        number=f"{chance.randrange(1, 2000)}/{day.year}/{code}",
        issued_on=day,
    )
