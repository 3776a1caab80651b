"""The content path beside a static server of the same bytes, in turns: A B A B ..."""

import asyncio
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.house import SIZE, House, built, paper, release_many
from benchmarks.load import CONNECTIONS, Load, load
from benchmarks.peers import free_port, running, static_server
from benchmarks.table import Row
from reuse_api.demo import people
from reuse_api.demo.door import Door
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, JWT_BEARER

ROUNDS = 5


async def measure(folder: Path, requests: int) -> Iterable[Row]:
    """Fetch `requests` releases a round, each for the first time: token, facts, entry, proof, key, bytes.

    In between the same number of fetches of the same file from the static server, and of a share: the second
    fetch of one release within a minute, which needs no entry of its own.
    """
    port = free_port()
    async with built(folder / "kho", port) as (house, vault):
        await release_many(house, vault, requests * ROUNDS)
    environment = _environment(house)
    with (
        static_server(folder / "static", paper(SIZE)) as (name, static),
        running([*_kho(), "serve"], port, environment),
    ):
        headers = {"Authorization": f"Bearer {await _token(house, port)}"}
        ours, theirs, shared = [], [], []
        for turn in range(ROUNDS):
            paths = [f"/v1/releases/{one}/content" for one in _part(house.releases, turn, requests)]
            ours.append(await load(port, paths, headers))
            theirs.append(await load(static, ["/paper.pdf"] * requests))
            shared.append(await load(port, paths, headers))
    return _rows(name, ours, theirs, shared)


def _rows(name: str, ours: list[Load], theirs: list[Load], shared: list[Load]) -> list[Row]:
    return [
        _row(f"{name}, the same bytes", theirs, theirs),
        _row("a release's content, first fetch", ours, theirs),
        _row("its content again within a minute", shared, theirs),
    ]


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


def _part(releases: list[str], turn: int, size: int) -> list[str]:
    return releases[turn * size : (turn + 1) * size]


def _kho() -> list[str]:
    return [sys.executable, "-m", "reuse_api"]


def _environment(house: House) -> dict[str, str]:
    settings = house.settings
    return {
        "KHO_DATABASE": str(settings.database),
        "KHO_STORE": settings.store,
        "KHO_KEYS": str(settings.keys),
        "KHO_LOG_FOLDER": str(settings.log_folder),
        "KHO_SCRATCH": str(settings.scratch),
        "KHO_LISTEN": settings.listen,
    }


async def _token(house: House, port: int) -> str:
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
