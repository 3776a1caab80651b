"""The end of validity: only the issuer decides it, it holds for the next read, and dossiers hear of it."""

from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from tests.conftest import House
from vault import deliver, handling, notifying, registering, revoke
from vault.callers import StaffCaller, SystemCaller
from vault.errors import FieldInvalid, NotFound
from vault.services import Refusal
from vault.tables import record, validity_event

pytestmark = pytest.mark.anyio
WHY = {"ground": "Luật Hộ tịch 2014, Điều 12", "reason": "Ghi sai nơi sinh"}


@pytest.fixture
async def used(house: House, police: SystemCaller) -> tuple[str, str]:
    """A residence dossier with the daughter's certificate released: the dossier, the release."""
    code = await house.opens(police, people.POLICE, house.residence())
    return code, await house.releases(police, code, house.daughters)


async def desk(house: House) -> SystemCaller:
    office = people.POLICE
    await registering.give_role(house.vault, agency=office.code, officer=office.officer, role="desk")
    expires = house.vault.clock.now()
    return StaffCaller(office.code, office.officer, "desk", office.officer_name, expires, "s").at_desk()


async def heard(house: House, caller: SystemCaller, **asked: Any) -> list[notifying.Notice]:
    found = await notifying.for_agency(house.vault, caller, **asked)
    assert isinstance(found, list)
    return found


async def test_a_suspended_record_is_not_read_until_it_is_reinstated(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    _, release = used
    assert await house.reads(police, release)
    told = await revoke.suspend(house.vault, commune, house.daughters, **WHY, key="s")
    assert isinstance(told, dict)
    assert (told["validity"], told["dossiers"]) == ("suspended", 1)
    refused = await deliver.deliver(house.vault, police, release)
    assert isinstance(refused, Refusal)
    assert refused.code == "record_suspended"
    again = await revoke.suspend(house.vault, commune, house.daughters, **WHY, key="t")
    assert isinstance(again, Refusal)
    assert again.code == "record_already_suspended"
    back = await revoke.reinstate(house.vault, commune, house.daughters, **WHY, key="u")
    assert isinstance(back, dict)
    assert back["validity"] == "in_force"
    assert await house.reads(police, release)
    states = await house.rows(select(validity_event.c.state).order_by(validity_event.c.n))
    assert [one.state for one in states] == ["suspended", "in_force"], "every change stays"


async def test_the_system_and_the_desk_hear_and_nobody_else(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    code, _ = used
    told = await revoke.revoke(house.vault, commune, house.daughters, **WHY, key="r")
    assert isinstance(told, dict)
    at_desk = await desk(house)
    for caller in (police, at_desk):
        (one,) = await heard(house, caller)
        assert (one.event, one.dossier, one.record) == ("revoked", code, house.daughters)
        assert (one.index, one.seen_at) == (told["index"], None)
        assert one.record_title
    assert await heard(house, commune) == []
    (mine,) = await heard(house, police)
    with pytest.raises(NotFound):
        await notifying.mark_seen(house.vault, commune, mine.id, key="x")
    seen = await notifying.mark_seen(house.vault, police, mine.id, key="y")
    assert isinstance(seen, dict)
    assert await heard(house, police, unseen=True) == []
    assert (await heard(house, police))[0].seen_at is not None
    assert (await heard(house, at_desk))[0].seen_at is None, "the desk has not seen it yet"
    (entry,) = await house.last(police)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.ACKNOWLEDGEMENT, "notice_seen")
    size = await house.size()
    assert await notifying.mark_seen(house.vault, police, mine.id, key="y") == seen
    assert await house.size() == size


async def test_notices_are_paged_in_order(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    for n, change in enumerate((revoke.suspend, revoke.reinstate, revoke.revoke)):
        assert isinstance(await change(house.vault, commune, house.daughters, **WHY, key=f"{n}"), dict)
    first = await heard(house, police, limit=2)
    assert [one.event for one in first] == ["suspended", "reinstated"]
    rest = await heard(house, police, after=first[-1].id)
    assert [one.event for one in rest] == ["revoked"]
    with pytest.raises(FieldInvalid):
        await heard(house, police, after="ntc-none")


async def test_a_closed_dossier_hears_nothing(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    await handling.close_dossier(house.vault, police, used[0], key="c")
    told = await revoke.revoke(house.vault, commune, house.daughters, **WHY, key="r")
    assert isinstance(told, dict)
    assert told["dossiers"] == 0
    assert await heard(house, police) == []


async def test_only_a_newer_paper_of_the_same_kind_takes_its_place(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    newer = (await house.issues(commune, code, people.DAUGHTER))["record"]

    async def replace(older: str, by: str, key: str) -> Any:
        return await revoke.replace(house.vault, commune, older, by=by, **WHY, key=key)

    for by in ("rec-none", house.mothers):
        with pytest.raises(FieldInvalid) as raised:
            await replace(house.daughters, by, f"no {by}")
        assert (raised.value.field, raised.value.code) == ("by", "replacement_unknown")
    with pytest.raises(FieldInvalid, match="another_type"):
        await replace(house.daughters, house.daughters, "self")
    told = await replace(house.daughters, newer, "yes")
    assert (told["validity"], told["replaced_by"], told["dossiers"]) == ("replaced", newer, 1)
    assert [one.event for one in await heard(house, police)] == ["replaced"]
    (row,) = await house.rows(select(record.c.replaced_by).where(record.c.id == house.daughters))
    assert row.replaced_by == newer
    with pytest.raises(FieldInvalid, match="not_in_force"):
        await replace(newer, house.daughters, "back")


async def test_a_result_that_replaces_is_heard_of_too(
    house: House, commune: SystemCaller, police: SystemCaller, used: tuple[str, str]
) -> None:
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    await house.issues(commune, code, people.DAUGHTER, replaces=(house.daughters,))
    (one,) = await heard(house, police)
    assert (one.event, one.dossier, one.record) == ("replaced", used[0], house.daughters)
    with pytest.raises(FieldInvalid) as raised:
        await house.issues(commune, code, people.DAUGHTER, replaces=(house.mothers,))
    assert (raised.value.field, raised.value.code) == ("replaces", "record_not_found")


async def test_another_agency_learns_nothing_and_its_attempt_is_an_entry(
    house: House, police: SystemCaller, daughter: Any
) -> None:
    for change in (revoke.revoke, revoke.suspend, revoke.reinstate):
        for target in (house.daughters, "rec-none"):
            with pytest.raises(NotFound):
                await change(house.vault, police, target, **WHY, key=f"{change}{target}")
    mine = [one for one in await house.last(daughter, 9) if one.kind is Kind.REFUSED]
    assert [one.parts.event["type"] for one in mine] == [
        "revoke_refused",
        "suspend_refused",
        "reinstate_refused",
    ]


@pytest.mark.parametrize("field", ["ground", "reason"])
async def test_a_change_needs_its_ground_and_its_reason(
    house: House, commune: SystemCaller, field: str
) -> None:
    size = await house.size()
    for text in ("", "  ", "x" * 1001):
        with pytest.raises(FieldInvalid) as raised:
            await revoke.suspend(house.vault, commune, house.daughters, **(WHY | {field: text}), key="k")
        assert (raised.value.field, raised.value.code) == (field, "text_length")
    assert await house.size() == size
