"""One file, examined from beginning to end inside a worker process. No key and no network are needed."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from signing.anchors import Anchor
from signing.errors import FileRefused
from signing.etsi_report import EtsiReport
from signing.file_types import UNKNOWN
from signing.grounds import Grounds
from signing.intake import look_at
from signing.report import SignatureReport, undetermined
from signing.status_given import Given
from signing.status_questions import status_questions
from signing.validation import validate

_ROOM = 16 * 1024 * 1024  # bytes that a worker has to spare where it blames the file


def examine_file(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: media_type, pages (absent when unknown), refusal and found (absent if none),
    report, grounds, questions (about certificates), accepted (answers that are proofs), etsi_report (base64;
    absent unless asked for, and made); the last four are absent for a refused file.

    `request`: anchors (see anchors.py), at (ISO 8601 with zone), declared_type, sealing (whether it is about
    to be sealed), fetched (proofs from outside, see grounds.py; absent for none), answers (to questions about
    certificates, unchecked, see status_proofs.py; absent for none), etsi (whether a report by TS 119 102-2 is
    wanted; absent for no). Raises MemoryError when the process has no more, nothing else for the sake of the
    file.
    """
    try:
        look = look_at(stream, declared_type=str(request["declared_type"]), sealing=bool(request["sealing"]))
    except FileRefused as refused:
        if refused.code == "unreadable":
            bytearray(_ROOM)  # libraries that are short of memory call the file damaged; then this raises
        return {
            "media_type": UNKNOWN,
            "refusal": refused.code,
            "found": list(refused.found),
            "report": _of_refused(stream, refused, request).to_json(),
        }
    anchors, at = _anchors(request), datetime.fromisoformat(request["at"])
    given = Given.of(request, at)
    grounds = given.grounds()
    etsi = EtsiReport() if request.get("etsi") else None
    judged = asyncio.run(validate(stream, anchors=anchors, at=at, grounds=grounds, etsi=etsi))
    answer = {
        "media_type": look.media_type,
        "pages": look.pages,
        "report": judged.to_json(),
        "grounds": grounds.to_json(),
        "accepted": given.told(),
        "questions": _questions(judged, anchors, grounds),
    }
    written = _written(etsi, judged) if etsi is not None else b""
    return answer | ({"etsi_report": base64.b64encode(written).decode()} if written else {})


def _anchors(request: Mapping[str, Any]) -> list[Anchor]:
    return [Anchor.from_json(one) for one in request["anchors"]]


def _of_refused(stream: BinaryIO, refused: FileRefused, request: Mapping[str, Any]) -> SignatureReport:
    """Say of a broken file that was signed that it is not what was signed; of any other, nothing at all."""
    if refused.found == ("mended",):
        at = datetime.fromisoformat(request["at"])
        judged = asyncio.run(validate(stream, anchors=_anchors(request), at=at))
        if judged.verdict == "invalid":
            return judged
    return undetermined("file_refused")


def _written(etsi: EtsiReport, judged: SignatureReport) -> bytes:
    try:
        return etsi.written(judged)
    except MemoryError:
        raise
    except Exception:  # pyHanko and xsdata raise plain errors over odd certificates; then there is none
        return b""


def _questions(judged: SignatureReport, anchors: Sequence[Anchor], grounds: Grounds) -> list[dict[str, str]]:
    """Say what could be asked about certificates, where the file was not found valid for want of anything."""
    if judged.verdict != "undetermined" or not grounds.embedded:
        return []
    try:
        asked = asyncio.run(status_questions(anchors, grounds.embedded))
    except MemoryError:
        raise
    except Exception:  # what cannot be read is not asked about
        return []
    return [one.to_json() for one in asked]
