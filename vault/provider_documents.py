"""What an OpenID provider publishes and tells: its metadata, its keys, claims of a person; bounded, kept.

Nothing of what it answers is believed before it was checked, nothing of it stands in a message or the
journal. No redirect is followed. Its documents are kept for an hour; an unknown key has the keys fetched
again, once.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from signing.allowed_address import check_address
from signing.exchange import Answered, Limits, NoAnswer, Question, ask, patiently
from vault.clock import Clock
from vault.id_tokens import Expected, IdToken, IdTokenRefused, check_id_token, unknown_key
from vault.realm_rules import RealmRules

_KEPT = timedelta(hours=1)
_AGAIN = timedelta(seconds=10)  # at least, between two fetches of keys for the sake of an unknown one
_QUIET = timedelta(seconds=3)  # after it failed: strangers who ask meanwhile open no connections
LIMITS = Limits(seconds=5.0, largest=256 * 1024, tries=2)
ONCE = Limits(seconds=10.0, largest=64 * 1024, tries=1)  # what is good once is asked for once
JSON = "application/json"

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


class ProviderDocuments:
    """One realm's provider, as long as the process runs."""

    def __init__(self, rules: RealmRules, clock: Clock, limits: Limits = LIMITS) -> None:
        """`limits` are those of fetching its documents."""
        self._issuer = rules.issuer
        self._clock = clock
        self._limits = limits
        self._metadata: tuple[Metadata, datetime] | None = None
        self._keys: tuple[Keys, datetime] | None = None
        self._looked_again: datetime | None = None
        self._away: tuple[ProviderFailed, datetime] | None = None
        self._asking = asyncio.Lock()

    async def id_token(self, token: str, expected: Expected) -> IdToken:
        """Check an ID token by the provider's keys.

        Raises:
            ProviderFailed, IdTokenRefused
        """

        def check(keys: Keys) -> IdToken:
            return check_id_token(token, keys=keys, expected=expected, at=self._clock.now())

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
        headers = {"Authorization": f"Bearer {access_token}", "Accept": JSON}
        answered = await self.asked(Question(place, method="GET", headers=headers), "userinfo", ONCE)
        told = document(answered, "userinfo")
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
        place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        question = Question(place, method="GET", headers={"Accept": JSON})
        said = document(await self.asked(question, "metadata", self._limits), "metadata")
        if said.get("issuer") != self._issuer:
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
        question = Question(place, method="GET", headers={"Accept": JSON})
        found = document(await self.asked(question, "keys", self._limits), "keys").get("keys")
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ProviderFailed("provider_nonsense", "keys")
        self._keys = found, now
        return found

    async def asked(self, question: Question, what: str, limits: Limits) -> Answered:
        """Ask it something; `what` names that in the reason of a failure. Raises ProviderFailed."""
        try:
            return await patiently(lambda: ask(question, limits), limits)
        except NoAnswer as problem:
            code = "provider_nonsense" if problem.reason == "too_large" else "provider_away"
            raise ProviderFailed(code, f"{what}_{problem.reason}") from None
        except ValueError:  # an address or a header that cannot be one
            raise ProviderFailed("provider_nonsense", f"{what}_address") from None


def document(answered: Answered, what: str) -> dict[str, Any]:
    """Read an answer as an object of JSON. Raises ProviderFailed."""
    if answered.status != 200:
        raise ProviderFailed("provider_nonsense", f"{what}_status_{answered.status}")
    if answered.kind != JSON and not answered.kind.endswith("+json"):
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
