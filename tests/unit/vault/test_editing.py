"""Edits of the catalogue: dated, logged, respected by what comes later, and no dossier of before moves."""

import asyncio
import copy
import os
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from policies.edits import Change
from policies.entries import Text
from policies.packages import shipped_packages
from reuse_api.demo import people
from vault import catalogue, catalogue_work, cataloguing, dossiers, epochs, handling, staff
from vault.callers import StaffCaller, SystemCaller
from vault.days import legal_day
from vault.editing import NewEdit, end_edit, publish_edit
from vault.errors import FieldInvalid, NotAuthenticated, NotFound, RequestConflict
from vault.importing import import_procedure
from vault.registering import give_role
from vault.tables import catalogue_edit, entry_fact, row_reading

pytestmark = pytest.mark.anyio
KINSHIP = "KQ003606"
NOTE = Change("overrule", kind="note")


@pytest.fixture
async def administrator(house: Any) -> StaffCaller:
    return await signed_in(house, "administrator")


async def signed_in(house: Any, role: Any) -> StaffCaller:
    who = {"agency": people.COMMUNE.code, "officer": people.COMMUNE.officer}
    await give_role(house.vault, role=role, **who)
    ids = {"agency_id": people.COMMUNE.code, "officer_id": people.COMMUNE.officer}
    code = await staff.new_code(house.vault.db, house.vault.clock, role=role, **ids)
    found = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    assert found is not None
    return await house.vault.gate.check_staff(found[0])  # type: ignore[no-any-return]


@pytest.fixture
def today(house: Any) -> date:
    return legal_day(house.vault.clock.now())


@pytest.fixture
def edit(today: date) -> NewEdit:
    return NewEdit(
        procedure="1.004222",
        case="dieu-20.2",
        component=KINSHIP,
        change=NOTE,
        valid_from=today,
        valid_until=None,
        reason="Dữ liệu đã có trong Cơ sở dữ liệu quốc gia về dân cư",
        legal_reference="Nghị định 154/2024/NĐ-CP, Điều 6",
    )


def key() -> str:
    return os.urandom(8).hex()


async def asked(house: Any, police: SystemCaller) -> set[str]:
    """Open a dossier now, and give what it is asked for."""
    code = await house.opens(police, people.POLICE, house.residence())
    return await asked_in(house, code)


async def asked_in(house: Any, code: str) -> set[str]:
    async with house.vault.db.read() as db:
        opened = await dossiers.one(db, code)
    assert opened is not None
    return {row.code for row in opened.components}


async def test_an_edit_speaks_in_dossiers_opened_after_it_alone(
    house: Any, police: SystemCaller, administrator: StaffCaller, edit: NewEdit
) -> None:
    before = await house.opens(police, people.POLICE, house.residence())
    told = await publish_edit(house.vault, administrator, edit, key=key())
    assert await asked(house, police) == {"CT01"}
    assert await asked_in(house, before) == {KINSHIP, "CT01"}
    await end_edit(house.vault, administrator, told["edit"], until=edit.valid_from, reason="nhầm", key=key())
    assert await asked(house, police) == {"CT01"}, "its last day is today"


async def test_a_dossier_opened_at_that_very_moment_keeps_what_it_was_answered(
    house: Any, police: SystemCaller, administrator: StaffCaller, edit: NewEdit
) -> None:
    codes = [house.code(people.POLICE) for _ in range(6)]
    opening = [handling.open_dossier(house.vault, police, code, house.residence()) for code in codes]
    publishing = publish_edit(house.vault, administrator, edit, key=key())
    published, answers = await asyncio.gather(publishing, asyncio.gather(*opening))
    assert published["edit"]
    for told in answers:
        assert isinstance(told, dict), told
        assert await asked_in(house, told["dossier"]) == {one["component"] for one in told["components"]}


async def test_a_day_that_has_not_come_changes_nothing_yet(
    house: Any, police: SystemCaller, administrator: StaffCaller, edit: NewEdit
) -> None:
    later = replace(edit, valid_from=edit.valid_from + timedelta(days=30))
    told = await publish_edit(house.vault, administrator, later, key=key())
    assert await asked(house, police) == {KINSHIP, "CT01"}
    withdrawn = await end_edit(
        house.vault, administrator, told["edit"], until=edit.valid_from, reason="rút lại", key=key()
    )
    assert withdrawn["edit"] == told["edit"]
    await publish_edit(house.vault, administrator, later, key=key())


