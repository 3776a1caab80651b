"""The content path beside a static server of the same bytes, in turns: A B A B ..."""

import asyncio
import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.house import SIZE, House, built, paper, release_many
from benchmarks.load import CONNECTIONS, Load, load
from benchmarks.peers import free_port, static_server
from benchmarks.serving import served
from benchmarks.setups import set_ups
from benchmarks.table import Row
from reuse_api.demo import people
from reuse_api.demo.door import Door
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, JWT_BEARER

ROUNDS = 5


async def measure(folder: Path, requests: int) -> Iterable[Row]:
    """Fetch `requests` releases a round, each for the first time: token, facts, entry, proof, key, bytes.

    In each set-up (that of several processes: asking one `kho serve`, then both), and in between the same
    number of fetches of the same file from the static server, and of a share: the second fetch of one release
    within a minute, which needs no entry of its own.
    """
    with set_ups(folder / "servers", apart=True) as there, ExitStack() as running_:
        name, static = running_.enter_context(static_server(folder / "static", paper(SIZE)))
        asked = []
        for number, one in enumerate(there):
            port = free_port()
            async with built(folder / f"kho{number}", port, one.places) as (house, vault):
                await release_many(house, vault, requests * ROUNDS * (2 if one.apart else 1))
            serving = running_.enter_context(served(house, one, port))
            headers = {"Authorization": f"Bearer {await token(house, port)}"}
            for count in range(1, len(serving.ports) + 1):
                what = f"{one.name}, {count} asked" if one.apart else one.name
                own = house.releases[(count - 1) * requests * ROUNDS :]
                asked.append(_Asked(what, serving.ports[:count], headers, own))
        theirs = []
        for turn in range(ROUNDS):
            theirs.append(await load(static, ["/paper.pdf"] * requests))
            for each in asked:
                await each.fetch(turn, requests)
    rows = [_row(f"{name}, the same bytes", theirs, theirs)]
    for each in asked:
        rows.append(_row(f"first fetch of a release, {each.name}", each.first, theirs))
        rows.append(_row("  again within a minute", each.again, theirs))
    return rows


@dataclass
class _Asked:
    """A vault that is served at some ports, and what fetching from it came to."""

    name: str
    ports: tuple[int, ...]
    headers: dict[str, str]
    releases: list[str]
    first: list[Load] = field(default_factory=list)
    again: list[Load] = field(default_factory=list)

    async def fetch(self, turn: int, requests: int) -> None:
        part = self.releases[turn * requests : (turn + 1) * requests]
        paths = [f"/v1/releases/{one}/content" for one in part]
        self.first.append(await load(self.ports, paths, self.headers))
        self.again.append(await load(self.ports, paths, self.headers))


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
