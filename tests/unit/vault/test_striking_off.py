"""A system or an agency is one no more: nothing of theirs counts, what they did stays."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from reuse_api.demo.actors import register
from reuse_api.demo.people import Office
from signing.errors import SealKeyEnded
from tests.hooks import WHY as SUSPENDED
from tests.hooks import Hooking, fresh
from tests.servers.hook_receiver import HookReceiver
from tests.unit.vault.conftest import Interrupted
from vault import (
    agencies,
    handling,
    hooking,
    officer_sign_ins,
    registering,
    revoke,
    staff,
    striking_off,
    waiting_seals,
)
from vault.assertions import new_caller_key
from vault.errors import FieldInvalid, NotAuthenticated, NotFound
from vault.hook_tables import ENDED, webhook
from vault.registering import NewAgency
from vault.seal_keys import SealKeys
from vault.sealing_again import retry_due
from vault.services import Refusal
from vault.tables import dossier, outbox

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
PLACES = pytest.mark.parametrize("parts_kind", ("here", "apart"), indirect=True)
WHY = "Sáp nhập từ 1/12"


@PLACES
async def test_a_token_of_an_ended_system_opens_nothing_at_the_gate(house, police):
    gate = house.vault.gate
    await house.opens(police, people.POLICE, house.residence())
    index = await house.size() - 1
    assert await gate.open_entries([index], police)
    size = await house.size()
    assert await striking_off.end_system(house.vault, people.POLICE.system, reason=WHY) == people.POLICE.code
    assert await house.size() == size + 1, "an entry"
    with pytest.raises(NotAuthenticated) as refused:
        await gate.open_entries([index], police)
    assert refused.value.code == "system_ended"
    assert gate.check_token(police.token) == police, "which is remembered all the same"
    with pytest.raises(NotAuthenticated):
        await house.system(people.POLICE)
    told = await handling.open_dossier(house.vault, police, house.code(people.POLICE), house.residence())
    assert isinstance(told, Refusal)
    assert "system_not_live" in told.reasons
    assert await house.desk(people.POLICE), "the agency's desk goes on"


async def test_twice_a_desk_nobody_and_no_reason_end_nothing(house):
    end = striking_off.end_system
    size = await house.size()
    await house.desk(people.POLICE)
    for code in ("nobody", f"desk-{people.POLICE.code}"):
        with pytest.raises(NotFound):
            await end(house.vault, code, reason=WHY)
    for reason, code in ((" ", "too_short"), ("x" * 1001, "too_long")):
        with pytest.raises(FieldInvalid) as refused:
            await end(house.vault, people.POLICE.system, reason=reason)
        assert refused.value.code == code
    await end(house.vault, people.POLICE.system, reason=WHY)
    with pytest.raises(NotFound):
        await end(house.vault, people.POLICE.system, reason=WHY)
    with pytest.raises(NotFound):
        await striking_off.end_agency(house.vault, "H99", reason=WHY)
    assert await house.size() == size + 2, "a role was given, a system ended"


async def test_an_agency_ends_with_all_that_is_its_own(house, commune):
    left = await house.opens(commune, people.COMMUNE, house.reregistration())
    desk = await house.desk(people.COMMUNE)
    who = {"agency": people.COMMUNE.code, "officer": people.COMMUNE.officer}
    await officer_sign_ins.let_sign_in(house.vault, issuer="https://login.example", subject="s-1", **who)
    size = await house.size()
    told = await striking_off.end_agency(house.vault, people.COMMUNE.code, reason=WHY)
    assert await house.size() == size + 1, "one entry"
    assert sorted(told.systems) == sorted([people.COMMUNE.system, f"desk-{people.COMMUNE.code}"])
    assert people.COMMUNE.officer in told.officers and told.seal_key
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(desk.token)
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.open_entries([size - 1], commune)
    with pytest.raises(NotAuthenticated):
        await house.system(people.COMMUNE)
    async with house.vault.db.read() as db:
        assert await staff.who_is(db, "https://login.example", "s-1") is None
        assert people.COMMUNE.officer in await agencies.officers(db, people.COMMUNE.code), "the name stays"
        assert not await agencies.live(db, people.COMMUNE.code)
    told = await house.rows(select(dossier.c.state).where(dossier.c.code == left))
    assert told[0].state == "open", "it stays as it was"
    with pytest.raises(NotFound):
        await striking_off.end_agency(house.vault, people.COMMUNE.code, reason=WHY)


HEIR = Office(
    code="H26.15.09",
    name_vi="Ủy ban nhân dân phường mới",
    name_en="People's Committee of the new ward",
    system="mot-cua-moi",
    system_name="Hệ thống một cửa phường mới",
    officer="cb-moi-01",
    officer_name="Lê Thị Mới",
    procedures=(people.REREGISTRATION,),
    issues=(people.RECORD_TYPE,),
)


async def test_what_it_issued_counts_and_its_successor_alone_may_revoke_it(house, commune, police):
    left = await house.opens(commune, people.COMMUNE, house.reregistration())
    await striking_off.end_agency(house.vault, people.COMMUNE.code, reason=WHY)
    code = await house.opens(police, people.POLICE, house.residence())
    assert await house.reads(police, await house.releases(police, code, house.daughters))
    told = await revoke.suspend(house.vault, commune, house.daughters, **SUSPENDED, key=fresh())
    assert isinstance(told, Refusal) and "agency_not_live" in told.reasons

    rights = {"procedures": HEIR.procedures, "issues": HEIR.issues, "succeeds": (people.COMMUNE.code,)}
    await registering.register_agency(house.vault, NewAgency(HEIR.code, HEIR.name_vi, HEIR.name_en, **rights))
    house.keys[HEIR.system] = new_caller_key()
    await register(house.vault, HEIR, house.keys[HEIR.system])
    heir = await house.system(HEIR)
    with pytest.raises(NotFound):  # nobody goes on with a dossier of the ended agency
        await handling.close_dossier(house.vault, heir, left, key=fresh())
    told = await revoke.suspend(house.vault, heir, house.daughters, **SUSPENDED, key=fresh())
    assert isinstance(told, dict), told


def test_a_seal_key_that_ended_seals_no_more_and_none_takes_its_place(template, tmp_path):
    keys = SealKeys(tmp_path / "seal")
    keys.add("H26", template.authority.issue_seal_key("Hà Nội", "H26"))
    keys.add("H27", template.authority.issue_seal_key("Tỉnh khác", "H27"))
    assert keys.open("H26")
    for _ in range(2):
        keys.end("H26")
        keys.end("H28")
    for code in ("H26", "H28"):
        with pytest.raises(SealKeyEnded):
            keys.open(code)
        with pytest.raises(SealKeyEnded):
            keys.add(code, template.authority.issue_seal_key("Hà Nội", code))
    assert keys.open("H27")
    assert len(keys.certificates()) >= 2, "what it sealed is still known as ours, and renewed"
    assert keys.agencies() == ["H26", "H27"]


async def test_what_waits_for_its_seal_is_given_up(house, commune, line: Interrupted):
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    waits = (await house.issues(commune, code, people.DAUGHTER))["waiting"]
    await striking_off.end_agency(house.vault, people.COMMUNE.code, reason=WHY)
    line.down = False
    assert await retry_due(house.vault, _unforeseen, all_of_them=True) == 1
    told = await waiting_seals.one(house.vault, commune, waits)
    assert (told.state, told.record) == ("seal_given_up", None)
    assert "agency_not_live" in told.reasons


def _unforeseen(code: str, problem: Exception) -> None:
    raise problem


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


async def test_its_web_hooks_end_with_what_they_were_still_to_be_told(
    hooking_house: Hooking, receiver: HookReceiver
) -> None:
    hooks = hooking_house
    hooks.trusts(f"127.0.0.1:{receiver.port}")
    await hooks.uses(hooks.house.daughters)
    hook = await hooks.active(receiver)
    await hooks.registers(receiver.url + "/second")
    await hooks.suspends()
    taken = len(receiver.taken)
    await striking_off.end_system(hooks.house.vault, people.POLICE.system, reason=WHY)
    await hooks.works()
    assert len(receiver.taken) == taken
    rows = await hooks.house.rows(select(webhook.c.state, webhook.c.reason))
    assert {tuple(one) for one in rows} == {(ENDED, "system_ended")}
    found = await hooks.hook(hook)
    assert (found.state, found.reason) == (ENDED, "system_ended")
    assert not [one for one in await hooks.house.rows(select(outbox.c.topic)) if hook in one.topic]
    with pytest.raises(NotFound):
        await hooking.confirm(hooks.house.vault, hooks.police, hook, "code", key=fresh())
