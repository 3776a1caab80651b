"""Calls to a remote signing service (Cloud Signature Consortium API 2): tokens, JSON, errors. No key here."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from signing.allowed_address import check_address
from signing.csc_service import LIST, Credential, Service, read_credential, read_service
from signing.errors import SealKeyInvalid, SealKeyRefused, SealKeyUnavailable
from signing.exchange import Answered, Limits, NoAnswer, Question, ask, patiently
from signing.service_state import ServiceState

_EARLY = 30.0  # seconds before its end that a token is not used any more
_UNSTATED = 60.0  # how long a token is good for that does not say so


class CscRefused(Exception):
    """The service said no; `code` is its `error` (RFC 6749, 5.2 and CSC API 2)."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class CscClient:
    """A service at `url` (as far as `/csc/v2`), called as `client_id` by OAuth 2 client credentials.

    `secret` reads the client's secret when a token is needed; `authorities` are PEM roots for its TLS. Where
    tokens are given, and which methods there are, the service is asked once (`info`).
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: Callable[[], bytes],
        *,
        authorities: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Raise SealKeyInvalid for an address without TLS that is not this machine."""
        try:
            self._url = check_address(url.rstrip("/"), encrypted=True)
        except ValueError as problem:
            raise SealKeyInvalid(f"the address of the signing service: {problem}") from problem
        self._client_id = client_id
        self._secret = secret
        self._authorities = authorities
        self.limits = limits or Limits()
        self.state = ServiceState("csc", url)
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0
        self._service: Service | None = None

    async def call(self, method: str, said: dict[str, Any]) -> dict[str, Any]:
        """Call a method once, with a fresh token if the old one is refused.

        Raises:
            NoAnswer: there was none.
            CscRefused: the service said no.
            SealKeyRefused: it does not know this client.
            SealKeyInvalid: it is no service that can be used.
        """
        try:
            try:
                told = await self._called(method, said)
            except CscRefused as problem:
                if problem.status != 401:
                    raise
                self._forget_token()
                told = await self._called(method, said)
        except NoAnswer as problem:
            self.state.failed(problem.reason)
            raise
        except (CscRefused, SealKeyRefused, SealKeyInvalid):
            self.state.failed("refused")
            raise
        self.state.answered()
        return told

    async def credentials(self) -> list[str]:
        """List the ids of the credentials that this client may use. Raises as `credential` does."""
        if LIST not in (await self._about()).methods:
            raise SealKeyInvalid(f"the signing service has no {LIST}: name the credential with --credential")
        told = await self._asked_about(LIST, {})
        ids = told.get("credentialIDs")
        return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []

    async def credential(self, id_: str) -> Credential:
        """Ask about a credential.

        Raises:
            SealKeyUnavailable: the service does not answer.
            SealKeyRefused: it says no.
            SealKeyInvalid: what it says cannot be read.
        """
        said = {"credentialID": id_, "certificates": "chain", "certInfo": False, "authInfo": True}
        told = await self._asked_about("credentials/info", said)
        return read_credential(told)

    async def _about(self) -> Service:
        """Ask the service about itself, once; no token is needed for that. Raises as `credential` does."""
        if self._service is None:
            self._secret()  # a secret that cannot be read is told before anybody is asked
            try:
                told = await patiently(self._described, self.limits)
            except NoAnswer as problem:
                self.state.failed(problem.reason)
                words = f"the signing service did not answer: {problem.reason}"
                raise SealKeyUnavailable(words) from problem
            except CscRefused as problem:
                raise SealKeyInvalid(f"the signing service tells nothing of itself: {problem}") from problem
            self._service = read_service(told)
        return self._service

    async def _described(self) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return _json(await ask(self._question(f"{self._url}/info", b"{}", headers), self.limits))

    async def _asked_about(self, method: str, said: dict[str, Any]) -> dict[str, Any]:
        try:
            return await patiently(lambda: self.call(method, said), self.limits)
        except NoAnswer as problem:
            raise SealKeyUnavailable(f"the signing service did not answer: {problem.reason}") from problem
        except CscRefused as problem:
            raise SealKeyRefused(f"the signing service refuses: {problem.code}") from problem

    async def _called(self, method: str, said: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": f"Bearer {await self._fresh_token()}",
        }
        body = json.dumps(said).encode()
        return _json(await ask(self._question(f"{self._url}/{method}", body, headers), self.limits))

    async def _fresh_token(self) -> str:
        with self._lock:
            if self._token and time.monotonic() < self._until:
                return self._token
        tokens = (await self._about()).tokens
        form = {
            "grant_type": "client_credentials",
            "scope": "service",
            "client_id": self._client_id,
            "client_secret": self._secret().decode(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answered = await ask(self._question(tokens, urlencode(form).encode(), headers), self.limits)
            told = _json(answered)
        except NoAnswer as problem:
            raise NoAnswer(problem.reason, sent=False) from problem  # a token is all that was asked for
        except CscRefused as problem:
            raise SealKeyRefused(f"the signing service does not know us: {problem.code}") from problem
        token, seconds = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not token:
            raise SealKeyRefused("the signing service gave no token")
        good_for = float(seconds) if isinstance(seconds, int | float) else _UNSTATED
        with self._lock:
            self._token, self._until = token, time.monotonic() + max(good_for - _EARLY, 0.0)
        return token

    def _forget_token(self) -> None:
        with self._lock:
            self._token = ""

    def _question(self, url: str, body: bytes, headers: dict[str, str]) -> Question:
        return Question(url, body, headers=headers, authorities=self._authorities)


def _json(answered: Answered) -> dict[str, Any]:
    try:
        told = json.loads(answered.body)
    except (ValueError, RecursionError):
        told = None
    if answered.status == 200 and isinstance(told, dict):
        return told
    if answered.status == 200:
        raise NoAnswer("not_a_response", sent=True)
    code = told.get("error") if isinstance(told, dict) else None
    raise CscRefused(answered.status, code if isinstance(code, str) else f"status_{answered.status}")
