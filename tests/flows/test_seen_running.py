"""What a served vault tells its operator: figures of what was done, under traces, with nobody in them."""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from reuse_api.app import API, PAGES
from reuse_api.demo import people
from reuse_api.demo.people import COMMUNE, DAUGHTER, MOTHER, STRANGER
from reuse_api.doorway import METHODS
from reuse_api.journal_fields import NO_DOOR
from reuse_api.journal_lines import Lines
from reuse_api.metric_table import METRICS, OF_THE_PROCESS
from reuse_api.metrics import Metrics
from reuse_api.vault_figures import VaultFigures
from tests.flows.test_journal import TITLE, a_day
from vault.evidence_tables import waiting_seal
from vault.tables import outbox

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
# Shown only where there is something to show: kept open by what the story does not have.
SELDOM = {"kho_quarantine_not_kept_total", "kho_clock_ahead_seconds"}

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


class Watched:
    """The figures of a running service, read as a scrape reads them."""

    def __init__(self, kho: Any) -> None:
        self._kho = kho
        self._metrics = Metrics("serve")
        self._source = VaultFigures(kho.vault, kho.app.state.traffic)

    def text(self) -> str:
        self._source._seen_at = float("-inf")  # a fresh look
        with self._metrics.showing(self._source):
            told: bytes = self._kho.run(self._metrics.scraped())[0]
        return told.decode()

    def samples(self) -> Samples:
        found: Samples = {}
        for family in text_string_to_metric_families(self.text()):
            for one in family.samples:
                found.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
        return found


@pytest.fixture
def watched(kho: Any) -> Watched:
    return Watched(kho)


@pytest.fixture
def journal(tmp_path: Any) -> Iterator[Any]:
    """Every line of our own and of every library, as `kho serve` writes it."""
    handler = Lines(tmp_path / "journal.jsonl")
    top, ours = logging.getLogger(), logging.getLogger("kho")
    before = ours.level
    top.addHandler(handler)
    ours.setLevel(logging.INFO)

    def read() -> list[dict[str, Any]]:
        if not (tmp_path / "journal.jsonl").exists():
            return []  # nothing was said yet
        return [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text("utf-8").splitlines()]

    yield read
    ours.setLevel(before)
    top.removeHandler(handler)
    handler.close()


def grown(before: Samples, after: Samples, name: str, **labels: str) -> float:
    """How much a counter grew, over all its samples with these labels."""

    def total(samples: Samples) -> float:
        return sum(value for of, value in samples.get(name, {}).items() if labels.items() <= dict(of).items())

    return total(after) - total(before)


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def test_a_day_is_counted_and_nobody_is_in_the_figures(
    kho: Any,
    watched: Watched,
    residence: dict[str, Any],
    reregistration: dict[str, Any],
    plain_pdf: bytes,
    journal: Any,
) -> None:
    before = watched.samples()
    private = a_day(kho, residence, reregistration, plain_pdf)
    with kho.client() as nobody:
        nobody.get(f"/{MOTHER.number}/{MOTHER.name}", params={"q": TITLE})
        nobody.request("PROPFIND", "/v1/records")
    after = watched.samples()
    for _ in range(100):  # a request is counted when its answer has left
        if grown(before, after, "kho_http_requests_total", method="?"):
            break
        time.sleep(0.05)
        after = watched.samples()
    text = watched.text()

    content = "/v1/releases/{release_id}/content"
    assert grown(before, after, "kho_http_requests_total", door=content, method="GET", status="200") == 1
    assert grown(before, after, "kho_http_requests_total", door=NO_DOOR) >= 2
    assert grown(before, after, "kho_http_requests_total", method="?") == 1
    assert grown(before, after, "kho_http_request_seconds_count", door=content) == 3
    assert grown(before, after, "kho_http_request_seconds_bucket", door=content, le="+Inf") == 3
    assert grown(before, after, "kho_releases_total") == 1
    assert grown(before, after, "kho_deposits_total", event="issued") == 1
    assert grown(before, after, "kho_deposits_total", event="uploaded") == 1
    assert grown(before, after, "kho_log_entries_total", kind="delivered", event="delivered") == 1
    assert grown(before, after, "kho_log_entries_total", kind="delivered") == 2, "and the picture of a page"
    assert grown(before, after, "kho_decisions_total", result="permitted") >= 6
    assert grown(before, after, "kho_decisions_total", result="refused") >= 1
    refused = [dict(of) for of in after["kho_decisions_total"] if dict(of)["result"] == "refused"]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", one["reason"]) for one in refused)
    assert grown(before, after, "kho_delivered_bytes_total") > 20_000
    assert grown(before, after, "kho_authentications_failed_total") >= 1
    assert grown(before, after, "kho_worker_endings_total", code="worker_done") >= 2
    assert after["kho_log_rows"] == after["kho_log_tree"]
    assert after["kho_log_rows"][()] > before["kho_log_rows"][()]
    assert after["kho_ready"][()] == after["kho_look_complete"][()] == 1
    assert after["kho_service_up"][(("service", "database"),)] == 1
    assert after["kho_database_connections_most"][(("pool", "read"),)] >= 4
    quiet_text(text, private)
    assert all("left_out" not in line for line in journal())


