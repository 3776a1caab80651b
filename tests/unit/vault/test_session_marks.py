"""A session's row opens something only as the gate has marked it, and it marks whom it has proven itself."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from reuse_api.demo import people
from signing.canonical import from_base64
from tests import proving
from tests.apart import Told
from tests.servers.loopback import Answer, failing
from vault import gate_words, officer_sign_ins, registering, sessions, signing_in
from vault.clock import FixedClock
from vault.entries import stamp
from vault.errors import GateRefused, NotAuthenticated
from vault.gate_part import GatePart
from vault.id_tokens import IdTokenRefused
from vault.identity_claims import Identity
from vault.provider_documents import ProviderFailed
from vault.session_marks import bound
from vault.sessions import Limits, Proven
from vault.sign_in_proofs import SignInProofs
from vault.sign_in_refusals import SessionRefused, SignInRefused
from vault.sign_ins import LIFETIME
from vault.signing_in import Visit
from vault.socket_serving import Asked
from vault.tables import officer_role, owner_identifier, session, staff_session
from vault.wire import FrameMalformed
from vault.wire_values import written

pytestmark = pytest.mark.anyio
PARTS = ("here", "apart")
LIMITS = Limits(timedelta(minutes=15), timedelta(hours=4))
MOTHER = Identity("personal_number", people.MOTHER.number, people.MOTHER.name)
HERS = {"sub": "mẹ", "SoDinhDanh": people.MOTHER.number, "HoVaTen": people.MOTHER.name}
NEWCOMERS = {"SoDinhDanh": "001198054321", "HoVaTen": "Vũ Ngọc Mai"}


async def proven(house, **changes) -> Proven:
    return await proving.proven(house.vault, **(HERS | changes))


async def enters(house) -> str:
    return (await signing_in.owner(house.vault, MOTHER, await proven(house), LIMITS, Visit("phone"))).secret


async def opens(house, secret: str) -> bool:
    try:
        await house.vault.gate.check_session(secret)
    except NotAuthenticated as refused:
        assert refused.code == "session_ended"
        return False
    return True


def of(secret: str):
    return session.c.secret_hash == sessions.hash_of(secret)


async def row_of(house, secret: str) -> dict:
    (row,) = await house.rows(select(session).where(of(secret)))
    return dict(row._mapping)


def row_for(house, owner: str, by: Proven) -> dict:
    """What `kho serve` asks a mark for."""
    at = by.authenticated_at
    return {
        "owner": owner,
        "secret_hash": os.urandom(32),
        "expires": stamp(house.vault.clock.now() + timedelta(hours=1)),
        "assurance": by.assurance,
        "authenticated_at": stamp(at) if at is not None else None,
        "issuer": by.issuer,
        "subject": by.subject,
    }


async def refused(house, row, by: Proven, holder="owner", before=None) -> str:
    with pytest.raises(GateRefused) as caught:
        await house.vault.gate.mark_session(holder, row, by.proof, before)
    return caught.value.detail.removeprefix("session: ")


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
    again = await proven(house, purpose="step_up", acr="LoA2")
    with pytest.raises(GateRefused, match="not_the_same"):
        await signing_in.again(house.vault, "owner", sessions.hash_of(secret), again)
    assert not await opens(house, secret)


# Who is proven -------------------------------------------------------------------------------------------


async def test_nobody_is_signed_in_for_ever(house, mother):
    by = await proven(house)
    row = row_for(house, mother.owner, by)
    far = {"expires": stamp(house.vault.clock.now() + timedelta(days=2))}
    assert await refused(house, row | far, by) == "too_long"


async def test_no_session_is_marked_but_for_a_proof_and_each_marks_one(house, mother):
    by = await proven(house)
    row = row_for(house, mother.owner, by)
    assert await refused(house, row, replace(by, proof=os.urandom(32))) == "unproven"
    assert await refused(house, row, replace(by, proof=b"")) == "unproven"
    assert await house.vault.gate.mark_session("owner", row, by.proof)
    assert await refused(house, row, by) == "unproven"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"assurance": "high"}, "too_strong"),
        ({"authenticated_at": None}, "too_strong"),
        ({"issuer": "https://another.example"}, "too_strong"),
        ({"subject": "another"}, "of_another"),
    ],
)
async def test_a_session_says_no_more_than_was_proven(house, mother, changed, why):
    by = await proven(house)
    assert await refused(house, row_for(house, mother.owner, by) | changed, by) == why


async def test_a_session_is_of_the_store_that_the_claims_name(house, mother, daughter):
    by = await proven(house)
    assert await refused(house, row_for(house, daughter.owner, by), by) == "owner_unknown"


async def test_a_store_that_was_given_a_second_number_is_nobodys(house, mother):
    """Whoever may add rows gives the mother's store the number that is on their own card."""
    more = {"scheme": "personal_number", "value": NEWCOMERS["SoDinhDanh"], "owner": mother.owner}
    await house.change(insert(owner_identifier).values(checked_by="me", **more))
    by = await proven(house, sub="thief", **NEWCOMERS)
    assert await refused(house, row_for(house, mother.owner, by), by) == "owner_doubtful"


