"""What can go wrong in the vault. A docstring is the message; a `code` never changes."""

from collections.abc import Mapping


class VaultError(Exception):
    """The vault could not do what was asked."""

    code = "vault_error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.detail = detail


class VaultBusy(VaultError):
    """The log cannot take the entry now; nothing was served and nothing was changed. Try again shortly."""

    code = "vault_busy"


class PartAway(VaultBusy):
    """A part of this vault (signer, gate or sealer) does not answer just now; nothing was served."""

    code = "part_away"


class StoreAway(VaultBusy):
    """The store did not give what was to be read; nothing was served. Try again shortly."""

    code = "store_unavailable"


class PartFailed(VaultError):
    """A part of this vault (signer, gate or sealer) failed; its own journal says where."""

    code = "part_failed"


class PeerRefused(VaultError):
    """That process takes no calls of this user: KHO_PEERS of it does not name them."""

    code = "peer_refused"


class SocketInvalid(VaultError):
    """There is no place for a socket."""

    code = "socket_invalid"


class VaultLocked(VaultError):
    """Another process has this vault open for writing; stop it first."""

    code = "vault_locked"


class VaultIncomplete(VaultError):
    """The vault and its keys belong together and one of them is missing."""

    code = "vault_incomplete"


class SchemaMismatch(VaultError):
    """The database is of another version; run `kho migrate`."""

    code = "schema_mismatch"


class RowsUnreadable(VaultError):
    """The database cannot be opened or read."""

    code = "rows_unreadable"


class NotFound(VaultError):
    """There is no such thing here, or it is not yours to see."""

    code = "not_found"


class RequestConflict(VaultError):
    """This Idempotency-Key was already used for another request; nothing was changed."""

    code = "idempotency_conflict"


class FieldInvalid(VaultError):
    """A field of the request cannot be accepted."""

    code = "field_invalid"

    def __init__(
        self, field: str, code: str, detail: str = "", *, details: Mapping[str, str] | None = None
    ) -> None:
        """`details` are values that the words of the code may weave in."""
        super().__init__(detail or code)
        self.field = field
        self.code = code
        self.details = dict(details or {})

    @property
    def told(self) -> str:
        """What is said in words: the code, with details behind a colon where there are any."""
        return self.code


class SignatureInvalid(FieldInvalid):
    """A signature is none of what it should be of; `reasons` are those of the report."""

    def __init__(self, field: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(field, "signature_invalid", ",".join(reasons))
        self.reasons = reasons


class FileRejected(FieldInvalid):
    """A file was refused for what it holds.

    `found` names that (signing.ceilings, signing.active_content; "malware" with its name in `detail`);
    `quarantine` is where its bytes lie now, absent where they were not kept, until `until` (ISO 8601, UTC).
    """

    def __init__(
        self,
        code: str,
        found: tuple[str, ...] = (),
        *,
        detail: str = "",
        quarantine: str | None = None,
        until: str | None = None,
        receipt: str | None = None,
    ) -> None:
        super().__init__("file", code, detail)
        self.found = found
        self.quarantine = quarantine
        self.until = until
        self.receipt = receipt

    @property
    def told(self) -> str:
        """The code with what was found behind a colon: for whoever says it in words."""
        return f"{self.code}:{','.join(self.found)}" if self.found else self.code


class MalwareScanUnavailable(VaultError):
    """The file could not be scanned for malware, so it was not taken. Try again later."""

    code = "malware_scan_unavailable"


class ContentDamaged(VaultError):
    """The stored bytes of this record are damaged; not one of them was sent on."""

    code = "content_damaged"


class PictureFailed(VaultError):
    """No picture of this page could be made; the file itself can still be read."""

    code = "picture_failed"


class GateRefused(VaultError):
    """The key gate does not open: the entry, its proof or the caller does not fit."""

    code = "gate_refused"


class NotAuthenticated(VaultError):
    """Who is calling could not be proven."""

    code = "not_authenticated"

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


class StepUpNeeded(VaultError):
    """Whoever is signed in must authenticate afresh before this can be done; nothing was done."""

    code = "step_up_needed"


class Moved(Exception):
    """Something that the decision rests on changed meanwhile: decide afresh (never leaves the vault)."""


class SearchUnavailable(VaultError):
    """Documents cannot be searched for just now; everything else works. Try again later."""

    code = "search_degraded"
