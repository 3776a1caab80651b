"""A document's class follows its evidence: judged anew, appended, told to its owners, good for replays."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from policies.trust_classes import READING, RULES, Evidence, classify
from reuse_api.demo import people
from signing.trust_folder import TrustFolder
from vault import keeping, reclassing, records, revalidating, trust_rows
from vault.agency_certificates import Registration
from vault.callers import OwnerCaller
from vault.classing import hold
from vault.days import legal_day
from vault.errors import Moved
from vault.evidence_tables import agency_certificate, record_certificate, trust_class
from vault.rejudging import Rejudging
from vault.tables import epoch, record, signature_report

pytestmark = pytest.mark.anyio


async def rows_of(house: Any, record_id: str) -> list[Any]:
    return await house.rows(select(trust_class).filter_by(record=record_id).order_by(trust_class.c.n))


async def kept_trust(house: Any, record_id: str) -> str:
    ((trust,),) = await house.rows(select(record.c.trust).where(record.c.id == record_id))
    return str(trust)


async def appended(house: Any, record_id: str, **changes: Any) -> None:
    """Append another report than the document has, as a later look at its signatures would."""
    async with house.vault.db.write() as db:
        found = await records.one(db, record_id, legal_day(house.vault.clock.now()))
        assert found is not None
        report = replace(found.report, **changes)
        await records.add_report(db, record_id, report, None, house.vault.clock.now())


async def test_every_document_has_a_class_that_its_evidence_gives_again(house: Any) -> None:
    everything = await house.rows(select(trust_class))
    assert {one.record for one in everything} == {house.daughters, house.mothers, house.childs}
    for one in everything:
        classed = classify(Evidence.from_json(json.loads(one.evidence)))
        assert (classed.trust.value, classed.rules) == (one.trust, one.rules) == ("A", RULES)
        assert [reason.code for reason in classed.reasons] == [
            reason["code"] for reason in json.loads(one.reasons)
        ]


async def test_the_seal_of_an_agency_is_registered_when_it_first_seals_here(house: Any) -> None:
    signed = await house.rows(select(record_certificate).filter_by(record=house.daughters))
    (seal,) = await house.rows(select(agency_certificate).filter_by(sha256=signed[0].sha256))
    assert (seal.agency, seal.idx, seal.valid_until) == ("H26.14.02", None, None)


async def test_a_later_report_moves_the_class_both_ways_and_the_owner_is_told(
    house: Any, daughter: OwnerCaller
) -> None:
    mark = select(epoch.c.n).where(epoch.c.kind == "owner", epoch.c.id == daughter.owner)
    ((before,),) = await house.rows(mark)
    await appended(house, house.daughters, verdict="undetermined", reasons=("signer_not_trusted",))
    assert await reclassing.catch_up(house.vault) == 1
    assert await kept_trust(house, house.daughters) == "E"
    assert await house.rows(mark) != [(before,)], "decisions of before hold no more"
    (entry,) = await house.last(daughter)
    assert entry.parts.event["type"] == reclassing.CLASS_MOVED
    assert (entry.parts.basis["facts"]["was"], entry.parts.basis["facts"]["is"]) == ("A", "E")
    assert await reclassing.judge_anew(house.vault, [house.daughters]) == 0, "nothing moved since"
    await revalidating.revalidate(house.vault, house.daughters)
    found = await rows_of(house, house.daughters)
    assert [(one.n, one.trust, one.report) for one in found] == [(1, "A", 1), (2, "E", 2), (3, "A", 3)]


async def test_other_rules_judge_everything_anew_when_the_vault_is_opened(open_house: Any) -> None:
    async with open_house() as house:
        await house.change(
            update(trust_class).values(rules="trust-classes/0a", trust="D"), update(record).values(trust="D")
        )
        size = await house.size()
    async with open_house() as house:
        found = await rows_of(house, house.daughters)
        assert [(one.n, one.rules, one.trust) for one in found][1:] == [(2, RULES, "A")]
        assert await kept_trust(house, house.mothers) == "A"
        assert await house.size() == size + 3, "an entry for each that moved"


async def test_words_that_were_read_by_earlier_rules_count_again_when_they_were_read_again(
    open_house: Any,
) -> None:
    async with open_house() as house:
        for id, source in ((house.daughters, "result_file"), (house.mothers, "result")):
            (row,) = await rows_of(house, id)
            evidence = json.loads(row.evidence) | {"origin": source}
            del evidence["reading"]  # as rules of before wrote it
            await house.change(
                update(trust_class)
                .where(trust_class.c.record == id)
                .values(rules="trust-classes/2", evidence=json.dumps(evidence)),
                update(record).where(record.c.id == id).values(source=source),
            )
    async with open_house() as house:
        judged = (await rows_of(house, house.daughters))[-1]
        assert (judged.trust, json.loads(judged.reasons)[1]["code"]) == ("E", "class_text_read_before")
        assert await kept_trust(house, house.mothers) == "A", "what was composed here was never read"
        rounds = Rejudging(house.vault, unforeseen)
        assert [await rounds.round() for _ in range(2)] == [1, 0]
        assert await kept_trust(house, house.daughters) == "A"
        judged = (await rows_of(house, house.daughters))[-1]
        assert json.loads(judged.evidence)["reading"] == READING
        told = [
            (one.kind, one.parts.event["type"])
            for one in await house.last(await house.owner(people.DAUGHTER), 2)
        ]
        assert told == [(15, "revalidated"), (8, "class_moved")], "opened in an entry of its own"
        assert await Rejudging(house.vault, unforeseen).round() == 0, "and never again"


def unforeseen(code: str, problem: Exception) -> None:
    raise problem


async def test_what_was_classed_before_there_were_rules_says_so_until_it_is_checked(open_house: Any) -> None:
    async with open_house() as house:
        old = {"verdict": "valid", "sub_indication": "", "reasons": [], "signatures": []}
        one = {"field": "KhoSeal", "signer": "UBND", "level": "B-LTA", "verdict": "valid"}
        old["signatures"] = [one | {"sub_indication": "", "covers_whole_file": True, "reason": ""}]
        await house.change(
            trust_class.delete(),
            update(signature_report)
            .where(signature_report.c.record == house.daughters)
            .values(report=json.dumps(old)),
        )
    async with open_house() as house:
        async with house.vault.db.read() as db:
            known = await trust_rows.newest(db, [house.daughters, house.mothers])
        assert known[house.daughters].n == 0 and known[house.daughters].trust.value == "A"
        assert [one.code for one in known[house.daughters].reasons] == ["class_before_rules"]
        assert known[house.mothers].rules == RULES, "its report tells enough"
        await revalidating.revalidate(house.vault, house.daughters)
        (judged,) = await rows_of(house, house.daughters)
        assert (judged.rules, judged.trust) == (RULES, "A")


async def test_a_certificate_that_changes_hands_meanwhile_stops_the_writing(
    house: Any, daughter: OwnerCaller, pdf: Any
) -> None:
    vault, at = house.vault, house.vault.clock.now()
    file = pdf("a letter")
    examined = await vault.workers.examine(
        file, anchors=vault.trust.current().anchors, at=at, max_bytes=2**20
    )
    told = keeping.Description("OTHER", "Thư", "upload")
    kept = await keeping.keep(vault, file, examined, told, owners_of=[daughter.owner], data=None, at=at)
    assert (kept.trust.value, kept.judged.certificates) == ("D", frozenset())
    judged = replace(kept.judged, certificates=frozenset({"ab" * 32}))
    await house.change(
        insert(agency_certificate).values(
            agency="H26.14.02", sha256="ab" * 32, subject="CN=X", valid_from="2026-01-01"
        )
    )
    async with vault.db.read() as db:
        with pytest.raises(Moved):
            await hold(db, judged)
        known = Registration("H26.14.02", "ab" * 32, "CN=X", date(2026, 1, 1), None, None)
        await hold(db, replace(judged, registrations=(known,)))


async def test_a_root_for_signatures_counts_for_them_though_it_is_one_for_time_stamps_too(
    house: Any,
) -> None:
    (root,) = house.vault.trust.current().anchors
    both = TrustFolder(fixed=(root, replace(root, purpose="timestamp")))
    vault = replace(house.vault, trust=both)
    await revalidating.revalidate(vault, house.daughters)
    assert [one.trust for one in await rows_of(house, house.daughters)][-1] == "A"
