"""The form of a result has every field of its template, once, and what it sends composes the paper."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from policies.book import shipped_book
from reuse_api.pages.desk_fields import groups_of, tables_of
from reuse_api.pages.desk_result_typed import TypedResult, prefilled
from signing.composing import compose
from signing.template_fields import TEMPLATES as ALL
from vault.progress import Party
from vault.result_paper import TEMPLATES

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
DAUGHTER = Party(
    "applicant",
    "Nguyễn Minh Anh",
    "personal_number",
    "••••••••2347",
    "001307012347",
    date(2007, 3, 14),
    False,
    None,
)
MOTHER = Party(
    "mother", "Trần Thị Hồng Nhung", "personal_number", "••••••••4562", "001180034562", None, False, None
)


def filled(kind: str) -> dict[str, str]:
    """Fill every field of the form of a type, as somebody at the keyboard would."""
    template = TEMPLATES[kind]
    sent = {"role-applicant": "on"}
    for group in groups_of(template):
        sent |= {f"f-{one.name}": _text(one.kind) for one in group.fields}
    for table in tables_of(template):
        sent |= {f"l-{table.name}-1-{one.name}": _text(one.kind) for one in table.fields}
    return sent


def _text(kind: str) -> str:
    return {"date": "2026-11-25", "flag": "on"}.get(kind, "Việt Nam")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_field_of_a_template_stands_in_its_form_once(kind: str) -> None:
    known = ALL[TEMPLATES[kind]]
    shown = [one.name for group in groups_of(TEMPLATES[kind]) for one in group.fields]
    shown += [table.name for table in tables_of(TEMPLATES[kind])]
    assert sorted(shown) == sorted(known.names)
    for table in tables_of(TEMPLATES[kind]):
        assert {one.name for one in table.fields} == known.lists[table.name].names


@pytest.mark.parametrize("kind", TEMPLATES)
def test_what_a_full_form_sends_composes_the_paper(kind: str) -> None:
    groups, tables = groups_of(TEMPLATES[kind]), tables_of(TEMPLATES[kind])
    typed = TypedResult.read(filled(kind), kind, tables)
    assert typed.faults(groups, tables) == {}
    body = typed.body(groups)
    assert body["owner_roles"] == ["applicant"]
    assert compose(TEMPLATES[kind], body["fields"], at=AT).startswith(b"%PDF")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_empty_form_names_every_field_that_must_be_there(kind: str) -> None:
    known = ALL[TEMPLATES[kind]]
    groups, tables = groups_of(TEMPLATES[kind]), tables_of(TEMPLATES[kind])
    faults = TypedResult.read({}, kind, tables).faults(groups, tables)
    needed = known.required - known.flags
    expected = {f"f-{name}" for name in needed - known.lists.keys()}
    expected |= {f"l-{name}" for name in needed & known.lists.keys()}
    assert faults.keys() == expected | {"roles"}


def test_what_the_dossier_knows_need_not_be_typed() -> None:
    template = TEMPLATES["GKS"]
    known = shipped_book().record_type("GKS", date(2026, 11, 25))
    assert known is not None
    typed: Any = prefilled(
        "GKS",
        groups_of(template),
        tables_of(template),
        [DAUGHTER, MOTHER],
        known.owner_roles,
        agency="UBND phường",
        today=date(2026, 11, 25),
    )
    assert typed.roles == ("applicant",)
    wanted = {
        "full_name": DAUGHTER.name,
        "personal_number": DAUGHTER.number,
        "birth_date": "2007-03-14",
        "mother_name": MOTHER.name,
        "mother_personal_number": MOTHER.number,
        "issuer_name": "UBND phường",
        "registered_on": "2026-11-25",
        "father_name": "",
        "signer": "",
    }
    assert {name: typed.fields[name] for name in wanted} == wanted


def test_rows_of_a_list_are_added_up_to_the_most_and_blank_ones_left_out() -> None:
    template = TEMPLATES["TLTDCC"]
    typed = TypedResult.read({"l-changes-3-item": "Họ"}, "TLTDCC", tables_of(template))
    for _ in range(30):
        typed = typed.with_item("changes")
    assert len(typed.items["changes"]) == 20
    assert typed.body(groups_of(template))["fields"]["changes"] == [{"item": "Họ"}]
    faults = typed.faults(groups_of(template), tables_of(template))
    assert {"l-changes-0-from", "l-changes-0-to"} <= faults.keys()
