"""A result whose seal cannot be made just now: taken, kept sealed, carried out later or given up."""

import asyncio
import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.errors import SealNameUnfit, SealNotValid, StatusFailed
from signing.service_state import ServiceState
from tests.unit.vault.conftest import Interrupted
from vault import handling, issue, issue_record, notifying, waiting_seals
from vault.callers import SystemCaller
from vault.errors import NotFound, RequestConflict
from vault.evidence_tables import waiting_seal
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner
from vault.sealing_again import retry_due
from vault.services import Refusal
from vault.tables import agency, notice, record
from vault.waiting_seals import MOST_ATTEMPTS

pytestmark = pytest.mark.anyio
WHERE = "Trạm y tế xã Ẩn Giấu"  # stands in the paper alone


@pytest.fixture
async def dossier(house: Any, commune: SystemCaller) -> str:
    person = house.person(people.DAUGHTER, "applicant")
    return str(await house.opens(commune, people.COMMUNE, house.reregistration(person)))


BODY = ResultBody("GKS", ("applicant",), {}, None, None, None, None)


def certificate(house: Any) -> ResultBody:
    fields = people.certificate(f"{next(house.serials)}/2026", "2026-11-20", birth_place=WHERE)
    return replace(BODY, fields=fields)


def nothing_unforeseen(code: str, problem: Exception) -> None:
    raise problem


async def again(house: Any) -> int:
    return await retry_due(house.vault, nothing_unforeseen, all_of_them=True)


async def records(house: Any) -> int:
    return len(await house.rows(select(record.c.id)))


def lies_plain(folder: Path, text: str) -> list[Path]:
    forms = (text.encode(), json.dumps(text).encode()[1:-1])
    return [
        one for one in folder.rglob("*") if one.is_file() and any(form in one.read_bytes() for form in forms)
    ]


async def test_it_waits_sealed_and_is_issued_once_the_authority_answers(
    house: Any, folder: Path, commune: SystemCaller, dossier: str, line: Interrupted
) -> None:
    before, entries, body = await records(house), await house.size(), certificate(house)
    told = await issue.issue(house.vault, commune, dossier, body, None, key="k1")
    assert isinstance(told, dict)
    assert (told["state"], told["reasons"]) == ("waiting_for_seal", ["waiting_for_seal", "timestamp_failed"])
    assert await issue.issue(house.vault, commune, dossier, body, None, key="k1") == told
    assert (await records(house), await house.size()) == (before, entries), "nothing is stored or claimed"
    assert lies_plain(folder, WHERE) == []
    assert await again(house) == 1
    state = await waiting_seals.one(house.vault, commune, told["waiting"])
    assert (state.state, state.attempts) == ("waiting_for_seal", 2)

    line.down = False
    assert await again(house) == 1
    issued = await issue.issue(house.vault, commune, dossier, body, None, key="k1")
    assert isinstance(issued, dict)
    assert (issued["verdict"], issued["trust"], issued["already_stored"]) == ("valid", "A", False)
    assert await records(house) == before + 1
    state = await waiting_seals.one(house.vault, commune, told["waiting"])
    assert (state.state, state.record) == ("sealed", issued["record"])
    (entry,) = await house.last(commune)
    assert entry.parts.event["type"] == "issued"
    assert entry.parts.actor == commune.actor(), "whoever handed it in issued it"
    for caller in (commune, await house.desk(people.COMMUNE)):
        heard = await notifying.for_agency(house.vault, caller)
        assert isinstance(heard, list)
        assert [(one.event, one.record) for one in heard] == [("result_sealed", issued["record"])]
    assert await again(house) == 0
    (row,) = await house.rows(select(waiting_seal.c.body, waiting_seal.c.wrapped_key))
    assert tuple(row) == (None, None), "what was handed in is gone"


async def test_it_is_decided_afresh(
    house: Any, commune: SystemCaller, dossier: str, line: Interrupted
) -> None:
    before = await records(house)
    told = await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    assert isinstance(told, dict)
    await handling.close_dossier(house.vault, commune, dossier, key="close")
    line.down = False
    assert await again(house) == 1
    state = await waiting_seals.one(house.vault, commune, told["waiting"])
    assert state.state == "seal_given_up"
    assert "dossier_closed" in state.reasons
    assert await records(house) == before
    heard = await house.rows(select(notice.c.event, notice.c.system).order_by(notice.c.system))
    assert [tuple(one) for one in heard] == [("seal_given_up", None), ("seal_given_up", commune.system)]
    (entry,) = await house.last(commune)
    assert (entry.parts.event["type"], entry.parts.event["request"]) == ("seal_given_up", "k1")
    assert entry.kind == 15
    assert await again(house) == 0


async def test_it_is_not_tried_before_it_is_due_and_not_for_ever(
    house: Any, commune: SystemCaller, dossier: str, line: Interrupted
) -> None:
    body = certificate(house)
    told = await issue.issue(house.vault, commune, dossier, body, None, key="k1")
    assert isinstance(told, dict)
    asked = line.asked
    assert await retry_due(house.vault, nothing_unforeseen) == 0
    assert line.asked == asked
    await house.change(update(waiting_seal).values(attempts=MOST_ATTEMPTS - 1))
    assert await again(house) == 1
    state = await waiting_seals.one(house.vault, commune, told["waiting"])
    assert (state.state, state.reasons) == ("seal_given_up", ("seal_attempts_exhausted", "timestamp_failed"))
    ended = await issue.issue(house.vault, commune, dossier, body, None, key="k1")
    assert isinstance(ended, dict)
    assert (ended["state"], ended["waiting"]) == ("seal_given_up", told["waiting"])