async def test_an_officers_session_is_of_the_register_in_a_role_that_is_held(house, mother):
    who = {"agency": people.POLICE.code, "officer": people.POLICE.officer}
    issuer = proving.provider().url
    await registering.give_role(house.vault, role="desk", **who)
    await officer_sign_ins.let_sign_in(house.vault, issuer=issuer, subject="cb", **who)

    async def asked(**changes) -> tuple[dict, Proven]:
        by = await proving.proven(house.vault, "staff", sub="cb")
        row = row_for(house, mother.owner, by) | who | {"role": "desk"}
        return row | changes, by

    for changed, why in (
        ({"role": "auditor"}, "role_not_held"),
        ({"officer": people.COMMUNE.officer}, "of_another"),
        ({"agency": people.COMMUNE.code}, "of_another"),
    ):
        assert await refused(house, *await asked(**changed), holder="staff") == why
    row, by = await asked()
    assert await refused(house, row, by) == "of_another", "an officer is no owner"
    row, by = await asked()
    assert await house.vault.gate.mark_session("staff", row, by.proof)


async def test_a_step_up_is_proven_as_one(house):
    row = await row_of(house, await enters(house))
    fresh = await proven(house, acr="LoA2")
    claimed = row | {"assurance": "high", "authenticated_at": stamp(fresh.authenticated_at)}
    assert await refused(house, claimed, fresh, before=row) == "of_another", "it was a sign-in"
    with pytest.raises(SignInRefused, match="level"):
        await proven(house, purpose="step_up")
    long_ago = int((house.vault.clock.now() - timedelta(minutes=30)).timestamp())
    with pytest.raises(IdTokenRefused, match="id_token_too_old"):
        await proven(house, purpose="step_up", acr="LoA2", auth_time=long_ago)


async def prove(house, nonce: str, token: str, purpose="sign_in"):
    return await house.vault.gate.prove_sign_in("citizens", purpose, nonce, token, "access")


async def test_an_id_token_proves_somebody_once(house):
    at = house.vault.clock.now()
    nonce = await house.vault.gate.begin_sign_in("citizens", "sign_in")
    token = proving.id_token(nonce, at, **HERS)
    assert (await prove(house, nonce, token)).identity == MOTHER
    again = proving.id_token(nonce, at, **HERS, jti="another")
    for one in (token, again):
        with pytest.raises(SignInRefused, match="not_begun"):
            await prove(house, nonce, one)


async def test_a_nonce_is_the_gates_own_for_one_purpose_and_a_while(open_house):
    async with open_house() as house:
        clock = FixedClock(house.vault.clock.now())
    async with open_house(clock) as house:
        nonce = await house.vault.gate.begin_sign_in("citizens", "sign_in")
        held = bytearray(urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4)))
        held[3] ^= 1
        changed = urlsafe_b64encode(held).decode().rstrip("=")
        for one in ("", "n", "ô", "x" * 75, changed, f"{nonce}=", nonce[:-1]):
            with pytest.raises(SignInRefused, match="not_begun"):
                await prove(house, one, proving.id_token(one or "-", clock.now(), **HERS))
        token = proving.id_token(nonce, clock.now(), **HERS)
        with pytest.raises(SignInRefused, match="not_begun"):
            await prove(house, nonce, token, "step_up")
        another = await house.vault.gate.begin_sign_in("citizens", "sign_in")
        with pytest.raises(IdTokenRefused, match="id_token_nonce"):
            await prove(house, another, token)
        clock.advance(LIFETIME)
        with pytest.raises(SignInRefused, match="not_begun"):
            await prove(house, nonce, proving.id_token(nonce, clock.now(), **HERS))


async def test_what_was_proven_is_kept_for_a_moment(open_house):
    async with open_house() as house:
        clock = FixedClock(house.vault.clock.now())
    async with open_house(clock) as house:
        by = await proven(house)
        owner = (await house.owner(people.MOTHER)).owner
        clock.advance(timedelta(minutes=2))
        assert await refused(house, row_for(house, owner, by), by) == "unproven"


