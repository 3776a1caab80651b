"""The talk with an OpenID provider: its metadata, its keys, a code for a token; all bounded in size and time.

Nothing of what it answers is believed before it was checked, nothing of it stands in a message or the
journal. No redirect is followed. Its documents are kept for an hour; an unknown key has the keys fetched
again, once.
"""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from reuse_api.realms import RealmRules
from signing.allowed_address import check_address
from signing.exchange import Answered, Limits, NoAnswer, Question, ask, patiently
from vault.assertions import make_assertion
from vault.clock import Clock
from vault.id_tokens import (
    Expected,
    IdToken,
    IdTokenRefused,
    LogoutToken,
    check_id_token,
    check_logout_token,
    unknown_key,
)
from vault.sign_ins import Begun

_KEPT = timedelta(hours=1)
_AGAIN = timedelta(seconds=10)  # at least, between two fetches of keys for the sake of an unknown one
_QUIET = timedelta(seconds=3)  # after it failed: strangers who ask meanwhile open no connections
_LIMITS = Limits(seconds=5.0, largest=256 * 1024, tries=2)
_ONCE = Limits(seconds=10.0, largest=64 * 1024, tries=1)  # a code is good once
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_JSON = "application/json"
_SECOND = timedelta(seconds=1)


Keys = Sequence[Mapping[str, Any]]
T = TypeVar("T")


class ProviderFailed(Exception):
    """The provider did not do its part; nothing was done here.

    `code` is provider_away (no answer, too slow), provider_nonsense (an answer that cannot be used) or
    provider_refused (it takes no such code); `reason` says which document or rule, for the journal.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Metadata:
    """What the provider says about itself (OpenID Connect Discovery 1.0, 3), as far as it is used."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    basic: bool  # whether the secret goes into a header, else into the form
    names_itself: bool  # in every answer that it sends people back with (RFC 9207)


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a code was exchanged for; dropped once it was looked at."""

    id_token: str
    access_token: str


class IdentityProvider:
    """One realm's provider, as long as the application runs."""

    def __init__(self, rules: RealmRules, clock: Clock, limits: Limits = _LIMITS) -> None:
        """`limits` are those of fetching its documents."""
        self.rules = rules
        self._clock = clock
        self._limits = limits
        self._metadata: tuple[Metadata, datetime] | None = None
        self._keys: tuple[Keys, datetime] | None = None
        self._looked_again: datetime | None = None
        self._away: tuple[ProviderFailed, datetime] | None = None
        self._asking = asyncio.Lock()

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

    async def proven(self, begun: Begun, code: str) -> tuple[IdToken, Tokens]:
        """Exchange a code and check the ID token that comes back.

        Raises:
            ProviderFailed, IdTokenRefused
        """
        tokens = await self._exchanged(begun, code)
        again = begun.wanted.purpose == "step_up"
        expected = Expected(
            issuer=self.rules.issuer,
            client_id=self.rules.client,
            nonce=begun.nonce,
            access_token=tokens.access_token,
            begun_at=begun.begun_at,
            fresh_since=begun.begun_at if again else None,
        )

        def check(keys: Keys) -> IdToken:
            return check_id_token(tokens.id_token, keys=keys, expected=expected, at=self._clock.now())

        return await self._by_newest_keys(check), tokens

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

    async def _by_newest_keys(self, check: Callable[[Keys], T]) -> T:
        """Check by the keys that are kept; where one is unknown, once more by those of now."""
        try:
            return check(await self.keys())
        except IdTokenRefused as problem:
            if not unknown_key(problem):
                raise
        return check(await self.keys(unknown=True))

    async def userinfo(self, token: IdToken, access_token: str) -> Mapping[str, Any]:
        """Give further claims of the person that an ID token proves; none where there are none to be had.

        Raises:
            ProviderFailed: also when it tells of another person (OpenID Connect Core 1.0, 5.3.2).
        """
        place = (await self.metadata()).userinfo
        if place is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}", "Accept": _JSON}
        answered = await self._asked(Question(place, method="GET", headers=headers), "userinfo", _ONCE)
        told = _document(answered, "userinfo")
        if told.get("sub") != token.subject:
            raise ProviderFailed("provider_nonsense", "userinfo_of_another")
        return told

    async def metadata(self) -> Metadata:
        """Give what the provider says about itself.

        Raises:
            ProviderFailed
        """
        async with self._asking:  # whoever comes meanwhile waits for this one answer
            return await self._described()

    async def _described(self) -> Metadata:
        now = self._clock.now()
        if self._metadata is None or self._metadata[1] + _KEPT < now:
            if self._away is not None and self._away[1] + _QUIET > now:
                raise ProviderFailed(self._away[0].code, self._away[0].reason)
            try:
                self._metadata = await self._fetched(), now
            except ProviderFailed as problem:
                self._away = problem, self._clock.now()
                raise
        return self._metadata[0]

    async def _fetched(self) -> Metadata:
        place = f"{self.rules.issuer.rstrip('/')}/.well-known/openid-configuration"
        question = Question(place, method="GET", headers={"Accept": _JSON})
        said = _document(await self._asked(question, "metadata", self._limits), "metadata")
        if said.get("issuer") != self.rules.issuer:
            raise ProviderFailed("provider_nonsense", "issuer")
        return _metadata(said)

    async def keys(self, *, unknown: bool = False) -> Keys:
        """Give the provider's published keys; `unknown`: one was asked for that is not among them.

        Raises:
            ProviderFailed
        """
        now = self._clock.now()
        kept = self._keys
        again = unknown and (self._looked_again is None or self._looked_again + _AGAIN <= now)
        if kept is not None and kept[1] + _KEPT > now and not again:
            return kept[0]
        if unknown:
            self._looked_again = now
        place = (await self.metadata()).keys
        question = Question(place, method="GET", headers={"Accept": _JSON})
        found = _document(await self._asked(question, "keys", self._limits), "keys").get("keys")
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ProviderFailed("provider_nonsense", "keys")
        self._keys = found, now
        return found

    async def _exchanged(self, begun: Begun, code: str) -> Tokens:
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.rules.redirect,
            "code_verifier": begun.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": _JSON}
        proof, header = self._proof(metadata)
        body = urlencode(form | proof).encode()
        question = Question(metadata.token, body, headers=headers | header)
        answered = await self._asked(question, "token", _ONCE)
        if answered.status in (400, 401):
            raise ProviderFailed("provider_refused", f"token_status_{answered.status}")
        told = _document(answered, "token")
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

    async def _asked(self, question: Question, what: str, limits: Limits) -> Answered:
        try:
            return await patiently(lambda: ask(question, limits), limits)
        except NoAnswer as problem:
            code = "provider_nonsense" if problem.reason == "too_large" else "provider_away"
            raise ProviderFailed(code, f"{what}_{problem.reason}") from None
        except ValueError:  # an address or a header that cannot be one
            raise ProviderFailed("provider_nonsense", f"{what}_address") from None


