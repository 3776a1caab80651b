"""Signing in at a real OpenID provider: each role in and out, step-up, sessions listed and ended."""

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from tests.flows.conftest import Kho
from tests.flows.plain_browser import Browser
from tests.flows.signing_in import SECRET, Door, credentials, free_port, served
from tests.servers.openid_provider import OpenIdProvider
from vault import officer_sign_ins, registering, staff
from vault.assertions import new_caller_key, public_jwk
from vault.entries import stamp
from vault.tables import officer, session, staff_session

GO, DESK, AUDIT, ADMIN = (
    "Sign in with electronic identity",
    "To the desk",
    "To the audit",
    "To administration",
)
MFA = "pwd otp mfa"
CITIZENS = [
    {"id": "daughter", "SoDinhDanh": people.DAUGHTER.number, "HoVaTen": people.DAUGHTER.name},
    {"id": "mother", "SoDinhDanh": people.MOTHER.number, "HoVaTen": people.MOTHER.name.upper()},
    {"id": "married", "SoDinhDanh": people.MOTHER.number, "HoVaTen": "Lê Thị Tên Mới"},
    {
        "id": "newcomer",
        "LoaiTaiKhoan": 1,
        "SoDinhDanh": "001198054321",
        "HoVaTen": "Vũ Ngọc Mai",
        "NgayThangNamSinh": "12/05/1998",
        "roles": ["administrator"],
        "agency": people.COMMUNE.code,
    },
    {
        "id": "company",
        "LoaiTaiKhoan": 2,
        "SoDinhDanh": people.STRANGER.number,
        "HoVaTen": people.STRANGER.name,
        "MaSoThue": "0100109106",
        "TenDoanhNghiep": "Công ty TNHH Thử Nghiệm",
    },
]
STAFF = [
    {"id": "police-officer"},
    {"id": "commune-officer"},
    {"id": "nobody-here", "role": "administrator", "agency": people.COMMUNE.code},
]


