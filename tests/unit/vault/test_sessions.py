"""A session ends by its age and without use, by its person, and by its provider; its secret is always new."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from tests import proving
from vault import (
    my_sessions,
    officer_sign_ins,
    provider_logout,
    registering,
    sessions,
    sign_ins,
    signing_in,
    staff,
)
from vault.callers import OwnerCaller
from vault.clock import FixedClock
from vault.errors import NotAuthenticated, NotFound
from vault.id_tokens import IdTokenRefused, LogoutToken
from vault.identity_claims import Identity
from vault.sessions import Limits
from vault.sign_in_refusals import SignInRefused
from vault.sign_ins import Wanted
from vault.signing_in import Visit
from vault.tables import session, sign_in

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
ISSUER = proving.provider().url
LIMITS = Limits(timedelta(minutes=15), timedelta(hours=4))
DAUGHTER = Identity("personal_number", people.DAUGHTER.number, people.DAUGHTER.name)
PHONE = Visit("phone")


async def proven(house, who=DAUGHTER, purpose="sign_in", **changes):
    said = {"sid": "there-1", "SoDinhDanh": who.value, "HoVaTen": who.name}
    return await proving.proven(house.vault, "citizens", purpose, **(said | changes))


async def stronger(house, **changes):
    return await proven(house, purpose="step_up", acr="LoA2", **changes)


async def officers(house):
    return await proving.proven(house.vault, "staff")


async def enters(house, **changes) -> OwnerCaller:
    visit = changes.pop("visit", PHONE)
    entered = await signing_in.owner(house.vault, DAUGHTER, await proven(house, **changes), LIMITS, visit)
    return await house.vault.gate.check_session(entered.secret)


@asynccontextmanager
async def at_a_clock(open_house):
    async with open_house() as house:
        clock = FixedClock(house.vault.clock.now())
    async with open_house(clock) as house:
        yield house, clock


async def ended(house, secret, code):
    with pytest.raises(NotAuthenticated) as caught:
        await house.vault.gate.check_session(secret)
    assert caught.value.detail == code or caught.value.code == code


async def test_without_use_it_ends_after_fifteen_minutes(open_house):
    async with at_a_clock(open_house) as (house, clock):
        caller = await enters(house)
        clock.advance(timedelta(minutes=14, seconds=59))
        assert await house.vault.gate.check_session(caller.session)
        clock.advance(timedelta(seconds=1))
        await ended(house, caller.session, "session_idle")


async def test_with_use_it_goes_on_and_ends_with_its_age_all_the_same(open_house):
    async with at_a_clock(open_house) as (house, clock):
        caller = await enters(house)
        for _ in range(23):
            clock.advance(timedelta(minutes=10))
            known = await house.vault.gate.check_session(caller.session)
            until = sessions.touched(known.idle_until, known.expires, LIMITS.idle, clock.now())
            assert until is not None
            await sessions.touch(house.vault.db, "owner", caller.session, until)
        clock.advance(timedelta(minutes=10))
        await ended(house, caller.session, "session_ended")


async def test_a_session_that_has_ended_cannot_be_touched_back(open_house):
    async with at_a_clock(open_house) as (house, clock):
        caller = await enters(house)
        clock.advance(timedelta(minutes=16))
        await enters(house)  # which sweeps what is over
        await sessions.touch(house.vault.db, "owner", caller.session, clock.now() + LIMITS.idle)
        await ended(house, caller.session, "session_ended")


async def test_use_is_written_down_once_a_minute(open_house):
    async with at_a_clock(open_house) as (house, clock):
        caller = await enters(house)
        clock.advance(timedelta(seconds=59))
        assert sessions.touched(caller.idle_until, caller.expires, LIMITS.idle, clock.now()) is None
        clock.advance(timedelta(seconds=1))
        assert sessions.touched(caller.idle_until, caller.expires, LIMITS.idle, clock.now()) is not None


async def test_a_new_sign_in_of_a_browser_ends_the_one_before(house):
    first = await enters(house)
    second = await enters(house, visit=Visit("phone", sessions.hash_of(first.session)))
    await ended(house, first.session, "session_ended")
    assert await house.vault.gate.check_session(second.session)


async def test_a_step_up_is_of_the_same_person_and_takes_a_new_secret(house):
    caller = await enters(house)
    mine = sessions.hash_of(caller.session)
    another = await stronger(house, sub="s-2")
    elsewhere = replace(await stronger(house), issuer="https://another.example")
    for other in (another, elsewhere):
        assert await signing_in.again(house.vault, "owner", mine, other) is None
    secret = await signing_in.again(house.vault, "owner", mine, await stronger(house))
    assert secret is not None and secret != caller.session
    await ended(house, caller.session, "session_ended")
    known = await house.vault.gate.check_session(secret)
    assert (known.assurance, known.expires) == ("high", caller.expires)
    assert await signing_in.again(house.vault, "owner", mine, await stronger(house)) is None, "that is gone"


async def test_a_step_up_of_a_session_that_is_over_is_none(open_house):
    async with at_a_clock(open_house) as (house, clock):
        caller = await enters(house)
        clock.advance(timedelta(minutes=16))
        mine = sessions.hash_of(caller.session)
        assert await signing_in.again(house.vault, "owner", mine, await stronger(house)) is None


async def test_one_lists_and_ends_ones_own_alone(house, mother):
    first, second = await enters(house), await enters(house)
    listed = await my_sessions.listed(house.vault, second)
    assert [one.current for one in listed if one.device == "phone"] == [True, False]
    theirs = next(one.id for one in listed if not one.current and one.device == "phone")
    with pytest.raises(NotFound):
        await my_sessions.end(house.vault, mother, theirs)
    await my_sessions.end(house.vault, second, theirs)
    await ended(house, first.session, "session_ended")
    with pytest.raises(NotFound):
        await my_sessions.end(house.vault, second, theirs)


async def test_the_provider_ends_one_session_or_all_of_a_subject_once(house):
    one, other = await enters(house, sid="a"), await enters(house, sid="b")
    strangers = await enters(house, sub="s-2", sid="a2")
    expires = house.vault.clock.now() + timedelta(minutes=2)
    by_sid = LogoutToken(None, "a", "j-1", expires)
    assert await provider_logout.end(house.vault, "citizens", ISSUER, by_sid) == 1
    await ended(house, one.session, "session_ended")
    assert await house.vault.gate.check_session(other.session)
    with pytest.raises(IdTokenRefused):
        await provider_logout.end(house.vault, "citizens", ISSUER, by_sid)
    everywhere = LogoutToken("s-1", None, "j-2", expires)
    assert await provider_logout.end(house.vault, "citizens", "https://another.example", everywhere) == 0
    again = LogoutToken("s-1", None, "j-3", expires)
    assert await provider_logout.end(house.vault, "citizens", ISSUER, again) == 1
    assert await house.vault.gate.check_session(strangers.session)


async def test_a_session_without_a_sid_ends_with_its_subjects(house):
    """The ID token had no `sid`, the logout token has one, and says whose it is."""
    unnamed, other = await enters(house, sid=None), await enters(house, sid="b")
    strangers = await enters(house, sub="s-2", sid=None)
    expires = house.vault.clock.now() + timedelta(minutes=2)
    alone = LogoutToken(None, "a", "j-1", expires)
    assert await provider_logout.end(house.vault, "citizens", ISSUER, alone) == 0
    both = LogoutToken("s-1", "a", "j-2", expires)
    assert await provider_logout.end(house.vault, "citizens", ISSUER, both) == 1
    await ended(house, unnamed.session, "session_ended")
    for one in (other, strangers):
        assert await house.vault.gate.check_session(one.session)


async def test_what_signs_out_there_opens_with_the_secret_alone(house):
    caller = await enters(house)
    (row,) = await house.rows(select(session.c.id_token).where(session.c.id_token.is_not(None)))
    issuer, told = await sessions.id_token_of(house.vault.db, "owner", caller.session)
    assert issuer == ISSUER and len(told.split(".")) == 3
    assert not any(part.encode() in row.id_token for part in told.split("."))
    assert await sessions.id_token_of(house.vault.db, "owner", "another") is None


async def test_two_first_sign_ins_at_once_open_one_store(house):
    who = Identity("personal_number", "001198054321", "Vũ Ngọc Mai")
    proofs = [await proven(house, who) for _ in range(6)]
    entered = await asyncio.gather(
        *(signing_in.owner(house.vault, who, one, LIMITS, PHONE) for one in proofs)
    )
    callers = [await house.vault.gate.check_session(one.secret) for one in entered]
    assert len({one.owner for one in callers}) == 1
    assert len({one.session for one in callers}) == 6


async def test_an_officer_is_who_the_register_says_in_a_role_that_it_gives(house):
    who = {"agency": people.POLICE.code, "officer": people.POLICE.officer}
    with pytest.raises(SignInRefused, match="staff_unknown"):
        await signing_in.officer(house.vault, "s-1", "desk", await officers(house), LIMITS, PHONE)
    await officer_sign_ins.let_sign_in(house.vault, issuer=ISSUER, subject="s-1", **who)
    with pytest.raises(SignInRefused, match="staff_unknown"):  # registered, in no role
        await signing_in.officer(house.vault, "s-1", "desk", await officers(house), LIMITS, PHONE)
    await registering.give_role(house.vault, role="desk", **who)
    with pytest.raises(SignInRefused, match="role_not_held"):
        await signing_in.officer(house.vault, "s-1", "administrator", await officers(house), LIMITS, PHONE)
    entered = await signing_in.officer(house.vault, "s-1", "desk", await officers(house), LIMITS, PHONE)
    assert (await house.vault.gate.check_staff(entered.secret)).agency == people.POLICE.code
    await officer_sign_ins.end_sign_in(house.vault, issuer=ISSUER, subject="s-1")
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(entered.secret)
    async with house.vault.db.read() as db:
        assert await staff.roles(db, people.POLICE.code, people.POLICE.officer) == ["desk"]


KEY, OTHER_KEY = b"k" * 32, b"o" * 32


async def test_a_begun_sign_in_comes_back_once_in_its_browser_in_time(open_house):
    async with at_a_clock(open_house) as (house, clock):
        db, at = house.vault.db, clock.now()
        begun = sign_ins.begin(Wanted("staff", "step_up", "/desk", "desk", b"h" * 32), "nonce", at)
        kept = sign_ins.cookie(begun, KEY)
        assert await house.rows(select(sign_in)) == [], "a stranger's sign-in leaves nothing"
        for cookie, key, realm, state in (
            ("", KEY, "staff", begun.state),
            ("another.cookie", KEY, "staff", begun.state),
            (kept, OTHER_KEY, "staff", begun.state),
            (kept, KEY, "citizens", begun.state),
            (kept, KEY, "staff", begun.state[:-1]),
            (kept, KEY, "staff", ""),
            (kept[:-1], KEY, "staff", begun.state),
            ("A" + kept[1:], KEY, "staff", begun.state),
            (kept + "x" * sign_ins.LONGEST, KEY, "staff", begun.state),
            ("é.ü", KEY, "staff", "ô"),
        ):
            assert sign_ins.read(cookie, key, realm, state, at) is None
        back = sign_ins.read(kept, KEY, "staff", begun.state, at)
        assert back == begun
        assert (back.nonce, back.verifier, back.wanted) == (begun.nonce, begun.verifier, begun.wanted)
        assert [await sign_ins.come_back(db, back, at) for _ in range(2)] == [True, False]
        (row,) = await house.rows(select(sign_in))
        assert not {begun.state, begun.browser, begun.nonce, begun.verifier} & {str(value) for value in row}
        clock.advance(sign_ins.LIFETIME)
        assert sign_ins.read(kept, KEY, "staff", begun.state, clock.now()) is None
        clock.advance(timedelta(minutes=2))
        later = sign_ins.begin(Wanted("citizens", "sign_in", "/wallet"), "nonce", clock.now())
        assert await sign_ins.come_back(db, later, clock.now())
        assert len(await house.rows(select(sign_in))) == 1, "what is over has gone"