async def test_a_look_ends_with_the_first_failing_service_or_when_it_shall(
    house: Any, commune: SystemCaller, dossier: str, line: Interrupted
) -> None:
    for number in range(3):
        await issue.issue(house.vault, commune, dossier, certificate(house), None, key=f"k{number}")
    asked = line.asked
    assert await again(house) == 1
    assert line.asked == asked + 1
    line.down = False
    ending = asyncio.Event()
    ending.set()
    assert await retry_due(house.vault, nothing_unforeseen, all_of_them=True, ending=ending) == 0
    assert await again(house) == 3


@pytest.mark.parametrize("name", ["Ủy ban " + "xã " * 200, "Ủy ban\u0007xã"])
async def test_an_agency_name_that_cannot_be_printed_is_said_and_does_not_wait(
    house: Any, commune: SystemCaller, dossier: str, name: str
) -> None:
    await house.change(update(agency).where(agency.c.id == commune.agency).values(name_vi=name))
    with pytest.raises(SealNameUnfit):
        await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    assert await house.rows(select(waiting_seal)) == []


async def test_a_seal_that_does_not_validate_is_not_kept_and_does_not_wait(
    house: Any, commune: SystemCaller, dossier: str, line: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(Interrupted):
        async def answer(self, request: bytes, at: datetime) -> bytes:
            return await self._source.answer(request, at + timedelta(days=400))

    monkeypatch.setattr(house.vault.sealer, "_timestamper", Ahead(line))
    line.down, before = False, await records(house)
    with pytest.raises(SealNotValid) as caught:
        await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    assert not caught.value.retryable
    assert (await house.rows(select(waiting_seal)), await records(house)) == ([], before)


async def test_one_key_stands_for_one_request_while_it_waits(
    house: Any, commune: SystemCaller, police: SystemCaller, dossier: str, line: Interrupted
) -> None:
    told = await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    assert isinstance(told, dict)
    with pytest.raises(RequestConflict):
        await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    with pytest.raises(NotFound):
        await waiting_seals.one(house.vault, police, told["waiting"])
    assert [one.id for one in await waiting_seals.of_agency(house.vault, commune, dossier)] == [
        told["waiting"]
    ]
    assert await waiting_seals.of_agency(house.vault, police) == []


async def test_what_waits_is_carried_out_for_those_alone_who_handed_it_in(
    house: Any, commune: SystemCaller, police: SystemCaller, dossier: str, line: Interrupted
) -> None:
    """Its row turned to another agency meanwhile: it waits on, and somebody is told."""
    told = await issue.issue(house.vault, commune, dossier, certificate(house), None, key="k1")
    assert isinstance(told, dict)
    line.down, before = False, await records(house)
    theirs = update(waiting_seal).where(waiting_seal.c.id == told["waiting"])
    failures = list[str]()
    for change in ({"agency": police.agency}, {"caller": police.id}, {"dossier": "H26.14.02-other"}):
        (row,) = await house.rows(select(waiting_seal).where(waiting_seal.c.id == told["waiting"]))
        await house.change(theirs.values(**change))
        await retry_due(house.vault, lambda code, _: failures.append(code), all_of_them=True)
        await house.change(theirs.values(**{one: getattr(row, one) for one in change}))
    assert (failures, await records(house)) == (["waiting_seal_failed"] * 3, before)
    assert await again(house) == 1
    assert await records(house) == before + 1


async def test_what_may_not_be_issued_does_not_wait(
    house: Any, police: SystemCaller, line: Interrupted
) -> None:
    person = house.person(people.DAUGHTER, "applicant"), house.person(people.MOTHER, "householder")
    code = await house.opens(police, people.POLICE, house.residence(*person))
    told = await issue.issue(house.vault, police, code, certificate(house), None, key="k1")
    assert isinstance(told, Refusal)
    assert line.asked == 0


async def test_a_record_outside_a_dossier_waits_too_and_its_owner_comes_once(
    house: Any, commune: SystemCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        state = ServiceState("silent")

        async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> bytes:
            raise StatusFailed("nobody answers")

    number = people.DAUGHTER.number[:-1] + str((int(people.DAUGHTER.number[-1]) + 1) % 10)
    owner = RecordOwner("child", "personal_number", number, "Ngô Thị Ẩn")
    fields = certificate(house).fields or {}
    body = RecordBody("GKS", (owner,), {**fields, "personal_number": number, "full_name": "Ngô Thị Ẩn"})
    before = await records(house)
    with monkeypatch.context() as down:
        down.setattr(house.vault.sealer, "_revocation", Silent())
        told = await issue_record.issue_record(house.vault, commune, body, None, key="k1")
        assert isinstance(told, dict), told
        assert told["reasons"] == ["waiting_for_seal", "status_failed"]
    assert await again(house) == 1
    issued = await issue_record.issue_record(house.vault, commune, body, None, key="k1")
    assert isinstance(issued, dict)
    assert (issued["verdict"], await records(house)) == ("valid", before + 1)


async def test_the_lease_of_one_that_died_runs_out(
    house: Any, commune: SystemCaller, dossier: str, line: Interrupted
) -> None:
    await issue.issue(house.vault, commune, dossier, certificate(house), None, key=os.urandom(4).hex())
    past = house.vault.clock.now() - timedelta(seconds=1)
    await house.change(
        update(waiting_seal).values(next_at=past.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))  # as its worker left it
    )
    line.down = False
    assert await retry_due(house.vault, nothing_unforeseen) == 1
