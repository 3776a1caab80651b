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
from vault.realm_rules import Realm, RealmRules
from vault.sessions import Limits
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


@dataclass(frozen=True, repr=False)
class RealmDoor(RealmRules):
    """One realm as its door needs it: what proves us there, what is asked, how long a session lasts."""

    credentials: Credentials
    scope: str
    limits: Limits
    redirect: str  # where the provider sends people back to


def rules_of(settings: Settings) -> dict[Realm, RealmRules]:
    """Give what each realm that has a provider asks of whoever signs in; no credentials are read."""
    found: dict[Realm, RealmRules] = {}
    if settings.citizens_provider:
        found["citizens"] = RealmRules(
            name="citizens",
            issuer=settings.citizens_provider,
            client=settings.citizens_client,
            acr=tuple(settings.citizens_acr.split()),
            acr_high=tuple(settings.citizens_acr_high.split()),
            amr=(),
            claim="sub",
        )
    if settings.staff_provider:
        found["staff"] = RealmRules(
            name="staff",
            issuer=settings.staff_provider,
            client=settings.staff_client,
            acr=tuple(settings.staff_acr.split()),
            acr_high=(),
            amr=tuple(frozenset(one.split("+")) for one in settings.staff_amr.split()),
            claim=settings.staff_claim,
        )
    return found


def realms_of(settings: Settings) -> dict[Realm, RealmDoor]:
    """Give the realms that have a provider, with what proves us there.

    Raises:
        SettingsInvalid: the credentials of one are not named, cannot be read, or others can read them.
    """
    lasting = {
        "citizens": _limits(settings.wallet_idle_minutes, settings.wallet_session_minutes),
        "staff": _limits(settings.staff_idle_minutes, settings.staff_session_minutes),
    }
    return {
        name: RealmDoor(
            **vars(rules),
            credentials=_credentials(name, getattr(settings, f"{name}_credentials")),
            scope=getattr(settings, f"{name}_scope"),
            limits=lasting[name],
            redirect=redirect_of(settings, name),
        )
        for name, rules in rules_of(settings).items()
    }


def redirect_of(settings: Settings, realm: Realm) -> str:
    """Give the address that a provider sends people back to; it is registered there."""
    return f"{settings.address}/sign-in/callback/{realm}"


def _limits(idle: int, lifetime: int) -> Limits:
    return Limits(timedelta(minutes=idle), timedelta(minutes=lifetime))


def _credentials(realm: Realm, path: Path | None) -> Credentials:
    name = variable(f"{realm}_credentials")
    if path is None:
        raise SettingsInvalid(f"{variable(f'{realm}_provider')} needs {name}")
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
