"""The gate as other processes have it: everything is asked for over a socket, and no key of it is here."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from vault import gate_words
from vault.assertions import TokenVerifier
from vault.callers import Caller, OwnerCaller, StaffCaller
from vault.clock import Clock
from vault.credentials import IssuedToken, TokenMemory
from vault.errors import VaultIncomplete
from vault.evidence import Evidence, OpenedEntry
from vault.realm_rules import Realm
from vault.remote_signer import PATIENCE
from vault.session_marks import Holder
from vault.sign_in_proofs import SignInProof
from vault.sign_in_refusals import SessionRefused
from vault.sign_ins import Purpose
from vault.socket_calling import SHORTLY, Part
from vault.wire_values import blob, blobs, inside, number, text, written

_ENTRIES = 50  # opened in one call
_PAIRS = 200  # tagged in one call
_TAGS = 4096  # remembered


class RemoteGate(TokenMemory):
    """Asks the gate; tokens are checked here too, with the public key: a wrong one goes no further."""

    def __init__(
        self,
        part: Part,
        token_key: TokenVerifier,
        issuer: str,
        clock: Clock,
        realms: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`realms`: of each that the gate proves sign-ins of, the issuer and our client id there."""
        super().__init__(token_key, issuer, clock)
        self.realms = {name: tuple(one) for name, one in realms.items()}
        self.unreadable: dict[int, str] = {}  # as the gate told of what was asked here
        self._part = part
        self._tagged: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    @classmethod
    async def reached(cls, place: Path, issuer: str, log_key: str, clock: Clock) -> Self:
        """Wait until the gate answers.

        Args:
            issuer: our own address, which must be the gate's.
            log_key: the public line of the log, which must be the gate's too.

        Raises:
            PartAway, SocketInvalid, PeerRefused: it cannot be asked.
            VaultIncomplete: it opens by another log, or issues tokens under another name.
        """
        part = Part("gate", place)
        try:
            told = await part.wait("hello", PATIENCE)
            if text(told, "log_key") != log_key:
                raise VaultIncomplete(f"the gate at {place} opens by another log than the one signed here")
            if text(told, "issuer") != issuer:
                raise VaultIncomplete(f"the gate at {place} has another KHO_ISSUER than this process")
            realms = inside(told, "realms")
            return cls(part, TokenVerifier(blob(told, "token_key")), issuer, clock, realms)
        except BaseException:
            await part.close()
            raise

    async def ready(self) -> None:
        """Return if the gate answers. Raises PartAway."""
        await self._part.ask("hello", {}, seconds=SHORTLY)

    async def close(self) -> None:
        """Close the connections."""
        await self._part.close()

    async def tags(self, pairs: Sequence[tuple[str, str]]) -> list[bytes]:
        """Have identifiers of persons tagged; those asked for lately are remembered."""
        unknown = [one for one in dict.fromkeys(pairs) if one not in self._tagged]
        found = {one: self._tagged[one] for one in pairs if one in self._tagged}
        for start in range(0, len(unknown), _PAIRS):
            some = unknown[start : start + _PAIRS]
            said = {"pairs": [{"field": field, "value": value} for field, value in some]}
            tags = blobs(await self._part.ask("tags", said, seconds=SHORTLY), "tags")
            found |= dict(zip(some, tags, strict=True))
        self._tagged.update(found)
        while len(self._tagged) > _TAGS:
            self._tagged.popitem(last=False)
        return [found[one] for one in pairs]

    async def new_pair(self, kind: str, name: str, purpose: str) -> dict[str, Any]:
        """Have a key pair made, as `Gate.new_pair` does; its private half comes wrapped."""
        told = await self._part.ask("new_pair", {"kind": kind, "name": name, "purpose": purpose})
        return _pair_row(told, kind, name, purpose)

    async def new_owner_pairs(self, owner: str) -> list[dict[str, Any]]:
        """Have both key pairs of an owner made, as `Gate.new_owner_pairs` does."""
        told = await self._part.ask("new_owner_pairs", {"owner": owner})
        return [_pair_row(inside(told, one), "owner", owner, one) for one in ("log", "content")]

    async def open_key(self, evidence: Evidence, credential: Caller, record_id: str) -> bytes:
        """Ask for the key of one record, as `Gate.open_key` gives it."""
        said = {"evidence": gate_words.evidence_said(evidence), "record": record_id}
        said |= {"credential": gate_words.credential_said(credential)}
        return blob(await self._part.ask("open_key", said, seconds=SHORTLY), "key")

    async def open_key_for_job(self, evidence: Evidence, job: str, record_id: str) -> bytes:
        """Ask for the key of one record for the vault's own work, as `Gate.open_key_for_job` gives it."""
        said = {"evidence": gate_words.evidence_said(evidence), "job": job, "record": record_id}
        return blob(await self._part.ask("open_key_for_job", said), "key")

    async def open_waiting(self, waiting: str) -> tuple[bytes, bytes]:
        """Ask for what waits for its seal, as `Gate.open_waiting` gives it."""
        told = await self._part.ask("open_waiting", {"waiting": waiting})
        return blob(told, "body"), blob(told, "key")

    async def open_reading(self, waiting: str, credential: Caller) -> bytes:
        """Ask for what was read of a scan, as `Gate.open_reading` gives it."""
        said = {"waiting": waiting, "credential": gate_words.credential_said(credential)}
        return blob(await self._part.ask("open_reading", said, seconds=SHORTLY), "body")

    async def open_entries(
        self,
        indexes: Sequence[int],
        credential: Caller,
        entered: Mapping[int, Evidence] | None = None,
    ) -> list[OpenedEntry]:
        """Ask for entries, as `Gate.open_entries` opens them."""
        opened: list[OpenedEntry] = []
        asked = list(indexes)
        for start in range(0, max(len(asked), 1), _ENTRIES):
            some = asked[start : start + _ENTRIES]
            acts = {index: one for index, one in (entered or {}).items() if index in some}
            said = {"indexes": some, "credential": gate_words.credential_said(credential)}
            told = await self._part.ask("open_entries", said | {"entered": gate_words.entered_said(acts)})
            opened += gate_words.opened_read(told)
            self.unreadable |= gate_words.unreadable_read(told)
        return opened

    async def exchange(self, client_assertion: str, officer_assertion: str | None) -> IssuedToken:
        """Have both assertions verified and a token issued, as `Credentials.exchange` does."""
        said = {"client": client_assertion}
        said |= {"officer": officer_assertion} if officer_assertion else {}
        told = await self._part.ask("exchange", said, seconds=SHORTLY)
        officer = text(told, "officer") if "officer" in told else None
        return IssuedToken(text(told, "token"), number(told, "expires_in"), officer)

    async def begin_sign_in(self, realm: Realm, purpose: Purpose) -> str:
        """Ask for the nonce of a sign-in, as `Credentials.begin_sign_in` makes it."""
        said = {"realm": realm, "purpose": purpose}
        return text(await self._part.ask("begin_sign_in", said, seconds=SHORTLY), "nonce")

    async def prove_sign_in(
        self, realm: Realm, purpose: Purpose, nonce: str, id_token: str, access_token: str
    ) -> SignInProof:
        """Have a sign-in proven, as `Credentials.prove_sign_in` does; it may ask the provider meanwhile."""
        said = {"realm": realm, "purpose": purpose, "nonce": nonce}
        said |= {"id_token": id_token, "access_token": access_token}
        return gate_words.proof_read(await self._part.ask("prove_sign_in", said))

    async def mark_session_of_code(self, holder: Holder, row: Mapping[str, Any]) -> bytes:
        """Refuse: codes are the demo's, where everything is one process. Raises SessionRefused."""
        raise SessionRefused("unproven")

    async def mark_session(
        self, holder: Holder, row: Mapping[str, Any], proof: bytes, before: Mapping[str, Any] | None = None
    ) -> bytes:
        """Ask for the mark of a session, as `Credentials.mark_session` gives it."""
        said = {"holder": holder, "row": gate_words.session_said(holder, row)} | written({"proof": proof})
        said |= {"before": gate_words.session_said(holder, before)} if before is not None else {}
        return blob(await self._part.ask("mark_session", said, seconds=SHORTLY), "mark")

    async def check_session(self, secret: str) -> OwnerCaller:
        """Ask whom a session secret proves, as `Credentials.check_session` does."""
        return await self._owner("check_session", secret)

    async def check_person(self, secret: str) -> OwnerCaller:
        """Ask whom a session secret proves as themself, as `Credentials.check_person` does."""
        return await self._owner("check_person", secret)

    async def check_staff(self, secret: str) -> StaffCaller:
        """Ask which officer a session secret proves, as `Credentials.check_staff` does."""
        told = await self._part.ask("check_staff", {"secret": secret}, seconds=SHORTLY)
        return gate_words.staff_read(inside(told, "caller"), secret)

    async def _owner(self, call: str, secret: str) -> OwnerCaller:
        told = await self._part.ask(call, {"secret": secret}, seconds=SHORTLY)
        return gate_words.owner_read(inside(told, "caller"), secret)


def _pair_row(told: Mapping[str, Any], kind: str, name: str, purpose: str) -> dict[str, Any]:
    keys = {"public": blob(told, "public"), "wrapped_private": blob(told, "wrapped_private")}
    return {"kind": kind, "id": name, "purpose": purpose, **keys}
