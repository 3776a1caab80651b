"""A number under another name is refused without the recorded name being told, and its person sees it."""

import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import papers, people
from reuse_api.demo.people import Citizen
from vault import handling, issue_record, plan
from vault.days import legal_day
from vault.errors import NotFound
from vault.issue_record import RecordBody, RecordOwner
from vault.services import Refusal
from vault.tables import owner_identifier, record

pytestmark = pytest.mark.anyio


async def test_a_number_under_another_name_opens_nothing_and_its_person_is_told(house: Any) -> None:
    police, mother = await house.system(people.POLICE), await house.owner(people.MOTHER)
    named = Citizen("Ai Đó Khác", people.MOTHER.number, "")
    body = house.residence(house.person(people.DAUGHTER, "applicant"), house.person(named, "householder"))
    code, size = house.code(people.POLICE), await house.size()
    refused = await handling.open_dossier(house.vault, police, code, body)
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("person_name_disagrees",)
    assert await house.size() == size + 1, "whoever was named rightly has nothing to be told"
    (entry,) = await house.last(mother)
    assert (entry.parts.event["type"], entry.parts.actor["agency"]) == (
        "open_dossier_refused",
        people.POLICE.code,
    )
    assert people.MOTHER.name not in str(entry.parts)
    with pytest.raises(NotFound):
        await plan.ask(house.vault, police, code)


async def test_a_name_typed_another_way_is_the_same_name(house: Any) -> None:
    typed = Citizen("TRAN THI  HONG NHUNG", people.MOTHER.number, "")
    body = house.residence(house.person(people.DAUGHTER, "applicant"), house.person(typed, "householder"))
    police = await house.system(people.POLICE)
    assert await house.opens(police, people.POLICE, body)


async def test_one_number_under_two_names_opens_no_store(house: Any) -> None:
    number = "001190099999"
    body = house.residence(
        house.person(Citizen("Vũ Thị Một", number, ""), "applicant"),
        house.person(Citizen("Vũ Thị Hai", number, ""), "householder"),
    )
    police = await house.system(people.POLICE)
    refused = await handling.open_dossier(house.vault, police, house.code(people.POLICE), body)
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("person_name_disagrees",)
    assert await house.rows(select(owner_identifier.c.owner).where(owner_identifier.c.value == number)) == []


async def test_a_record_goes_to_nobody_under_another_name(house: Any) -> None:
    land, mother = await house.system(people.LAND_OFFICE), await house.owner(people.MOTHER)
    wife = RecordOwner("wife", "personal_number", people.MOTHER.number, "Ai Đó Khác")
    husband = RecordOwner("husband", "personal_number", people.FATHER.number, people.FATHER.name)
    fields = papers.land("AA 00123456", legal_day(house.vault.clock.now()).isoformat())
    body = RecordBody("GCNQSDD", (wife, husband), fields)

    async def issues(body: RecordBody) -> Any:
        key = os.urandom(8).hex()
        return await issue_record.issue_record(house.vault, land, body, None, key=key)

    refused = await issues(body)
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("person_name_disagrees",)
    assert await house.rows(select(record.c.id).where(record.c.type == "GCNQSDD")) == []
    (entry,) = await house.last(mother)
    assert entry.parts.event["type"] == "issue_record_refused"
    assert people.MOTHER.name not in str(entry.parts)
    typed = replace(wife, name=people.MOTHER.name.upper())
    assert isinstance(await issues(replace(body, owners=(typed, husband))), dict)
