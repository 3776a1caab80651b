"""What a request brings about certificates: proofs from outside, and answers that are looked at here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signing.grounds import Grounds, Piece
from signing.report import SignatureReport
from signing.status_proofs import StatusAnswer, proven_until
from signing.status_questions import questions_along


@dataclass(frozen=True)
class Given:
    """`fetched` are proofs that were checked before, `proofs` the answers found to be one, with their end."""

    fetched: tuple[Piece, ...]
    proofs: tuple[tuple[Piece, datetime], ...]

    @classmethod
    def of(cls, request: Mapping[str, Any], at: datetime) -> "Given":
        """Read `fetched` and `answers` of a request, which may lack both; `at` is the time judged at."""
        answers = [StatusAnswer.from_json(one) for one in request.get("answers", ())]
        proven = [(one.piece, proven_until(one, at)) for one in answers]
        return cls(
            tuple(Piece.from_json(one) for one in request.get("fetched", ())),
            tuple((piece, until) for piece, until in proven if until is not None),
        )

    def grounds(self) -> Grounds:
        """Give what is to be judged with."""
        return Grounds((*self.fetched, *(piece for piece, _ in self.proofs)))

    def told(self) -> list[dict[str, str]]:
        """Tell of the answers which ones are proofs, as plain JSON values."""
        return [{"sha256": one.sha256.hex(), "until": until.isoformat()} for one, until in self.proofs]


def asked_along(judged: SignatureReport, paths: Sequence[Any]) -> list[dict[str, str]]:
    """Say what could be asked about certificates, where nothing was found valid for want of anything."""
    if judged.verdict != "undetermined":
        return []
    return [one.to_json() for one in questions_along(paths)]
