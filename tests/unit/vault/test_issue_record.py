"""Records outside a dossier: two owners of one certificate, an enterprise and its owner, what is refused."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from policies.facts import Validity
from reuse_api.demo import papers, people
from signing.leaf import Kind
from tests.conftest import House
from vault import deliver, finding, issue, issue_record, issued_search, notifying, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.drafting import OpenDossier, Person
from vault.errors import FieldInvalid
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner
from vault.issued_search import Sought
from vault.owners import by_identifier
from vault.services import Refusal
from vault.tables import record, record_owner, record_relation

pytestmark = pytest.mark.anyio
WHY = {"ground": "Luật Đất đai 2024, Điều 152", "reason": "Đính chính diện tích"}
WIFE = RecordOwner("wife", "personal_number", people.MOTHER.number, people.MOTHER.name)
HUSBAND = RecordOwner("husband", "personal_number", people.FATHER.number, people.FATHER.name)
WORKSHOP = RecordOwner("enterprise", "tax_code", people.WORKSHOP.tax_code, people.WORKSHOP.name)


@pytest.fixture
async def land(house: House) -> SystemCaller:
    return await house.system(people.LAND_OFFICE)


def today(house: House) -> str:
    return legal_day(house.vault.clock.now()).isoformat()


def certificate(house: House, number: str = "AA 00123456", **changes: Any) -> RecordBody:
    return replace(RecordBody("GCNQSDD", (WIFE, HUSBAND), papers.land(number, today(house))), **changes)


async def store(
    house: House, caller: SystemCaller, body: RecordBody, file: Any = None, key: str | None = None
) -> Any:
    return await issue_record.issue_record(house.vault, caller, body, file, key=key or os.urandom(8).hex())


async def owner_of(house: House, scheme: str, value: str) -> str | None:
    async with house.vault.db.read() as db:
        return await by_identifier(db, scheme, value)


async def test_wife_and_husband_own_one_certificate_each_with_a_key_and_a_code(
    house: House, land: SystemCaller, mother: OwnerCaller
) -> None:
    assert await owner_of(house, "personal_number", people.FATHER.number) is None
    told = await store(house, land, certificate(house), key="once")
    assert (told["trust"], told["verdict"], told["type"]) == ("A", "valid", "GCNQSDD")
    assert told["document_codes"] == {
        "wife": f"{people.MOTHER.number}-GCNQSDD-0001",
        "husband": f"{people.FATHER.number}-GCNQSDD-0001",
    }
    father = await house.owner(people.FATHER)
    rows = await house.rows(select(record_owner).where(record_owner.c.record == told["record"]))
    assert {row.owner for row in rows} == {mother.owner, father.owner}
    assert len({row.wrapped_key for row in rows}) == 2
    read = []
    for one in (mother, father):
        delivery = await deliver.read_own(house.vault, one, told["record"])
        assert isinstance(delivery, deliver.Delivery)
        read.append(await house.drained(delivery))
        assert [entry.kind for entry in await house.last(one, 2)][-1] is Kind.DELIVERED
    assert read[0] == read[1]
    size = await house.size()
    assert await store(house, land, certificate(house), key="once") == told
    assert await house.size() == size
    fields = await house.rows(select(record_relation).where(record_relation.c.record == told["record"]))
    assert {row.field for row in fields} == {"holder", "second_holder"}


async def test_a_private_enterprise_owns_its_certificate_and_the_data_name_its_owner(
    house: House, mother: OwnerCaller
) -> None:
    office = await house.system(people.BUSINESS_OFFICE)
    body = RecordBody("GCNDKDN", (WORKSHOP,), papers.enterprise(today(house)))
    told = await store(house, office, body)
    assert told["document_codes"] == {"enterprise": f"{people.WORKSHOP.tax_code}-GCNDKDN-0001"}
    (row,) = await house.rows(select(record).where(record.c.id == told["record"]))
    assert row.number == people.WORKSHOP.tax_code
    (owner,) = await house.rows(select(record_owner).where(record_owner.c.record == told["record"]))
    assert owner.owner == await owner_of(house, "tax_code", people.WORKSHOP.tax_code)
    held = await finding.my_records(house.vault, mother)
    assert told["record"] not in [one.id for one in held], "it is the enterprise's, not hers"
    (relation,) = await house.rows(
        select(record_relation.c.field).where(record_relation.c.record == told["record"])
    )
    assert relation.field == "owner"


async def test_the_same_certificate_by_the_dossier_that_founds_the_enterprise(house: House) -> None:
    office = await house.system(people.BUSINESS_OFFICE)
    persons = (
        house.person(people.MOTHER, "applicant"),
        Person("enterprise", "tax_code", people.WORKSHOP.tax_code, people.WORKSHOP.name),
    )
    founding = OpenDossier(
        people.ENTERPRISE_FOUNDING, people.FOUNDING_CASE, (), (), persons, "officer_check", "CCCD", "counter"
    )
    code = await house.opens(office, people.BUSINESS_OFFICE, founding)
    fields = papers.enterprise(today(house))
    result = ResultBody("GCNDKDN", ("enterprise",), fields, None, None, None, None)
    told = await issue.issue(house.vault, office, code, result, None, key="found")
    assert isinstance(told, dict), told
    assert told["document_codes"] == {"enterprise": f"{people.WORKSHOP.tax_code}-GCNDKDN-0001"}
    hers = replace(result, owner_roles=("applicant",))
    assert isinstance(await issue.issue(house.vault, office, code, hers, None, key="hers"), dict)
    other = replace(result, fields=fields | {"tax_code": "0100109106"})
    with pytest.raises(FieldInvalid) as raised:
        await issue.issue(house.vault, office, code, other, None, key="other")
    assert (raised.value.field, raised.value.code) == ("fields.tax_code", "number_of_another_person")


async def test_a_noted_change_replaces_the_certificate_and_open_dossiers_hear(
    house: House, commune: SystemCaller, police: SystemCaller, daughter: OwnerCaller
) -> None:
    moving = await house.opens(police, people.POLICE, house.residence())
    release = await house.releases(police, moving, house.daughters)
    assert await house.reads(police, release)
    change = house.reregistration(procedure=people.CIVIL_STATUS_CHANGE)
    code = await house.opens(commune, people.COMMUNE, change)
    day = today(house)
    extract = ResultBody(
        "TLTDCC", ("applicant",), papers.correction("12/TLCC-UBND", day, of="101/2026"), *[None] * 4
    )
    noted = ResultBody(
        "GKS",
        ("applicant",),
        papers.noted("101/2026", day, extract="12/TLCC-UBND"),
        *[None] * 4,
        replaces=(house.daughters,),
    )
    for body in (extract, noted):
        told = await issue.issue(house.vault, commune, code, body, None, key=body.type)
        assert isinstance(told, dict), told
    assert told["dossiers"] == 1
    notices = await notifying.for_agency(house.vault, police)
    assert isinstance(notices, list)
    assert [(one.event, one.dossier, one.record) for one in notices] == [
        ("replaced", moving, house.daughters)
    ]
    refused = await deliver.deliver(house.vault, police, release)
    assert isinstance(refused, Refusal)
    assert refused.code == "record_replaced"
    taken = await house.releases(police, moving)
    assert await house.reads(police, taken)
    held = {one.id: one for one in await finding.my_records(house.vault, daughter)}
    assert held[house.daughters].replaced_by == told["record"]
    assert {one.type for one in held.values()} == {"GKS", "TLTDCC"}


async def test_an_agency_issues_only_its_own_types(
    house: House, commune: SystemCaller, mother: OwnerCaller
) -> None:
    told = await store(house, commune, certificate(house))
    assert isinstance(told, Refusal)
    assert "type_not_registered" in told.reasons
    (mine,) = await house.last(mother)
    assert mine.parts.event["type"] == "issue_record_refused"
    assert await owner_of(house, "personal_number", people.FATHER.number) is None, "and no store was opened"
    alone = await house.system(people.LAND_OFFICE, officer=False)
    refused = await store(house, alone, certificate(house))
    assert isinstance(refused, Refusal)
    assert refused.code == "officer_not_named"


STRANGERS = replace(HUSBAND, value=people.STRANGER.number, name=people.STRANGER.name)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"owners": ()}, "owners", "owners_number"),
        ({"owners": (WIFE, replace(HUSBAND, role="wife"))}, "owners", "role_twice"),
        ({"owners": (WIFE, replace(WIFE, role="husband"))}, "owners", "owner_twice"),
        ({"owners": (WIFE, replace(HUSBAND, role="tenant"))}, "owners.1.role", "role_not_of_type"),
        ({"owners": (replace(WIFE, value="12"),)}, "owners.0.identifier", "personal_number_malformed"),
        (
            {"owners": (WIFE, STRANGERS)},
            "fields.second_holder_personal_number",
            "number_of_another_person",
        ),
        ({"fields": {}}, "fields.area", "composing_failed"),
        ({"fields": None}, "fields", "fields_or_file"),
        ({"replaces": ("rec-none",)}, "replaces", "record_not_found"),
    ],
)
async def test_what_cannot_be_is_named_and_nothing_is_stored(
    house: House, land: SystemCaller, change: dict[str, Any], field: str, code: str
) -> None:
    size = await house.size()
    with pytest.raises(FieldInvalid) as raised:
        await store(house, land, certificate(house, **change))
    assert (raised.value.field, raised.value.code) == (field, code)
    assert await house.size() == size
    assert not list(house.places.scratch.iterdir())


async def test_a_newer_certificate_takes_the_older_ones_place(house: House, land: SystemCaller) -> None:
    older = (await store(house, land, certificate(house)))["record"]
    newer = await store(house, land, certificate(house, "AA 00999999", replaces=(older,)))
    (row,) = await house.rows(select(record.c.replaced_by).where(record.c.id == older))
    assert row.replaced_by == newer["record"]


async def test_a_file_is_of_no_more_worth_than_it_proves(house: House, land: SystemCaller, pdf: Any) -> None:
    body = certificate(house, fields=None, number="BT 1", issued_on=legal_day(house.vault.clock.now()))
    told = await store(house, land, body, pdf("sổ đỏ"))
    assert (told["trust"], told["verdict"]) == ("E", "valid"), "the seal is ours, the words say nothing"


async def test_two_requests_for_one_newcomer_open_one_store(house: House, land: SystemCaller) -> None:
    both = await asyncio.gather(
        store(house, land, certificate(house, "AA 1")), store(house, land, certificate(house, "AA 2"))
    )
    codes = sorted(one["document_codes"]["husband"] for one in both)
    assert codes == [f"{people.FATHER.number}-GCNQSDD-000{n}" for n in (1, 2)]


# Searching what one issued --------------------------------------------------------------------------------


async def found(house: House, caller: SystemCaller, **sought: Any) -> dict[str, Any]:
    page = {name: sought.pop(name) for name in ("after", "limit") if name in sought}
    told = await issued_search.search(house.vault, caller, Sought(**sought), **page)
    assert isinstance(told, dict)
    return told


def numbers(page: dict[str, Any]) -> list[str]:
    return [one["number"] for one in page["records"]]


async def test_an_agency_searches_within_what_it_issued(
    house: House, land: SystemCaller, commune: SystemCaller
) -> None:
    ids = [(await store(house, land, certificate(house, f"AA {n}")))["record"] for n in (1, 2, 3)]
    await revoke.revoke(house.vault, land, ids[0], **WHY, key="r")
    await revoke.suspend(house.vault, land, ids[1], **WHY, key="s")
    size = await house.size()
    page = await found(house, land)
    assert numbers(page) == ["AA 3", "AA 2", "AA 1"]
    assert people.MOTHER.number not in str(page), "owners are counted, not named"
    assert page["records"][0]["owners"] == 2
    (entry,) = await house.last(land)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.SEARCH, "issued_searched")
    assert await house.size() == size + 1
    assert numbers(await found(house, land, state=Validity("revoked"))) == ["AA 1"]
    assert numbers(await found(house, land, state=Validity("suspended"))) == ["AA 2"]
    assert numbers(await found(house, land, state=Validity("in_force"), type="GCNQSDD")) == ["AA 3"]
    assert numbers(await found(house, land, number="AA 2")) == ["AA 2"]
    assert numbers(await found(house, land, type="GKS")) == []
    day = legal_day(house.vault.clock.now())
    assert len(numbers(await found(house, land, issued_from=day, issued_until=day))) == 3
    assert numbers(await found(house, land, issued_until=day.replace(year=2020))) == []
    assert "AA 1" not in numbers(await found(house, commune))


async def test_its_pages_follow_each_other(house: House, land: SystemCaller, commune: SystemCaller) -> None:
    for n in (1, 2, 3):
        await store(house, land, certificate(house, f"AA {n}"))
    first = await found(house, land, limit=2)
    assert numbers(first) == ["AA 3", "AA 2"]
    second = await found(house, land, limit=2, after=first["next"])
    assert numbers(second) == ["AA 1"]
    assert "next" not in second
    for caller, cursor in ((land, "rec-none"), (commune, first["next"])):
        with pytest.raises(FieldInvalid) as raised:
            await found(house, caller, after=cursor)
        assert raised.value.code == "cursor_malformed"
    day = legal_day(house.vault.clock.now())
    with pytest.raises(FieldInvalid):
        await found(house, land, issued_from=day, issued_until=day.replace(year=2020))


async def test_without_an_officer_nothing_is_searched(house: House) -> None:
    alone = await house.system(people.LAND_OFFICE, officer=False)
    told = await issued_search.search(house.vault, alone, Sought())
    assert isinstance(told, Refusal)
    assert told.code == "officer_not_named"
