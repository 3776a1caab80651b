"""What a result is worth and what is refused: files handed in again, dates, numbers inside the fields."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from vault import deliver, issue, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid
from vault.issue import ResultBody
from vault.records import Stored, one

pytestmark = pytest.mark.anyio
HANDED_IN = ResultBody("GKS", ("applicant",), None, None, None, None, None)


@pytest.fixture
async def certificate(house: Any, daughter: OwnerCaller, tmp_path: Path) -> Path:
    """The very bytes of the daughter's sealed certificate."""
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    path = tmp_path / "certificate.pdf"
    path.write_bytes(await house.drained(delivery))
    return path


async def dossier(house: Any, caller: SystemCaller, office: Any, citizen: Any = people.DAUGHTER) -> str:
    return await house.opens(caller, office, house.reregistration(house.person(citizen, "applicant")))


async def hand_in(
    house: Any, caller: SystemCaller, code: str, file: Path | None, body: ResultBody = HANDED_IN
) -> dict[str, Any]:
    told = await issue.issue(house.vault, caller, code, body, file, key=os.urandom(8).hex())
    assert isinstance(told, dict), told
    return told


async def stored(house: Any, record_id: str) -> Stored:
    async with house.vault.db.read() as db:
        found = await one(db, record_id, legal_day(house.vault.clock.now()))
    assert found is not None
    return found


async def test_the_agencys_own_paper_handed_in_again_is_the_record_it_is(
    house: Any, commune: SystemCaller, certificate: Path
) -> None:
    told = await hand_in(house, commune, await dossier(house, commune, people.COMMUNE), certificate)
    assert (told["record"], told["trust"], told["already_stored"]) == (house.daughters, "A", True)
    entry = (await house.last(commune))[0]
    assert (entry.parts.event["type"], entry.parts.subject["record"]) == ("handed_in_again", house.daughters)


async def test_a_paper_handed_in_for_somebody_else_proves_nothing(
    house: Any, commune: SystemCaller, certificate: Path
) -> None:
    code = await dossier(house, commune, people.COMMUNE, people.STRANGER)
    told = await hand_in(house, commune, code, certificate)
    assert (told["trust"], told["verdict"]) == ("E", "valid")


async def test_a_paper_of_another_agency_or_another_type_proves_nothing(
    house: Any, commune: SystemCaller, certificate: Path
) -> None:
    other = await house.system(house.other_commune)
    told = await hand_in(house, other, await dossier(house, other, house.other_commune), certificate)
    assert told["trust"] == "E", "another agency sealed it"
    assert told["record"] != house.daughters


async def test_a_revoked_paper_never_comes_back(house: Any, commune: SystemCaller, certificate: Path) -> None:
    await revoke.revoke(house.vault, commune, house.daughters, ground="Điều 70", reason="sai", key="revoke")
    code = await dossier(house, commune, people.COMMUNE)
    size = await house.size()
    with pytest.raises(FieldInvalid) as refused:
        await hand_in(house, commune, code, certificate)
    assert (refused.value.field, refused.value.code) == ("file", "record_not_in_force")
    assert await house.size() == size


async def test_what_is_said_of_a_known_paper_must_be_what_is_recorded_of_it(
    house: Any, commune: SystemCaller, certificate: Path
) -> None:
    code = await dossier(house, commune, people.COMMUNE)
    day = legal_day(house.vault.clock.now())
    for field, value in (("number", "9/1999"), ("issued_on", day - timedelta(days=1)), ("valid_until", day)):
        with pytest.raises(FieldInvalid) as refused:
            await hand_in(house, commune, code, certificate, replace(HANDED_IN, **{field: value}))
        assert (refused.value.field, refused.value.code) == (field, "not_as_recorded")


async def test_a_file_without_a_date_stays_without_a_date(
    house: Any, commune: SystemCaller, pdf: Any
) -> None:
    code = await dossier(house, commune, people.COMMUNE)
    undated = await stored(house, (await hand_in(house, commune, code, pdf("undated")))["record"])
    assert undated.facts.issued_on is None
    day = legal_day(house.vault.clock.now())
    body = replace(HANDED_IN, issued_on=day)
    dated = await stored(house, (await hand_in(house, commune, code, pdf("dated"), body))["record"])
    assert dated.facts.issued_on == day


@pytest.mark.parametrize(
    ("issued", "until", "field", "code"),
    [(1, None, "issued_on", "date_in_future"), (0, -1, "valid_until", "ends_before_it_begins")],
)
async def test_dates_that_cannot_be_are_refused(
    house: Any, commune: SystemCaller, pdf: Any, issued: int, until: int | None, field: str, code: str
) -> None:
    day = legal_day(house.vault.clock.now())
    ends = None if until is None else day + timedelta(days=until)
    body = replace(HANDED_IN, issued_on=day + timedelta(days=issued), valid_until=ends)
    opened = await dossier(house, commune, people.COMMUNE)
    with pytest.raises(FieldInvalid) as refused:
        await hand_in(house, commune, opened, pdf("dates"), body)
    assert (refused.value.field, refused.value.code) == (field, code)


async def test_fields_and_a_file_are_not_taken_together(house: Any, commune: SystemCaller, pdf: Any) -> None:
    opened = await dossier(house, commune, people.COMMUNE)
    with pytest.raises(FieldInvalid) as refused:
        await hand_in(house, commune, opened, pdf("both"), replace(HANDED_IN, fields={"number": "1"}))
    assert (refused.value.field, refused.value.code) == ("file", "fields_or_file")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("personal_number", "00130701234", "personal_number_malformed"),
        ("mother_personal_number", "099180034562", "personal_number_implausible"),
        ("father_personal_number", "không rõ", "personal_number_malformed"),
        ("personal_number", people.STRANGER.number, "number_of_another_person"),
    ],
)
async def test_a_number_inside_the_fields_is_checked(
    house: Any, commune: SystemCaller, field: str, value: str, code: str
) -> None:
    fields = people.certificate("1/2026", "2026-01-05", birth_place="Hà Nội") | {field: value}
    opened = await dossier(house, commune, people.COMMUNE)
    with pytest.raises(FieldInvalid) as refused:
        await hand_in(house, commune, opened, None, replace(HANDED_IN, fields=fields))
    assert (refused.value.field, refused.value.code) == (f"fields.{field}", code)


async def test_a_number_written_with_spaces_around_it_still_names_the_person(
    house: Any, commune: SystemCaller, police: SystemCaller
) -> None:
    fields = people.certificate("1/2026", "2026-01-05", birth_place="Hà Nội")
    fields |= {"mother_personal_number": f" {people.MOTHER.number} "}
    opened = await dossier(house, commune, people.COMMUNE)
    told = await hand_in(house, commune, opened, None, replace(HANDED_IN, fields=fields))
    code = await house.opens(police, people.POLICE, house.residence())
    assert await house.releases(police, code, told["record"])
