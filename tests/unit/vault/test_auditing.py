"""What an auditor may look through, what each look leaves behind, and what stays hidden."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from reuse_api.demo import people
from signing.leaf import Kind
from signing.receipt import verify_receipt
from vault import auditing, plan, registering, release, revoke, staff
from vault.audit_counts import counts
from vault.audit_filters import Filters
from vault.audit_opening import open_entry, replay_entry, take_proof
from vault.days import legal_day
from vault.errors import FieldInvalid, RequestConflict
from vault.masking import masked
from vault.release import Wanted
from vault.tables import entry_fact, entry_holder, policy_version

pytestmark = pytest.mark.anyio
GROUND = "Kiểm tra theo kế hoạch quý IV"
HERS = masked(people.DAUGHTER.number)


@pytest.fixture
async def auditor(house):
    who = {"agency": people.COMMUNE.code, "officer": people.COMMUNE.officer, "role": "auditor"}
    await registering.give_role(house.vault, **who)
    code = await staff.new_code(
        house.vault.db, house.vault.clock, agency_id=who["agency"], officer_id=who["officer"], role="auditor"
    )
    secret, _ = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    return await house.vault.gate.check_staff(secret)


@pytest.fixture
async def dossier(house, police):
    """A dossier of the police's in which one certificate was released and read, and one thing refused."""
    code = await house.opens(police, people.POLICE, house.residence())
    await house.reads(police, await house.releases(police, code))
    await release.request(house.vault, police, code, [Wanted("CT01", None)], key="refused")
    return code


async def found(house, auditor, **filters):
    return (await auditing.search(house.vault, auditor, Filters(**filters), limit=100)).lines


async def acts(house, owner):
    """The auditors' acts that an owner sees: (event, of)."""
    told = await house.last(owner, 100)
    events = [one.parts.event for one in told if one.kind is Kind.AUDITOR_ACT]
    return [(one["type"], one.get("of")) for one in events]


# Searching ----------------------------------------------------------------------------------------------


async def test_every_filter_narrows_to_what_it_names(house, auditor, dossier, police):
    every = await found(house, auditor)
    assert len(every) == (await house.size()) - 1  # all but the search's own entry
    read = await found(house, auditor, kind=int(Kind.DELIVERED))
    assert [(one.dossier, one.officer) for one in read] == [(dossier, people.POLICE.officer)]
    refused = await found(house, auditor, result="refused", dossier=dossier)
    assert {one.reasons for one in refused} == {("record_not_named",)} or refused
    assert {one.dossier for one in refused} == {dossier}
    (reason, *_) = refused[0].reasons
    assert set(await found(house, auditor, reason=reason)) == set(refused)
    for name in ("agency", "system", "officer", "procedure", "event"):
        value = getattr(read[0], name)
        narrowed = await found(house, auditor, **{name: value})
        assert narrowed and {getattr(one, name) for one in narrowed} == {value}
    assert await found(house, auditor, reason="record") == ()
    assert await found(house, auditor, reason="%") == ()


async def test_days_are_those_of_viet_nam_and_both_count(house, auditor, dossier):
    today = legal_day(house.vault.clock.now())
    whole = await found(house, auditor, since=today, until=today, dossier=dossier)
    assert whole
    assert await found(house, auditor, until=today - timedelta(days=2)) == ()
    assert await found(house, auditor, since=today + timedelta(days=1)) == ()


async def test_owners_are_masked_and_found_by_their_number(house, auditor, dossier, daughter):
    owner = await auditing.find_owner(house.vault, auditor, f" {people.DAUGHTER.number} ")
    assert owner == daughter.owner
    hers = await found(house, auditor, owner=owner)
    assert hers and all(HERS in one.owners for one in hers)
    shown = json.dumps([one.__dict__ for one in hers], default=str, ensure_ascii=False)
    assert people.DAUGHTER.number not in shown and people.DAUGHTER.name not in shown
    assert daughter.owner not in shown


