"""Errors that travel between Kho's processes: by the name of their class, from a list, with their words."""

from collections.abc import Mapping
from typing import Any

from signing.errors import (
    CertificateRevoked,
    RewritingFailed,
    SealAnswerLost,
    SealingFailed,
    SealKeyEnded,
    SealKeyInvalid,
    SealKeyMissing,
    SealKeyRefused,
    SealKeyUnavailable,
    SealNotValid,
    SealRequestConflict,
    ServiceFailed,
    StatusFailed,
    TimestampFailed,
    WorkerFailed,
)
from vault.assertions import TokenRefused
from vault.errors import (
    GateRefused,
    NotAuthenticated,
    NotFound,
    PartFailed,
    PeerRefused,
    VaultBusy,
    VaultIncomplete,
)
from vault.id_tokens import IdTokenRefused
from vault.log_folder import LogForked
from vault.provider_documents import ProviderFailed
from vault.sign_in_refusals import SignInRefused
from vault.signer import LogBehind

_DETAILED: tuple[type[Exception], ...] = (
    VaultBusy,
    GateRefused,
    NotFound,
    VaultIncomplete,
    PeerRefused,
    LogForked,
    LogBehind,
    SealingFailed,
    CertificateRevoked,
    SealKeyMissing,
    SealKeyEnded,
    SealKeyUnavailable,
    SealKeyRefused,
    SealAnswerLost,
    SealRequestConflict,
    SealKeyInvalid,
    SealNotValid,
    RewritingFailed,
    WorkerFailed,
)
_CODED: tuple[type[NotAuthenticated | TokenRefused], ...] = (NotAuthenticated, TokenRefused)
_SERVICES: tuple[type[ServiceFailed], ...] = (ServiceFailed, TimestampFailed, StatusFailed)
_OF_SIGNING_IN: tuple[type[Exception], ...] = (SignInRefused, IdTokenRefused, ProviderFailed)
_NAMED: Mapping[str, type[Exception]] = {
    one.__name__: one for one in (*_DETAILED, *_CODED, *_SERVICES, *_OF_SIGNING_IN)
}


def told(problem: Exception) -> dict[str, str] | None:
    """Write an error for the other side, as its own class or the nearest above it; None: none may travel."""
    kind = next((one for one in type(problem).__mro__ if _NAMED.get(one.__name__) is one), None)
    if kind is None:
        return None
    said = {"kind": kind.__name__, "detail": str(getattr(problem, "detail", problem))}
    if isinstance(problem, NotAuthenticated | TokenRefused | SignInRefused | IdTokenRefused | ProviderFailed):
        said["code"] = problem.code
    if isinstance(problem, ServiceFailed | ProviderFailed):
        said["reason"] = problem.reason
    if isinstance(problem, IdTokenRefused):
        said["ahead"] = str(problem.ahead)
    return said


def read(said: Any) -> Exception:
    """Make the error again that the other side told of; PartFailed for one that it cannot name."""
    if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
        return PartFailed("it told of an error in a way that nobody reads")
    kind, detail = _NAMED.get(said.get("kind", "")), said.get("detail", "")
    if kind is None:
        return PartFailed(said.get("kind", "")[:80])
    for coded in _CODED:
        if kind is coded:
            return coded(said.get("code", ""), detail)
    if kind in _OF_SIGNING_IN:
        return _of_signing_in(kind, said)
    for service in _SERVICES:
        if kind is service:
            return service(detail, reason=said.get("reason", "unusable"))
    return kind(detail)


def _of_signing_in(kind: type[Exception], said: Mapping[str, str]) -> Exception:
    code = said.get("code", "")
    if kind is IdTokenRefused:
        ahead = said.get("ahead", "0")
        minutes = int(ahead) if ahead.removeprefix("-").isdecimal() and ahead.isascii() else 0
        return IdTokenRefused(code, said.get("detail", ""), ahead=minutes)
    if kind is ProviderFailed:
        return ProviderFailed(code, said.get("reason", ""))
    return SignInRefused(code)
