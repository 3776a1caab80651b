"""The content path beside a static server of the same bytes, in turns: A B A B ..."""

import asyncio
import statistics
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.house import SIZE, House, built, paper, release_many
from benchmarks.load import CONNECTIONS, Load, load
from benchmarks.peers import free_port, running, static_server
from benchmarks.setups import SetUp, set_ups
from benchmarks.table import Row
from reuse_api.demo import people
from reuse_api.demo.door import Door
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, JWT_BEARER

ROUNDS = 5


async def measure(folder: Path, requests: int) -> Iterable[Row]:
    """Fetch `requests` releases a round, each for the first time: token, facts, entry, proof, key, bytes.

    In both set-ups, and in between the same number of fetches of the same file from the static server, and of
    a share: the second fetch of one release within a minute, which needs no entry of its own.
    """
    with set_ups(folder / "servers") as there, ExitStack() as running_:
        name, static = running_.enter_context(static_server(folder / "static", paper(SIZE)))
        served = []
        for number, one in enumerate(there):
            port = free_port()
            async with built(folder / f"kho{number}", port, one.places) as (house, vault):
                await release_many(house, vault, requests * ROUNDS)
            running_.enter_context(running(serving(), port, house.environment))
            headers = {"Authorization": f"Bearer {await token(house, port)}"}
            served.append(_Served(one, port, headers, house.releases))
        theirs = []
        for turn in range(ROUNDS):
            theirs.append(await load(static, ["/paper.pdf"] * requests))
            for each in served:
                await each.fetch(turn, requests)
    rows = [_row(f"{name}, the same bytes", theirs, theirs)]
    for each in served:
        rows.append(_row(f"first fetch of a release, {each.setup.name}", each.first, theirs))
        rows.append(_row("  again within a minute", each.again, theirs))
    return rows


@dataclass
class _Served:
    """A vault that is served, and what fetching from it came to."""

    setup: SetUp
    port: int
    headers: dict[str, str]
    releases: list[str]
    first: list[Load] = field(default_factory=list)
    again: list[Load] = field(default_factory=list)

    async def fetch(self, turn: int, requests: int) -> None:
        part = self.releases[turn * requests : (turn + 1) * requests]
        paths = [f"/v1/releases/{one}/content" for one in part]
        self.first.append(await load(self.port, paths, self.headers))
        self.again.append(await load(self.port, paths, self.headers))


def _row(what: str, runs: list[Load], peers: list[Load]) -> Row:
    ratios = [run.rate / peer.rate for run, peer in zip(runs, peers, strict=True)]
    return Row(
        what,
        f"{statistics.median(run.rate for run in runs):,.0f}/s",
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})",
        f"p50 {_ms(runs, 'p50')} ms, p95 {_ms(runs, 'p95')} ms, "
        f"{runs[0].size:,} bytes, {CONNECTIONS} connections",
    )


def _ms(runs: list[Load], name: str) -> str:
    return f"{statistics.median(getattr(run, name) for run in runs) * 1000:.1f}"


def serving() -> list[str]:
    """Give the command that serves a vault."""
    return [sys.executable, "-m", "reuse_api", "serve"]


async def token(house: House, port: int) -> str:
    """Let the police system prove itself and its officer at the door."""
    client, officer = house.assertions(people.POLICE)
    form = {
        "grant_type": JWT_BEARER,
        "client_assertion_type": CLIENT_ASSERTION_TYPE,
        "client_assertion": client,
        "assertion": officer,
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = await Door("127.0.0.1", port).ask("POST", "/oauth2/token", urlencode(form).encode(), headers=kind)
    if reply.status != 200:
        raise RuntimeError(f"no token: {reply.body.decode()}")
    await asyncio.sleep(0)
    return str(reply.json["access_token"])
