"""Packages come in whole or not at all, once; edits stay applied to what comes later."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from policies.book import book_from_json, canonical
from policies.errors import PackageUnreadable
from policies.packages import shipped_packages
from reuse_api.demo import people
from vault import catalogue
from vault.callers import SystemCaller
from vault.dossiers import one
from vault.importing import import_procedure, publish_book
from vault.tables import catalogue_edit, log_entry, procedure, row_reading

pytestmark = pytest.mark.anyio
RESIDENCE = next(row for row in shipped_packages() if row["code"] == "1.004222")


def changed(**names: str) -> dict[str, Any]:
    """The residence package with other names for some rows."""
    package = copy.deepcopy(RESIDENCE)
    for heading in package["executionCases"]:
        for row in heading["profileComponents"]:
            row["name"] = names.get(row["code"].rpartition("-")[2], row["name"])
    return package


async def counts(house: Any) -> list[int]:
    tables = (procedure, row_reading, catalogue_edit, log_entry)
    return [(await house.rows(select(func.count()).select_from(table)))[0][0] for table in tables]


async def test_the_same_packages_again_change_nothing(house: Any) -> None:
    before = await counts(house)
    states = [(await import_procedure(house.vault, row)).state for row in shipped_packages()]
    assert set(states) == {"unchanged"}
    assert await counts(house) == before


async def test_what_each_row_was_taken_for_is_kept_with_its_rule(house: Any) -> None:
    rows = await house.rows(select(row_reading).where(row_reading.c.procedure == "1.004222"))
    kept = {row.component: (row.kind, row.rule, row.case_key, row.edit) for row in rows}
    assert kept["KQ003621"] == ("note", "zero_quantity_note", None, None)
    assert kept["KQ003606"] == ("document", "document", "dieu-20.2", None)
    assert kept["CT01"] == ("form", "own_edit", "dieu-20.2", "kho-ct01-dieu-20.2")
    assert len(rows) == sum(len(one["profileComponents"]) for one in RESIDENCE["executionCases"]) + 1


async def test_the_shipped_edit_is_published_once_as_ours(house: Any) -> None:
    (edit,) = await house.rows(select(catalogue_edit).where(catalogue_edit.c.procedure == "1.004222"))
    assert (edit.id, edit.agency, edit.officer) == ("kho-ct01-dieu-20.2", None, None)
    (entry,) = await house.rows(select(log_entry).where(log_entry.c.idx == edit.idx))
    assert entry.kind == 13


async def test_a_changed_package_is_a_new_dated_version_with_the_edits_applied(house: Any) -> None:
    told = await import_procedure(house.vault, changed(KQ003606="Tờ khai về quan hệ nhân thân"))
    assert (told.state, told.version) == ("changed", 2)
    assert {"KQ003606": "form", "CT01": "form"}.items() <= {
        row.code: row.kind for row in told.procedure.case("dieu-20.2").components
    }.items()
    rows = await house.rows(
        select(row_reading.c.version, row_reading.c.rule).where(
            row_reading.c.procedure == "1.004222", row_reading.c.component == "CT01"
        )
    )
    assert [tuple(row) for row in rows] == [(1, "own_edit"), (2, "own_edit")]


async def test_a_dossier_keeps_the_version_it_was_opened_on(house: Any, police: SystemCaller) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    await import_procedure(house.vault, changed(KQ003606="Tờ khai về quan hệ nhân thân"))
    later = await house.opens(police, people.POLICE, house.residence())
    async with house.vault.db.read() as db:
        kinds = [
            {row.code: row.kind for row in (await one(db, dossier)).components}["KQ003606"]  # type: ignore[union-attr]
            for dossier in (code, later)
        ]
    assert kinds == ["document", "form"]


async def test_a_package_that_cannot_be_read_leaves_nothing(house: Any) -> None:
    before = await counts(house)
    package = changed()
    rows = package["executionCases"][-1]["profileComponents"]
    rows.append(copy.deepcopy(rows[0]))
    with pytest.raises(PackageUnreadable):
        await import_procedure(house.vault, package)
    assert await counts(house) == before


async def test_the_same_package_read_otherwise_is_a_new_version(house: Any) -> None:
    """A version of another book keeps its reading; importing again reads by the present book."""
    async with house.vault.db.read() as db:
        known = await catalogue.newest(db, "1.004222")
    assert known is not None
    query = procedure.update().where(procedure.c.code == "1.004222").values(reading="of another book")
    await house.change(query)
    told = await import_procedure(house.vault, copy.deepcopy(RESIDENCE))
    assert (told.state, told.version) == ("changed", known["version"] + 1)


async def test_an_import_of_before_readings_were_kept_is_read_as_it_is(house: Any) -> None:
    await house.change(procedure.update().values(reading=None, policy=None, name=None))
    told = await import_procedure(house.vault, copy.deepcopy(RESIDENCE))
    assert told.state == "unchanged"
    async with house.vault.db.read() as db:
        assert await catalogue.name_of(db, "1.004222", 1) == "Đăng ký thường trú"


async def test_a_book_that_comes_back_is_published_once(house: Any) -> None:
    first = house.vault
    document = json.loads(first.book.to_json())
    document["book"]["version"] = "a later one"
    other = replace(first, book=book_from_json(canonical(document)))
    assert not await publish_book(first), "it was published when the vault was made"
    assert await publish_book(other)
    size = await house.size()
    assert await publish_book(first), "the one before is in force again"
    assert not await publish_book(first), "and stays so at the next start"
    assert await house.size() == size + 1
