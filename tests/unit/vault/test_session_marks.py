"""A session's row opens something only as the gate has marked it: here, and behind a socket."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.canonical import from_base64
from tests.apart import Told
from vault import gate_words, sessions, signing_in
from vault.entries import stamp
from vault.errors import GateRefused, NotAuthenticated
from vault.gate_part import GatePart
from vault.session_marks import bound
from vault.sessions import Limits, Proven
from vault.signing_in import Identity, Visit
from vault.socket_serving import Asked
from vault.tables import officer_role, session, staff_session
from vault.wire import FrameMalformed

pytestmark = pytest.mark.anyio
PARTS = ("here", "apart")
LIMITS = Limits(timedelta(minutes=15), timedelta(hours=4))
MOTHER = Identity("personal_number", people.MOTHER.number, people.MOTHER.name)


def proven(house) -> Proven:
    at = house.vault.clock.now()
    return Proven("https://login.example", "mẹ", None, "basic", at, "header.claims.signature")


async def enters(house) -> str:
    return (await signing_in.owner(house.vault, MOTHER, proven(house), LIMITS, Visit("phone"))).secret


async def opens(house, secret: str) -> bool:
    try:
        await house.vault.gate.check_session(secret)
    except NotAuthenticated as refused:
        assert refused.code == "session_ended"
        return False
    return True


def of(secret: str):
    return session.c.secret_hash == sessions.hash_of(secret)


@pytest.mark.parametrize("column", [*bound("owner"), "mark"])
async def test_a_row_that_was_changed_opens_nothing(house, daughter, column):
    secret = await enters(house)
    assert await opens(house, secret)
    later = stamp(house.vault.clock.now() + timedelta(hours=5))
    other = {
        "owner": daughter.owner,
        "secret_hash": sessions.hash_of("of somebody else"),
        "expires": later,
        "assurance": "high",
        "authenticated_at": later,
        "issuer": None,
        "subject": "me",
        "mark": None,
    }[column]
    await house.change(update(session).where(of(secret)).values({column: other}))
    used = "of somebody else" if column == "secret_hash" else secret
    assert not await opens(house, used)


async def test_what_moves_while_it_is_used_is_not_bound(house):
    secret = await enters(house)
    until = house.vault.clock.now() + timedelta(hours=1)
    await sessions.touch(house.vault.db, "owner", secret, until)
    assert (await house.vault.gate.check_session(secret)).idle_until == until


async def test_an_officers_session_is_bound_to_the_role(house):
    officer = (await house.desk(people.POLICE)).token
    await house.auditor(people.POLICE)
    assert {one.role for one in await house.rows(select(officer_role.c.role))} >= {"desk", "auditor"}
    mine = staff_session.c.secret_hash == sessions.hash_of(officer)
    assert (await house.vault.gate.check_staff(officer)).role == "desk"
    await house.change(update(staff_session).where(mine).values(role="auditor"))
    with pytest.raises(NotAuthenticated, match="session_ended"):
        await house.vault.gate.check_staff(officer)


async def test_a_step_up_makes_no_session_of_a_row_that_was_written(house, daughter):
    secret = await enters(house)
    await house.change(update(session).where(of(secret)).values(owner=daughter.owner))
    mine, again = sessions.hash_of(secret), replace(proven(house), assurance="high")
    with pytest.raises(GateRefused):
        await signing_in.again(house.vault, "owner", mine, again)
    assert not await opens(house, secret)


async def test_the_journal_of_a_gate_apart_tells_of_each_session_and_of_nobody(house, parts_kind):
    if parts_kind == "apart":
        return  # the part is asked here as it is asked over its socket
    (row,) = [dict(one._mapping) for one in await house.rows(select(session).where(of(await enters(house))))]
    told = Told()
    part = GatePart(house.vault.gate, "", (), told)
    said = {"holder": "owner", "row": gate_words.session_said("owner", row)}
    assert from_base64((await part.calls["mark_session"](Asked(said, 0, None))).said["mark"]) == row["mark"]
    assert told.lines == [("session_marked", {"realm": "citizens"})]
    with pytest.raises(FrameMalformed):
        await part.calls["mark_session"](Asked(said | {"holder": "all"}, 0, None))
    assert len(told.lines) == 1


async def test_nobody_is_signed_in_for_ever(house):
    (row,) = [dict(one._mapping) for one in await house.rows(select(session).where(of(await enters(house))))]
    far = stamp(house.vault.clock.now() + timedelta(days=2))
    with pytest.raises(GateRefused):
        await house.vault.gate.mark_session("owner", row | {"expires": far})
