"""An office that never rests: it opens dossiers, takes what is there and reads it, again and again."""

import itertools
import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx

from reuse_api.demo import people
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, JWT_BEARER
from tests.servers.parts import ISSUER
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, make_assertion
from vault.clock import Clock
from vault.days import legal_day


@dataclass
class Read:
    """A file that arrived whole: its receipt, the index of its entry, the digest of what came."""

    receipt: str
    index: int
    digest: str


@dataclass
class Office:
    """A processing system that asks over HTTP, in a thread of its own; `ports` may change meanwhile."""

    keys: dict[str, dict[str, Any]]
    ports: list[int]
    office: Any = people.POLICE
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    token: str = ""

    def __post_init__(self) -> None:
        self.ending = threading.Event()
        self._serials = itertools.count(int.from_bytes(os.urandom(2)) % 900 * 1000 + 1)
        self._turns = itertools.count()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Office":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._thread.join()

    def _work(self) -> None:
        with httpx.Client(timeout=30) as asking:
            while not self.ending.is_set():
                try:
                    self.round(asking)
                except Exception as problem:  # a test looks at what went wrong
                    self.faults.append(repr(problem))
                    return

    def round(self, asking: httpx.Client) -> None:
        """Open a dossier, ask for its proof of kinship, read that."""
        code = f"{self.office.code}-{legal_day(Clock().now()):%y%m%d}-{next(self._serials):06d}"
        persons = [people.DAUGHTER.named("applicant"), people.MOTHER.named("householder")]
        body = {"procedure": people.RESIDENCE, "case": people.CASE, "channel": "counter", "persons": persons}
        body["evidence"] = {"kind": "officer_check", "reference": "CCCD"}
        if self._asked(asking, "open", "PUT", f"/v1/dossiers/{code}", json=body) is None:
            return
        self.opened.append(code)
        headers = {"Idempotency-Key": f"take-{code}"}
        wanted = {"components": [{"component": people.KINSHIP}]}
        told = self._asked(
            asking, "release", "POST", f"/v1/dossiers/{code}/releases", json=wanted, headers=headers
        )
        if told is None:
            return
        release = told.json()["items"][0]["release"]
        content = self._asked(asking, "read", "GET", f"/v1/releases/{release}/content")
        if content is not None:
            digest = sha256(content.content).hexdigest()
            if not content.content.startswith(b"%PDF"):
                self.faults.append("what was read is no PDF")
            found = content.headers
            self.reads.append(Read(found["kho-receipt"], int(found["kho-leaf-index"]), digest))

    def _asked(
        self, asking: httpx.Client, kind: str, method: str, path: str, **said: Any
    ) -> httpx.Response | None:
        """Ask until there is an answer that is no 503; None where we are to end."""
        while not self.ending.is_set():
            if not self.token and not self._signed_in(asking):
                continue
            headers = {"Authorization": f"Bearer {self.token}"} | said.get("headers", {})
            reply = self._sent(asking, kind, method, path, **(said | {"headers": headers}))
            if reply is None or reply.status_code == 503:
                self.ending.wait(0.05)
                continue
            if reply.status_code >= 400:
                self.faults.append(f"{kind}: {reply.status_code} {reply.text[:300]}")
                self.ending.set()
                return None
            return reply
        return None

    def _sent(
        self, asking: httpx.Client, kind: str, method: str, path: str, **said: Any
    ) -> httpx.Response | None:
        port = self.ports[next(self._turns) % len(self.ports)]
        try:
            reply = asking.request(method, f"http://127.0.0.1:{port}{path}", **said)
        except httpx.TransportError:
            self.statuses[(kind, 0)] += 1  # no server, or it left in the middle
            return None
        self.statuses[(kind, reply.status_code)] += 1
        if reply.status_code == 503 and "retry-after" not in reply.headers:
            self.faults.append(f"{kind}: 503 without Retry-After")
        return reply

    def _signed_in(self, asking: httpx.Client) -> bool:
        form = {"grant_type": JWT_BEARER, "client_assertion_type": CLIENT_ASSERTION_TYPE}
        form |= {"client_assertion": self.assertion(CLIENT_TYPE, self.office.system)}
        form |= {"assertion": self.assertion(OFFICER_TYPE, self.office.officer)}
        reply = self._sent(asking, "token", "POST", "/oauth2/token", data=form)
        if reply is None or reply.status_code != 200:
            self.ending.wait(0.05)
            return False
        self.token = reply.json()["access_token"]
        return True

    def assertion(self, typ: str, subject: str) -> str:
        said = {"issuer": ISSUER, "client_id": self.office.system, "subject": subject, "typ": typ}
        said |= {"at": Clock().now(), "jti": os.urandom(16).hex(), "lifetime": timedelta(minutes=1)}
        return make_assertion(self.keys[self.office.system], **said)
