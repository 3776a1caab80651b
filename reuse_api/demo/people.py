"""The people, agencies and papers of the demo's story. Nobody here exists; every number is well-formed."""

from dataclasses import dataclass
from typing import Any

from vault.callers import Role

RECORD_TYPE = "GKS"
REREGISTRATION = "1.004884"
RESIDENCE = "1.004222"
CIVIL_STATUS_CHANGE = "1.004859"
ENTERPRISE_FOUNDING = "2.001610"
FOUNDING_CASE = "doanh-nghiep-tu-nhan"
KINSHIP = "KQ003606"
CASE = "dieu-20.2"


@dataclass(frozen=True)
class Office:
    """An agency with its one system and its one officer."""

    code: str
    name_vi: str
    name_en: str
    system: str
    system_name: str
    officer: str
    officer_name: str
    procedures: tuple[str, ...]
    issues: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()  # for which it may ask people for consent


@dataclass(frozen=True)
class Citizen:
    """A person with a checked personal number."""

    name: str
    number: str
    born_on: str

    def named(self, role: str) -> dict[str, Any]:
        """Give the person as a dossier names them."""
        return {
            "role": role,
            "identifier": {"scheme": "personal_number", "value": self.number},
            "name": self.name,
            "born_on": self.born_on,
        }


@dataclass(frozen=True)
class Enterprise:
    """An organisation with its tax code."""

    name: str
    tax_code: str

    def named(self, role: str) -> dict[str, Any]:
        """Give the enterprise as a dossier names it."""
        identifier = {"scheme": "tax_code", "value": self.tax_code}
        return {"role": role, "identifier": identifier, "name": self.name}


COMMUNE = Office(
    code="H26.14.02",
    name_vi="Ủy ban nhân dân phường Cầu Giấy",
    name_en="People's Committee of Cau Giay ward",
    system="mot-cua-cau-giay",
    system_name="Hệ thống một cửa phường Cầu Giấy",
    officer="cb-ho-tich-01",
    officer_name="Đỗ Thị Thanh Hà",
    procedures=(REREGISTRATION, CIVIL_STATUS_CHANGE),
    issues=("GCNKH", RECORD_TYPE, "TLTDCC"),
)
POLICE = Office(
    code="G01.26.05",
    name_vi="Công an phường Nghĩa Đô",
    name_en="Police of Nghia Do ward",
    system="cu-tru-nghia-do",
    system_name="Hệ thống cư trú Công an phường Nghĩa Đô",
    officer="ca-cu-tru-07",
    officer_name="Trung úy Ngô Quang Huy",
    procedures=(RESIDENCE,),
)
LAND_OFFICE = Office(
    code="H26.22.01",
    name_vi="Văn phòng đăng ký đất đai Hà Nội",
    name_en="Land registration office of Ha Noi",
    system="dat-dai-ha-noi",
    system_name="Hệ thống thông tin đất đai Hà Nội",
    officer="cb-dat-dai-03",
    officer_name="Lương Thị Bích Ngọc",
    procedures=(),
    issues=("GCNQSDD",),
)
BUSINESS_OFFICE = Office(
    code="H26.19.03",
    name_vi="Phòng Đăng ký kinh doanh, Sở Tài chính Hà Nội",
    name_en="Business registration office of Ha Noi",
    system="dang-ky-kinh-doanh-ha-noi",
    system_name="Hệ thống thông tin đăng ký doanh nghiệp Hà Nội",
    officer="cb-dkkd-05",
    officer_name="Phùng Quang Vịnh",
    procedures=(ENTERPRISE_FOUNDING,),
    issues=("GCNDKDN",),
)
BANK = Office(
    code="K01.12",
    name_vi="Ngân hàng thương mại cổ phần Sông Hồng",
    name_en="Song Hong commercial bank",
    system="tin-dung-song-hong",
    system_name="Hệ thống tín dụng Ngân hàng Sông Hồng",
    officer="nv-tin-dung-04",
    officer_name="Hồ Thị Mai",
    procedures=(),
    purposes=("loan_assessment", "account_opening"),
)
OFFICES = (COMMUNE, POLICE)
LATER_OFFICES = (LAND_OFFICE, BUSINESS_OFFICE, BANK)  # of the later steps of the story


@dataclass(frozen=True)
class Staff:
    """Somebody who signs in to the pages in a role: at an office's desk, as auditor, as administrator."""

    office: Office
    role: Role
    name_vi: str
    name_en: str


