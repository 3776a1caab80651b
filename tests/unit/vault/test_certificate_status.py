"""The status of certificates: fetched where the operator allows, believed where proven, kept, and shared."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select, update

from signing.anchors import Anchor
from signing.report import Examination
from signing.status_fetching import FetchLimits, StatusFetcher
from signing.status_proofs import StatusQuestion
from signing.trust_folder import TrustFolder
from tests.servers.loopback import failing, garbage
from tests.servers.ocsp_server import StatusServer
from tests.servers.pki import Holder, Pki
from tests.servers.signed_papers import signed_paper
from vault import deposit, examining, revalidating
from vault import status_cache as status_store
from vault.clock import FixedClock
from vault.entries import instant
from vault.evidence_tables import evidence_piece, report_piece, status_cache

pytestmark = pytest.mark.anyio
QUICK = FetchLimits(connect=5.0, total=5.0)


@dataclass
class Scene:
    """A house that trusts the tests' PKI and may ask its status server; `paper` is signed by `holder`."""

    house: Any
    server: StatusServer
    pki: Pki
    holder: Holder
    paper: Path

    async def judged(self) -> Examination:
        now = self.house.vault.clock.now()
        return await examining.judged(self.house.vault, self.paper, now)

    async def cached(self) -> list[Any]:
        return await self.house.rows(select(status_cache).order_by(status_cache.c.key))


@pytest.fixture
async def scene(house: Any, tmp_path: Path) -> AsyncIterator[Scene]:
    with StatusServer() as server:
        at = datetime.now(UTC).replace(microsecond=0)
        pki = server.pki = Pki(at, status_url=server.url, crl_url=server.crl_url)
        holder = pki.seal()
        paper = await signed_paper(holder, tmp_path / "paper.pdf")
        root = Anchor(pki.roots[0], "public", "Gốc quốc gia", "National root")
        fetcher = StatusFetcher([f"127.0.0.1:{server.port}"], limits=QUICK)
        trust = TrustFolder(fixed=(*house.vault.trust.current().anchors, root))
        house.vault = replace(house.vault, trust=trust, status=fetcher)
        yield Scene(house, server, pki, holder, paper)
        await fetcher.close()


async def test_status_is_fetched_once_and_shared(scene: Scene) -> None:
    found = await scene.judged()
    assert found.report.verdict == "valid", found.report
    assert found.report.signatures[0].anchor.label_vi == "Gốc quốc gia"  # type: ignore[union-attr]
    assert [one.kind for one in found.judgement.fetched] == ["ocsp", "ocsp"]  # type: ignore[union-attr]
    assert len(scene.server.asked) == 2, "the signer's certificate and its issuer's"
    assert {row.content is not None for row in await scene.cached()} == {True}
    again = await scene.judged()
    assert again.report.verdict == "valid"
    assert len(scene.server.asked) == 2, "nobody was asked again"


async def test_an_answer_from_the_cache_grows_no_younger(scene: Scene) -> None:
    clock = FixedClock(scene.house.vault.clock.now())
    scene.house.vault = replace(scene.house.vault, clock=clock)
    assert (await scene.judged()).report.verdict == "valid"
    before = await scene.cached()
    for row in before:
        assert instant(row.fetched_at) == clock.now()
        assert instant(row.expires) <= clock.now() + timedelta(days=1, minutes=2), (
            "what the answer says of itself"
        )
    for hours in (1, 20):
        clock.advance(timedelta(hours=hours))
        assert (await scene.judged()).report.verdict == "valid"
        assert await scene.cached() == before
    clock.advance(timedelta(hours=4))
    asked = len(scene.server.asked)
    await scene.judged()
    assert len(scene.server.asked) > asked, "after its end it is asked for again"


@pytest.mark.parametrize(("good", "kept"), [(timedelta(days=90), 7 * 24), (timedelta(hours=3), 3)])
async def test_an_answer_is_kept_for_seven_days_at_most(scene: Scene, good: timedelta, kept: int) -> None:
    clock = FixedClock(scene.house.vault.clock.now())
    vault = replace(scene.house.vault, clock=clock)
    question = StatusQuestion("ocsp", f"{scene.server.url}/", b"", b"own", b"issuer")
    asked = status_store.Asked()
    answers = await status_store.ask(vault, [question], asked)
    accepted = {one.piece.sha256: clock.now() + good for one in answers}
    await status_store.learn(vault, answers, accepted, asked)
    (row,) = await scene.cached()
    assert instant(row.expires) == clock.now() + timedelta(hours=kept)


