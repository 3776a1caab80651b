"""Those who act in the story: a processing system with its officer, and a citizen at her wallet."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from reuse_api.callers import SESSION_COOKIE, cookie_at
from reuse_api.demo.door import Door, Reply
from reuse_api.demo.people import Citizen, Office
from vault import agencies, dossiers, registering, staff
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, make_assertion, new_caller_key, public_jwk
from vault.authenticating import new_sign_in_code, redeem_code
from vault.callers import Role
from vault.days import legal_day
from vault.services import Vault

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class StoryBroken(Exception):
    """A door did not answer as the story needs; the story never goes on as if it had."""

    def __init__(self, what: str, reply: Reply) -> None:
        super().__init__(f"{what}: {reply.status} {reply.body[:500].decode(errors='replace')}")


def expect(reply: Reply, *statuses: int, what: str) -> Reply:
    """Give the reply when its status is expected, else end the story."""
    if reply.status not in statuses:
        raise StoryBroken(what, reply)
    return reply


class Clerk:
    """A processing system, with the officer it speaks for and its token of ten minutes."""

    def __init__(self, vault: Vault, door: Door, office: Office, key: dict[str, Any]) -> None:
        self._vault = vault
        self._plain = door
        self.office = office
        self._key = key
        self.door = door

    async def sign_in(self) -> None:
        """Make both assertions and exchange them for a token (RFC 7523)."""
        form = {
            "grant_type": _GRANT,
            "assertion": self._assertion(OFFICER_TYPE, self.office.officer),
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(CLIENT_TYPE, self.office.system),
        }
        reply = await self._plain.ask(
            "POST",
            "/oauth2/token",
            urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        token = expect(reply, 200, what="token").json["access_token"]
        self.door = self._plain.proven({"Authorization": f"Bearer {token}"})

    async def new_code(self, agency: str | None = None) -> str:
        """Give the next dossier code of today that is free."""
        day = legal_day(self._vault.clock.now()).strftime("%y%m%d")
        async with self._vault.db.read() as db:
            for serial in range(1, 1_000_000):
                code = f"{agency or self.office.code}-{day}-{serial:04d}"
                if await dossiers.one(db, code) is None:
                    return code
        raise RuntimeError("every dossier code of today is taken")

    async def open(self, code: str, body: dict[str, Any], language: str) -> Reply:
        """Open a dossier; the answer is its plan."""
        return await self.door.ask("PUT", f"/v1/dossiers/{code}", body, headers={"Accept-Language": language})

    def _assertion(self, typ: str, subject: str) -> str:
        return make_assertion(
            self._key,
            issuer=self._vault.gate.issuer,
            client_id=self.office.system,
            subject=subject,
            typ=typ,
            at=self._vault.clock.now(),
            jti=os.urandom(16).hex(),
            lifetime=timedelta(minutes=1),
        )


class Entrance(Protocol):
    """How people of the story come in; each way gives the secret of a session."""

    async def citizen(self, owner: str, citizen: Citizen) -> str:
        """Let a citizen in."""

    async def officer(self, office: Office, role: Role) -> str:
        """Let an officer in, for one role."""


class ByCode:
    """By a one-time code of the demo: where everything is one process."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def citizen(self, owner: str, citizen: Citizen) -> str:
        """Let a citizen in. Raises StoryBroken."""
        return _taken(await redeem_code(self._vault, await new_sign_in_code(self._vault, owner)))

    async def officer(self, office: Office, role: Role) -> str:
        """Let an officer in, for one role. Raises StoryBroken."""
        vault, who = self._vault, {"agency_id": office.code, "officer_id": office.officer}
        code = await staff.new_code(vault.db, vault.clock, role=role, **who)
        found = await staff.redeem_code(vault.db, vault.gate, vault.clock, code)
        return _taken(found[0] if found is not None else None)


def _taken(secret: str | None) -> str:
    if secret is None:
        raise StoryBroken("sign in", Reply(500, {}, b"the code is not taken"))
    return secret


class Wallet:
    """A citizen's store, reached with a session as her browser would."""

    def __init__(self, vault: Vault, door: Door, citizen: Citizen, entrance: Entrance | None = None) -> None:
        self._entrance = entrance or ByCode(vault)
        self._vault = vault
        self._plain = door
        self.citizen = citizen
        self.owner = ""
        self.door = door

    async def open(self, checked_by: str) -> None:
        """Open the store (or find it) and sign in."""
        self.owner = await registering.register_owner(
            self._vault,
            scheme="personal_number",
            value=self.citizen.number,
            name=self.citizen.name,
            born_on=None,
            checked_by=checked_by,
        )
        secret = await self._entrance.citizen(self.owner, self.citizen)
        named = cookie_at(self._vault.gate.issuer, SESSION_COOKIE)
        self.door = self._plain.proven({"Cookie": f"{named}={secret}"})

    async def new_code(self) -> str:
        """Make a one-time code for the wallet page."""
        return await new_sign_in_code(self._vault, self.owner)

    async def upload(self, title: str, record_type: str, content: bytes, language: str) -> dict[str, Any]:
        """Upload a PDF as her own paper."""
        door = self.door.proven({"Accept-Language": language})
        fields = {"title": title, "type": record_type}
        reply = await door.send_file("/v1/me/records", fields, "giay-to.pdf", content)
        answer: dict[str, Any] = expect(reply, 200, 201, what="upload").json
        return answer


def caller_key(folder: Path, office: Office, issuer: str) -> dict[str, Any]:
    """Load the system's private key, or make it; the file is what `kho token --key` reads."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{office.system}.json"
    key: dict[str, Any] = json.loads(path.read_text())["key"] if path.exists() else new_caller_key()
    # Written anew each time: the issuer follows the port that the demo serves on.
    content = {"client_id": office.system, "officer": office.officer, "issuer": issuer, "key": key}
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, indent=1)
    fresh.replace(path)
    return key


async def register(vault: Vault, office: Office, key: dict[str, Any]) -> None:
    """Register the office, its system and its officer, as far as an earlier run has not come to do it."""
    agency = office.code
    async with vault.db.read() as db:
        known = await agencies.registered(db, agency)
        system_known = await agencies.agency_of(db, office.system) is not None
        officer_known = await agencies.officer_live(db, agency, office.officer)
    if not known:
        new = registering.NewAgency(
            agency,
            office.name_vi,
            office.name_en,
            procedures=office.procedures,
            issues=office.issues,
            may_ask_consent=office.purposes,
        )
        await registering.register_agency(vault, new)
    if not system_known:
        public = public_jwk(key)
        name, thumbprint = office.system_name, str(public["kid"])
        await registering.register_system(
            vault, system=office.system, agency=agency, name=name, jwk=public, thumbprint=thumbprint
        )
    if not officer_known:
        await registering.register_officer(
            vault, agency=agency, officer=office.officer, name=office.officer_name
        )
