"""A load generator on loopback: keep-alive connections that ask for one path after another, and count."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

CONNECTIONS = 16


@dataclass(frozen=True)
class Load:
    """What a run came to: answers a second, seconds of the slower half and of the slowest."""

    rate: float
    p50: float
    p95: float
    size: int  # bytes of one answer


class Refused(Exception):
    """The server did not answer 200: the figure would mean nothing."""


async def load(
    ports: int | Sequence[int], paths: Iterable[str], headers: Mapping[str, str] | None = None
) -> Load:
    """Ask for each path once over `CONNECTIONS` connections to 127.0.0.1; every answer must be 200.

    Args:
        ports: of one server, or of several, which share the connections evenly.
    """
    waiting = iter(list(paths))
    took: list[float] = []
    sizes: list[int] = []
    lines = _lines(headers or {})
    started = time.perf_counter()
    await asyncio.gather(*(_connection(one, waiting, lines, took, sizes) for one in _shared(ports)))
    spent = time.perf_counter() - started
    took.sort()
    return Load(len(took) / spent, took[len(took) // 2], took[int(len(took) * 0.95)], max(sizes))


@dataclass
class Paced:
    """What a paced run came to: seconds from when each answer was due to be asked for, and what failed."""

    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def paced(
    ports: int | Sequence[int],
    paths: Sequence[str],
    headers: Callable[[], Mapping[str, str]],
    rate: float,
    seconds: float,
) -> Paced:
    """Ask for `rate` paths a second, over and over, for `seconds`; a late server does not slow the asking.

    Args:
        ports: as in `load`.
        headers: of the next request.
    """
    seen, slots, started = Paced(), iter(range(int(rate * seconds))), time.perf_counter()

    async def one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        for slot in slots:
            due = started + slot / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            path = paths[slot % len(paths)]
            try:
                await _asked(reader, writer, port, path, _lines(headers()))
                seen.took.append(time.perf_counter() - due)
            except (Refused, OSError, asyncio.IncompleteReadError) as problem:
                seen.failed.append(str(problem))
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.close()

    await asyncio.gather(*(one(port) for port in _shared(ports)))
    return seen


def _shared(ports: int | Sequence[int]) -> list[int]:
    some = [ports] if isinstance(ports, int) else ports
    return [some[number % len(some)] for number in range(CONNECTIONS)]


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def _connection(
    port: int, paths: Iterator[str], lines: str, took: list[float], sizes: list[int]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        for path in paths:
            started = time.perf_counter()
            sizes.append(await _asked(reader, writer, port, path, lines))
            took.append(time.perf_counter() - started)
    finally:
        writer.close()
        await writer.wait_closed()


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, path: str, lines: str
) -> int:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode())
    return await _answer(reader, path)


async def _answer(reader: asyncio.StreamReader, path: str) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *rest = head.split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    if " 200 " not in f"{status} ":
        raise Refused(f"{path}: {status}")
    return len(await reader.readexactly(int(fields["content-length"])))
