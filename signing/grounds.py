"""What a verdict stood on: whom it trusted, by which rules and when, and every proof it could look at.

Kept with the report, so that the same verdict can be found again from it and from the file alone.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from signing.anchors import Anchor, TrustSet

# The rules of judging as a whole; raised whenever a change of them could change a verdict.
POLICY = "kho-1"
PieceKind = Literal["certificate", "ocsp", "crl", "timestamp"]
Role = Literal["signature", "timestamp"]
_KINDS, _ROLES = get_args(PieceKind), get_args(Role)
MOST_PIECES = 400
MOST_BYTES = 4 * 1024 * 1024  # of all pieces together; a file that holds more keeps the rest to itself


@dataclass(frozen=True)
class Piece:
    """One proof (DER): a certificate, an OCSP response, a CRL, a time stamp token."""

    kind: PieceKind
    content: bytes

    @property
    def sha256(self) -> bytes:
        """What it is stored under."""
        return hashlib.sha256(self.content).digest()

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        return {"kind": self.kind, "content": base64.b64encode(self.content).decode()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        if content["kind"] not in _KINDS:
            raise ValueError(f"no such kind of evidence: {content['kind']!r}")
        return cls(content["kind"], base64.b64decode(content["content"], validate=True))


@dataclass(frozen=True)
class Footing:
    """An anchor (SHA-256 in hex) that a signature or a time stamp stands on, and the time proven for it."""

    anchor: str
    role: Role
    moment: datetime

    def holds(self, trusted: Iterable[Anchor]) -> bool:
        """Say whether that anchor counts, for this and at that time, among those trusted now."""
        return any(
            one.sha256 == self.anchor
            and (one.signs if self.role == "signature" else one.stamps)
            and one.covers(self.moment)
            for one in trusted
        )

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        at = self.moment.astimezone(UTC).isoformat()
        return {"anchor": self.anchor, "role": self.role, "moment": at}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        if content["role"] not in _ROLES:
            raise ValueError(f"no such role: {content['role']!r}")
        return cls(str(content["anchor"]), content["role"], datetime.fromisoformat(content["moment"]))


@dataclass
class Grounds:
    """Filled while a file is judged: what its verdict stands on, and the proofs that were found in it.

    `fetched` are proofs from outside, given beforehand; `embedded` are the file's signatures and time stamps
    as pyHanko lists them, for whoever asks further (status_questions.py); `paths` are ways to anchors of a
    signature that is in no PDF, for the same.
    """

    fetched: tuple[Piece, ...] = ()
    footings: dict[Footing, None] = field(default_factory=dict)
    pieces: dict[Piece, None] = field(default_factory=dict)
    embedded: Sequence[Any] = ()
    paths: Sequence[Any] = ()
    _size: int = 0

    def stand_on(self, anchor: Anchor, role: Role, moment: datetime) -> None:
        """Note that a chain ended there."""
        self.footings[Footing(anchor.sha256, role, moment)] = None

    def keep(self, kind: PieceKind, content: bytes) -> None:
        """Note a proof, as long as there is room."""
        piece = Piece(kind, content)
        fits = len(self.pieces) < MOST_PIECES and self._size + len(content) <= MOST_BYTES
        if fits and piece not in self.pieces:
            self.pieces[piece] = None
            self._size += len(content)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "footings": [one.to_json() for one in self.footings],
            "pieces": [one.to_json() for one in self.pieces],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        footings = [Footing.from_json(one) for one in content["footings"]]
        pieces = [Piece.from_json(one) for one in content["pieces"]]
        return cls((), dict.fromkeys(footings), dict.fromkeys(pieces))


@dataclass(frozen=True)
class Judgement:
    """All that a verdict depends on beside the file, and what it came to stand on.

    `file` is the SHA-256 of the file (32 bytes), `at` the time judged at, `policy` the version of the rules,
    `fetched` the proofs that were given to the validator from outside, `found` those of the file itself.
    """

    file: bytes
    anchors: tuple[Anchor, ...]
    at: datetime
    policy: str
    footings: tuple[Footing, ...] = ()
    found: tuple[Piece, ...] = ()
    fetched: tuple[Piece, ...] = ()

    @property
    def trust(self) -> TrustSet:
        """Whom it trusted."""
        return TrustSet(self.anchors)
