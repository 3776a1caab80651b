"""Who somebody is by the claims of the National Portal of Public Services (its own claim names).

A person is known by SoDinhDanh, an organisation (LoaiTaiKhoan 2) by MaSoThue; agencies, roles and rights are
in no claim. The names of the claims were read in public code of connected systems, not in a specification.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from policies.errors import IdentifierInvalid
from policies.identifiers import identifier

NEEDED = ("SoDinhDanh", "MaSoThue")
_ORGANISATION = "2"
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")
SCHEMES = ("personal_number", "tax_code")  # by which somebody signs in; a store has one of them, once


@dataclass(frozen=True)
class Identity:
    """A person or an organisation, as the claims of the citizens' provider name them."""

    scheme: str  # one of SCHEMES
    value: str
    name: str
    born_on: date | None = None


def needs_more(claims: Mapping[str, Any]) -> bool:
    """Say whether the claims of a token alone name nobody, so that the provider is asked for more."""
    return not any(_text(claims, name) for name in NEEDED)


def identity(claims: Mapping[str, Any]) -> Identity | None:
    """Read who it is, by an identifier that can be one; None where the claims name nobody."""
    named = _named(claims)
    if named is None:
        return None
    try:
        return replace(named, value=identifier(named.scheme, named.value))
    except IdentifierInvalid:
        return None


def _named(claims: Mapping[str, Any]) -> Identity | None:
    kind = _text(claims, "LoaiTaiKhoan")
    number, tax_code = _text(claims, "SoDinhDanh"), _text(claims, "MaSoThue")
    if kind == _ORGANISATION or (not kind and tax_code and not number):
        name = _text(claims, "TenDoanhNghiep") or _text(claims, "HoVaTen")
        return Identity("tax_code", tax_code, name) if tax_code else None
    if not number:
        return None
    return Identity("personal_number", number, _text(claims, "HoVaTen"), _born(claims))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return " ".join(unicodedata.normalize("NFC", value).split()) if isinstance(value, str) else ""


def _born(claims: Mapping[str, Any]) -> date | None:
    said = _text(claims, "NgayThangNamSinh")
    for form in _DAYS:
        try:
            return datetime.strptime(said, form).date()
        except ValueError:
            continue
    return None