def _document(answered: Answered, what: str) -> dict[str, Any]:
    if answered.status != 200:
        raise ProviderFailed("provider_nonsense", f"{what}_status_{answered.status}")
    if answered.kind != _JSON and not answered.kind.endswith("+json"):
        raise ProviderFailed("provider_nonsense", f"{what}_media_type")
    try:
        told = json.loads(answered.body)
    except (ValueError, RecursionError):
        raise ProviderFailed("provider_nonsense", f"{what}_not_json") from None
    if not isinstance(told, dict):
        raise ProviderFailed("provider_nonsense", f"{what}_not_an_object")
    return told


def _metadata(said: Mapping[str, Any]) -> Metadata:
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    challenges = said.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(challenges, list) or "S256" not in challenges or not isinstance(methods, list):
        raise ProviderFailed("provider_nonsense", "metadata_pkce")
    return Metadata(
        authorization=_address(said, "authorization_endpoint"),
        token=_address(said, "token_endpoint"),
        keys=_address(said, "jwks_uri"),
        userinfo=_address(said, "userinfo_endpoint") if "userinfo_endpoint" in said else None,
        end_session=_address(said, "end_session_endpoint") if "end_session_endpoint" in said else None,
        basic="client_secret_basic" in methods or "client_secret_post" not in methods,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    try:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError
        return check_address(value, encrypted=True)
    except ValueError:
        raise ProviderFailed("provider_nonsense", name) from None