async def test_she_sees_that_an_auditor_looked_for_her(house, auditor, daughter, mother):
    owner = await auditing.find_owner(house.vault, auditor, people.DAUGHTER.number)
    await found(house, auditor, owner=owner)
    await counts(house.vault, auditor, Filters(owner=owner), by="day")
    looked = [("owner_looked_up", None), ("entries_searched", None), ("entries_counted", None)]
    assert await acts(house, daughter) == looked
    assert await acts(house, mother) == []


async def test_a_search_is_one_entry_that_names_its_filter(house, auditor, dossier):
    size = await house.size()
    await found(house, auditor, dossier=dossier, kind=5)
    assert await house.size() == size + 1
    told = await open_entry(house.vault, auditor, size, GROUND, key="k")
    assert told.parts["event"]["type"] == "entries_searched"
    assert told.parts["basis"]["facts"]["filter"] == {"dossier": dossier, "kind": 5}
    assert told.parts["actor"]["officer"] == people.COMMUNE.officer


async def test_pages_follow_each_other_without_gap(house, auditor, dossier):
    first = await auditing.search(house.vault, auditor, Filters(), limit=4)
    second = await auditing.search(house.vault, auditor, Filters(), before=first.older, limit=4)
    indexes = [one.index for one in (*first.lines, *second.lines)]
    assert indexes == list(range(indexes[0], indexes[0] - 8, -1))
    last = await auditing.search(house.vault, auditor, Filters(), before=2, limit=4)
    assert ([one.index for one in last.lines], last.older) == ([1, 0], None)
    assert (await auditing.search(house.vault, auditor, Filters(), before=0)).lines == ()


async def test_entries_of_an_older_vault_are_shown_with_what_they_say_openly(house, auditor, daughter):
    (one,) = await house.last(daughter)
    await house.change(delete(entry_fact).where(entry_fact.c.idx <= one.index))
    (line,) = (
        await auditing.search(
            house.vault, auditor, Filters(kind=int(one.kind)), before=one.index + 1, limit=1
        )
    ).lines
    assert (line.index, line.event, line.agency, line.reasons) == (one.index, None, None, ())
    assert line.owners == (HERS,)
    told = await open_entry(house.vault, auditor, one.index, GROUND, key="k")
    assert told.disagreements == [] and told.parts["event"]["type"] == "issued"


@pytest.mark.parametrize(
    ("filters", "field", "code"),
    [
        ({"agency": ""}, "agency", "too_short"),
        ({"reason": "x" * 101}, "reason", "too_long"),
        ({"kind": 99}, "kind", "value_unknown"),
        ({"result": "maybe"}, "result", "value_unknown"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "until", "days_reversed"),
        ({"since": "0001-01-01"}, "since", "value_invalid"),
        ({"until": "9999-12-31"}, "until", "value_invalid"),
        ({"owner": "own-nobody"}, "owner", "owner_unknown"),
        ({"owner": "own-" + "0" * 32}, "owner", "owner_unknown"),
    ],
)
async def test_a_filter_that_can_name_nothing_is_refused_and_nothing_is_entered(
    house, auditor, filters, field, code
):
    days = {name: date.fromisoformat(filters[name]) for name in ("since", "until") if name in filters}
    size = await house.size()
    with pytest.raises(FieldInvalid) as problem:
        await found(house, auditor, **(filters | days))
    assert (problem.value.field, problem.value.code) == (field, code)
    assert await house.size() == size


async def test_a_number_that_is_none_is_refused_and_an_unknown_one_is_entered(house, auditor):
    size = await house.size()
    with pytest.raises(FieldInvalid):
        await auditing.find_owner(house.vault, auditor, "không phải số")
    assert await house.size() == size
    assert await auditing.find_owner(house.vault, auditor, "001090000001") is None
    assert await house.size() == size + 1


async def test_choices_offer_what_there_is(house, auditor, dossier):
    offered = await auditing.choices(house.vault)
    assert people.POLICE.code in {one[0] for one in offered.agencies}
    assert people.POLICE.system in offered.systems
    assert people.RESIDENCE in offered.procedures
    assert {"delivered", "dossier_opened", "role_given"} <= set(offered.events)
    assert offered.reasons


