"""What a worker and its nursery said of one file; whatever is not as agreed is a failure of the worker."""

import base64
import contextlib
import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

from signing.errors import RewritingFailed
from signing.file_types import UNKNOWN
from signing.grounds import Grounds, Judgement
from signing.measured import MeasuredScan, Measurement
from signing.picture import NoPicture, Picture
from signing.report import Examination, SignatureReport, undetermined
from signing.status_proofs import StatusAnswer, StatusQuestion
from signing.worded import Line, Worded

_EXIT_MEMORY = 3  # as in nursery.py


@dataclass(frozen=True)
class Answer:
    """The worker's result (None if there is none) and how it ended, by the nursery's last line."""

    result: Mapping[str, Any] | None
    ended: Mapping[str, Any]

    @property
    def ending(self) -> str:
        """How the worker ended, as a code: worker_done, or why there is nothing of use."""
        return "worker_done" if self.whole else self._why()

    @property
    def whole(self) -> bool:
        """Whether the worker ended well and with a result."""
        return self.result is not None and self.ended.get("exit") == 0

    def examination(
        self,
        sha256: bytes,
        size: int,
        network_cut: bool,
        judged: Judgement,
        answers: Sequence[StatusAnswer] = (),
    ) -> Examination:
        """Read the answer as an examination; a worker that failed gives "undetermined".

        `judged` says whom to trust and when; what the worker says it stands on is added, and those of
        `answers` that it found to be proofs.
        """
        if self.result is not None and self.whole:
            with contextlib.suppress(KeyError, ValueError, TypeError):
                return Examination(
                    sha256,
                    size,
                    str(self.result["media_type"]),
                    self.result.get("pages"),
                    self.result.get("refusal"),
                    SignatureReport.from_json(self.result["report"]),
                    network_cut,
                    etsi_report=base64.b64decode(self.result.get("etsi_report", ""), validate=True),
                    found=tuple(str(one) for one in self.result.get("found", ())),
                    judgement=self._judgement(judged, answers),
                    questions=tuple(
                        StatusQuestion.from_json(one) for one in self.result.get("questions", ())
                    ),
                    accepted=self._accepted(),
                )
        why = undetermined(self._why())
        return Examination(sha256, size, UNKNOWN, None, None, why, network_cut, judgement=judged)

    def _judgement(self, judged: Judgement, answers: Sequence[StatusAnswer]) -> Judgement:
        assert self.result is not None  # noqa: S101 - the answer is whole
        grounds = Grounds.from_json(self.result.get("grounds", {"footings": [], "pieces": []}))
        accepted = self._accepted()
        proofs = tuple(one.piece for one in answers if one.piece.sha256 in accepted)
        return replace(
            judged,
            footings=tuple(grounds.footings),
            found=tuple(grounds.pieces),
            fetched=(*judged.fetched, *proofs),
        )

    def _questions(self) -> tuple[StatusQuestion, ...]:
        return tuple(StatusQuestion.from_json(one) for one in (self.result or {}).get("questions", ()))

    def _accepted(self) -> dict[bytes, datetime]:
        told = (self.result or {}).get("accepted", ())
        return {bytes.fromhex(one["sha256"]): datetime.fromisoformat(one["until"]) for one in told}

    def measurement(self, sha256: bytes, size: int) -> Measurement:
        """Read the answer as a measured scan, or as the reason why there is none."""
        if self.result is not None and self.whole:
            with contextlib.suppress(KeyError, ValueError, TypeError):
                if "refusal" in self.result:
                    return Measurement(sha256, size, None, str(self.result["refusal"]))
                return Measurement(sha256, size, MeasuredScan.from_json(self.result["measured"]), None)
        return Measurement(sha256, size, None, self._why())

    def picture(self) -> Picture | NoPicture:
        """Read the answer as a picture, or as the reason why there is none."""
        if self.result is not None and self.whole:
            with contextlib.suppress(KeyError, ValueError, TypeError):
                if "failure" in self.result:
                    return NoPicture(str(self.result["failure"]), self.result.get("pages"))
                return Picture(
                    base64.b64decode(self.result["png"], validate=True),
                    int(self.result["width"]),
                    int(self.result["height"]),
                    int(self.result["pages"]),
                )
        return NoPicture(self._why())

    def words(self) -> Worded:
        """Read the answer as words; a failed worker gives none."""
        if self.result is not None and self.whole:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                lines, layer_lines = (
                    tuple(Line(str(text), *map(float, measures)) for text, *measures in self.result[name])
                    for name in ("lines", "layer_lines")
                )
                pages, layer = (tuple(str(one) for one in self.result[name]) for name in ("words", "layer"))
                return Worded(pages, self.result["complete"] is True, lines, layer, layer_lines)
        return Worded((), False)

    def undrawn(self) -> str | None:
        """Read the answer as the reason why pages could not be drawn; None where they were."""
        if self.result is None or not self.whole:
            return self._why()
        return None if "drawn" in self.result else str(self.result.get("failure", "worker_crashed"))

    def until(self) -> datetime | None:
        """Read the answer as an instant, or as there being none. Raises RewritingFailed."""
        if self.result is None or not self.whole:
            raise RewritingFailed(self._why())
        try:
            return datetime.fromisoformat(self.result["until"]) if "until" in self.result else None
        except (ValueError, TypeError) as error:
            raise RewritingFailed(self._why()) from error

    def rewritten(self, body: "Body") -> Mapping[str, Any]:
        """Give what was said of a new file that came whole. Raises RewritingFailed."""
        if self.result is None or not self.whole or body.left != 0:
            raise RewritingFailed(self._why())
        return self.result

    def _why(self) -> str:
        if self.ended.get("late") or self.ended.get("exit") == -signal.SIGXCPU:
            return "worker_timeout"
        return "worker_memory" if self.ended.get("exit") == _EXIT_MEMORY else "worker_crashed"


class Body:
    """The file behind an answer's first line: taken out of what comes, and written where it belongs."""

    def __init__(self, target: BinaryIO, max_bytes: int) -> None:
        self._target = target
        self._most = max_bytes
        self._head = bytearray()
        self.left: int | None = None  # bytes still to come; None before the first line told the length

    def take(self, chunk: bytes) -> bytes:
        """Take what belongs to the file; give the rest, the lines around it."""
        if self.left is None:
            self._head += chunk
            line, end, rest = bytes(self._head).partition(b"\n")
            if not end:
                return b""
            self.left = self._length(line)
            return line + b"\n" + self.take(rest)
        mine, rest = chunk[: self.left], chunk[self.left :]
        self._target.write(mine)
        self.left -= len(mine)
        return rest

    def _length(self, line: bytes) -> int:
        """Read the length; a line that tells none, or too much, is followed by no file."""
        try:
            told = json.loads(line)
            length = int(told["length"])
        except (ValueError, TypeError, KeyError):
            return 0
        return length if 0 <= length <= self._most else 0


def read_answer(answer: bytes) -> Answer:
    """Read the lines of a conversation."""
    try:
        lines = [json.loads(line) for line in answer.splitlines()]
    except ValueError:
        return Answer(None, {})
    if not lines or not all(isinstance(line, dict) for line in lines):
        return Answer(None, {})
    return Answer(lines[0] if len(lines) == 2 else None, lines[-1])
