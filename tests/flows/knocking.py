"""How the matrix of doors knocks: rows that say who is let in, and callers that prove themselves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from reuse_api.demo import people
from reuse_api.demo.people import Office

KINDS = ("nobody", "owner", "another", "system", "officerless", "desk", "auditor", "administrator")
UNPROVEN = 401  # what a door for machines answers to who is not its caller
DOOR = "led to the door"  # and a page: 303 to /sign-in


@dataclass(frozen=True)
class Row:
    """One door: what each kind of caller gets there, and what they knock with."""

    told: Mapping[str, int | str]
    at: Mapping[str, str] = field(default_factory=dict)  # the path's parameters: names of things, or texts
    send: Mapping[str, Any] = field(default_factory=dict)  # as httpx takes it; "{thing}" stands for a thing
    office: Office = people.POLICE  # whose system, and whose officer at the desk


def api(
    *, at: Any = None, json: Any = None, params: Any = None, office: Any = people.POLICE, **let_in: int
) -> Row:
    """A door for machines: who is not named is not authenticated there."""
    send = {name: value for name, value in (("json", json), ("params", params)) if value is not None}
    return Row(dict.fromkeys(KINDS, UNPROVEN) | let_in, at or {}, send, office)


def room(*, at: Any = None, params: Any = None, **let_in: int) -> Row:
    """A page: who is not named is led to the door."""
    return Row(dict.fromkeys(KINDS, DOOR) | let_in, at or {}, {"params": params} if params else {})


def form(kind: str, **at: str) -> Row:
    """A form of a page, sent without the token of its session: even its own caller may not."""
    return room(at=at, **dict.fromkeys(("owner", "another") if kind == "owner" else (kind,), 403))


def anybody(status: int, *, at: Any = None, data: Any = None) -> Row:
    """A door that asks nobody who they are."""
    return Row(dict.fromkeys(KINDS, status), at or {}, {"data": data} if data else {})


@dataclass(frozen=True)
class Knocks:
    """A client for each kind of caller (and office, where it matters), and the things addresses name."""

    clients: Mapping[tuple[str, str], httpx.Client]
    things: Mapping[str, Any]

    def all(self, door: str, row: Row) -> dict[str, int | str]:
        """Knock as every kind of caller; those who change something come last."""
        order = sorted(KINDS, key=lambda kind: row.told[kind] in (200, 201))
        found = {kind: self.knock(kind, door, row) for kind in order}
        return {kind: found[kind] for kind in KINDS}

    def knock(self, kind: str, door: str, row: Row) -> int | str:
        """Knock once and say what came of it."""
        method, place = door.split(" ", 1)
        for name, thing in row.at.items():
            place = place.replace(f"{{{name}}}", str(self.things.get(thing, thing)))
        sent = {"headers": {"Idempotency-Key": os.urandom(8).hex()}} | self._filled(dict(row.send))
        client = self.clients.get((kind, row.office.code)) or self.clients[kind, ""]
        answer = client.request(method, place, **sent)
        led = answer.status_code == 303 and answer.headers["location"] == "/sign-in"
        return DOOR if led else answer.status_code

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
            return self.things[value[1:-1]]
        return value
