"""The work that is left on the catalogue: rows without a mapping, derived keys, edits that find no row."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.book import Book
from policies.edits import idle
from policies.headings import plain
from vault import catalogue, catalogue_edits
from vault.cataloguing import row_line
from vault.days import legal_day
from vault.services import Vault
from vault.tables import procedure, row_reading

_RULE_BEGINNINGS = ("trường hợp", "đối với", "nếu ", "khi ")
_WORDS = 3  # of a type's name, before a component is thought to be one


@dataclass(frozen=True)
class WorkItem:
    """Something an administrator should look at: `reason` is a stable code, `types` are suggestions."""

    procedure: str
    place: int
    reason: str  # no_mapping | conditional_wording | case_key_derived | edit_idle
    case: str | None
    component: str
    name: str
    types: tuple[str, ...] = ()

    @property
    def cursor(self) -> str:
        """Where the list goes on after this one."""
        return f"{self.procedure}:{self.place}:{self.reason}"


async def work_list(vault: Vault, *, after: str | None, limit: int) -> list[WorkItem]:
    """List what is left to do, by procedure and row: rows without a mapping, derived keys, idle edits."""
    at = vault.clock.now()
    last = select(procedure.c.code, func.max(procedure.c.version).label("version")).group_by(procedure.c.code)
    newest = last.subquery()
    query = select(row_reading).join(
        newest,
        (newest.c.code == row_reading.c.procedure) & (newest.c.version == row_reading.c.version),
    )
    async with vault.db.read() as db:
        rows = (await db.execute(query)).mappings().all()
        idle_edits = [item async for item in _idle(db, at)]
    found = [item for row in rows for item in _work(row, vault.book, at)]
    derived = {(row["procedure"], row["case_key"]): row for row in reversed(rows)}
    found += [_derived(row) for row in derived.values() if row["heading_rule"] == "case_key_derived"]
    ordered = sorted([*found, *idle_edits], key=_order)
    beginning = next((i for i, one in enumerate(ordered, 1) if one.cursor == after), 0) if after else 0
    return ordered[beginning : beginning + limit]


def _work(row: RowMapping, book: Book, at: datetime) -> Iterator[WorkItem]:
    if row["kind"] in ("note", "form"):
        return
    about = (row["case_key"], row["component"], row["name"])
    if not row_line(dict(row), {}, row["procedure"], book, at).mapped:
        yield WorkItem(row["procedure"], row["place"], "no_mapping", *about, _suggested(row["name"], book))
    conditional = plain(row["name"]).startswith(_RULE_BEGINNINGS)
    if conditional and row["condition"] is None and row["edit"] is None:
        yield WorkItem(row["procedure"], row["place"], "conditional_wording", *about)


def _suggested(name: str, book: Book) -> tuple[str, ...]:
    """Give the types whose name, up to its first comma, stands in the component's."""
    words = plain(name)
    names = {one.code: plain(one.name.vi).partition(",")[0] for one in book.record_types}
    return tuple(code for code, called in names.items() if len(called.split()) >= _WORDS and called in words)


def _derived(row: RowMapping) -> WorkItem:
    return WorkItem(row["procedure"], row["place"], "case_key_derived", row["case_key"], "", row["heading"])


async def _idle(db: AsyncConnection, at: datetime) -> AsyncIterator[WorkItem]:
    published = await catalogue_edits.several(db, procedure=None, before=None, limit=None)
    today = legal_day(at)
    live = [one.edit for one in published if one.edit.in_force.end is None or one.edit.in_force.end >= today]
    for code in dict.fromkeys(one.procedure for one in live):
        row = await catalogue.newest(db, code)
        if row is not None:
            for edit in idle(await catalogue.unedited(db, row), live):
                yield WorkItem(code, 0, "edit_idle", edit.case, edit.component, edit.id)


def _order(item: WorkItem) -> tuple[str, int, str, str]:
    return item.procedure, item.place, item.reason, item.name
