"""Renewing in a vault: a new version under the same record, the old one kept, every opening told of."""

import errno
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from reuse_api.demo import people
from signing.errors import TimestampFailed
from vault import deliver, issue, looking, records, versions
from vault.audit_versions import list_versions
from vault.callers import OwnerCaller
from vault.clock import Clock
from vault.days import legal_day
from vault.entries import stamp
from vault.errors import GateRefused
from vault.evidence_tables import archive_stamp, earlier_content, trust_class
from vault.inspecting import inspect
from vault.issue import ResultBody
from vault.maintenance import opened_content
from vault.readiness import ready
from vault.renewing import MOST_RENEWALS, SPACING, WINDOW, Renewals, renew_due
from vault.revalidating import REVALIDATION, repeat, revalidate
from vault.tables import record, signature_report

pytestmark = pytest.mark.anyio


class Ahead(Clock):
    """The real clock, some years ahead."""

    def __init__(self, years: float) -> None:
        super().__init__()
        self._ahead = timedelta(days=365.25 * years)

    def now(self) -> datetime:
        return super().now() + self._ahead


@pytest.fixture
async def later(open_house: Any) -> AsyncIterator[Any]:
    async with open_house(Ahead(4.8)) as house:
        yield house


def unforeseen(code: str, problem: Exception) -> None:
    raise problem


