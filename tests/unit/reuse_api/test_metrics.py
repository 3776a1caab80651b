"""The metrics' address: a registry of its own, sources that may fail, and an address that is asked for."""

import asyncio
import gc
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, Metric
from prometheus_client.parser import text_string_to_metric_families

from reuse_api import journal
from reuse_api.metric_table import METRICS, figure, histogram
from reuse_api.metrics import Metrics, metrics_served
from reuse_api.serving import AddressTaken
from reuse_api.settings import Settings, SettingsInvalid, read_settings
from reuse_api.traffic import BOUNDS, Traffic

pytestmark = pytest.mark.anyio


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(text: bytes) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The samples of an answer, by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for one in family.samples:
            found.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
    return found


async def told() -> Sequence[Metric]:
    return [figure("kho_releases_total", 3)]


async def failing() -> Sequence[Metric]:
    raise RuntimeError("Nguyễn Minh Anh")


async def ask(
    address: str, path: str = "/metrics", method: str = "GET", **headers: str
) -> tuple[int, Any, bytes]:
    def asked() -> tuple[int, Any, bytes]:
        request = urllib.request.Request(f"http://{address}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, refused.read()

    return await asyncio.to_thread(asked)


async def test_what_sources_tell_is_served_while_they_are_shown_and_a_failing_one_hides_no_other() -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = Settings(metrics_listen=address)
    before = journal.failures["metrics_failed"]
    async with metrics_served(settings, "sign") as metrics:
        with metrics.showing(failing, told):
            status, headers, text = await ask(address)
            assert (status, headers["Cache-Control"]) == (200, "no-store")
            assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
            samples = read(text)
            assert samples["kho_releases_total"] == {(): 3.0}
            assert samples["kho_sources_failed"] == {(): 1.0}
            assert journal.failures["metrics_failed"] == before + 1
            (labels,) = samples["kho_build_info"]
            assert dict(labels)["process"] == "sign"
            assert samples["process_resident_memory_bytes"][()] > 1e6
            openly = await ask(address, Accept="application/openmetrics-text; version=1.0.0")
            assert openly[2].rstrip().endswith(b"# EOF")
            assert (await ask(address, method="HEAD"))[0] == 200
        samples = read((await ask(address))[2])
        assert "kho_releases_total" not in samples and samples["kho_sources_failed"] == {(): 0.0}
        for path, method in (("/", "GET"), ("/metrics/", "GET"), ("/metrics", "POST"), ("/readyz", "GET")):
            status, _, text = await ask(address, path, method)
            assert (status, text) == (404, b"there is /metrics here\n")
    with pytest.raises(OSError):
        await ask(address)


async def test_nothing_of_it_is_in_the_process_wide_registry_and_it_can_be_made_again() -> None:
    first, second = Metrics("serve"), Metrics("serve")
    with first.showing(told), second.showing(told):
        assert b"kho_releases_total 3.0" in (await first.scraped())[0]
        assert b"kho_releases_total 3.0" in (await second.scraped())[0]
    assert not any(family.name.startswith("kho_") for family in REGISTRY.collect())
    del first, second
    gc.collect()


async def test_without_an_address_nobody_listens() -> None:
    before = asyncio.all_tasks()
    async with metrics_served(Settings(), "serve") as metrics:
        assert asyncio.all_tasks() == before
        assert b"kho_build_info" in (await metrics.scraped())[0]


async def test_an_address_that_is_taken_is_told_before_anything_is_begun() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(AddressTaken, match=address.rpartition(":")[2]):
            async with metrics_served(Settings(metrics_listen=address), "serve"):
                pytest.fail("it began")


@pytest.mark.parametrize(
    ("value", "listens"),
    [
        ("", ""),
        ("9464", "127.0.0.1:9464"),
        ("127.0.0.1:9464", "127.0.0.1:9464"),
        ("[::1]:9464", "[::1]:9464"),
        ("localhost:0", "localhost:0"),
    ],
)
def test_the_address_is_on_loopback(monkeypatch: pytest.MonkeyPatch, value: str, listens: str) -> None:
    monkeypatch.setenv("KHO_METRICS_LISTEN", value)
    assert read_settings().metrics_listen == listens


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.0.0.0:9464", "KHO_METRICS_OPEN"),
        ("[::]:9464", "KHO_METRICS_OPEN"),
        ("10.0.0.5:9464", "KHO_METRICS_OPEN"),
        ("kho.example:9464", "KHO_METRICS_OPEN"),
        ("127.0.0.1:8080", "an address of its own"),
        ("8080", "an address of its own"),
        ("127.0.0.1", "HOST:PORT"),
        ("127.0.0.1:", "HOST:PORT"),
        (":9464", "HOST:PORT"),
        ("127.0.0.1:99999", "HOST:PORT"),
        ("metrics", "HOST:PORT"),
    ],
)
def test_one_that_others_reach_must_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    monkeypatch.setenv("KHO_METRICS_LISTEN", value)
    with pytest.raises(SettingsInvalid, match=words):
        read_settings()


def test_who_asks_for_it_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHO_METRICS_LISTEN", "0.0.0.0:9464")
    monkeypatch.setenv("KHO_METRICS_OPEN", "true")
    assert read_settings().metrics_host == "0.0.0.0"


def test_a_histogram_counts_every_duration_once() -> None:
    traffic = Traffic()
    for seconds in (0.0, 0.005, 0.0051, 29.9, 30.0, 31.0):
        traffic.answered("GET", "/x", 200, seconds)
    ((key, one),) = traffic.durations.items()
    family = histogram("kho_http_request_seconds", BOUNDS, [(key, one.counts, one.seconds)])
    samples = {one.labels.get("le", one.name): one.value for one in family.samples}
    assert (samples["0.005"], samples["0.01"], samples["30.0"], samples["+Inf"]) == (2, 3, 5, 6)
    assert samples["kho_http_request_seconds_count"] == 6
    assert samples["kho_http_request_seconds_sum"] == pytest.approx(90.9101)


def test_every_metric_can_be_made() -> None:
    for name, said in METRICS.items():
        if said.kind != "histogram" and not said.labels:
            assert figure(name, 1).samples[0].name == name


def test_the_library_is_met_in_the_metrics_modules_alone() -> None:
    package = Path(__file__).parents[3] / "reuse_api"
    users = {one.name for one in package.rglob("*.py") if "prometheus_client" in one.read_text("utf-8")}
    assert users == {"metric_table.py", "metrics.py", "vault_figures.py"}
