"""The realms that people sign in at: citizens and organisations, and staff; each with its own provider."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import scrypt
from pathlib import Path
from typing import Any

from reuse_api.settings import Settings, SettingsInvalid, variable
from vault.callers import Assurance
from vault.id_tokens import IdToken
from vault.sessions import Limits
from vault.sign_ins import Realm
from vault.signed_claims import import_key

_FILE_MAX = 4096  # bytes of credentials


@dataclass(frozen=True, repr=False)
class Credentials:
    """What proves us to a provider: a secret, or a private key; as text it shows neither."""

    secret: str = ""
    key: Mapping[str, Any] | None = None

    @cached_property
    def door_key(self) -> bytes:
        """Give the key by which cookies of sign-ins under way are known: the same in all that serve.

        A cookie is anybody's to have, so what is told of a poor secret by it is made dear to guess.
        """
        proof = str(self.key["d"]) if self.key is not None else self.secret
        return scrypt(proof.encode(), salt=b"kho/1/door", n=2**14, r=8, p=1, dklen=32)

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True)
class RealmRules:
    """One realm as the settings have it; `acr` and `acr_high` are the levels that are enough."""

    name: Realm
    issuer: str
    client: str
    credentials: Credentials
    scope: str
    acr: tuple[str, ...]
    acr_high: tuple[str, ...]
    amr: tuple[frozenset[str], ...]  # alternatives, one of which must be shown; empty: none is asked
    claim: str  # that names an officer
    limits: Limits
    redirect: str  # where the provider sends people back to

    def assurance(self, token: IdToken) -> Assurance | None:
        """Say how strongly a token shows its person was authenticated; None where that is not enough.

        Where a token has no `acr`, the one level that `loAs` of the National Portal names stands for it.
        """
        named = token.acr or _only(token.claims.get("loAs"))
        if self.acr_high and named in self.acr_high:
            return "high"
        if self.acr and named not in self.acr:
            return None
        return "basic" if self.acr_high else "high"

    def second_factor(self, token: IdToken) -> bool:
        """Say whether a token shows the second factor that this realm asks for."""
        return not self.amr or any(one <= token.amr for one in self.amr)

    def asked(self, *, high: bool) -> tuple[str, ...]:
        """Give the levels to ask for, the preferred first."""
        return (self.acr_high or self.acr) if high else self.acr


def realms_of(settings: Settings) -> dict[Realm, RealmRules]:
    """Give the realms that have a provider.

    Raises:
        SettingsInvalid: the credentials of one cannot be read, or others can read them.
    """
    found: dict[Realm, RealmRules] = {}
    if settings.citizens_provider:
        found["citizens"] = RealmRules(
            name="citizens",
            issuer=settings.citizens_provider,
            client=settings.citizens_client,
            credentials=_credentials("citizens", settings.citizens_credentials),
            scope=settings.citizens_scope,
            acr=tuple(settings.citizens_acr.split()),
            acr_high=tuple(settings.citizens_acr_high.split()),
            amr=(),
            claim="sub",
            limits=_limits(settings.wallet_idle_minutes, settings.wallet_session_minutes),
            redirect=redirect_of(settings, "citizens"),
        )
    if settings.staff_provider:
        found["staff"] = RealmRules(
            name="staff",
            issuer=settings.staff_provider,
            client=settings.staff_client,
            credentials=_credentials("staff", settings.staff_credentials),
            scope=settings.staff_scope,
            acr=tuple(settings.staff_acr.split()),
            acr_high=(),
            amr=tuple(frozenset(one.split("+")) for one in settings.staff_amr.split()),
            claim=settings.staff_claim,
            limits=_limits(settings.staff_idle_minutes, settings.staff_session_minutes),
            redirect=redirect_of(settings, "staff"),
        )
    return found


def redirect_of(settings: Settings, realm: Realm) -> str:
    """Give the address that a provider sends people back to; it is registered there."""
    return f"{settings.address}/sign-in/callback/{realm}"


def _limits(idle: int, lifetime: int) -> Limits:
    return Limits(timedelta(minutes=idle), timedelta(minutes=lifetime))


def _only(levels: Any) -> str | None:
    """Give the level of assurance that is named, as a text or as a list of one."""
    if isinstance(levels, list) and len(levels) == 1:
        levels = levels[0]
    return levels if isinstance(levels, str) else None


def _credentials(realm: Realm, path: Path | None) -> Credentials:
    name = variable(f"{realm}_credentials")
    if path is None:
        raise SettingsInvalid(f"{name}: none is named")
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(_FILE_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(f"{name}: that file cannot be read") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsInvalid(f"{name}: others can reach that file; chmod 600")
    if text.startswith("{"):
        return Credentials(key=_private_key(name, text))
    secret = text.partition("\n")[0].strip()
    if not secret:
        raise SettingsInvalid(f"{name}: that file is empty")
    return Credentials(secret=secret)


def _private_key(name: str, text: str) -> Mapping[str, Any]:
    try:
        key: dict[str, Any] = json.loads(text)
        import_key(key, private=True)
    except ValueError:
        raise SettingsInvalid(f"{name}: no private JWK (Ed25519 or P-256)") from None
    return key
