"""The talk of a door with an OpenID provider: where people are sent, a code for tokens, its logout tokens.

What it publishes is fetched as vault/provider_documents.py says; who somebody is, the gate finds for itself.
"""

import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote_plus, urlencode, urlsplit

from reuse_api.realms import RealmDoor
from signing.exchange import Limits, Question
from vault.assertions import make_assertion
from vault.clock import Clock
from vault.id_tokens import LogoutToken, check_logout_token
from vault.provider_documents import (
    JSON,
    LIMITS,
    ONCE,
    Keys,
    Metadata,
    ProviderDocuments,
    ProviderFailed,
    document,
)
from vault.sign_ins import Begun

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a code was exchanged for; dropped once the gate has looked at it."""

    id_token: str
    access_token: str


class IdentityProvider(ProviderDocuments):
    """One realm's provider, as long as the application runs."""

    def __init__(self, rules: RealmDoor, clock: Clock, limits: Limits = LIMITS) -> None:
        """`limits` are those of fetching its documents."""
        super().__init__(rules, clock, limits)
        self.rules = rules

    async def authorization(self, begun: Begun) -> str:
        """Give the address that a browser is sent to, to sign in or, for a step-up, to sign in afresh.

        Raises:
            ProviderFailed
        """
        metadata = await self.metadata()
        again = begun.wanted.purpose == "step_up"
        asked = {
            "response_type": "code",
            "client_id": self.rules.client,
            "redirect_uri": self.rules.redirect,
            "scope": self.rules.scope,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        if levels := self.rules.asked(high=again):
            asked["acr_values"] = " ".join(levels)
        # With `max_age` a provider says when it authenticated the person (OpenID Connect Core 1.0, 2).
        asked["max_age"] = str(self.rules.limits.lifetime // _SECOND)
        if again:
            asked |= {"prompt": "login", "max_age": "0"}
        joint = "&" if urlsplit(metadata.authorization).query else "?"
        return f"{metadata.authorization}{joint}{urlencode(asked)}"

    async def exchanged(self, begun: Begun, code: str) -> Tokens:
        """Exchange a code for tokens, which nobody has looked at yet.

        Raises:
            ProviderFailed
        """
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.rules.redirect,
            "code_verifier": begun.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": JSON}
        proof, header = self._proof(metadata)
        body = urlencode(form | proof).encode()
        question = Question(metadata.token, body, headers=headers | header)
        answered = await self.asked(question, "token", ONCE)
        if answered.status in (400, 401):
            raise ProviderFailed("provider_refused", f"token_status_{answered.status}")
        told = document(answered, "token")
        id_token, access_token = told.get("id_token"), told.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderFailed("provider_nonsense", "token_missing")
        if str(told.get("token_type", "")).lower() != "bearer":
            raise ProviderFailed("provider_nonsense", "token_type")
        return Tokens(id_token, access_token)

    def _proof(self, metadata: Metadata) -> tuple[dict[str, str], dict[str, str]]:
        """Prove us to the token endpoint: form fields and headers (OpenID Connect Core 1.0, 9)."""
        rules = self.rules
        if rules.credentials.key is not None:
            assertion = make_assertion(
                dict(rules.credentials.key),
                issuer=rules.issuer,
                client_id=rules.client,
                subject=rules.client,
                typ="JWT",
                at=self._clock.now(),
                jti=os.urandom(16).hex(),
            )
            fields = {"client_assertion_type": _ASSERTION, "client_assertion": assertion}
            return fields | {"client_id": rules.client}, {}
        if metadata.basic:
            pair = f"{quote_plus(rules.client)}:{quote_plus(rules.credentials.secret)}"
            return {}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return {"client_id": rules.client, "client_secret": rules.credentials.secret}, {}

    async def logout(self, token: str) -> LogoutToken:
        """Check a logout token.

        Raises:
            ProviderFailed, IdTokenRefused
        """
        rules = self.rules

        def check(keys: Keys) -> LogoutToken:
            at = self._clock.now()
            return check_logout_token(token, keys=keys, issuer=rules.issuer, client_id=rules.client, at=at)

        return await self._by_newest_keys(check)
