"""A candidate confirmed: it counts for this dossier alone, its class stays, and a changed record voids it."""

import os
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from tests.conftest import House
from vault import confirming, deposit, issue, plan, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.errors import FieldInvalid, NotFound
from vault.issue import ResultBody
from vault.services import Refusal
from vault.tables import confirmation, release

pytestmark = pytest.mark.anyio
SEEN = "Đã đối chiếu với bản chính tại quầy"
WHY = {"ground": "Luật Hộ tịch 2014, Điều 12", "reason": "Đang xác minh"}


async def moves(house: House, police: SystemCaller) -> str:
    """The stranger, whose only paper is his own upload, moves to the mother's household."""
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    return await house.opens(police, people.POLICE, house.residence(*persons))


@pytest.fixture
async def upload(house: House, stranger: OwnerCaller, pdf: Any) -> str:
    told = await deposit.upload(
        house.vault,
        stranger,
        pdf("Giấy khai sinh"),
        title="Giấy khai sinh",
        type="GKS",
        declared_type="application/pdf",
        key="up",
    )
    return str(told["record"])


async def kinship(house: House, caller: SystemCaller, code: str) -> dict[str, Any]:
    answer = await plan.ask(house.vault, caller, code)
    assert isinstance(answer, dict)
    return next(one for one in answer["components"] if one["component"] == people.KINSHIP)


async def confirm(house: House, caller: SystemCaller, code: str, chosen: str, **changes: Any) -> Any:
    said = {"reason": SEEN, "key": os.urandom(8).hex()} | changes
    component = said.pop("component", people.KINSHIP)
    return await confirming.confirm(house.vault, caller, code, component, chosen, **said)


async def test_it_counts_from_then_on_in_this_dossier_alone(
    house: House, police: SystemCaller, stranger: OwnerCaller, upload: str
) -> None:
    code = await moves(house, police)
    other = await moves(house, police)
    before = await kinship(house, police, code)
    assert (before["state"], before["candidates"][0]["record"]) == ("candidate", upload)
    viewed = await house.releases(police, code, upload)
    query = select(release.c.counts).where(release.c.id == viewed)
    assert not (await house.rows(query))[0].counts, "released for viewing"
    told = await confirm(house, police, code, upload, key="once")
    assert (told["state"], told["reasons"]) == ("satisfied", ["confirmed_by_officer"])
    after = await kinship(house, police, code)
    assert (after["state"], after["reasons"]) == ("satisfied", ["confirmed_by_officer"])
    assert after["records"][0]["trust"] == "D", "the class stays"
    assert (await house.rows(query))[0].counts
    again = await house.releases(police, code)
    assert not (await house.rows(select(release.c.counts).where(release.c.id == again)))[0].counts, "twice"
    assert await house.reads(police, again)
    assert (await kinship(house, police, other))["state"] == "candidate"
    entry = next(one for one in await house.last(stranger, 20) if one.kind is Kind.CONFIRMATION)
    assert entry.parts.subject["record"] == upload
    assert entry.parts.purpose["component"] == people.KINSHIP
    assert entry.parts.basis["explanation"] == SEEN
    size = await house.size()
    assert await confirm(house, police, code, upload, key="once") == told
    assert await house.size() == size


async def test_what_was_looked_at_twice_counts_once(house: House, police: SystemCaller, upload: str) -> None:
    code = await moves(house, police)
    viewed = [await house.releases(police, code, upload) for _ in range(2)]
    await confirm(house, police, code, upload)
    counted = await house.rows(select(release.c.id).where(release.c.counts))
    assert [row.id for row in counted] == viewed[:1]


async def test_a_changed_record_voids_it(
    house: House, commune: SystemCaller, police: SystemCaller, pdf: Any
) -> None:
    code = await house.opens(
        commune, people.COMMUNE, house.reregistration(house.person(people.STRANGER, "applicant"))
    )
    body = ResultBody("GKS", ("applicant",), None, None, None, None, None)
    handed_in = await issue.issue(house.vault, commune, code, body, pdf("GKS"), key="file")
    assert isinstance(handed_in, dict)
    paper = handed_in["record"]
    moving = await moves(house, police)
    await confirm(house, police, moving, paper)
    taken = await house.releases(police, moving)
    assert await house.reads(police, taken)
    await revoke.suspend(house.vault, commune, paper, **WHY, key="s")
    refused = {one["record"]: one["reasons"] for one in (await kinship(house, police, moving))["refused"]}
    assert refused[paper] == ["record_suspended"]
    await revoke.reinstate(house.vault, commune, paper, **WHY, key="r")
    assert (await kinship(house, police, moving))["state"] == "candidate", "the officer saw another state"
    await confirm(house, police, moving, paper)
    assert (await kinship(house, police, moving))["state"] == "satisfied"
    assert len(await house.rows(select(confirmation.c.idx))) == 2, "each stays"


async def test_what_is_no_candidate_is_refused_with_its_reason(
    house: House, police: SystemCaller, commune: SystemCaller, upload: str
) -> None:
    theirs = await house.opens(police, people.POLICE, house.residence())
    satisfied = await confirm(house, police, theirs, house.daughters)
    assert isinstance(satisfied, Refusal)
    assert satisfied.reasons == ("not_a_candidate", "component_already_satisfied")
    mothers = await confirm(house, police, theirs, house.mothers)
    assert "not_of_required_person" in mothers.reasons
    code = await moves(house, police)
    elsewhere = await confirm(house, police, code, upload, component="KQ000000")
    assert "component_not_asked" in elsewhere.reasons
    with pytest.raises(NotFound):
        await confirm(house, commune, code, upload)
    assert await house.rows(select(confirmation.c.idx)) == []


async def test_somebody_elses_record_and_none_are_told_alike(
    house: House, police: SystemCaller, upload: str, stranger: OwnerCaller
) -> None:
    theirs = await house.opens(police, people.POLICE, house.residence())
    grown, told = [], []
    for chosen in (upload, "rec-none"):
        size = await house.size()
        refused = await confirm(house, police, theirs, chosen)
        assert isinstance(refused, Refusal)
        told.append((refused.reasons, len(refused.receipts)))
        grown.append(await house.size() - size)
    assert told == [(("person_not_in_dossier",), 2)] * 2
    assert grown == [3, 3]
    (mine,) = await house.last(stranger)
    assert mine.parts.event["type"] == "confirm_refused"


async def test_it_takes_an_officer_and_a_reason(house: House, upload: str) -> None:
    police = await house.system(people.POLICE)
    code = await moves(house, police)
    alone = await house.system(people.POLICE, officer=False)
    refused = await confirm(house, alone, code, upload)
    assert isinstance(refused, Refusal)
    assert refused.code == "officer_not_named"
    for reason in ("", " ", "x" * 1001):
        with pytest.raises(FieldInvalid) as raised:
            await confirm(house, police, code, upload, reason=reason)
        assert raised.value.field == "reason"
