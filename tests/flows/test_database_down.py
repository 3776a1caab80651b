"""PostgreSQL is stopped and killed under a running service: 503 meanwhile, and on again without a restart."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from reuse_api.metrics import Metrics
from reuse_api.vault_figures import VaultFigures
from signing.leaf import Kind, Parts
from tests.flows.conftest import Kho, service_of
from tests.flows.readiness import readyz
from tests.servers.postgres import PrivatePostgres, fresh_database
from vault import entries
from vault.entries import Logged
from vault.errors import VaultBusy
from vault.tables import log_entry
from vault.telling import VAULT_HOLDER, nothing_to_check


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    started = PrivatePostgres()
    yield started
    started.close()


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, server: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kho]:
    rows = fresh_database(sockets=server.sockets)
    with service_of(request, tmp_path_factory.mktemp("down"), rows=rows) as running:
        yield running


def test_stopped_every_door_says_503_and_started_again_all_is_well(
    served: Kho, server: PrivatePostgres, reregistration: dict[str, Any]
) -> None:
    with served.system(people.COMMUNE) as commune, served.wallet(people.DAUGHTER) as wallet:
        code, before = served.new_code(people.COMMUNE), served.vault.signer.tree.size

        def knocks() -> list[Any]:
            return [
                commune.put(f"/v1/dossiers/{code}", json=reregistration),
                commune.get(f"/v1/dossiers/{code}/plan"),
                wallet.get("/v1/me/records"),
                wallet.get("/v1/me/accesses"),
            ]

        server.stop()
        try:
            for reply in knocks():
                assert (reply.status_code, reply.json()["code"]) == (503, "vault_busy"), reply.text
                assert "retry-after" in reply.headers
                assert "postgres" not in reply.text
            with served.client() as asking:
                ready = readyz(asking)
                assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "unavailable")
                assert asking.get("/healthz").status_code == 200
                figures = served.run(scraped(served))
                assert "kho_look_complete 0.0" in figures and "kho_ready 0.0" in figures
                assert 'kho_service_up{service="database"} 0.0' in figures
                assert 'kho_alarm{code="database_unavailable",which=""} 1.0' in figures
                assert "kho_http_requests_total{" in figures and "kho_sources_failed 0.0" in figures
                token = asking.post("/oauth2/token", data=served.token_form(people.COMMUNE))
                assert token.status_code == 503, token.text
        finally:
            server.start()
        assert served.vault.signer.tree.size == before
        assert [reply.status_code for reply in knocks()] == [200, 200, 200, 200]
        with served.client() as asking:
            assert readyz(asking).status_code == 200
            assert "kho_look_complete 1.0" in served.run(scraped(served))


async def scraped(served: Kho) -> str:
    """What a scrape is told."""
    metrics = Metrics("serve")
    with metrics.showing(VaultFigures(served.vault, served.app.state.traffic)):
        return (await metrics.scraped())[0].decode()


def test_killed_amid_appends_what_was_answered_is_there_and_nothing_stands_twice(
    served: Kho, server: PrivatePostgres
) -> None:
    vault = served.vault

    async def append(number: int, held: Any) -> Any:
        at = vault.clock.now()
        event = {"type": "tried", "result": "permitted", "number": number, "at": at.isoformat()}
        said = {"at": at, "caller_kind": "vault", "caller": "vault"}
        parts = Parts({}, {"system": "vault"}, {}, {}, event)
        prepared = entries.prepare(Kind.HEARTBEAT, parts, held, **said)
        try:
            return (await vault.appender.append([prepared], nothing_to_check))[0], prepared
        except VaultBusy:
            return None, prepared

    async def amid() -> list[Any]:
        async with vault.db.read() as db:
            held = await entries.holders(db, [VAULT_HOLDER])
        outcomes = await asyncio.gather(*(append(number, held) for number in range(5)))
        killing = asyncio.create_task(asyncio.to_thread(server.kill))
        number = 5
        while not killing.done() or not any(one is None for one, _ in outcomes):
            outcomes += await asyncio.gather(*(append(number + n, held) for n in range(5)))
            number += 5
            await asyncio.sleep(0.005)
        await killing
        return outcomes

    try:
        outcomes = served.run(amid())
    finally:
        server.start()

    async def rows() -> list[bytes]:
        async with vault.db.read() as db:
            return list((await db.execute(select(log_entry.c.leaf).order_by(log_entry.c.idx))).scalars())

    leaves = served.run(rows())
    answered = [(logged, prepared) for logged, prepared in outcomes if isinstance(logged, Logged)]
    assert answered, "some were committed before the server went"
    assert all(leaves[logged.index] == prepared.leaf for logged, prepared in answered)
    assert len(set(leaves)) == len(leaves)
    again, _ = served.run(append(-1, served.run(held_by(vault))))
    assert again.index == len(leaves), "it goes on where the rows ended"
    served.run(vault.appender.proof(again.index))
    assert vault.signer.tree.size == again.index + 1


async def held_by(vault: Any) -> Any:
    async with vault.db.read() as db:
        return await entries.holders(db, [VAULT_HOLDER])