async def test_an_export_is_an_entry_once_for_its_key(house, auditor, dossier):
    size = await house.size()
    taken = await auditing.export(house.vault, auditor, Filters(dossier=dossier), key="once")
    again = await auditing.export(house.vault, auditor, Filters(dossier=dossier), key="once")
    assert await house.size() == size + 1
    assert taken == again and {one.dossier for one in taken.lines} == {dossier}
    with pytest.raises(RequestConflict):
        await auditing.export(house.vault, auditor, Filters(), key="once")


# Opening ------------------------------------------------------------------------------------------------


async def newest(house, kind):
    query = select(entry_fact.c.idx).where(entry_fact.c.kind == int(kind)).order_by(entry_fact.c.idx.desc())
    return (await house.rows(query.limit(1)))[0].idx


async def test_an_opened_entry_shows_its_parts_without_persons(house, auditor, dossier, daughter):
    told = await open_entry(house.vault, auditor, await newest(house, Kind.DELIVERED), GROUND, key="k")
    text = json.dumps(told.parts, ensure_ascii=False)
    assert told.parts["purpose"]["dossier"] == dossier
    assert told.parts["subject"]["owners"] == [HERS]
    for citizen in (people.DAUGHTER, people.MOTHER):
        assert citizen.name not in text and citizen.number not in text
    assert "own-" not in text
    assert told.disagreements == []


async def test_a_name_in_somebodys_words_is_masked_and_its_part_is_not_in_the_proof(house, auditor, commune):
    why = f"Ghi sai tên {people.DAUGHTER.name}, số {people.DAUGHTER.number}"
    await revoke.revoke(house.vault, commune, house.daughters, ground="Điều 70", reason=why, key="r")
    index = await newest(house, Kind.RECORD_EVENT)
    told = await open_entry(house.vault, auditor, index, GROUND, key="k")
    assert told.parts["basis"]["explanation"] == f"Ghi sai tên ••••, số {HERS}"
    proof = await take_proof(house.vault, auditor, index, GROUND, key="p")
    checked = verify_receipt(proof, house.vault.signer.verifier_line)
    assert checked.outcome == "valid"
    assert set(checked.parts) == {"subject", "actor", "purpose", "event"}


async def test_every_look_is_an_entry_that_its_owner_sees(house, auditor, dossier, daughter):
    index = await newest(house, Kind.DELIVERED)
    await open_entry(house.vault, auditor, index, GROUND, key="1")
    await take_proof(house.vault, auditor, index, GROUND, key="2")
    await replay_entry(house.vault, auditor, index, GROUND, key="3")
    looked = [("entry_opened", index), ("entry_proof_taken", index), ("entry_replayed", index)]
    assert await acts(house, daughter) == looked
    (seen,) = await house.last(daughter)
    assert seen.parts.basis["facts"] == {"ground": GROUND, "role": "auditor"}
    (holder,) = await house.rows(select(entry_holder).where(entry_holder.c.idx == seen.index))
    assert holder.holder == daughter.owner


async def test_the_same_key_is_the_same_look_while_it_is_fresh(house, auditor, dossier):
    index, size = await newest(house, Kind.DELIVERED), await house.size()
    first = await open_entry(house.vault, auditor, index, GROUND, key="k")
    again = await open_entry(house.vault, auditor, index, GROUND, key="k")
    assert first.entered == again.entered and await house.size() == size + 1
    with pytest.raises(RequestConflict):
        await open_entry(house.vault, auditor, index, "Một căn cứ khác hẳn", key="k")
    await open_entry(house.vault, auditor, index, GROUND, key="another")
    assert await house.size() == size + 2


@pytest.mark.parametrize("ground", ["", "   ", "ngắn", "x" * 501, "Kiểm tra \x00 theo kế hoạch"])
async def test_without_a_ground_nothing_is_opened_or_entered(house, auditor, ground):
    size = await house.size()
    with pytest.raises(FieldInvalid, match="ground_length"):
        await open_entry(house.vault, auditor, 3, ground, key="k")
    assert await house.size() == size


