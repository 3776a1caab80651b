"""Tricks of a thief who asks the gate for sessions: of people who did not sign in; for `thief.py`.

He has all that an API process has, and an account of his own at the citizens' provider.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import RSAKey
from sqlalchemy import delete, insert

from tests.faults.stolen import Stolen
from vault import gate_words
from vault.entries import stamp
from vault.sign_in_proofs import SignInProof
from vault.socket_calling import Part
from vault.tables import owner_identifier
from vault.wire_values import written


async def has_a_session_marked_that_nobody_proved(stolen: Stolen) -> Any:
    """Ask for the mark of a session of hers, as is done at each sign-in, and say a proof of one's own."""
    row = _row(stolen, await stolen.owner(), subject="somebody", assurance="high", at=datetime.now(UTC))
    said = {"holder": "owner", "row": gate_words.session_said("owner", row)}
    said |= written({"proof": os.urandom(32)})
    part = Part("gate", Path(stolen.said["gate"]))
    return (await part.ask("mark_session", said))["mark"]


async def signs_her_token_himself(stolen: Stolen) -> Any:
    """Begin a sign-in, and end it by a token that says it is the provider's."""
    nonce = await stolen.gate.begin_sign_in("citizens", "sign_in")
    now, key = int(datetime.now(UTC).timestamp()), RSAKey.generate_key(2048)
    claims = {"iss": stolen.said["provider"], "aud": stolen.said["client"], "sub": "hers", "nonce": nonce}
    claims |= {"iat": now, "exp": now + 300, "auth_time": now, "acr": "LoA2", **stolen.said["her_claims"]}
    header = {"alg": "RS256", "kid": "first"}
    token = jws.serialize_compact(header, json.dumps(claims), key, algorithms=["RS256"])
    return await stolen.gate.prove_sign_in("citizens", "sign_in", nonce, token, "access")


async def brings_her_token_from_elsewhere(stolen: Stolen) -> Any:
    """Use a token that the provider truly gave her, at another time, with the nonce that stands in it."""
    nonce, token = stolen.said["her_nonce"], stolen.said["her_token"]
    return await stolen.gate.prove_sign_in("citizens", "sign_in", nonce, token, "access")


async def brings_her_token_to_a_nonce_of_now(stolen: Stolen) -> Any:
    """The same, for a sign-in that the gate has begun."""
    nonce = await stolen.gate.begin_sign_in("citizens", "sign_in")
    token = stolen.said["her_token"]
    return await stolen.gate.prove_sign_in("citizens", "sign_in", nonce, token, "access")


async def uses_a_token_again(stolen: Stolen) -> Any:
    """Sign in oneself, which is anybody's right, and have the same token prove it twice."""
    nonce, tokens = await _signed_in(stolen)
    for _ in range(2):
        proof = await stolen.gate.prove_sign_in("citizens", "sign_in", nonce, *tokens)
    return proof


async def signs_in_himself_and_takes_her_store(stolen: Stolen) -> Any:
    """Have one's own sign-in stand for a session of hers."""
    return await stolen.gate.mark_session(*await _hers(stolen))


async def gives_her_store_his_own_number(stolen: Stolen) -> Any:
    """Write in the rows that her store is of whoever has one's own number, and sign in."""
    his = {"scheme": "personal_number", "value": stolen.said["his_number"]}
    async with stolen.db.beside() as db:
        more = {"owner": await stolen.owner(), "checked_by": "me"}
        await db.execute(insert(owner_identifier).values(**his, **more))
    try:
        return await stolen.gate.mark_session(*await _hers(stolen))
    finally:
        async with stolen.db.beside() as db:
            await db.execute(delete(owner_identifier).filter_by(**his))


async def makes_a_code_of_the_demo(stolen: Stolen) -> Any:
    """Ask for what a one-time code gets in the demo."""
    row = _row(stolen, await stolen.owner(), subject="", assurance="high", at=datetime.now(UTC))
    return await stolen.gate.mark_session_of_code("owner", row)


async def _hers(stolen: Stolen) -> tuple[Any, ...]:
    nonce, tokens = await _signed_in(stolen)
    mine: SignInProof = await stolen.gate.prove_sign_in("citizens", "sign_in", nonce, *tokens)
    at = mine.authenticated_at or datetime.now(UTC)
    row = _row(stolen, await stolen.owner(), subject=mine.subject, assurance=mine.assurance, at=at)
    return "owner", row, mine.handle


async def _signed_in(stolen: Stolen) -> tuple[str, tuple[str, str]]:
    """Sign in at the provider as oneself, as a browser and a door do; gives nonce, ID and access token."""
    nonce = await stolen.gate.begin_sign_in("citizens", "sign_in")
    provider = stolen.said["provider"]
    asked = {"nonce": nonce, "state": "s", "redirect_uri": "https://kho.example/", "acr_values": "LoA1"}
    async with httpx.AsyncClient(timeout=20) as browser:
        back = await browser.get(f"{provider}/authorize", params=asked)
        (code,) = parse_qs(urlsplit(back.headers["location"]).query)["code"]
        told = (await browser.post(f"{provider}/token", data={"code": code})).json()
    return nonce, (told["id_token"], told["access_token"])


def _row(stolen: Stolen, owner: str, *, subject: str, assurance: str, at: datetime) -> dict[str, Any]:
    return {
        "owner": owner,
        "secret_hash": os.urandom(32),
        "expires": stamp(datetime.now(UTC) + timedelta(minutes=30)),
        "assurance": assurance,
        "authenticated_at": stamp(at),
        "issuer": stolen.said["provider"],
        "subject": subject,
    }


OF_ROWS = (gives_her_store_his_own_number,)
TRICKS = (
    has_a_session_marked_that_nobody_proved,
    signs_her_token_himself,
    brings_her_token_from_elsewhere,
    brings_her_token_to_a_nonce_of_now,
    uses_a_token_again,
    signs_in_himself_and_takes_her_store,
    makes_a_code_of_the_demo,
)
