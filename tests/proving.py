"""Signing in at a provider of the tests' own, for vaults without doors: the gate proves it as ever."""

import os
from datetime import datetime
from functools import cache
from typing import Any

from tests.servers.odd_provider import CLIENT, OddProvider
from vault.realm_rules import Realm, RealmRules
from vault.services import Vault
from vault.sessions import Proven
from vault.sign_in_proofs import SignInProof
from vault.sign_ins import Purpose


@cache
def provider() -> OddProvider:
    """The provider of both realms, up until the process ends."""
    return OddProvider().start()


def realms() -> dict[Realm, RealmRules]:
    """What the gate of a test's vault asks of whoever signs in there."""
    issuer = provider().url
    return {
        "citizens": RealmRules("citizens", issuer, CLIENT, ("LoA1",), ("LoA2",), (), "sub"),
        "staff": RealmRules("staff", issuer, CLIENT, (), (), (frozenset({"mfa"}),), "sub"),
    }


def id_token(nonce: str, at: datetime, **claims: Any) -> str:
    """Have the provider sign that somebody was authenticated at an instant; None takes a claim away."""
    now = int(at.timestamp())
    said = {
        "iss": provider().url,
        "aud": CLIENT,
        "sub": "s-1",
        "nonce": nonce,
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "acr": "LoA1",
        "amr": ["pwd", "mfa"],
    }
    return provider().signed({name: one for name, one in (said | claims).items() if one is not None})


async def proved(
    vault: Vault, realm: Realm = "citizens", purpose: Purpose = "sign_in", **claims: Any
) -> tuple[SignInProof, str]:
    """Sign somebody in as far as the gate's proof; gives the ID token, too."""
    nonce = await vault.gate.begin_sign_in(realm, purpose)
    token = id_token(nonce, vault.clock.now(), **claims)
    return await vault.gate.prove_sign_in(realm, purpose, nonce, token, os.urandom(8).hex()), token


async def proven(
    vault: Vault, realm: Realm = "citizens", purpose: Purpose = "sign_in", **claims: Any
) -> Proven:
    """Sign somebody in as far as a session begins with."""
    proof, token = await proved(vault, realm, purpose, **claims)
    at = proof.authenticated_at
    return Proven(proof.issuer, proof.subject, proof.sid, proof.assurance, at, token, proof.handle)
