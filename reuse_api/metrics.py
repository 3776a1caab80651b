"""What a process tells of itself in figures (Prometheus), on an address of its own, for its operator alone.

A process that runs apart (the log's signer, the gate, the sealer, the worker) calls `metrics_served` around
its work, and shows sources while what they tell of is there:

    async with metrics_served(settings, "sign") as metrics:
        ... open what it works with
        with metrics.showing(source):
            ... work

A source is called at each scrape and gives families made by `metric_table.figures`. One that fails is counted
and written down; the answer is 200 with the rest all the same.
"""

import asyncio
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from reuse_api import journal
from reuse_api.metric_table import figure, figures
from reuse_api.serving import bound, listen
from reuse_api.settings import Settings

Source = Callable[[], Awaitable[Sequence[Metric]]]
PATH = "/metrics"
_STOPPING = 3.0  # seconds for a scrape in flight when leaving
_IN_USE = 16  # scrapes at once; an operator's Prometheus asks once in a while


class Metrics:
    """The figures of one process: a registry of its own, and what its sources give at each scrape."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._sources: list[Source] = []
        self._given: Sequence[Metric] = ()
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    @contextmanager
    def showing(self, *sources: Source) -> Iterator[None]:
        """Show what sources tell while inside."""
        self._sources += sources
        try:
            yield
        finally:
            for one in sources:
                self._sources.remove(one)

    def collect(self) -> Sequence[Metric]:
        """Give what the sources gave last (the library's contract)."""
        return self._given

    async def scraped(self, accept: str = "") -> tuple[bytes, str]:
        """Give the text of every figure now, and its media type.

        Args:
            accept: the request's Accept header, by which the library chooses a format.
        """
        families = [*_own(self._process)]
        failed = 0
        for source in [*self._sources]:
            try:
                families += await source()
            except Exception as problem:
                failed += 1
                journal.failed("metrics_failed", problem)
        encode, media_type = choose_encoder(accept)
        self._given = [*families, figure("kho_sources_failed", failed)]
        return encode(self._registry), media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /metrics`, and nothing else (ASGI)."""
        answer: Response = PlainTextResponse(f"there is {PATH} here\n", 404)
        if scope["path"] == PATH and scope["method"] in ("GET", "HEAD"):
            text, media_type = await self.scraped(Request(scope).headers.get("accept", ""))
            answer = Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})
        await answer(scope, receive, send)


@asynccontextmanager
async def metrics_served(settings: Settings, process: str) -> AsyncIterator[Metrics]:
    """Serve the figures of this process at KHO_METRICS_LISTEN while inside; nowhere where it is empty.

    Args:
        process: its name as a label: "serve", "work", "sign", "gate", "seal".

    Raises:
        AddressTaken, OSError: nobody can listen there; told before anything else is begun.
    """
    metrics = Metrics(process)
    if not settings.metrics_listen:
        yield metrics
        return
    with listen(settings.metrics_host, settings.metrics_port) as socket:
        serving = _Server(
            uvicorn.Config(
                metrics,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                limit_concurrency=_IN_USE,
                timeout_graceful_shutdown=int(_STOPPING),
            )
        )
        running = asyncio.create_task(serving.serve(sockets=[socket]))
        journal.noted("measured", listen=bound(socket), process=process)
        try:
            yield metrics
        finally:
            serving.should_exit = True
            await asyncio.wait({running}, timeout=2 * _STOPPING)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


class _Server(uvicorn.Server):
    """A server beside another: signals are the program's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever has them."""
        yield


def _own(process: str) -> Iterator[Metric]:
    yield figures("kho_build_info", [((_version(), platform.python_version(), process), 1.0)])
    failed = journal.failed_authentications
    yield figures("kho_authentications_failed_total", [((code,), count) for code, count in failed.items()])
    yield figures("kho_failures_total", [((event,), count) for event, count in journal.failures.items()])
    yield figure("kho_journal_lines_lost_total", journal.lost_lines())


def _version() -> str:
    try:
        return version("kho")
    except PackageNotFoundError:
        return "unknown"