async def content(house: Any, owner: OwnerCaller) -> bytes:
    delivery = await deliver.read_own(house.vault, owner, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    return await house.drained(delivery)  # type: ignore[no-any-return]


async def test_nothing_is_opened_before_it_is_due(house: Any) -> None:
    size = await house.size()
    assert await renew_due(house.vault, unforeseen) == Renewals()
    assert await house.size() == size
    rows = await house.rows(select(archive_stamp.c.until))
    assert len(rows) == 3 and all(row.until for row in rows), "known since they were issued"


async def test_a_stamp_that_runs_out_is_renewed_and_the_old_file_kept(later: Any, tmp_path: Path) -> None:
    daughter = await later.owner(people.DAUGHTER)
    before = await content(later, daughter)
    size = await later.size()
    assert await renew_due(later.vault, unforeseen) == Renewals(renewed=3)
    after = await content(later, daughter)
    assert after != before and after.startswith(before)
    (row,) = await later.rows(select(record).where(record.c.id == later.daughters))
    assert row.content_sha256 == sha256(after).digest()
    (old,) = await later.rows(select(earlier_content).where(earlier_content.c.record == later.daughters))
    assert (old.version, old.content_sha256) == (1, sha256(before).digest())
    whole = await looking.look(later.vault, daughter, later.daughters)
    assert (whole.report.verdict, whole.report.signatures[0].level) == ("valid", "B-LTA")
    assert whole.record.trust == "A"
    kept = await versions.mine(later.vault, daughter, later.daughters)
    assert [(one.name, one.why, one.sha256) for one in kept] == [
        ("1", "sealed", sha256(before).hexdigest()),
        ("2", "renewed", sha256(after).hexdigest()),
    ]
    classes = select(trust_class).filter_by(record=later.daughters).order_by(trust_class.c.n)
    judged = [(one.trust, one.report, one.idx) for one in await later.rows(classes)]
    assert judged == [("A", 1, None), ("A", 2, None)], "by the new report too; nothing moved, so no entry"

    opened = [one for one in await later.last(daughter, 10) if one.index >= size]
    told = [(one.kind, one.parts.event["type"], one.parts.subject["version"]) for one in opened]
    assert told == [(15, "opened_for_renewal", 1), (15, "archive_renewed", 2), (3, "delivered", 2)]
    assert opened[1].parts.basis["before"] == sha256(before).hexdigest()
    assert opened[1].parts.subject["digest"] == sha256(after).hexdigest()
    told_to_auditor = await list_versions(later.vault, await later.auditor(people.COMMUNE), later.daughters)
    assert [(one.why, one.sha256, one.current, one.entry) for one in told_to_auditor.versions] == [
        ("sealed", kept[0].sha256, False, None),
        ("renewed", kept[1].sha256, True, opened[1].index),
    ]
    assert told_to_auditor.versions[1].since == kept[1].since > kept[0].since
    old_file = await versions.read(later.vault, daughter, later.daughters, kept[0].sha256)
    assert isinstance(old_file, deliver.Delivery)
    assert await later.drained(old_file) == before
    assert await renew_due(later.vault, unforeseen) == Renewals(), "it lasts again"
    found = await inspect(later.places)
    assert found.sound and not found.findings, found.findings

    commune = await later.system(people.COMMUNE)
    body = later.reregistration(later.person(people.DAUGHTER, "applicant"))
    code = await later.opens(commune, people.COMMUNE, body)
    for number, file in enumerate((before, after)):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(file)
        handed = ResultBody("GKS", ("applicant",), None, None, None, None, None)
        same = await issue.issue(later.vault, commune, code, handed, path, key=f"k{number}")
        assert isinstance(same, dict)
        assert (same["record"], same["already_stored"]) == (later.daughters, True)


async def test_each_report_is_found_again_on_the_file_that_it_judged(later: Any) -> None:
    await renew_due(later.vault, unforeseen)
    daughter, size = await later.owner(people.DAUGHTER), await later.size()
    files = [one.sha256 for one in await versions.mine(later.vault, daughter, later.daughters)]
    reports = await later.rows(select(signature_report).where(signature_report.c.record == later.daughters))
    assert len(reports) == len(files) == 2
    for told in reports:
        again = await repeat(later.vault, later.daughters, told.n)
        assert again.to_json() == json.loads(told.report)
    opened = await later.last(daughter, 2)
    assert [one.index for one in opened] == [size, size + 1]
    assert [(one.kind, one.parts.event["type"]) for one in opened] == [(15, "verdict_repeated")] * 2
    assert [(one.parts.subject["digest"], one.parts.subject["version"]) for one in opened] == [
        (files[0], 1),
        (files[1], 2),
    ]


@pytest.mark.parametrize("job", [REVALIDATION, "opened_for_renewal"])
async def test_no_other_work_opens_an_earlier_file(later: Any, job: str) -> None:
    await renew_due(later.vault, unforeseen)
    (old,) = await later.rows(select(earlier_content).where(earlier_content.c.record == later.daughters))
    async with later.vault.db.read() as db:
        stored = await records.one(db, later.daughters, legal_day(later.vault.clock.now()))
    assert stored is not None
    earlier = replace(stored, row={**stored.row, "blob": old.blob, "content_sha256": old.content_sha256})
    with pytest.raises(GateRefused, match="another one"):
        async with opened_content(later.vault, earlier, job=job, reason="none"):
            pass


async def test_a_changed_old_file_is_found(later: Any) -> None:
    await renew_due(later.vault, unforeseen)
    (old,) = await later.rows(select(earlier_content).where(earlier_content.c.record == later.daughters))
    await later.change(
        update(earlier_content)
        .where(earlier_content.c.record == later.daughters)
        .values(sealed_sha256=bytes(32))
    )
    found = await inspect(later.places)
    assert [(one.code, one.what) for one in found.findings] == [("blob_changed", f"{old.record}, version 1")]


async def test_without_an_authority_the_file_stays_as_it_is(
    later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NobodyAnswers:
        issuers = ()

        async def answer(self, request: bytes, at: datetime) -> bytes:
            raise TimestampFailed("nobody answers")

    told: list[str] = []
    with monkeypatch.context() as down:
        down.setattr(later.vault.sealer, "_timestamper", NobodyAnswers())
        size = await later.size()
        done = await renew_due(later.vault, lambda code, problem: told.append(code))
        assert await later.size() == size, "nothing is opened while nobody could stamp it"
    assert (done, told) == (Renewals(stopped="timestamp_failed"), ["renewal_service_failed"])
    assert await later.rows(select(earlier_content)) == []
    assert await renew_due(later.vault, unforeseen) == Renewals(renewed=3)


async def test_a_stamp_of_an_authority_that_ends_itself_is_put_off(open_house: Any) -> None:
    async with open_house(Ahead(9.7)) as house:
        told: list[str] = []
        until = [row.until for row in await house.rows(select(archive_stamp.c.until))]
        await house.change(update(archive_stamp).values(until=stamp(house.vault.clock.now())))
        assert (await renew_due(house.vault, unforeseen, most=1)).renewed == 1, until
        await house.change(update(archive_stamp).values(until=stamp(house.vault.clock.now() + WINDOW)))
        size = await house.size()
        done = await renew_due(house.vault, lambda code, problem: told.append(code))
        assert (done, told) == (Renewals(put_off=3), ["timestamp_authority_ends"])
        assert await house.size() == size, "nothing is opened for it"
        found = await ready(house.vault)
        assert found["renewals"] == {"put_off": {"timestamp_authority_ends": 3}}
        assert await renew_due(house.vault, unforeseen) == Renewals(), "not before tomorrow"


async def test_what_is_not_valid_or_damaged_for_a_while_stays_due(open_house: Any) -> None:
    async with open_house(Ahead(4.8)) as house:
        (newest,) = await house.rows(
            select(signature_report).where(signature_report.c.record == house.daughters)
        )
        mine = update(signature_report).where(signature_report.c.record == house.daughters)
        doubted = newest.report.replace('"verdict": "valid"', '"verdict": "undetermined"')
        await house.change(mine.values(report=doubted))
        assert await renew_due(house.vault, unforeseen) == Renewals(renewed=2, put_off=1)
        await house.change(mine.values(report=newest.report))
        assert await renew_due(house.vault, unforeseen) == Renewals(), "not before tomorrow"
        await house.change(update(archive_stamp).values(again_at=stamp(house.vault.clock.now())))
        assert await renew_due(house.vault, unforeseen) == Renewals(renewed=1)


async def test_a_full_disk_ends_the_try_of_one_record_alone(
    later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = later.vault.store.put, []

    async def full(name: str, file: Path) -> None:
        if not told:
            raise OSError(errno.ENOSPC, "no space left")
        await real(name, file)

    monkeypatch.setattr(later.vault.store, "put", full)
    done = await renew_due(later.vault, lambda code, problem: told.append(type(problem).__name__))
    assert (done, told) == (Renewals(renewed=2, failed=1), ["OSError"])


async def test_a_new_verdict_finds_anew_how_long_the_stamp_lasts(house: Any) -> None:
    mine = archive_stamp.c.record == house.daughters
    (before,) = await house.rows(select(archive_stamp.c.until).where(mine))
    await house.change(update(archive_stamp).where(mine).values(until=None, put_off="not_valid"))
    await revalidate(house.vault, house.daughters)
    (row,) = await house.rows(select(archive_stamp).where(mine))
    assert (row.until, row.put_off, row.again_at) == (before.until, None, None)


async def test_no_record_is_renewed_too_often(later: Any) -> None:
    now, size = later.vault.clock.now(), await later.size()
    long_ago, lately = now - SPACING - timedelta(days=1), now - SPACING + timedelta(days=1)
    told = {later.daughters: [long_ago] * MOST_RENEWALS, later.mothers: [lately], later.childs: [lately]}
    for owned, moments in told.items():
        for number, at in enumerate(moments):
            row = {"record": owned, "version": number + 1, "blob": "b", "replaced_at": stamp(at), "idx": 1}
            row |= {"content_sha256": b"", "content_size": 1, "sealed_sha256": b"", "sealed_size": 1}
            await later.change(insert(earlier_content).values(**row))
    assert await renew_due(later.vault, unforeseen) == Renewals(put_off=3)
    put_off = (await ready(later.vault))["renewals"]["put_off"]
    assert put_off == {"renewals_exhausted": 1, "renewed_lately": 2}
    assert await later.size() == size, "nothing is opened for it"
