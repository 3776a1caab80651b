"""Many readers while consents are withdrawn: not one read comes late, in the callers' time and in the log's.

`RACE_FETCHES` sets how many fetches there are (180, and 540 in the long run).
"""

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from signing.leaf import Kind
from vault.clock import Clock
from vault.days import legal_day
from vault.tables import consent_use

FETCHES = int(os.environ.get("RACE_FETCHES", "180"))
READERS = 6
CONSENTS = 18
READS = 25  # of each consent: some are used up in the race
PURPOSE = "loan_assessment"


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


@dataclass
class Race:
    """What was withdrawn when, and every attempt: consent, when it began, how it was answered."""

    record: str
    consents: list[str]
    fetches: int
    withdrawn: dict[str, float] = field(default_factory=dict)
    fetched: list[tuple[str, float, int]] = field(default_factory=list)
    read: list[tuple[str, float, int]] = field(default_factory=list)
    left: "itertools.count[int]" = field(default_factory=itertools.count)
    moving: threading.Condition = field(default_factory=threading.Condition)

    def reads(self, bank: httpx.Client, seed: int) -> None:
        choosing = random.Random(seed)
        while next(self.left) < self.fetches:
            chosen = choosing.choice(self.consents)
            body = {"consent": chosen, "purpose": PURPOSE, "records": [self.record]}
            began = time.monotonic()
            reply = bank.post("/v1/fetches", json=body, headers=key())
            with self.moving:
                self.fetched.append((chosen, began, reply.status_code))
                self.moving.notify_all()
            if reply.status_code == 200 and choosing.random() < 0.4:
                release = reply.json()["items"][0]["release"]
                began = time.monotonic()
                content = bank.get(f"/v1/releases/{release}/content")
                self.read.append((chosen, began, content.status_code))

    def withdraws(self, wallet: httpx.Client) -> None:
        """Withdraw one after another while the readers go on; two stay given to the end."""
        for number, chosen in enumerate(self.consents[:-2], 1):
            with self.moving:
                self.moving.wait_for(
                    lambda on=number: len(self.fetched) >= on * self.fetches // CONSENTS, timeout=60
                )  # type: ignore[misc]
            reply = wallet.post(f"/v1/me/consents/{chosen}/withdrawal", headers=key())
            assert reply.status_code == 200, reply.text
            self.withdrawn[chosen] = time.monotonic()

    def late(self, attempts: list[tuple[str, float, int]]) -> list[tuple[str, float, int]]:
        """Attempts that began after the withdrawal was answered, and were let through all the same."""
        return [
            one for one in attempts if one[2] == 200 and one[1] > self.withdrawn.get(one[0], float("inf"))
        ]


@pytest.fixture(params=[FETCHES, pytest.param(3 * FETCHES, marks=pytest.mark.long)])
def race(
    request: pytest.FixtureRequest, bank: httpx.Client, daughter: httpx.Client, certificate: Any
) -> Race:
    consents = []
    for number in range(CONSENTS):
        body = {
            "person": {
                "identifier": {"scheme": "personal_number", "value": people.DAUGHTER.number},
                "name": people.DAUGHTER.name,
            },
            "purposes": [{"purpose": PURPOSE, "reason": f"hồ sơ {number}"}],
            "records": [certificate.record],
            "valid_until": (legal_day(Clock().now()) + timedelta(days=20)).isoformat(),
            "max_reads": READS,
        }
        asked = bank.post("/v1/consent-requests", json=body, headers=key()).json()["consents"][0]["consent"]
        shown = daughter.get(f"/v1/me/consents/{asked}").json()
        said = {"act": "give", "language": "en", "records": [certificate.record]}
        reply = daughter.post(
            f"/v1/me/consents/{asked}/answer", json=said | {"text_hash": shown["text_hash"]}, headers=key()
        )
        assert reply.status_code == 200, reply.text
        consents.append(asked)
    return Race(certificate.record, consents, request.param)


@pytest.fixture
def readers(kho: Any) -> Iterator[list[httpx.Client]]:
    with ExitStack() as open_clients:
        yield [open_clients.enter_context(kho.system(people.BANK)) for _ in range(READERS)]


async def _entries(kho: Any, secret: str) -> list[Any]:
    """Open every entry of the owner's, in the order of the log."""
    caller = await kho.vault.gate.check_session(secret)
    return list(await kho.vault.gate.open_entries(range(kho.vault.signer.tree.size), caller))


async def _rows(kho: Any, query: Any) -> list[Any]:
    async with kho.vault.db.read() as db:
        return list(await db.execute(query))


@pytest.mark.slow
def test_no_read_comes_after_a_withdrawal(
    kho: Any, race: Race, readers: list[httpx.Client], daughter: httpx.Client
) -> None:
    with ThreadPoolExecutor(READERS + 1) as pool:
        running = [pool.submit(race.reads, bank, seed) for seed, bank in enumerate(readers)]
        running.append(pool.submit(race.withdraws, daughter))
        for one in running:
            one.result()

    assert len(race.fetched) == race.fetches
    assert len(race.withdrawn) == CONSENTS - 2
    statuses = Counter(status for _, _, status in race.fetched)
    assert set(statuses) <= {200, 403, 503}
    assert statuses[200] > 0
    assert statuses[403] > 0
    assert race.late(race.fetched) == []
    assert race.late(race.read) == []

    secret = daughter.headers["Cookie"].partition("=")[2]
    entries = [one for one in kho.run(_entries(kho, secret)) if one.parts.purpose.get("consent")]
    ended = {
        one.parts.purpose["consent"]: one.index
        for one in entries
        if one.parts.event["type"] == "consent_withdrawn"
    }
    assert set(race.withdrawn) == ended.keys() & set(race.consents)
    let_through = [one for one in entries if one.kind in (Kind.RELEASE_PERMITTED, Kind.DELIVERED)]
    late = [
        one.index for one in let_through if one.index > ended.get(one.parts.purpose["consent"], one.index)
    ]
    assert late == [], "a release or a reading stands after the withdrawal of its consent in the log"

    released = Counter(
        one.parts.purpose["consent"] for one in let_through if one.kind is Kind.RELEASE_PERMITTED
    )
    counted = select(consent_use.c.consent, func.count()).group_by(consent_use.c.consent)
    used = dict(map(tuple, kho.run(_rows(kho, counted))))
    for chosen in race.consents:
        told = sum(1 for one, _, status in race.fetched if one == chosen and status == 200)
        assert released[chosen] == used.get(chosen, 0) == told <= READS