def quiet_text(text: str, private: list[str]) -> None:
    for one in private:
        assert one not in text, f"the figures tell {one[:12]} ..."
        for part in one.split():
            if len(part) > 3 and not part.isascii():
                assert part not in text


def test_all_that_is_declared_is_told_and_nothing_else(kho: Any, watched: Watched) -> None:
    families = {
        f"{one.name}_total" if one.type == "counter" else one.name: one
        for one in text_string_to_metric_families(watched.text())
    }
    assert families.keys() - SELDOM == {*METRICS, *OF_THE_PROCESS} - SELDOM
    for name, family in families.items():
        if name in METRICS:
            assert family.documentation == METRICS[name].words
            for sample in family.samples:
                assert {*sample.labels} - {"le"} == {*METRICS[name].labels}, name


def test_labels_are_bounded_by_the_program(kho: Any, watched: Watched) -> None:
    routers = [*(module.router for module in API), *PAGES]
    templates = {getattr(one, "path", "") for router in routers for one in router.routes} | {NO_DOOR}
    with kho.client() as nobody:
        for number in range(50):
            nobody.get(f"/v1/records/{number}/{os.urandom(8).hex()}")
            nobody.get(f"/log/tile/{number}/{os.urandom(8).hex()}")
            nobody.request(f"X{number}", f"/{os.urandom(4).hex()}")
    for of in watched.samples()["kho_http_requests_total"]:
        labels = dict(of)
        assert labels["door"] in templates and labels["method"] in METHODS | {"?"}
        assert re.fullmatch(r"0|[1-5][0-9][0-9]", labels["status"])


# Traces ----------------------------------------------------------------------------------------------


def until(journal: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first such line, once it is written."""
    for _ in range(400):
        found: dict[str, Any] | None = next((one for one in journal() if wanted(one)), None)
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("it was never written")


def told_of(journal: Any, request: str) -> dict[str, Any]:
    """The line of a request, which is written once its answer has left."""
    return until(journal, lambda one: one["event"] == "request" and one["request"] == request)


def test_a_request_goes_on_under_its_callers_trace(kho: Any, journal: Any) -> None:
    sound = {"traceparent": f"00-{ID}-{SPAN}-01", "tracestate": f"kho={DAUGHTER.number}"}
    with kho.client() as client:
        carried = client.get("/healthz", headers=sound)
        begun = client.get("/healthz", headers={"traceparent": f"00-{ID}-{SPAN}"})
        twice = client.get("/healthz", headers=[("traceparent", sound["traceparent"])] * 2)
        token = client.get("/v1/notices", headers=sound | {"Authorization": "Bearer x"})
    line = told_of(journal, carried.headers["Request-Id"])
    assert (line["trace"], line["parent"]) == (ID, SPAN) and line["span"] not in (SPAN, ID)
    for other in (begun, twice):
        line = told_of(journal, other.headers["Request-Id"])
        assert line["trace"] != ID and "parent" not in line
    told_of(journal, token.headers["Request-Id"])
    lines = journal()
    (refused,) = [one for one in lines if one["event"] == "authentication_failed"]
    assert (refused["trace"], refused["request"]) == (ID, token.headers["Request-Id"])
    assert "traceparent" not in carried.headers
    assert DAUGHTER.number not in json.dumps(lines)


async def refuse(*_: Any) -> None:
    raise RuntimeError("of this one record")


def test_what_is_done_later_carries_the_trace_that_caused_it(
    kho_apart: Any, journal: Any, plain_pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kho = kho_apart
    monkeypatch.setattr(type(kho.vault.index), "put", refuse)
    with kho.wallet(STRANGER) as wallet:
        sent = wallet.post(
            "/v1/me/records",
            files={"file": ("a.pdf", plain_pdf, "application/pdf")},
            data={"title": TITLE},
            headers=key() | {"traceparent": f"00-{ID}-{SPAN}-01"},
        )
    assert sent.status_code == 201, sent.text

    async def kept() -> list[Any]:
        async with kho.vault.db.read() as db:
            return list(await db.execute(select(outbox.c.trace)))

    asked = told_of(journal, sent.headers["Request-Id"])
    (row,) = kho.run(kept())
    assert row.trace == f"00-{ID}-{asked['span']}-01"

    later = until(journal, lambda one: one["event"] == "index_entry_failed")
    assert later["trace"] == ID and later["span"] != asked["span"]


def test_a_seal_that_waited_is_made_under_the_trace_of_who_asked(
    kho: Any, reregistration: dict[str, Any]
) -> None:
    async def row() -> Any:
        async with kho.vault.db.read() as db:
            query = select(waiting_seal.c.trace).order_by(waiting_seal.c.created_at.desc()).limit(1)
            return (await db.execute(query)).scalar_one()

    with kho.system(COMMUNE) as commune, kho.nobody_stamps():
        code = kho.new_code(COMMUNE)
        commune.put(f"/v1/dossiers/{code}", json=reregistration)
        fields = people.certificate(f"{os.urandom(3).hex()}/2026", "2026-11-20", birth_place="Hà Nội")
        asked = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
        headers = key() | {"traceparent": f"00-{ID}-{SPAN}-00"}
        reply = commune.post(f"/v1/dossiers/{code}/results", json=asked, headers=headers)
        assert reply.status_code == 202, reply.text
        assert kho.run(row()).startswith(f"00-{ID}-")
