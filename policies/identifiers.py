"""Checks of the identifiers Kho meets: each takes text and gives its one canonical form, or raises.

Sources: notes on formats (QCVN 102 and QĐ 20/2020/QĐ-TTg for agencies, TT 03/2025/TT-VPCP for dossiers,
Luật Căn cước for personal numbers, the tax administration's check digit).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from policies.errors import IdentifierInvalid

CODES: frozenset[str] = frozenset(
    {
        "personal_number_malformed",
        "personal_number_implausible",
        "old_identity_number_malformed",
        "passport_number_malformed",
        "tax_code_malformed",
        "tax_code_check_digit",
        "agency_code_malformed",
        "procedure_code_malformed",
        "dossier_code_malformed",
        "dossier_code_date",
        "component_code_malformed",
        "identifier_scheme_unknown",
    }
)

_AGENCY_SHORT = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{2}){0,3}")
_AGENCY_REVERSED = re.compile(r"([0-9]{3})\.([0-9]{2})\.([0-9]{2})\.([A-Z][0-9]{2})")
_PROCEDURE = re.compile(r"([0-9]\.[0-9]{6})(\.[0-9]{2})?")
_PROCEDURE_OF_PROVINCE = re.compile(r"[0-9]\.[0-9]{6}\.000\.00\.00\.[A-Z][0-9]{2}")
_DOSSIER = re.compile(r"([A-Z0-9.]{3,13})-([0-9]{6})-([0-9]{4,6})")
_NATIONAL_COMPONENT = re.compile(
    r"(?:[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.)?[A-Z][0-9]{2}(?:\.[0-9]{3}){0,3}-(KQ[0-9]+)"
)
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _digits(text: str, length: int) -> bool:
    # str.isdigit alone would let other scripts' digits through
    return len(text) == length and text.isascii() and text.isdigit()


def personal_number(text: str, *, on: date | None = None) -> str:
    """Check a personal identification number (số định danh cá nhân): 12 digits, no check digit.

    Three digits for the place (provinces 001 to 096, countries from 101), one for century and sex, two for
    the year of birth. Centuries after this one are implausible; with `on`, so is a later birth.
    Raises IdentifierInvalid (personal_number_malformed, personal_number_implausible).
    """
    number = _plain(text)
    if not _digits(number, 12):
        raise IdentifierInvalid("personal_number", "personal_number_malformed")
    place, century, born = int(number[:3]), int(number[3]) // 2, birth_year(number)
    unplaced = place == 0 or 97 <= place <= 100
    if unplaced or century > 1 or (on is not None and born > on.year):
        raise IdentifierInvalid("personal_number", "personal_number_implausible")
    return number


def birth_year(number: str) -> int:
    """Read the year of birth in a personal number that was checked."""
    return 1900 + 100 * (int(number[3]) // 2) + int(number[4:6])


def old_identity_number(text: str) -> str:
    """Check a number of the former identity card (CMND): nine digits. Raises IdentifierInvalid."""
    number = _plain(text)
    if not _digits(number, 9):
        raise IdentifierInvalid("old_identity_number", "old_identity_number_malformed")
    return number


def passport_number(text: str) -> str:
    """Check a passport number: 6 to 12 capital letters and digits (ICAO 9303 leaves the rest to States)."""
    number = _plain(text).upper()
    if not re.fullmatch(r"[A-Z0-9]{6,12}", number):
        raise IdentifierInvalid("passport_number", "passport_number_malformed")
    return number


def tax_code(text: str) -> str:
    """Check a tax or enterprise code (MST): 10 digits with check digit, or 13 for a branch (001 to 999).

    Canonical: `0100109106`, `0100109106-001`. The check is 10 - (weighted sum mod 11); a result of 10 is
    never issued. Raises IdentifierInvalid (tax_code_malformed, tax_code_check_digit).
    """
    number = _plain(text)
    if _digits(number, 13):
        number = f"{number[:10]}-{number[10:]}"
    main, dash, branch = number.partition("-")
    if not _digits(main, 10) or (dash and (not _digits(branch, 3) or branch == "000")):
        raise IdentifierInvalid("tax_code", "tax_code_malformed")
    weighted = sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, main, strict=False))
    if 10 - weighted % 11 != int(main[9]):
        raise IdentifierInvalid("tax_code", "tax_code_check_digit")
    return number


def agency_code(text: str) -> str:
    """Check an agency code and give its short dotted form: `H56.14`, also from the old `000.00.14.H56`.

    Raises IdentifierInvalid (agency_code_malformed).
    """
    code = _plain(text).upper()
    if _AGENCY_SHORT.fullmatch(code):
        return code
    old = _AGENCY_REVERSED.fullmatch(code)
    if old is None or int(old[1]) > 99:
        raise IdentifierInvalid("agency_code", "agency_code_malformed")
    parts = [old[4], old[3], old[2], old[1][1:]]
    while parts[-1] == "00":
        parts.pop()
    return ".".join(parts)


def is_at_or_below(code: str, ancestor: str) -> bool:
    """Say whether an agency code is the ancestor or stands below it: `H56.14.02` is below `H56.14`.

    Both may be in either form; raises IdentifierInvalid for what is not an agency code.
    """
    parts, above = agency_code(code).split("."), agency_code(ancestor).split(".")
    return parts[: len(above)] == above


def procedure_code(text: str) -> str:
    """Check a procedure code: `1.004884`; a case suffix (`1.004884.01`) is not another procedure and is cut.

    A province's own variant (`1.004616.000.00.00.H56`) is kept. Raises IdentifierInvalid.
    """
    code = _plain(text).upper()
    if _PROCEDURE_OF_PROVINCE.fullmatch(code):
        return code
    plain = _PROCEDURE.fullmatch(code)
    if plain is None:
        raise IdentifierInvalid("procedure_code", "procedure_code_malformed")
    return plain[1]


@dataclass(frozen=True)
class DossierCode:
    """A dossier code in its parts: the receiving agency (short form), the day, the serial of that day."""

    agency: str
    day: date
    serial: str

    @property
    def text(self) -> str:
        """The canonical writing, e.g. `H56.14-250201-0001`."""
        return f"{self.agency}-{self.day:%y%m%d}-{self.serial}"


def dossier_code(text: str) -> DossierCode:
    """Read a dossier code `{agency}-{yyMMdd}-{serial of 4 to 6 digits}`; years are of this century.

    Raises IdentifierInvalid (dossier_code_malformed, dossier_code_date).
    """
    parts = _DOSSIER.fullmatch(_plain(text).upper())
    if parts is None:
        raise IdentifierInvalid("dossier_code", "dossier_code_malformed")
    day = parts[2]
    try:
        agency = agency_code(parts[1])
    except IdentifierInvalid as malformed:
        raise IdentifierInvalid("dossier_code", "dossier_code_malformed") from malformed
    try:
        return DossierCode(agency, date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])), parts[3])
    except ValueError as impossible:
        raise IdentifierInvalid("dossier_code", "dossier_code_date") from impossible


def component_code(text: str) -> str:
    """Give the one writing of a component code that Kho uses: `KQ003606`, also for `000.00.00.G01-KQ003606`.

    The agency part is cut because a component is always named together with its procedure, and within one
    procedure the short form is unique (reading a package checks it). More than ten other shapes exist: those
    are opaque, only spaces, a trailing dot and the case of plain ASCII are evened out.
    Raises IdentifierInvalid.
    """
    code = " ".join(_plain(text).split()).rstrip(".")
    if not code or len(code) > 120 or not code.isprintable():
        raise IdentifierInvalid("component_code", "component_code_malformed")
    if code.isascii():
        code = code.upper()
    national = _NATIONAL_COMPONENT.fullmatch(code)
    return national[1] if national else code


_SCHEMES: dict[str, Callable[[str], str]] = {
    "personal_number": personal_number,
    "old_identity_number": old_identity_number,
    "passport_number": passport_number,
    "tax_code": tax_code,
    "agency_code": agency_code,
}
SCHEMES: tuple[str, ...] = tuple(_SCHEMES)


def identifier(scheme: str, value: str) -> str:
    """Check an owner's identifier under its scheme (one of SCHEMES) and give the canonical form.

    Raises IdentifierInvalid, with code identifier_scheme_unknown for a scheme Kho does not know.
    """
    check = _SCHEMES.get(scheme)
    if check is None:
        raise IdentifierInvalid("identifier", "identifier_scheme_unknown")
    return check(value)