@pytest.fixture(scope="module")
def door(kho: Kho, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Both realms: citizens by a secret and userinfo, staff by private_key_jwt and claims in the token."""
    folder: Path = tmp_path_factory.mktemp("realms")
    key = new_caller_key()
    citizens_port, staff_port = free_port(), free_port()
    with served(
        kho,
        citizens_provider=f"http://127.0.0.1:{citizens_port}",
        citizens_client="kho",
        citizens_scope="openid profile",
        citizens_credentials=credentials(folder, "citizens"),
        staff_provider=f"http://127.0.0.1:{staff_port}",
        staff_client="kho-staff",
        staff_credentials=credentials(folder, "staff", json.dumps(key)),
    ) as running:
        back = {
            "post_logout_redirect_uris": [f"{running.url}/sign-in?out=1"],
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
        }
        citizens = {
            "client_id": "kho",
            "client_secret": SECRET,
            "redirect_uris": [f"{running.url}/sign-in/callback/citizens"],
            "backchannel_logout_uri": f"{running.url}/sign-in/back-channel/citizens",
            "backchannel_logout_session_required": True,
            **back,
        }
        officers = {
            "client_id": "kho-staff",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [public_jwk(key)]},
            "redirect_uris": [f"{running.url}/sign-in/callback/staff"],
            **back,
        }
        with (
            OpenIdProvider(citizens_port, client=citizens, accounts=CITIZENS, in_token=False),
            OpenIdProvider(staff_port, client=officers, accounts=STAFF),
        ):
            kho.run(_register(kho, running.settings.staff_provider))
            yield running


async def _register(kho: Kho, issuer: str) -> None:
    held: dict[str, tuple[people.Office, tuple[Any, ...]]] = {
        "police-officer": (people.POLICE, ("desk",)),
        "commune-officer": (people.COMMUNE, ("auditor", "administrator")),
    }
    for account, (office, roles) in held.items():
        who = {"agency": office.code, "officer": office.officer}
        for role in roles:
            async with kho.vault.db.read() as db:
                known = await staff.has_role(db, office.code, office.officer, role)
            if not known:
                await registering.give_role(kho.registry, role=role, **who)
        async with kho.vault.db.read() as db:
            others = set(await staff.roles(db, office.code, office.officer)) - set(roles)
        for role in others:  # which the tests of another file gave them
            await officer_sign_ins.take_role(kho.registry, role=role, **who)
        await officer_sign_ins.let_sign_in(kho.registry, issuer=issuer, subject=account, **who)


@pytest.fixture
def browser(door: Door) -> Iterator[Browser]:
    with door.browser() as fresh:
        yield fresh


def test_the_door_says_who_signs_in_how_and_for_how_long(browser: Browser) -> None:
    told = browser.go("/sign-in")
    assert browser.buttons()[:4] == [GO, DESK, AUDIT, ADMIN]
    assert "15 minutes without use, and after 240 minutes" in told.text
    assert "15 minutes without use, and after 480 minutes" in told.text
    assert "One-time code" not in told.text


def test_a_citizen_signs_in_and_out_here_and_there(browser: Browser, door: Door) -> None:
    browser.sign_in(GO, "mother", "LoA1")
    assert browser.place == "/wallet"
    secret = browser.cookie("kho_session")
    told = browser.press("Sign out")
    assert "You are signed out of Kho" in told.text
    browser.press("Sign out there too")
    browser.press("Sign out")
    assert browser.at == f"{door.url}/sign-in?out=1" and "You are signed out." in browser.page.text
    assert browser.client.get(f"{door.url}/v1/me/records").status_code == 401
    browser.client.cookies.set("kho_session", secret, domain="127.0.0.1")
    assert browser.client.get(f"{door.url}/v1/me/records").status_code == 401
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.buttons() == ["Sign in", "Cancel"], "at the provider, too, nobody is signed in"


def test_whoever_cancels_is_told_so(browser: Browser) -> None:
    browser.go("/sign-in")
    browser.press(GO)
    told = browser.press("Cancel")
    assert told.status_code == 403 and "You did not sign in" in told.text


def test_a_first_sign_in_opens_an_empty_store_and_claims_give_no_role(browser: Browser, door: Door) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    assert browser.place == "/wallet"
    mine = browser.client.get(f"{door.url}/v1/me/records").json()
    assert mine["records"] == []
    (opened,) = browser.client.get(f"{door.url}/v1/me/accesses").json()["accesses"]
    assert opened["event"] == "store_opened"
    for place in ("/desk", "/audit", "/admin"):
        browser.go(place)
        assert browser.place == "/sign-in"
    browser.client.cookies.clear()
    browser.sign_in(GO, "newcomer", "LoA1")
    assert len(browser.client.get(f"{door.url}/v1/me/accesses").json()["accesses"]) == 1


def test_an_organisation_signs_in_by_its_tax_code(browser: Browser, door: Door) -> None:
    browser.sign_in(GO, "company", "LoA1")
    assert browser.place == "/wallet"
    assert browser.client.get(f"{door.url}/v1/me/records").json()["records"] == []


def test_a_changed_name_is_told_and_the_stores_own_stays(browser: Browser, door: Door, mother: Any) -> None:
    browser.sign_in(GO, "mother", "LoA1")
    assert browser.place == "/wallet", "written otherwise it is the same name"
    browser.client.cookies.clear()
    told = browser.sign_in(GO, "married", "LoA1")
    assert "the name differs" in told.text
    assert browser.client.get(f"{door.url}/v1/me/records").status_code == 200


@pytest.mark.parametrize(
    ("button", "account", "home"),
    [
        (DESK, "police-officer", "/desk"),
        (AUDIT, "commune-officer", "/audit"),
        (ADMIN, "commune-officer", "/admin"),
    ],
)
def test_staff_sign_in_for_a_role_and_out(
    browser: Browser, door: Door, button: str, account: str, home: str
) -> None:
    browser.sign_in(button, account, amr=MFA)
    assert browser.place == home and browser.page.status_code == 200
    secret = browser.cookie("kho_staff")
    browser.press("Sign out")
    browser.press("Sign out there too")
    browser.press("Sign out")
    assert browser.at == f"{door.url}/sign-in?out=1"
    browser.client.cookies.set("kho_staff", secret, domain="127.0.0.1")
    browser.go(home)
    assert browser.place == "/sign-in"


def test_without_a_second_factor_staff_stay_outside(browser: Browser) -> None:
    told = browser.sign_in(DESK, "police-officer", amr="pwd")
    assert told.status_code == 403 and "A second factor is needed" in told.text
    assert browser.cookie("kho_staff") == ""


def test_who_is_not_registered_is_told_so(browser: Browser) -> None:
    told = browser.sign_in(ADMIN, "nobody-here", amr=MFA)
    assert told.status_code == 403 and "You are not registered here" in told.text
    assert browser.cookie("kho_staff") == ""


def test_a_role_that_is_not_held_is_refused_and_those_held_are_named(browser: Browser) -> None:
    told = browser.sign_in(DESK, "commune-officer", amr=MFA)
    assert told.status_code == 403 and "This role is not yours" in told.text
    assert browser.buttons()[:2] == [ADMIN, AUDIT]


def test_who_has_left_is_nobody_here(browser: Browser, door: Door) -> None:
    browser.sign_in(DESK, "police-officer", amr=MFA)
    assert browser.place == "/desk"
    hers = officer.c.id == people.POLICE.officer

    async def live(yes: bool) -> None:
        async with door.kho.registry.db.write() as db:
            await db.execute(update(officer).where(hers).values(live=yes))

    door.kho.run(live(False))
    try:
        browser.go("/desk")
        assert browser.place == "/sign-in"
        browser.press(DESK)
        assert "You are not registered here" in browser.page.text
    finally:
        door.kho.run(live(True))


# Step-up -----------------------------------------------------------------------------------------------


def asked(door: Door, bank: httpx.Client) -> str:
    """Have the bank ask the daughter; gives the page of the request."""
    body = {
        "person": {"identifier": people.DAUGHTER.named("x")["identifier"], "name": people.DAUGHTER.name},
        "purposes": [{"purpose": "loan_assessment", "reason": "Hồ sơ vay mua nhà"}],
        "types": ["GKS"],
        "valid_until": (door.kho.vault.clock.now() + timedelta(days=20)).date().isoformat(),
        "max_reads": 2,
    }
    reply = bank.post("/v1/consent-requests", json=body, headers={"Idempotency-Key": os.urandom(8).hex()})
    assert reply.status_code == 201, reply.text
    return f"/wallet/requests/{reply.json()['request']}"


def test_a_consent_needs_a_fresh_and_stronger_proof(
    browser: Browser, door: Door, bank: httpx.Client, certificate: Any
) -> None:
    page = asked(door, bank)
    browser.sign_in(GO, "daughter", "LoA1")
    before = browser.cookie("kho_session")
    browser.go(page)
    assert "Authenticate again" in browser.buttons() and "I agree" not in browser.buttons()
    browser.press("Authenticate again")
    assert browser.buttons() == ["Sign in", "Cancel"], "a fresh proof, whoever is signed in there"
    told = browser.at_provider("daughter", "LoA1")
    assert told.status_code == 403 and "level of authentication is not enough" in told.text
    browser.go(page)
    browser.leave_provider()  # else it asks first whether whoever is signed in there shall be signed out
    browser.press("Authenticate again")
    told = browser.at_provider("mother", "LoA2")
    assert told.status_code == 403 and "This is another person" in told.text
    browser.go(page)
    browser.leave_provider()
    browser.press("Authenticate again")
    browser.at_provider("daughter", "LoA2")
    assert browser.place == page
    assert "Authenticate again" not in browser.buttons()
    after = browser.cookie("kho_session")
    assert after != before, "a stronger session has a new secret"
    with door.kho.client(Cookie=f"kho_session={before}") as old:
        assert old.get("/v1/me/records").status_code == 401
    told = browser.press("I agree", records=certificate.record)
    assert told.status_code == 200 and "/wallet/consents/" in browser.at, told.text


def test_the_api_refuses_a_weak_consent_with_its_reason(
    browser: Browser, door: Door, bank: httpx.Client, certificate: Any
) -> None:
    asked(door, bank)
    browser.sign_in(GO, "daughter", "LoA1")
    waiting = browser.client.get(f"{door.url}/v1/me/consent-requests").json()["consents"][0]
    body = {"act": "give", "text_hash": waiting["text_hash"], "language": "en"}
    body |= {"records": [certificate.record]}
    place = f"{door.url}/v1/me/consents/{waiting['id']}/answer"
    refused = browser.client.post(place, json=body, headers={"Idempotency-Key": os.urandom(8).hex()})
    assert refused.status_code == 403
    assert "assurance_too_low" in [one["code"] for one in refused.json()["reasons"]]
    assert (
        "assurance_too_low"
        not in browser.client.post(
            place, json={"act": "refuse", "language": "en"}, headers={"Idempotency-Key": os.urandom(8).hex()}
        ).text
    )


def test_an_auditor_opens_an_entry_only_soon_after_authenticating(browser: Browser, door: Door) -> None:
    browser.sign_in(AUDIT, "commune-officer", amr=MFA)
    opening = {"index": 1, "ground": "Kế hoạch kiểm tra quý IV"}
    place = f"{door.url}/v1/audit/openings"

    def opened() -> httpx.Response:
        return browser.client.post(place, json=opening, headers={"Idempotency-Key": os.urandom(8).hex()})

    assert opened().status_code == 200
    door.kho.run(_age(door, staff_session, timedelta(minutes=16)))
    refused = opened()
    assert refused.status_code == 401 and refused.json()["code"] == "step_up_needed"
    assert "insufficient_user_authentication" in refused.headers["www-authenticate"]
    browser.go("/audit/entries/1")
    browser.press("Authenticate again")
    browser.at_provider("commune-officer", amr=MFA)
    assert browser.place == "/audit/entries/1"
    assert opened().status_code == 200


@pytest.mark.parametrize(
    ("button", "account", "level", "table"),
    [(AUDIT, "commune-officer", MFA, staff_session), (GO, "mother", "LoA2", session)],
    ids=["auditor", "citizen"],
)
def test_who_comes_back_by_the_providers_open_session_has_proven_nothing_afresh(
    browser: Browser, door: Door, button: str, account: str, level: str, table: Any
) -> None:
    """Signed out here alone, and in again without typing anything: in, but not strongly proven."""
    acr, amr = (level, "") if table is session else ("", level)
    browser.sign_in(button, account, acr, amr)
    assert door.kho.run(_newest(door, table)) is not None
    browser.press("Sign out")
    time.sleep(2.5)  # the provider tells whole seconds
    browser.go("/sign-in")
    browser.press(button)
    assert browser.place in ("/audit", "/wallet"), "the provider asked for nothing"
    assert door.kho.run(_newest(door, table)) is None
    if table is session:
        return
    opening = {"index": 1, "ground": "Kế hoạch kiểm tra quý IV"}
    place = f"{door.url}/v1/audit/openings"
    refused = browser.client.post(place, json=opening, headers={"Idempotency-Key": os.urandom(8).hex()})
    assert refused.status_code == 401 and refused.json()["code"] == "step_up_needed"
    browser.go("/audit/entries/1")
    browser.press("Authenticate again")
    browser.at_provider(account, amr=MFA)
    assert browser.place == "/audit/entries/1"
    told = browser.client.post(place, json=opening, headers={"Idempotency-Key": os.urandom(8).hex()})
    assert told.status_code == 200


async def _newest(door: Door, table: Any) -> str | None:
    query = (
        select(table.c.authenticated_at).where(table.c.kind == "session").order_by(table.c.began_at.desc())
    )
    async with door.kho.vault.db.read() as db:
        return (await db.execute(query)).scalars().first()  # type: ignore[no-any-return]


async def _age(door: Door, table: Any, by: timedelta) -> None:
    """Let every authentication lie that much further back, marked by the gate as if it had been so."""
    vault, holder = door.kho.vault, "owner" if table is session else "staff"
    since = stamp(vault.clock.now() - by)
    async with vault.db.read() as db:
        rows = (await db.execute(select(table).where(table.c.kind == "session"))).mappings().all()
    for row in rows:
        aged = {**row, "authenticated_at": since}
        mark = door.kho.around.marks.mark(holder, aged, None, vault.clock.now())
        mine = table.c.secret_hash == row["secret_hash"]
        async with vault.db.write() as db:
            await db.execute(update(table).where(mine).values(authenticated_at=since, mark=mark))


# Sessions ----------------------------------------------------------------------------------------------


def test_a_session_is_listed_and_ended_from_another(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    with door.browser() as lost:
        lost.sign_in(GO, "newcomer", "LoA1")
        held = browser.client.get(f"{door.url}/v1/me/sessions").json()["sessions"]
        others = [one["id"] for one in held if not one["current"]]
        assert len(held) - len(others) == 1 and held[0]["device"] == "phone"
        told = browser.go("/wallet/sessions")
        assert told.text.count("End the session") == len(held)
        assert "after 240 minutes at the latest" in told.text
        for one in others:
            ended = browser.client.post(
                f"{door.url}/v1/me/sessions/{one}/end", headers={"Idempotency-Key": os.urandom(8).hex()}
            )
            assert ended.status_code == 200
        lost.go("/wallet")
        assert lost.place == "/sign-in"
    browser.go("/wallet/sessions")
    browser.press("End the session")
    assert browser.place == "/sign-in", "one's own session too"


def test_nobody_ends_the_session_of_another(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    with door.browser() as another:
        another.sign_in(GO, "mother", "LoA1")
        (hers, *_) = another.client.get(f"{door.url}/v1/me/sessions").json()["sessions"]
        ended = browser.client.post(
            f"{door.url}/v1/me/sessions/{hers['id']}/end", headers={"Idempotency-Key": "x"}
        )
        assert ended.status_code == 404
        assert another.go("/wallet").status_code == 200


def test_an_administrator_ends_an_officers_session_and_it_is_an_entry(door: Door, browser: Browser) -> None:
    browser.sign_in(ADMIN, "commune-officer", amr=MFA)
    with door.browser() as desk:
        desk.sign_in(DESK, "police-officer", amr=MFA)
        place = f"{door.url}/v1/officers/sessions"
        theirs = [
            one
            for one in browser.client.get(place).json()["sessions"]
            if one["agency"] == people.POLICE.code and one["role"] == "desk"
        ]
        size = door.kho.vault.signer.tree.size
        for one in theirs:
            told = browser.client.post(
                f"{place}/{one['id']}/end",
                json={"reason": "Máy bị mất"},
                headers={"Idempotency-Key": one["id"]},
            )
            assert told.status_code == 200 and told.json()["index"] >= size
        desk.go("/desk")
        assert desk.place == "/sign-in"
    assert "Sessions of officers" in browser.go("/admin/staff").text


def test_a_sign_out_at_the_provider_ends_the_session_here(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    browser.go(f"{door.settings.citizens_provider}/session/end")
    browser.press("Sign out")
    assert browser.client.get(f"{door.url}/v1/me/records").status_code == 401


def test_a_logout_token_that_proves_nothing_ends_nothing(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    place = f"{door.url}/sign-in/back-channel/citizens"
    for token in ("", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        assert httpx.post(place, data={"logout_token": token}).status_code == 400
    assert httpx.post(f"{door.url}/sign-in/back-channel/nobody").status_code == 404
    assert browser.go("/wallet").status_code == 200


def test_without_use_a_session_ends_and_with_use_it_goes_on(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    door.kho.run(_idle_in(door, timedelta(minutes=1)))
    assert browser.client.get(f"{door.url}/v1/me/records").status_code == 200
    (now,) = [
        one for one in browser.client.get(f"{door.url}/v1/me/sessions").json()["sessions"] if one["current"]
    ]
    left = door.kho.vault.clock.now() + timedelta(minutes=14)
    assert now["idle_until"] > left.isoformat(), "it was used, so its end moved on"
    door.kho.run(_idle_in(door, timedelta(seconds=-1)))
    refused = browser.client.get(f"{door.url}/v1/me/records")
    assert refused.status_code == 401 and refused.json()["code"] == "session_idle"


async def _idle_in(door: Door, by: timedelta) -> None:
    until = stamp(door.kho.vault.clock.now() + by)
    async with door.kho.vault.db.write() as db:
        await db.execute(update(session).where(session.c.idle_until.is_not(None)).values(idle_until=until))


def test_the_rows_hold_nothing_that_signs_anybody_in(door: Door, browser: Browser) -> None:
    browser.sign_in(GO, "newcomer", "LoA1")
    secret = browser.cookie("kho_session")

    async def read() -> str:
        async with door.kho.vault.db.read() as db:
            return repr((await db.execute(session.select())).all())

    rows = door.kho.run(read())
    assert secret not in rows and "eyJ" not in rows and "001198054321" not in rows
