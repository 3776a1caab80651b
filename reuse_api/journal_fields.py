"""What a line of the journal may say: every field, and the shape its value must have; nothing else gets out.

A name, a number of a person, a title, a file's name, a token or a query fits none of these. A value that does
not fit is left out, and the line says how many were: that is a fault of ours, and no reason to tell it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Fits = Callable[[Any], bool]
NO_DOOR = "no such route"
LEFT_OUT = "left_out"  # how many facts of a line did not fit
_LONGEST = 120  # characters


def _shape(pattern: str) -> Fits:
    known = re.compile(pattern)
    return lambda value: (
        isinstance(value, str) and len(value) <= _LONGEST and known.fullmatch(value) is not None
    )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _number(value: Any) -> bool:
    return _whole(value) or (isinstance(value, float) and abs(value) < 2**53)


def _counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(CODE(str(name)) and _whole(one) for name, one in value.items())


CODE = _shape(r"[a-z][a-z0-9_]*")
_ADDRESS = _shape(r"(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")
_HOST = r"(?=[0-9]*[a-z.:\[])[a-z0-9.:\[\]-]+"
_DOOR = _shape(rf"{NO_DOOR}|(/(\{{[a-z_]+(:[a-z]+)?\}}|[a-z.][a-z0-9_.-]*)?)+")
_USERS = _shape(r"([0-9]{1,10}(,[0-9]{1,10})*)?")  # of the machine, by their numbers
_ID = _shape(r"[0-9a-f]{24}")

FIELDS: Mapping[str, Fits] = {
    # which request, and under which trace
    "request": lambda value: value == "" or _ID(value),
    "trace": _shape(r"[0-9a-f]{32}"),
    "span": _shape(r"[0-9a-f]{16}"),
    "parent": _shape(r"[0-9a-f]{16}"),
    # how it came and went
    "method": _shape(r"[A-Z]{1,20}|\?"),
    "door": _DOOR,  # the template of a route, never its path
    "status": _whole,
    "milliseconds": _whole,
    # what happened, in codes
    "code": CODE,
    "reason": CODE,
    "state": CODE,
    "process": CODE,
    "part": CODE,
    "call": CODE,
    "topic": CODE,
    "realm": CODE,
    "found": _shape(r"([a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*)?"),
    "by": CODE,
    # of a frame that is none: words of ours, nothing that came; so no long number, and nothing like a token
    "why": _shape(r"(?!.*[0-9]{7})(?!.*[^ ]{31})[A-Za-z0-9 ,.`_]{1,120}"),
    "warning": _shape(r"[A-Za-z_][A-Za-z0-9_]*"),
    "where": _shape(r"[A-Za-z0-9_./<> -]+:[0-9]+"),
    # how many, how much
    "count": _whole,
    "size": _whole,
    "entries": _whole,
    "documents": _whole,
    "waiting": _whole,
    "dead": _whole,
    "lost": _whole,
    "seconds_behind": _number,
    "anchors": _counts,
    # the set-up
    "listen": _ADDRESS,
    "socket": _shape(r"unix:[A-Za-z0-9_./-]+"),
    "user": _whole,
    "peers": _USERS,
    "work": _USERS,
    "log": _shape(r"[a-z0-9.-]+(/[a-z][a-z0-9+-]*)+"),
    "issuer": _shape(r"https?://[a-z0-9.:\[\]-]+"),
    "status_hosts": _shape(rf"{_HOST}(, {_HOST})*"),
    "version": _shape(r"[0-9]+(\.[0-9A-Za-z+-]+)+"),
    "digest": _shape(r"[0-9a-f]{64}"),  # of the set of anchors
}


def fitting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give the facts that may be told, and how many were left out where any was."""
    told: dict[str, Any] = {}
    left_out = 0
    for name, value in facts.items():
        fits = FIELDS.get(name)
        if fits is not None and fits(value):
            told[name] = dict(value) if isinstance(value, Mapping) else value
        elif value is not None:
            left_out += 1
    return told | ({LEFT_OUT: left_out} if left_out else {})
