"""What is asked often reads no table that grows from end to end, however many strangers' papers there are."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy import event

from reuse_api.demo import people
from vault import deposit, my_consents, plan, records

pytestmark = pytest.mark.anyio
GROWING = {
    "record",
    "record_owner",
    "validity_event",
    "signature_report",
    "log_entry",
    "entry_holder",
    "entry_fact",
    "owner",
    "owner_identifier",
    "key_pair",
    "release",
    "dossier",
    "earlier_content",
    "handed_in_file",
    "receipt",
}


class Asked:
    """The statements that a database was asked meanwhile, and how SQLite goes about each."""

    def __init__(self, house: Any) -> None:
        db = house.vault.db
        self._engines = [one.sync_engine for one in (db._readers, db._writer)]
        self._file = db._readers.url.database
        self.statements: dict[str, Any] = {}

    def __enter__(self) -> "Asked":
        for one in self._engines:
            event.listen(one, "before_cursor_execute", self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._engines:
            event.remove(one, "before_cursor_execute", self._hear)

    def _hear(self, _conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            self.statements[statement] = values

    def read_whole(self) -> list[str]:
        """Name the tables that grow and are read from end to end, with the statement."""
        found = []
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as looking:
            for statement, values in self.statements.items():
                for *_, how in looking.execute(f"EXPLAIN QUERY PLAN {statement}", values):
                    said = how.split()
                    if said[0] == "SCAN" and said[1] in GROWING:
                        found.append(f"{how}: {statement}")
        return found


async def test_neither_a_plan_nor_a_paper_handed_in_nor_a_revocation_reads_a_whole_table(
    house: Any, scanned: Any
) -> None:
    daughter = await house.owner(people.DAUGHTER)
    said = {"title": "Giấy tờ", "type": "GKS", "declared_type": "application/pdf"}
    police = await house.system(people.POLICE)
    with Asked(house) as asked:
        told = await deposit.upload(house.vault, daughter, scanned("một tờ"), **said, key="one")
        code = await house.opens(police, people.POLICE, house.residence())
        await plan.ask(house.vault, police, code)
        await house.reads(police, await house.releases(police, code))
        await my_consents.my_consents(house.vault, daughter)
        async with house.vault.db.read() as db:
            await records.uploads_of(db, told["record"])
            await records.with_content(db, bytes(32), house.vault.clock.now().date())
    assert len(asked.statements) > 30
    assert asked.read_whole() == []
