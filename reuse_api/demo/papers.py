"""The papers of the demo's family and its workshop: the fields that agencies have them composed of."""

from typing import Any

from reuse_api.demo import people
from reuse_api.demo.people import Citizen, Office

HOME = "Số 12, ngõ 34 phố Hoàng Quốc Việt, phường Nghĩa Đô, thành phố Hà Nội"


def _signed(office: Office, title: str, signer: str) -> dict[str, Any]:
    return {
        "issuer_name": office.name_vi,
        "issuer_title": title,
        "signer": signer,
        "issued_place": "Hà Nội",
    }


def _spouse(key: str, one: Citizen, residence: str) -> dict[str, Any]:
    return {
        f"{key}_name": one.name,
        f"{key}_birth_date": one.born_on,
        f"{key}_ethnicity": "Kinh",
        f"{key}_nationality": "Việt Nam",
        f"{key}_residence": residence,
        f"{key}_personal_number": one.number,
    }


def marriage(number: str, day: str) -> dict[str, Any]:
    """Give the fields of the parents' marriage certificate, registered on a day (ISO)."""
    return {
        "number": number,
        "registered_at": people.COMMUNE.name_vi,
        "registered_on": day,
        **_spouse("wife", people.MOTHER, HOME),
        **_spouse("husband", people.FATHER, "Phường Cầu Giấy, thành phố Hà Nội"),
        **_signed(people.COMMUNE, "CHỦ TỊCH", "Vũ Đức Toàn"),
    }


def land(number: str, day: str) -> dict[str, Any]:
    """Give the fields of the parents' land use certificate, which names both of them."""
    return {
        "number": number,
        "register_number": "CN 00871",
        "holder_name": f"Bà {people.MOTHER.name}",
        "holder_personal_number": people.MOTHER.number,
        "holder_address": HOME,
        "second_holder_name": f"Ông {people.FATHER.name}",
        "second_holder_personal_number": people.FATHER.number,
        "second_holder_address": HOME,
        "parcel_number": "118",
        "map_sheet_number": "27",
        "area": "86,4 m²",
        "land_purpose": "Đất ở tại đô thị",
        "use_term": "Lâu dài",
        "use_form": "Sử dụng chung",
        "parcel_address": "Ngõ 34 phố Hoàng Quốc Việt, phường Nghĩa Đô, thành phố Hà Nội",
        "use_origin": "Nhận chuyển nhượng đất được Nhà nước giao đất có thu tiền sử dụng đất",
        "assets": "Nhà ở riêng lẻ 3 tầng, diện tích xây dựng 62,0 m², diện tích sàn 186,0 m², sở hữu chung",
        "issued_on": day,
        **_signed(people.LAND_OFFICE, "GIÁM ĐỐC", "Lương Thị Bích Ngọc"),
    }


def enterprise(day: str) -> dict[str, Any]:
    """Give the fields of the workshop's registration certificate, which names its owner, the mother."""
    return {
        "tax_code": people.WORKSHOP.tax_code,
        "enterprise_name": people.WORKSHOP.name,
        "enterprise_name_short": "DNTN Hồng Nhung",
        "head_office": HOME,
        "capital": "500.000.000 đồng",
        "capital_words": "Năm trăm triệu đồng",
        "first_registered_on": day,
        "owner_name": people.MOTHER.name,
        "owner_sex": "Nữ",
        "owner_birth_date": people.MOTHER.born_on,
        "owner_nationality": "Việt Nam",
        "owner_personal_number": people.MOTHER.number,
        "owner_address": HOME,
        **_signed(people.BUSINESS_OFFICE, "TRƯỞNG PHÒNG", "Phùng Quang Vịnh"),
    }


def correction(number: str, day: str, *, of: str) -> dict[str, Any]:
    """Give the fields of the extract that corrects the daughter's birth certificate, `of` the number."""
    return {
        "number": number,
        "change_kind": "cải chính hộ tịch",
        "full_name": people.DAUGHTER.name,
        "birth_date": people.DAUGHTER.born_on,
        "sex": "Nữ",
        "ethnicity": "Kinh",
        "nationality": "Việt Nam",
        "personal_number": people.DAUGHTER.number,
        "residence": HOME,
        "changed_paper": f"Giấy khai sinh số {of}",
        "registered_at": people.COMMUNE.name_vi,
        "registered_on": day,
        "changes": [
            {"item": "Nơi sinh", "from": "Bệnh viện Phụ sản", "to": "Bệnh viện Phụ sản Hà Nội"},
        ],
        "ground": "Luật Hộ tịch 2014, Điều 28",
        **_signed(people.COMMUNE, "CHỦ TỊCH", "Vũ Đức Toàn"),
    }


def noted(number: str, day: str, *, extract: str) -> dict[str, Any]:
    """Give the fields of the daughter's birth certificate with that change noted."""
    return people.certificate(number, day, birth_place="Bệnh viện Phụ sản Hà Nội") | {
        "changes": [
            {
                "noted_on": day,
                "content": "Nơi sinh được cải chính từ “Bệnh viện Phụ sản” thành “Bệnh viện Phụ sản Hà Nội”.",
                "ground": f"Trích lục cải chính hộ tịch số {extract} của {people.COMMUNE.name_vi}",
                "noted_by": people.COMMUNE.officer_name,
            }
        ]
    }
