"""What a remote signing service (CSC API 2) says of itself and of a credential, and whether we can use it.

Whatever cannot be used is refused in words before anything is signed: the operator chose that service.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signing.allowed_address import check_address
from signing.errors import SealKeyInvalid

LIST = "credentials/list"  # asked only where nobody says which credential is meant
_NEEDED = ("credentials/info", "credentials/authorize", "signatures/signHash")
_CLIENT = "oauth2client"  # by the client's own credentials: nobody sits at a browser when a seal is made
_PIN = "PIN"  # the one thing to show that a file can hold


@dataclass(frozen=True)
class Service:
    """Where a service gives tokens, and which methods it has."""

    tokens: str
    methods: frozenset[str]


@dataclass(frozen=True)
class Credential:
    """What `credentials/info` tells: certificates (DER, the own first), and whether the key may sign.

    `mode` is how its use is authorised (implicit, explicit, oauth2code), `shown` what is to be shown for it,
    `scal` the level of sole control ("1", "2").
    """

    certificates: tuple[bytes, ...]
    key_status: str
    certificate_status: str
    algorithms: tuple[str, ...]
    mode: str = "implicit"
    shown: tuple[str, ...] = ()
    scal: str = "1"

    def check(self, *, pin: bool) -> None:
        """Raise SealKeyInvalid if it cannot be used; `pin` tells whether there is one to show."""
        if self.mode not in ("implicit", "explicit"):
            raise SealKeyInvalid(
                f"the credential is authorised by {self.mode}, which needs a person each time"
            )
        if self.mode == "explicit" and set(self.shown) - {_PIN}:
            raise SealKeyInvalid(f"the credential wants {', '.join(self.shown)}; only a {_PIN} can be shown")
        if self.mode == "explicit" and not pin:
            raise SealKeyInvalid(f"the credential wants a {_PIN}: name its file with --pin-file")
        if self.scal not in ("1", "2"):
            raise SealKeyInvalid(f"the credential is of an unknown level of sole control: SCAL {self.scal}")


def read_service(told: Mapping[str, Any]) -> Service:
    """Read what `info` tells. Raises SealKeyInvalid for a service that cannot be used."""
    specs, kinds, methods = str(told.get("specs", "")), _texts(told, "authType"), _texts(told, "methods")
    if not specs.startswith("2."):
        raise SealKeyInvalid(f"the signing service follows API {specs or 'unknown'}; version 2 is needed")
    if _CLIENT not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        raise SealKeyInvalid(f"the signing service takes no client credentials ({_CLIENT}), but: {known}")
    missing = [one for one in _NEEDED if one not in methods]
    if missing:
        raise SealKeyInvalid(f"the signing service has no {', '.join(missing)}")
    base = told.get("oauth2")
    if not isinstance(base, str) or not base:
        raise SealKeyInvalid("the signing service does not say where its tokens are given (oauth2)")
    try:
        return Service(f"{check_address(base.rstrip('/'), encrypted=True)}/oauth2/token", methods)
    except ValueError as problem:
        raise SealKeyInvalid(f"the address where the signing service gives tokens: {problem}") from problem


def read_credential(told: Mapping[str, Any]) -> Credential:
    """Read what `credentials/info` tells. Raises SealKeyInvalid when that cannot be read."""
    try:
        chain = tuple(base64.b64decode(one, validate=True) for one in told["cert"]["certificates"])
        auth = told.get("auth") or {}
        return Credential(
            chain,
            str(told["key"]["status"]),
            str(told["cert"]["status"]),
            tuple(told["key"]["algo"]),
            str(auth.get("mode", "implicit")),
            tuple(str(one["id"]) for one in auth.get("objects") or ()),
            str(told.get("SCAL", "1")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise SealKeyInvalid("what the signing service tells of the credential cannot be read") from problem


def _texts(told: Mapping[str, Any], name: str) -> frozenset[str]:
    found = told.get(name)
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()