async def test_publishing_and_ending_are_entries_and_raise_the_books_epoch(
    house: Any, administrator: StaffCaller, edit: NewEdit
) -> None:
    async def epoch() -> int:
        async with house.vault.db.read() as db:
            return (await epochs.read(db, [epochs.BOOK]))["book:book"]

    size, before = await house.size(), await epoch()
    told = await publish_edit(house.vault, administrator, edit, key=key())
    await end_edit(house.vault, administrator, told["edit"], until=edit.valid_from, reason="nhầm", key=key())
    facts = await house.rows(select(entry_fact).where(entry_fact.c.idx >= size).order_by(entry_fact.c.idx))
    assert [(row.event, row.officer, row.procedure, row.component) for row in facts] == [
        ("catalogue_edit_published", people.COMMUNE.officer, "1.004222", KINSHIP),
        ("catalogue_edit_ended", people.COMMUNE.officer, "1.004222", KINSHIP),
    ]
    assert await epoch() == before + 2


async def test_the_kept_readings_follow_the_edit(
    house: Any, administrator: StaffCaller, edit: NewEdit
) -> None:
    query = select(row_reading.c.kind, row_reading.c.rule, row_reading.c.edit).where(
        row_reading.c.procedure == "1.004222", row_reading.c.component == KINSHIP
    )
    told = await publish_edit(house.vault, administrator, edit, key=key())
    assert [tuple(row) for row in await house.rows(query)] == [("note", "own_edit", told["edit"])]
    found = await cataloguing.described(house.vault, "1.004222")
    row = next(one for one in found.rows if one.component == KINSHIP)
    assert (row.kind, row.rule, row.edit) == ("note", "own_edit", told["edit"])


async def test_a_changed_package_keeps_the_edit_and_reads_its_effect_again(
    house: Any, administrator: StaffCaller, edit: NewEdit
) -> None:
    told = await publish_edit(house.vault, administrator, edit, key=key())
    package = copy.deepcopy(next(row for row in shipped_packages() if row["code"] == "1.004222"))
    package["updatedAt"] = 1
    imported = await import_procedure(house.vault, package)
    row = next(one for one in imported.procedure.all_components() if one.code == KINSHIP)
    assert (imported.version, row.kind, row.edit) == (2, "note", told["edit"])
    for heading in package["executionCases"]:
        rows = heading["profileComponents"]
        heading["profileComponents"] = [one for one in rows if not one["code"].endswith(KINSHIP)]
    gone = await import_procedure(house.vault, package)
    assert gone.version == 3
    work = await catalogue_work.work_list(house.vault, after=None, limit=100)
    assert (KINSHIP, "edit_idle") in [(one.component, one.reason) for one in work]
    assert (await cataloguing.described(house.vault, "1.004222")).idle >= {told["edit"]}


async def test_the_first_version_is_still_shown_as_it_was_read(
    house: Any, administrator: StaffCaller, edit: NewEdit
) -> None:
    package = copy.deepcopy(next(row for row in shipped_packages() if row["code"] == "1.004222"))
    package["updatedAt"] = 1
    await import_procedure(house.vault, package)
    await publish_edit(house.vault, administrator, edit, key=key())
    first = await cataloguing.described(house.vault, "1.004222", 1)
    assert [one.version for one in first.versions] == [2, 1]
    assert next(one for one in first.rows if one.component == KINSHIP).rule == "document"
    with pytest.raises(NotFound):
        await cataloguing.described(house.vault, "1.004222", 3)


async def test_a_line_is_added_with_a_condition_of_its_own(
    house: Any, police: SystemCaller, administrator: StaffCaller, edit: NewEdit
) -> None:
    change = Change(
        "add",
        kind="document",
        name=Text("Giấy xác nhận\u202e của cơ quan", "Confirmation"),
        condition="lives_abroad",
        condition_name=Text("Người đang ở nước ngoài", "Lives abroad"),
        originals=1,
    )
    await publish_edit(house.vault, administrator, replace(edit, component="XN01", change=change), key=key())
    assert await asked(house, police) == {KINSHIP, "CT01"}
    code = await house.opens(police, people.POLICE, house.residence(conditions=("lives_abroad",)))
    assert await asked_in(house, code) == {KINSHIP, "CT01", "XN01"}
    async with house.vault.db.read() as db:
        found = await catalogue.latest(db, "1.004222", house.vault.clock.now())
    assert found is not None
    assert found[1].component("XN01").name == "Giấy xác nhận của cơ quan"


async def test_a_shipped_edit_that_was_ended_does_not_come_back(
    house: Any, administrator: StaffCaller, today: date
) -> None:
    await end_edit(
        house.vault, administrator, "kho-ct01-dieu-20.2", until=today, reason="đã sửa gói", key=key()
    )
    package = copy.deepcopy(next(row for row in shipped_packages() if row["code"] == "1.004222"))
    package["updatedAt"] = 1
    await import_procedure(house.vault, package)
    (row,) = await house.rows(select(catalogue_edit).where(catalogue_edit.c.procedure == "1.004222"))
    assert (row.valid_until, row.end_reason) == (today.isoformat(), "đã sửa gói")