INSPECTORATE = Office(
    code="H26.20",
    name_vi="Thanh tra thành phố Hà Nội",
    name_en="Inspectorate of Ha Noi",
    system="thanh-tra-ha-noi",
    system_name="Hệ thống thanh tra thành phố Hà Nội",
    officer="tt-01",
    officer_name="Lý Thu Hằng",
    procedures=(),
)
OPERATOR = Office(
    code="H26.30",
    name_vi="Trung tâm Chuyển đổi số thành phố Hà Nội",
    name_en="Digital transformation centre of Ha Noi",
    system="van-hanh-kho",
    system_name="Vận hành Kho",
    officer="qt-01",
    officer_name="Mai Quốc Bảo",
    procedures=(),
)
STAFF = (
    Staff(POLICE, "desk", "cán bộ công an tại bàn làm việc", "the police officer at the desk"),
    Staff(COMMUNE, "desk", "cán bộ phường tại bàn làm việc", "the commune's officer at the desk"),
    Staff(INSPECTORATE, "auditor", "kiểm toán viên", "the auditor"),
    Staff(OPERATOR, "administrator", "quản trị viên", "the administrator"),
)

DAUGHTER = Citizen("Nguyễn Minh Anh", "001307012347", "2007-03-14")
MOTHER = Citizen("Trần Thị Hồng Nhung", "001180034562", "1980-08-02")
FATHER = Citizen("Nguyễn Đức Thắng", "001078012345", "1978-01-09")
WORKSHOP = Enterprise("Doanh nghiệp tư nhân May mặc Hồng Nhung", "0101234565")
STRANGER = Citizen("Lê Văn Đạt", "001206045678", "2006-11-20")
STRANGERS_MOTHER = Citizen("Phạm Thị Ứng", "001178056789", "1978-01-09")
CHILD = Citizen("Nguyễn Gia Bảo", "001216045671", "2016-05-09")  # the daughter's small brother


def certificate(number: str, day: str, *, birth_place: str) -> dict[str, Any]:
    """Give the fields of the daughter's birth certificate, registered again on a day (ISO)."""
    return {
        "number": number,
        "full_name": DAUGHTER.name,
        "birth_date": DAUGHTER.born_on,
        "birth_date_words": "Ngày mười bốn tháng ba năm hai nghìn không trăm linh bảy",
        "sex": "Nữ",
        "ethnicity": "Kinh",
        "nationality": "Việt Nam",
        "birth_place": birth_place,
        "home_town": "Xã Đường Lâm, thành phố Hà Nội",
        "personal_number": DAUGHTER.number,
        "mother_name": MOTHER.name,
        "mother_birth_year": "1980",
        "mother_ethnicity": "Kinh",
        "mother_nationality": "Việt Nam",
        "mother_residence": "Phường Nghĩa Đô, thành phố Hà Nội",
        "mother_personal_number": MOTHER.number,
        "registered_at": COMMUNE.name_vi,
        "registered_on": day,
        "reregistered": True,
        "issuer_name": COMMUNE.name_vi,
        "issuer_title": "CHỦ TỊCH",
        "signer": "Vũ Đức Toàn",
    }


def mothers_certificate(number: str, day: str) -> dict[str, Any]:
    """Give the fields of the mother's own birth certificate."""
    return certificate(number, day, birth_place="Nhà hộ sinh Đường Lâm") | {
        "full_name": MOTHER.name,
        "birth_date": MOTHER.born_on,
        "birth_date_words": "Ngày hai tháng tám năm một nghìn chín trăm tám mươi",
        "personal_number": MOTHER.number,
        "mother_name": "Hoàng Thị Kẽm",
        "mother_birth_year": "1955",
        "mother_residence": "Xã Đường Lâm, thành phố Hà Nội",
        "mother_personal_number": "001155067890",
    }


def childs_certificate(number: str, day: str) -> dict[str, Any]:
    """Give the fields of the small brother's birth certificate: the same mother is named."""
    return certificate(number, day, birth_place="Hà Nội") | {
        "full_name": CHILD.name,
        "birth_date": CHILD.born_on,
        "birth_date_words": "Ngày chín tháng năm năm hai nghìn không trăm mười sáu",
        "sex": "Nam",
        "personal_number": CHILD.number,
    }
