"""What auditors filter by: a row with every entry, codes alone; and `inspect` finds rows that disagree."""

import json

import pytest
from sqlalchemy import delete, select, update

from reuse_api.demo import people
from vault.entry_facts import disagreements, facts_of
from vault.inspecting import inspect
from vault.release import Wanted, request
from vault.tables import entry_fact, log_entry

pytestmark = pytest.mark.anyio


async def rows_of(house):
    return {row["idx"]: row for row in (one._mapping for one in await house.rows(select(entry_fact)))}


async def test_every_entry_has_a_row_that_agrees_with_its_parts(house, police, daughter):
    code = await house.opens(police, people.POLICE, house.residence())
    await house.reads(police, await house.releases(police, code))
    rows = await rows_of(house)
    assert len(rows) == await house.size()
    opened = await house.last(daughter, 100)
    assert len(opened) > 5
    for one in opened:
        told = facts_of(one.kind, one.parts, house.vault.clock.now().fromisoformat(one.at))
        assert disagreements(told, rows[one.index]) == []


async def test_a_row_holds_no_name_no_number_and_no_owner(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    await request(house.vault, police, code, [Wanted(people.DAUGHTER.name, None)], key="k")
    rows = await rows_of(house)
    text = json.dumps([dict(row) for row in rows.values()], ensure_ascii=False)
    for citizen in (people.DAUGHTER, people.MOTHER, people.STRANGER):
        assert citizen.name not in text and citizen.number not in text
    assert "own-" not in text
    refused = rows[max(rows)]
    assert refused["component"] is None
    assert json.loads(refused["reasons"]) == ["component_not_asked", "record_not_named"]
    assert (refused["agency"], refused["officer"]) == (people.POLICE.code, people.POLICE.officer)
    assert (refused["dossier"], refused["procedure"]) == (code, people.RESIDENCE)


async def test_a_changed_row_is_told_by_name(house, police, daughter):
    await house.opens(police, people.POLICE, house.residence())
    (one,) = await house.last(daughter)
    await house.change(
        update(entry_fact).where(entry_fact.c.idx == one.index).values(officer="cb-khac", dossier=None)
    )
    told = facts_of(one.kind, one.parts, house.vault.clock.now().fromisoformat(one.at))
    dossier = one.parts.purpose["dossier"]
    found = disagreements(told, (await rows_of(house))[one.index])
    assert found == [("officer", people.POLICE.officer, "cb-khac"), ("dossier", dossier, "")]


async def codes(open_house, *statements):
    async with open_house() as house:
        await house.change(*statements)
        places = house.places
    return [(one.code, one.what, one.harm) for one in (await inspect(places)).findings]


async def test_inspect_finds_nothing_in_a_sound_vault(open_house):
    assert await codes(open_house) == []


async def test_inspect_finds_a_row_that_is_gone_or_tells_another_time(open_house):
    found = await codes(
        open_house,
        delete(entry_fact).where(entry_fact.c.idx == 3),
        update(entry_fact).where(entry_fact.c.idx == 5).values(day="2001-01-01"),
        update(log_entry).where(log_entry.c.idx == 7).values(at="2001-01-01T00:00:00.000000Z"),
    )
    assert found == [
        ("fact_missing", "entry 3", True),
        ("fact_differs", "entry 5", True),
        ("fact_differs", "entry 7", True),
    ]


async def test_the_entries_of_an_older_vault_are_told_and_are_no_harm(open_house):
    found = await codes(open_house, delete(entry_fact).where(entry_fact.c.idx < 4))
    assert found == [("facts_begin", "entries before 4 have none", False)]
