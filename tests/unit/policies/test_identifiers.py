"""Identifiers: what is taken, its one writing, and what is refused without echoing it."""

from datetime import date

import pytest

from policies import identifiers
from policies.errors import IdentifierInvalid


@pytest.mark.parametrize(
    ("check", "text", "canonical"),
    [
        (identifiers.personal_number, " 001307012345 ", "001307012345"),
        (identifiers.old_identity_number, "012345678", "012345678"),
        (identifiers.passport_number, "c1234567", "C1234567"),
        (identifiers.tax_code, "0100109106", "0100109106"),
        (identifiers.tax_code, "0100109106001", "0100109106-001"),
        (identifiers.tax_code, "0100109106-001", "0100109106-001"),
        (identifiers.agency_code, "000.00.00.H56", "H56"),
        (identifiers.agency_code, "000.00.14.h56", "H56.14"),
        (identifiers.agency_code, "003.02.01.H05", "H05.01.02.03"),
        (identifiers.agency_code, "H01.02.03.04", "H01.02.03.04"),
        (identifiers.procedure_code, "1.004884", "1.004884"),
        (identifiers.procedure_code, "1.004884.01", "1.004884"),
        (identifiers.procedure_code, "1.004616.000.00.00.H56", "1.004616.000.00.00.H56"),
        (identifiers.component_code, "000.00.00.G01-KQ003606", "KQ003606"),
        (identifiers.component_code, "g01-kq003606.", "KQ003606"),
        (identifiers.component_code, "KQ003606", "KQ003606"),
        (identifiers.component_code, "TP-H24.000089", "TP-H24.000089"),
        (identifiers.component_code, "Mẫu  số 01_15", "Mẫu số 01_15"),
    ],
)
def test_taken_in_one_writing(check, text, canonical):
    assert check(text) == canonical
    assert check(canonical) == canonical


@pytest.mark.parametrize(
    ("check", "text", "code"),
    [
        (identifiers.personal_number, "00130701234", "personal_number_malformed"),
        (identifiers.personal_number, "00130701234x", "personal_number_malformed"),
        (identifiers.personal_number, "٠٠١٣٠٧٠١٢٣٤٥", "personal_number_malformed"),
        (identifiers.personal_number, "000307012345", "personal_number_implausible"),
        (identifiers.personal_number, "098307012345", "personal_number_implausible"),
        (identifiers.personal_number, "001507012345", "personal_number_implausible"),
        (identifiers.old_identity_number, "12345678", "old_identity_number_malformed"),
        (identifiers.passport_number, "C12-4567", "passport_number_malformed"),
        (identifiers.tax_code, "0100109107", "tax_code_check_digit"),
        (identifiers.tax_code, "0100109106-000", "tax_code_malformed"),
        (identifiers.tax_code, "0100109106-", "tax_code_malformed"),
        (identifiers.tax_code, "010010910", "tax_code_malformed"),
        (identifiers.agency_code, "H5", "agency_code_malformed"),
        (identifiers.agency_code, "H56.1", "agency_code_malformed"),
        (identifiers.agency_code, "103.00.00.H56", "agency_code_malformed"),
        (identifiers.procedure_code, "1.00488", "procedure_code_malformed"),
        (identifiers.dossier_code, "H56.14-250229-0001", "dossier_code_date"),
        (identifiers.dossier_code, "H56.14-250201-001", "dossier_code_malformed"),
        (identifiers.dossier_code, "H56.1-250201-0001", "dossier_code_malformed"),
        (identifiers.component_code, "  ", "component_code_malformed"),
        (identifiers.component_code, "KQ\x0012", "component_code_malformed"),
    ],
)
def test_refused_with_a_code_and_without_the_value(check, text, code):
    with pytest.raises(IdentifierInvalid) as refused:
        check(text)
    assert refused.value.code == code
    assert code in identifiers.CODES
    assert text.strip() == "" or text not in str(refused.value)


def test_a_birth_after_the_day_is_implausible():
    assert identifiers.personal_number("001326012345", on=date(2026, 1, 1))
    with pytest.raises(IdentifierInvalid):
        identifiers.personal_number("001327012345", on=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("code", "ancestor", "below"),
    [
        ("H56", "H56", True),
        ("H56.14.02", "H56.14", True),
        ("000.00.14.H56", "H56", True),
        ("H56", "H56.14", False),
        ("H56.15", "H56.14", False),
        ("H57.14", "H56", False),
    ],
)
def test_at_or_below(code, ancestor, below):
    assert identifiers.is_at_or_below(code, ancestor) is below


def test_a_dossier_code_comes_apart_and_together():
    code = identifiers.dossier_code(" 000.00.14.H56-250201-000123 ")
    assert (code.agency, code.day, code.serial) == ("H56.14", date(2025, 2, 1), "000123")
    assert identifiers.dossier_code(code.text) == code


def test_schemes():
    assert identifiers.identifier("tax_code", "0100109106") == "0100109106"
    with pytest.raises(IdentifierInvalid) as refused:
        identifiers.identifier("star_sign", "leo")
    assert refused.value.code == "identifier_scheme_unknown"
