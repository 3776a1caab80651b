"""Signer, gate and sealer die under load, one after the other, and servers are exchanged: nothing is lost.

Each is a process of its own over PostgreSQL, under its own user where the tests run as root.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.checkpoint import LogVerifier
from signing.leaf import Kind
from signing.merkle import Tree
from tests.conftest import Template, places_in
from tests.faults.load import Office
from tests.servers.parts import Parts, running_parts
from vault.clock import Clock
from vault.connecting import connect
from vault.days import legal_day
from vault.inspecting import inspect
from vault.rows_address import RowsAddress
from vault.tables import log_entry

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
ROWS = ("postgresql",)


@pytest.fixture
def parts(folder: Path, rows_address: RowsAddress) -> Iterator[Parts]:
    """The whole server set-up, running, made of a vault that was one process until now."""
    with running_parts(folder, rows_address.text) as made:
        yield made


def until(condition: Callable[[], Any], office: Office, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert not office.faults, office.faults
        assert time.monotonic() < end, office.statuses
        time.sleep(0.02)


def more(office: Office, kind: str, status: int, by: int = 1) -> Callable[[], bool]:
    """Whether there are more answers of a status than there were."""
    before = office.statuses[(kind, status)]
    return lambda: office.statuses[(kind, status)] >= before + by


async def test_each_part_is_killed_under_load_and_comes_back(
    parts: Parts, template: Template, rows_address: RowsAddress
) -> None:
    with Office(template.keys, [parts.ports["serve"]]) as office:
        until(lambda: len(office.reads) >= 3, office)
        for name in ("gate", "sign"):
            away = more(office, "read", 503)
            parts.end(name)
            until(away, office)
            back = more(office, "read", 200, by=3)
            parts.start(name)
            until(back, office)
        parts.end("seal")  # nothing that is read rests on it
        until(more(office, "read", 200, by=2), office)
        await asyncio.to_thread(results_wait_for_the_sealer, parts, office)
    assert not office.faults, office.faults
    assert parts.end("serve", signal.SIGTERM) == 0, parts.journal("serve")[-2000:]
    await nothing_was_unlogged_lost_or_forked(parts, rows_address, office)


def results_wait_for_the_sealer(parts: Parts, office: Office) -> None:
    """A result is taken while the sealer is away, and sealed by `kho work` once it is back."""
    commune = Office(office.keys, office.ports, office=people.COMMUNE)
    code = f"{people.COMMUNE.code}-{legal_day(Clock().now()):%y%m%d}-90001"
    body = {"procedure": people.REREGISTRATION, "channel": "counter", "persons": []}
    body["persons"] = [people.DAUGHTER.named("applicant")]
    body["evidence"] = {"kind": "officer_check", "reference": "CCCD"}
    fields = people.certificate("9001/2026", legal_day(Clock().now()).isoformat(), birth_place="Hà Nội")
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}
    with httpx.Client(base_url=f"http://127.0.0.1:{office.ports[0]}", timeout=60) as asking:
        assert commune._signed_in(asking)
        asking.headers["Authorization"] = f"Bearer {commune.token}"
        assert asking.put(f"/v1/dossiers/{code}", json=body).status_code == 200
        reply = asking.post(f"/v1/dossiers/{code}/results", json=result, headers={"Idempotency-Key": code})
        assert reply.status_code == 202, reply.text
        assert [one["code"] for one in reply.json()["reasons"]] == ["waiting_for_seal", "sealer_away"]
        assert "retry-after" in reply.headers
        ready = asking.get("/readyz").json()
        assert ready["sealing"] == {"state": "sealer_away"}
        parts.start("seal")
        parts.start("work")
        until(lambda: asking.get(reply.headers["location"]).json()["state"] == "sealed", office)
    assert parts.end("work", signal.SIGTERM) == 0, parts.journal("work")[-2000:]


async def nothing_was_unlogged_lost_or_forked(parts: Parts, rows: RowsAddress, office: Office) -> None:
    db = await connect(rows, hold="none")
    async with db.read() as reading:
        entries = (await reading.execute(select(log_entry).order_by(log_entry.c.idx))).all()
    await db.close()
    assert [row.idx for row in entries] == list(range(len(entries)))
    delivered = {row.idx for row in entries if row.kind == int(Kind.DELIVERED)}
    read = [one.index for one in office.reads]
    assert len(set(read)) == len(read) > 10
    assert set(read) <= delivered, "no byte without an entry"
    tree = Tree([row.leaf_hash for row in entries])
    until_published = time.monotonic() + 30
    key = LogVerifier.from_line(parts.log_line())
    while True:
        head = key.open_checkpoint((parts.folder / "sign" / "log" / "checkpoint").read_text())
        assert tree.root(head.size) == head.root, "no fork"
        if head.size == len(entries):
            break
        assert time.monotonic() < until_published
        await asyncio.sleep(0.1)
    places = replace(places_in(parts.folder / "serve", rows), log=parts.folder / "sign" / "log")
    found = await inspect(replace(places, keys=parts.folder / "none"))
    assert found.sound, found.findings


@pytest.mark.long
async def test_servers_are_exchanged_one_after_the_other_and_nobody_notices_but_by_a_retry(
    parts: Parts, template: Template, rows_address: RowsAddress
) -> None:
    parts.start("serve-2")
    ports = [parts.ports["serve"], parts.ports["serve-2"]]
    with Office(template.keys, ports) as one, Office(template.keys, ports) as other:
        until(lambda: len(one.reads) >= 3 and len(other.reads) >= 3, one)
        for name in ("serve", "serve-2"):
            assert parts.end(name, signal.SIGTERM) == 0, parts.journal(name)[-2000:]
            for office in (one, other):
                until(more(office, "read", 200, by=2), office)
            parts.start(name)
            for office in (one, other):
                until(more(office, "read", 200, by=2), office)
    for office in (one, other):
        assert not office.faults, office.faults
        assert {status for _, status in office.statuses} <= {0, 200, 201, 503}, office.statuses
    for name in ("serve", "serve-2"):
        assert parts.end(name, signal.SIGTERM) == 0
    one.reads += other.reads
    await nothing_was_unlogged_lost_or_forked(parts, rows_address, one)
    assert not [line for line in parts.events("sign") if line["event"] == "publication_failed"]