async def test_offline_it_stays_undetermined_and_nobody_is_asked(scene: Scene) -> None:
    scene.house.vault = replace(scene.house.vault, status=StatusFetcher())
    found = await scene.judged()
    assert found.report.verdict == "undetermined"
    assert found.questions, "it says what could have been asked"
    assert scene.server.asked == []
    assert await scene.cached() == []


async def test_lists_are_asked_where_no_responder_gives_a_proof(scene: Scene) -> None:
    scene.server.lies.add("later")
    found = await scene.judged()
    assert found.report.verdict == "valid", found.report
    assert [one.kind for one in found.judgement.fetched] == ["crl", "crl"]  # type: ignore[union-attr]
    rows = {(row.kind, row.content is not None) for row in await scene.cached()}
    assert rows == {("ocsp", False), ("crl", True)}


async def test_a_revoked_certificate_is_not_valid(scene: Scene) -> None:
    serial = scene.holder.certificate.serial_number
    scene.server.revoked[serial] = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    found = await scene.judged()
    assert found.report.verdict != "valid"
    assert "certificate_revoked" in found.report.reasons


@pytest.mark.parametrize("lie", ["stale", "future", "signer", "certificate", "unknown", "tampered"])
async def test_a_lie_is_no_proof_and_does_not_stay(scene: Scene, lie: Any) -> None:
    scene.server.lies.add(lie)
    scene.server.fault = lambda asked: failing(404)(asked) if asked.path.startswith("/crl/") else None
    found = await scene.judged()
    assert found.report.verdict == "undetermined"
    assert found.judgement.fetched == ()  # type: ignore[union-attr]
    assert {row.content for row in await scene.cached()} == {None}
    asked = len(scene.server.asked)
    scene.server.lies.clear()
    assert (await scene.judged()).report.verdict == "undetermined"
    assert len(scene.server.asked) == asked, "not asked again for a while"
    await scene.house.change(update(status_cache).values(expires="2000"))
    assert (await scene.judged()).report.verdict == "valid"


async def test_nonsense_harms_nobody(scene: Scene) -> None:
    scene.server.fault = garbage
    assert (await scene.judged()).report.verdict == "undetermined"


async def test_the_evidence_is_kept_and_repeats_the_verdict_years_later(scene: Scene, daughter: Any) -> None:
    told = await deposit.upload(
        scene.house.vault,
        daughter,
        scene.paper,
        title="Giấy",
        type=None,
        declared_type="application/pdf",
        key="k",
    )
    record = told["record"]
    linked = (
        select(evidence_piece.c.kind)
        .join(report_piece, report_piece.c.sha256 == evidence_piece.c.sha256)
        .where(report_piece.c.record == record, report_piece.c.source == "fetched")
    )
    assert [row.kind for row in await scene.house.rows(linked)] == ["ocsp", "ocsp"]
    kept = (
        select(evidence_piece.c.content)
        .join(report_piece, report_piece.c.sha256 == evidence_piece.c.sha256)
        .where(report_piece.c.record == record, evidence_piece.c.kind == "etsi_report")
    )
    stored = [etree.fromstring(row.content) for row in await scene.house.rows(kept)]
    assert [etree.QName(one).localname for one in stored] == ["ValidationReport"]
    (found,) = stored[0].iter("{*}MainIndication")
    assert found.text == "urn:etsi:019102:mainindication:total-passed"
    scene.server.stop()
    await scene.house.change(status_cache.delete())
    scene.house.vault = replace(scene.house.vault, trust=TrustFolder(), status=StatusFetcher())
    assert (await revalidating.repeat(scene.house.vault, record, 1)).verdict == "valid"


async def test_slow_services_hold_nobody_up_for_long(scene: Scene) -> None:
    questions = (
        await scene.house.vault.workers.examine(
            scene.paper,
            anchors=scene.house.vault.trust.current().anchors,
            at=scene.house.vault.clock.now(),
            max_bytes=2**20,
        )
    ).questions
    scene.server.slow = 60
    asked = status_store.Asked(patience=0.2)
    assert await status_store.ask(scene.house.vault, questions, asked) == []
    assert (asked.fetches, asked.patience <= 0) == (1, True), "after the first there was no patience left"
