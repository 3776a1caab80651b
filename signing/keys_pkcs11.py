"""A seal key in a hardware token, by PKCS#11: the token signs, the key never leaves it.

One session for each token, and one call at a time into each module: the library under us promises a module
that it is called by one thread alone. A session that was lost is opened again, once for each signature.
"""

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import utils
from pkcs11 import exceptions as told

from signing.errors import (
    SealingFailed,
    SealKeyInvalid,
    SealKeyMissing,
    SealKeyRefused,
    SealKeyUnavailable,
)
from signing.keys import SealKey
from signing.keys_memory import SigningMemory

# DigestInfo of SHA-256 (RFC 8017, 9.2, note 1): a raw RSA mechanism pads, and hashes nothing.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_ANOTHER_KIND = (told.KeyTypeInconsistent, told.MechanismInvalid, told.DataLenRange)
_PIN_AT_FAULT = (told.PinIncorrect, told.PinInvalid, told.PinLenRange, told.PinLocked, told.PinExpired)


@dataclass(frozen=True)
class TokenPlace:
    """Where a key is: the module (a shared library), the token's label, the key's label or id."""

    module: Path
    token: str
    key_label: str | None = None
    key_id: bytes | None = None


class Pkcs11Key(SealKey):
    """A key that a token holds; the PIN is read by `pin` when the token is to be opened."""

    def __init__(
        self,
        place: TokenPlace,
        pin: Callable[[], bytes],
        certificates: Sequence[bytes],
        memory: SigningMemory | None = None,
    ) -> None:
        """Only take it down; the token is opened at the first signature."""
        super().__init__(certificates, memory)
        if place.key_label is None and place.key_id is None:
            raise SealKeyInvalid("a key in a token is named by its label or its id")
        self._place = place
        self._pin = pin

    async def _signature(self, digest: bytes) -> bytes:
        return await asyncio.to_thread(self._sign, digest)

    def _sign(self, digest: bytes) -> bytes:
        desk = _desk(self._place)
        with desk.turn:
            try:
                return self._once(desk, digest)
            except told.PKCS11Error:  # lost; and a key seems to be gone when only the login is
                desk.forget()
            try:
                return self._once(desk, digest)
            except told.PKCS11Error as problem:
                desk.forget()
                raise _error_of(problem) from problem

    def _once(self, desk: "_Desk", digest: bytes) -> bytes:
        key: Any = desk.key(self._place, self._pin)
        if self.mechanism == "sha256_rsa":
            return bytes(key.sign(_DIGEST_INFO + digest, mechanism=pkcs11.Mechanism.RSA_PKCS))
        return _der(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))


def _error_of(problem: told.PKCS11Error) -> SealingFailed:
    if isinstance(problem, told.NoSuchKey):
        return SealKeyMissing("the token holds no such key")
    if isinstance(problem, told.MultipleObjectsReturned):
        return SealKeyInvalid("the token holds several keys of that name")
    if isinstance(problem, _ANOTHER_KIND):
        return SealKeyInvalid("the key in the token is of another kind than its certificate, or may not sign")
    return SealKeyUnavailable(f"the token cannot be used: {type(problem).__name__} {problem}".rstrip())


class _Desk:
    """The one session that this process has with a token; `turn` is held by whoever uses it."""

    def __init__(self, module: Path, token: str, turn: threading.Lock) -> None:
        self.turn = turn
        self._module = module
        self._token = token
        self._session: pkcs11.Session | None = None
        self._process = 0
        self._opened_with = b""
        self._refused: set[bytes] = set()
        self._keys: dict[tuple[str | None, bytes | None], Any] = {}

    def session(self, read_pin: Callable[[], bytes]) -> "pkcs11.Session":
        """Give the session, opened and logged in. A refused PIN is not tried again: tries lock a token."""
        if self._session is not None and self._process != os.getpid():
            raise SealKeyUnavailable("a session with a token does not survive a fork")
        pin = read_pin()
        mark = hashlib.sha256(pin).digest()
        if self._session is not None and mark == self._opened_with:
            return self._session
        if mark in self._refused:
            raise SealKeyRefused("the PIN is not the token's")
        self.forget()  # opened with another PIN: this one has to prove itself
        try:
            token = pkcs11.lib(str(self._module)).get_token(token_label=self._token)
            self._session = token.open(user_pin=pin.decode())
        except told.UserAlreadyLoggedIn:  # a session that could not be closed
            if mark != self._opened_with:
                raise SealKeyRefused("the PIN is not the token's") from None
            self._session = token.open()
        except _PIN_AT_FAULT as problem:
            self._refused.add(mark)
            raise SealKeyRefused(f"the token refuses the PIN: {type(problem).__name__}") from problem
        except UnicodeDecodeError as problem:
            raise SealKeyRefused("the PIN is no text") from problem
        self._opened_with, self._process = mark, os.getpid()
        return self._session

    def key(self, place: TokenPlace, read_pin: Callable[[], bytes]) -> Any:
        """Give the handle of a private key; it is looked for once a session."""
        session, named = self.session(read_pin), (place.key_label, place.key_id)
        if named not in self._keys:
            self._keys[named] = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=place.key_label, id=place.key_id
            )
        return self._keys[named]

    def forget(self) -> None:
        """Drop a session that is of no use any more, and the handles that it gave."""
        session, self._session = self._session, None
        self._keys.clear()
        if session is not None and self._process == os.getpid():
            try:
                session.close()
            except told.PKCS11Error:
                return  # it was lost: there is nothing to close


_desks: dict[tuple[Path, str], _Desk] = {}
_turns: dict[Path, threading.Lock] = {}
_opening = threading.Lock()


def _desk(place: TokenPlace) -> _Desk:
    module = place.module.resolve()  # one module under two names would be begun twice
    with _opening:
        turn = _turns.setdefault(module, threading.Lock())
        return _desks.setdefault((module, place.token), _Desk(module, place.token, turn))


def _der(signature: bytes) -> bytes:
    """Turn r || s, as tokens give it, into DER."""
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    return utils.encode_dss_signature(r, s)
