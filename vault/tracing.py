"""Which request caused what: W3C Trace Context (Recommendation, version 00), carried by whatever works here.

A request that comes with a sound `traceparent` goes on under its trace; any other begins a new one. Every
journal line says the trace and the span it was written under; rows of what is done later keep the trace that
caused them. Four functions are all that others need: `from_headers` where something arrives, `under` around
the work, `headers` for whatever is asked of another process, `kept` and `resumed` for rows.

We keep no spans of our own beside the journal, so that a trace begun here is not marked as sampled. Answers
carry no `traceparent`: the Recommendation has it for requests alone, and `Request-Id` names the answer.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 0x01  # the one flag that version 00 knows; all others are sent as zero
_KEY = re.compile(
    r"[a-z][a-z0-9_\-*/]{0,255}"  # simple
    r"|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"  # of a tenant of a system
)
_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_MOST_MEMBERS = 32
_MOST_STATE = 512  # characters of tracestate that are carried on
_LONG_MEMBER = 128  # characters: of what is too much, longer members go first


@dataclass(frozen=True)
class Trace:
    """What is being done, and what caused it.

    `id` names the whole trace, `span` our part of it, `parent` the part that asked for ours, where there is
    one; `state` is what others put into `tracestate`, looked into by nobody here and written down nowhere.
    """

    id: str
    span: str
    parent: str | None = None
    sampled: bool = False
    state: str = ""

    @property
    def traceparent(self) -> str:
        """The header's value for what we ask of others: our span is their parent."""
        return f"00-{self.id}-{self.span}-{_SAMPLED if self.sampled else 0:02x}"


_current: ContextVar[Trace | None] = ContextVar("kho_trace", default=None)


def current() -> Trace | None:
    """Give the trace that this is done under; None outside of any."""
    return _current.get()


def begun() -> Trace:
    """Begin a trace: nobody is known to have caused it."""
    return Trace(os.urandom(16).hex(), os.urandom(8).hex())


@contextmanager
def under(trace: Trace) -> Iterator[Trace]:
    """Do something under a trace; tasks and threads that are started inside belong to it too."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def from_headers(traceparent: Sequence[str], tracestate: Sequence[str] = ()) -> Trace:
    """Go on under the trace that a request names, or begin one where it names none that is sound.

    Args:
        traceparent: every value of the header; more than one is as good as none.
        tracestate: every value of that header, in their order.
    """
    found = _read(traceparent[0]) if len(traceparent) == 1 else None
    if found is None:
        return begun()
    id, parent, sampled = found
    return Trace(id, os.urandom(8).hex(), parent, sampled, _state(tracestate) if tracestate else "")


def headers(*, abroad: bool = False) -> dict[str, str]:
    """Give the headers to send along with what we ask of another process; none outside of a trace.

    Args:
        abroad: it leaves the house (a web hook): what others put into `tracestate` stays here.
    """
    trace = _current.get()
    if trace is None:
        return {}
    state = {"tracestate": trace.state} if trace.state and not abroad else {}
    return {"traceparent": trace.traceparent} | state


def kept() -> str | None:
    """Give the present trace as a row keeps it; None outside of any."""
    trace = _current.get()
    return trace.traceparent if trace is not None else None


def resumed(row: str | None) -> Trace:
    """Go on under the trace that a row kept, as something of its own; begin one where it kept none."""
    return from_headers([row] if row else [])


def _read(value: str) -> tuple[str, str, bool] | None:
    """Read a traceparent; a version to come may say more behind what version 00 says."""
    found = _PARENT.fullmatch(value)
    if found is None:
        return None
    version, id, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None) or id == _NO_TRACE or span == _NO_SPAN:
        return None
    return id, span, bool(int(flags, 16) & _SAMPLED)


def _state(values: Sequence[str]) -> str:
    """Read tracestate; what is not sound, or too long, is left out as a whole or from its end."""
    members = [one.strip(" \t") for value in values for one in value.split(",")]
    members = [one for one in members if one]
    keys = set()
    for one in members:
        key, _, told = one.partition("=")
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(told) or key in keys:
            return ""
        keys.add(key)
    if len(members) > _MOST_MEMBERS:
        return ""
    if len(",".join(members)) > _MOST_STATE:
        members = [one for one in members if len(one) <= _LONG_MEMBER]
    while len(",".join(members)) > _MOST_STATE:
        members.pop()
    return ",".join(members)
