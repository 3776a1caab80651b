"""What can go wrong on the log's side of signing; each error has a stable `code`."""

from signing.errors import SigningError


class ProofInvalid(SigningError):
    """The Merkle proof does not connect the hashes that it is given for."""

    code = "proof_invalid"


class NoteInvalid(SigningError):
    """The signed note, its key line or its checkpoint is malformed or not signed by the key."""

    code = "note_invalid"


class LeafMalformed(SigningError):
    """An entry's leaf, body, part or opening is malformed, or they do not belong together.

    `part` names the part at fault ("subject", "actor", "purpose", "basis", "event"), or is empty
    when the fault lies with none of them alone.
    """

    code = "leaf_malformed"

    def __init__(self, detail: str, *, part: str = "") -> None:
        super().__init__(f"{part}: {detail}" if part else detail)
        self.part = part


class ReceiptMalformed(SigningError):
    """The text is not a receipt as Kho writes it."""

    code = "receipt_malformed"


class GrowthMalformed(SigningError):
    """The text is not a proof of growth as Kho writes it."""

    code = "growth_malformed"