async def test_the_same_request_again_is_done_once(
    house: Any, administrator: StaffCaller, edit: NewEdit
) -> None:
    once = key()
    first = await publish_edit(house.vault, administrator, edit, key=once)
    assert await publish_edit(house.vault, administrator, edit, key=once) == first
    with pytest.raises(RequestConflict):
        await publish_edit(house.vault, administrator, replace(edit, reason="khác"), key=once)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"procedure": "9.999999"}, "procedure", "procedure_unknown"),
        ({"procedure": "nothing"}, "procedure", "procedure_code_malformed"),
        ({"component": ""}, "component", "component_code_malformed"),
        ({"component": "KQ999999"}, "component", "component_unknown"),
        ({"case": "nowhere"}, "case", "case_unknown"),
        ({"valid_until": date(2020, 1, 1)}, "valid_until", "dates_in_wrong_order"),
        ({"reason": "\u200e \u202e"}, "reason", "too_short"),
        ({"reason": "x" * 1001}, "reason", "too_long"),
        ({"legal_reference": ""}, "legal_reference", "too_short"),
        ({"change": Change("overrule")}, "change", "edit_changes_nothing"),
        ({"change": Change("overrule", condition="It rains")}, "condition", "value_malformed"),
        ({"change": Change("overrule", alternative="Giấy tờ")}, "alternative", "value_malformed"),
        ({"change": Change("overrule", name=Text("Giấy", " "))}, "name.en", "too_short"),
        ({"component": "CT01", "change": NOTE}, "component", "edit_overlaps"),
    ],
)
async def test_what_cannot_be_published(
    house: Any, administrator: StaffCaller, edit: NewEdit, change: Any, field: str, code: str
) -> None:
    size = await house.size()
    with pytest.raises(FieldInvalid) as refused:
        await publish_edit(house.vault, administrator, replace(edit, **change), key=key())
    assert (refused.value.field, refused.value.code) == (field, code)
    assert await house.size() == size


async def test_what_cannot_be_ended(
    house: Any, administrator: StaffCaller, edit: NewEdit, today: date
) -> None:
    until = today + timedelta(days=10)
    told = await publish_edit(house.vault, administrator, replace(edit, valid_until=until), key=key())
    for day, code in ((today - timedelta(days=1), "day_has_passed"), (until, "edit_ends_before")):
        with pytest.raises(FieldInvalid) as refused:
            await end_edit(house.vault, administrator, told["edit"], until=day, reason="x", key=key())
        assert refused.value.code == code
    with pytest.raises(NotFound):
        await end_edit(house.vault, administrator, "edt-none", until=today, reason="x", key=key())


@pytest.mark.parametrize("role", ["desk", "auditor"])
async def test_only_an_administrator_edits(house: Any, edit: NewEdit, role: Any, today: date) -> None:
    other = await signed_in(house, role)
    with pytest.raises(NotAuthenticated):
        await publish_edit(house.vault, other, edit, key=key())
    with pytest.raises(NotAuthenticated):
        await end_edit(house.vault, other, "kho-ct01-dieu-20.2", until=today, reason="x", key=key())


async def test_the_work_list_names_rows_without_a_mapping_and_goes_on_where_it_stopped(house: Any) -> None:
    whole = await catalogue_work.work_list(house.vault, after=None, limit=1000)
    assert {one.reason for one in whole} == {"no_mapping"}
    assert ("1.013225", "KQ002712") in [(one.procedure, one.component) for one in whole]
    assert all(one.component != KINSHIP for one in whole)
    pages, after = [], None
    while found := await catalogue_work.work_list(house.vault, after=after, limit=7):
        pages += found
        after = found[-1].cursor
    assert pages == whole


async def test_an_unknown_procedure_brings_derived_keys_and_suggestions_to_the_work_list(house: Any) -> None:
    rows = [
        ("KQ1", "Bản sao Giấy chứng nhận kết hôn"),
        ("KQ2", "Trường hợp ly hôn thì phải nộp bản án"),
    ]
    package = {
        "code": "1.999999",
        "name": "Thủ tục thử",
        "executionCases": [
            {
                "name": "Cấp mới",
                "profileComponents": [
                    {"code": code, "name": name, "originalQty": 1, "copyQty": 0} for code, name in rows
                ],
            }
        ],
    }
    await import_procedure(house.vault, package)
    work = await catalogue_work.work_list(house.vault, after=None, limit=1000)
    found = [(one.component, one.reason, one.types) for one in work if one.procedure == "1.999999"]
    assert found == [
        ("", "case_key_derived", ()),
        ("KQ1", "no_mapping", ("GCNKH",)),
        ("KQ2", "conditional_wording", ()),
        ("KQ2", "no_mapping", ()),
    ]
