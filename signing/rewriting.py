"""One file, made into another inside a worker process: marked and prepared, or given its signature.

No key is here: what is signed is signed elsewhere, over bytes hashed elsewhere.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from signing.conversion import apply_mark
from signing.preparing import Evidence, Prepared, SealOrder, prepare_seal, prepare_stamp
from signing.scan_archiving import archive_scan
from signing.scan_reading import page_to_read
from signing.seal_image import redraw_seal_image


def rewrite_file(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return plain JSON values and the new file, or what follows the file as it is.

    `request`: task "mark" (mark: base64) gives the marked file and the `place` of the mark. What follows give
    "seal" (place; certificates, status, lists: base64; at, reason, name, reserved), "stamp" (reserved) and
    "renew" (reserved; certificates, status, lists: base64): `start` and `stop` in the answer are the gap that
    is left for what is signed elsewhere. "archive", "page" and "seal_image" are told of in scan_archiving.py,
    scan_reading.py and seal_image.py. Raises whatever the libraries raise: the worker ends, and its file is
    refused.
    """
    stream.seek(0)  # whoever opened it has measured it first
    return _TASKS[request["task"]](stream, request)


def _marked(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    content, place = apply_mark(stream, _bytes(request["mark"]))
    return {"place": list(place)}, content


def _sealed(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    left, bottom, right, top = (float(edge) for edge in request["place"])
    order = SealOrder(
        **vars(_evidence(request)),
        at=datetime.fromisoformat(request["at"]),
        reason=str(request["reason"]),
        name=str(request["name"]),
        reserved=int(request["reserved"]),
    )
    return _answer(prepare_seal(stream, order, (left, bottom, right, top)))


def _stamped(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    evidence = _evidence(request) if request["task"] == "renew" else None
    return _answer(prepare_stamp(stream, int(request["reserved"]), evidence))


def _evidence(request: Mapping[str, Any]) -> Evidence:
    return Evidence(*([_bytes(one) for one in request[kind]] for kind in ("certificates", "status", "lists")))


def _answer(prepared: Prepared) -> tuple[dict[str, Any], bytes]:
    return {"start": prepared.start, "stop": prepared.stop}, prepared.tail


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_TASKS: dict[str, Callable[[BinaryIO, Mapping[str, Any]], tuple[dict[str, Any], bytes]]] = {
    "archive": archive_scan,
    "page": page_to_read,
    "mark": _marked,
    "seal": _sealed,
    "stamp": _stamped,
    "renew": _stamped,
    "seal_image": redraw_seal_image,
}
REWRITING = frozenset(_TASKS)  # tasks whose answer is a line, and bytes behind it