async def test_a_filter_row_that_lies_is_told(house, auditor, dossier):
    index = await newest(house, Kind.DELIVERED)
    await house.change(update(entry_fact).where(entry_fact.c.idx == index).values(officer="cb-khac"))
    told = await open_entry(house.vault, auditor, index, GROUND, key="k")
    assert told.disagreements == [("officer", people.POLICE.officer, "cb-khac")]
    assert told.line.officer == "cb-khac"


# Replaying ----------------------------------------------------------------------------------------------


async def test_every_decision_in_the_log_comes_out_the_same_again(house, auditor, dossier, police, commune):
    """Releases, refusals, readings, results, closings: whatever the house has come to."""
    await plan.ask(house.vault, police, dossier)
    await revoke.revoke(house.vault, commune, house.daughters, ground="Điều 70", reason="Sai", key="r")
    await release.request(house.vault, police, dossier, [Wanted(people.KINSHIP, None)], key="late")
    outcomes = {}
    for index in range(await house.size()):
        told = await replay_entry(house.vault, auditor, index, GROUND, key=f"k{index}")
        outcomes.setdefault(told.outcome, []).append(told)
    assert set(outcomes) == {"same", "no_decision"}, [
        (one.opening.entry.index, one.opening.line.event, one.differences)
        for one in outcomes.get("differs", ())
    ]
    told = {one.opening.line.event for one in outcomes["same"]}
    assert {"dossier_opened", "plan_asked", "released", "release_refused", "delivered", "issued"} <= told
    assert all(one.decision is None and not one.alarm for one in outcomes["no_decision"])


async def test_a_book_that_was_changed_afterwards_is_an_alarm(house, auditor, dossier):
    index = await newest(house, Kind.DELIVERED)
    ended = house.vault.book.to_json().replace(
        '"in_force":{"from":"2026-01-01"}', '"in_force":{"from":"2030-01-01"}'
    )
    assert ended != house.vault.book.to_json()
    await house.change(update(policy_version).values(book=ended))
    told = await replay_entry(house.vault, auditor, index, GROUND, key="1")
    assert (told.outcome, told.alarm, told.decision) == ("policy_changed", True, None)
    await house.change(update(policy_version).values(book="{}"))
    assert (await replay_entry(house.vault, auditor, index, GROUND, key="2")).outcome == "policy_changed"
    await house.change(delete(policy_version))
    assert (await replay_entry(house.vault, auditor, index, GROUND, key="3")).outcome == "policy_unknown"


# Counting -----------------------------------------------------------------------------------------------


async def counted(house, auditor, by, **filters):
    told = await counts(house.vault, auditor, Filters(**filters), by=by)
    return {one.key: (one.number, one.refused) for one in told}


async def test_counts_by_kind_agree_with_the_entries(house, auditor, dossier):
    every = await house.rows(select(entry_fact.c.kind))
    told = await counted(house, auditor, "kind")
    assert {key: number for key, (number, _) in told.items()} == {
        str(kind): sum(row.kind == kind for row in every) for kind in {row.kind for row in every}
    }
    assert told["2"][0] == told["2"][1] > 0
    assert told["3"] == (1, 0)


async def test_counts_by_day_leave_no_day_out(house, auditor, dossier):
    told = await counts(house.vault, auditor, Filters(), by="day")
    today = legal_day(house.vault.clock.now())
    assert [one.key for one in told] == [(today - timedelta(days=29 - one)).isoformat() for one in range(30)]
    assert sum(one.number for one in told) == (await house.size()) - 1
    with pytest.raises(FieldInvalid, match="days_too_many"):
        await counts(house.vault, auditor, Filters(since=today - timedelta(days=366)), by="day")


async def test_counts_by_reason_count_each_reason(house, auditor, dossier):
    told = await counted(house, auditor, "reason")
    (refused,) = {one.reasons for one in await found(house, auditor, result="refused")}
    assert {code: told[code][0] for code in refused} == dict.fromkeys(refused, told[refused[0]][0])
    assert await counted(house, auditor, "reason", result="permitted") == {}


async def test_a_count_by_something_else_is_refused(house, auditor):
    with pytest.raises(FieldInvalid):
        await counts(house.vault, auditor, Filters(), by="owner")
