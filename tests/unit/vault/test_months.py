"""Months begin in Viet Nam, and the list of accesses can be asked month by month."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from vault import finding
from vault.callers import OwnerCaller
from vault.entries import stamp
from vault.months import Month, my_months
from vault.tables import entry_holder, log_entry

pytestmark = pytest.mark.anyio
NOVEMBER, DECEMBER = Month(date(2026, 11, 1)), Month(date(2026, 12, 1))


def test_a_month_begins_at_midnight_in_viet_nam() -> None:
    assert NOVEMBER.begins() == "2026-10-31T17:00:00.000000Z"
    assert (NOVEMBER.next, DECEMBER.next.iso) == (DECEMBER, "2027-01")


async def test_entries_are_counted_and_found_by_month(house: Any, daughter: OwnerCaller) -> None:
    held = select(entry_holder.c.idx).where(entry_holder.c.holder == daughter.owner)
    indexes = [row.idx for row in await house.rows(held.order_by(entry_holder.c.idx))]
    last_of_october = datetime(2026, 10, 31, 16, 59, 59, 999_999, tzinfo=UTC)
    midnight, later = datetime(2026, 10, 31, 17, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)
    times = [last_of_october, midnight, *[later] * (len(indexes) - 2)]
    await house.change(
        *(
            update(log_entry).where(log_entry.c.idx == index).values(at=stamp(at))
            for index, at in zip(indexes, times, strict=True)
        )
    )
    months = await my_months(house.vault, daughter)
    assert [(one.iso, count) for one, count in months] == [
        ("2027-01", len(indexes) - 2),
        ("2026-11", 1),
        ("2026-10", 1),
    ]
    for month, count in months:
        assert len(await finding.my_accesses(house.vault, daughter, month=month)) == count
    (only,) = await finding.my_accesses(house.vault, daughter, month=NOVEMBER)
    assert only.index == indexes[1]
    assert await finding.my_accesses(house.vault, daughter, month=DECEMBER) == []
    assert await finding.my_accesses(house.vault, daughter, month=NOVEMBER, before=only.index) == []


async def test_who_has_no_entries_has_no_months(house: Any, daughter: OwnerCaller) -> None:
    nobody = OwnerCaller(owner="own-nobody", expires=daughter.expires, session=daughter.session)
    assert await my_months(house.vault, nobody) == []