async def test_after_a_restart_nothing_goes_on_that_was_begun_before(house):
    """A gate that has forgotten which nonces were used takes none of those."""
    clock = house.vault.clock
    before, after = (SignInProofs(proving.realms(), clock) for _ in range(2))
    nonce = before.begin("citizens", "sign_in")
    token = proving.id_token(nonce, clock.now(), **HERS)
    await before.prove("citizens", "sign_in", nonce, token, "access")
    with pytest.raises(SignInRefused, match="not_begun"):
        await after.prove("citizens", "sign_in", nonce, token, "access")


# What the provider fails at -------------------------------------------------------------------------------


@pytest.fixture
def provider():
    """The provider of the tests, to be told to misbehave; honest again afterwards."""
    yield (told := proving.provider())
    told.reset()


async def test_a_provider_that_is_away_is_told_with_what_was_asked_of_it(house, provider):
    provider.fault = lambda asked: failing(503)(asked) if asked.path == "/keys" else None
    with pytest.raises(ProviderFailed) as caught:
        await proven(house)
    assert (caught.value.code, caught.value.reason) == ("provider_away", "keys_busy")
    provider.fault = None
    assert (await proven(house)).subject == "mẹ", "the next one is proven"


async def test_a_clock_that_is_off_is_told_by_how_much(house):
    behind = int((house.vault.clock.now() - timedelta(minutes=10)).timestamp())
    with pytest.raises(IdTokenRefused) as caught:
        await proven(house, iat=behind, exp=behind + 9000)
    assert (caught.value.code, caught.value.ahead) == ("id_token_clock", -10)


@pytest.mark.parametrize(("subject", "lets_in"), [("mẹ", True), ("another", False)])
async def test_claims_that_the_token_lacks_are_asked_of_the_provider_of_the_same_subject(
    house, provider, subject, lets_in
):
    provider.metadata = lambda told: told | {"userinfo_endpoint": f"{provider.url}/userinfo"}
    claims = HERS | {"sub": subject}
    body = Answer(json.dumps(claims).encode(), "application/json")
    provider.fault = lambda asked: body if asked.path == "/userinfo" else None
    bare = {"SoDinhDanh": None, "HoVaTen": None}
    if lets_in:
        proof, _ = await proving.proved(house.vault, **(HERS | bare))
        assert proof.identity == MOTHER
        return
    with pytest.raises(ProviderFailed) as caught:
        await proven(house, **bare)
    assert caught.value.reason == "userinfo_of_another"


async def test_a_realm_without_a_provider_lets_nobody_in(house):
    nobodys = SignInProofs({}, house.vault.clock)
    with pytest.raises(SignInRefused, match="no_provider"):
        nobodys.begin("citizens", "sign_in")


# Behind a socket -----------------------------------------------------------------------------------------


async def test_the_journal_of_a_gate_apart_tells_of_each_session_and_of_nobody(house, mother, parts_kind):
    if parts_kind == "apart":
        return  # the part is asked here as it is asked over its socket
    told = Told()
    calls = GatePart(house.vault.gate, "", (), told).calls

    async def mark(by: Proven, **changes):
        row = gate_words.session_said("owner", row_for(house, mother.owner, by))
        said = {"holder": "owner", "row": row} | written({"proof": by.proof})
        return await calls["mark_session"](Asked(said | changes, 0, None))

    by = await proven(house)
    assert from_base64((await mark(by)).said["mark"])
    assert told.lines == [("session_marked", {"realm": "citizens"})]
    with pytest.raises(SessionRefused):
        await mark(by)
    assert told.lines[1:] == [("session_refused", {"realm": "citizens", "reason": "unproven"})]
    for wrong in ({"holder": "all"}, {"proof": None}):
        with pytest.raises(FrameMalformed):
            await mark(by, **wrong)
    said = {"realm": "citizens", "purpose": "sign_in", "nonce": "n", "id_token": "t", "access_token": "a"}
    with pytest.raises(SignInRefused):
        await calls["prove_sign_in"](Asked(said, 0, None))
    assert told.lines[2:] == [("session_refused", {"realm": "citizens", "reason": "not_begun"})]
    for wrong in ({"realm": "all"}, {"purpose": "all"}, {"nonce": 1}):
        with pytest.raises(FrameMalformed):
            await calls["prove_sign_in"](Asked(said | wrong, 0, None))
    assert len(told.lines) == 3
