"""The outbox on both databases: at least once, in order for a subject, shared by any number of workers."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import House
from vault import outbox
from vault.entries import stamp
from vault.tables import outbox as outbox_rows

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
TOPIC = "other"


async def add(house: House, *subjects: str) -> None:
    async with house.vault.db.write() as db:
        await outbox.add(db, TOPIC, subjects, house.vault.clock.now())


async def take(house: House, after: timedelta = timedelta(), limit: int = 10) -> list[outbox.Due]:
    async with house.vault.db.beside() as db:
        return await outbox.take(db, TOPIC, house.vault.clock.now() + after, limit)


async def done(house: House, *due: outbox.Due) -> None:
    async with house.vault.db.beside() as db:
        await outbox.done(db, due)


async def held(house: House) -> list[Any]:
    return await house.rows(select(outbox_rows).where(outbox_rows.c.topic == TOPIC))


async def test_what_is_rolled_back_left_nothing_to_do(house: House) -> None:
    with pytest.raises(RuntimeError):
        async with house.vault.db.write() as db:
            await outbox.add(db, TOPIC, ["a"], house.vault.clock.now())
            raise RuntimeError
    assert await take(house) == []


async def test_rows_of_one_subject_are_taken_together_and_never_beside_each_other(house: House) -> None:
    await add(house, "a")
    await add(house, "b", "a")
    first, second = await take(house)
    assert (first.subject, len(first.rows), second.subject) == ("a", 2, "b")
    await add(house, "a")
    assert await take(house) == [], "one of a is in hand"
    await done(house, first)
    (later,) = await take(house)
    assert (later.subject, len(later.rows)) == ("a", 1)


async def test_a_lease_runs_out_and_whoever_had_it_ends_nothing_any_more(house: House) -> None:
    await add(house, "a", "b")
    mine = await take(house)
    again = await take(house, timedelta(minutes=6))
    assert [(one.subject, one.attempts) for one in again] == [("a", 2), ("b", 2)]
    await done(house, *mine)
    async with house.vault.db.beside() as db:
        await outbox.put_off(db, mine, "late", house.vault.clock.now(), counts=True)
    assert [(row.leased_until, row.reason) for row in await held(house)] == [(again[0].lease, None)] * 2
    await done(house, *again)
    assert await held(house) == []


async def test_what_is_put_off_holds_back_what_came_later_for_its_subject_alone(house: House) -> None:
    await add(house, "a", "b")
    a, b = await take(house)
    async with house.vault.db.beside() as db:
        await outbox.put_off(db, [a], "away", house.vault.clock.now(), counts=True)
    await done(house, b)
    await add(house, "a", "b")
    (only,) = await take(house)
    assert only.subject == "b"
    (both,) = await take(house, timedelta(seconds=4))
    assert (both.subject, len(both.rows)) == ("a", 2)


async def test_what_was_given_up_is_not_carried_out_beside_what_came_later(house: House) -> None:
    await add(house, "a")
    await add(house, "a")
    given_up = update(outbox_rows).where(outbox_rows.c.topic == TOPIC)
    await house.change(given_up.values(dead_at=stamp(house.vault.clock.now()), reason="poison"))
    async with house.vault.db.read() as db:
        assert [one.subject for one in await outbox.dead_letters(db)] == ["a"]
    await add(house, "a")
    (later,) = await take(house)
    async with house.vault.db.write() as db:
        assert await outbox.replay(db, house.vault.clock.now()) == 2
    assert await take(house) == [], "one of a is in hand"
    await done(house, later)
    (replayed,) = await take(house)
    assert (replayed.subject, replayed.attempts) == ("a", 1)


async def test_a_lease_begins_anew_for_what_is_still_ours(house: House) -> None:
    await add(house, "a", "b")
    mine = await take(house)
    at = house.vault.clock.now()
    async with house.vault.db.beside() as db:
        renewed = await outbox.renew(db, mine, at + timedelta(minutes=4))
    assert [one.subject for one in renewed] == ["a", "b"]
    assert await take(house, timedelta(minutes=6)) == [], "they are ours for longer"
    await done(house, renewed[0])
    (other,) = await take(house, timedelta(minutes=10))
    assert other.subject == "b"
    async with house.vault.db.beside() as db:
        assert await outbox.renew(db, renewed, at + timedelta(minutes=11)) == []
    (row,) = await held(house)
    assert row.leased_until == other.lease, "nothing of another's was touched"


async def test_what_was_lost_is_told_to_whoever_carried_it_out(house: House) -> None:
    await add(house, "a", "b")
    mine = await take(house)
    (again, _) = await take(house, timedelta(minutes=6))
    await done(house, again)
    async with house.vault.db.beside() as db:
        assert await outbox.done(db, mine) == ["a", "b"]


async def test_what_was_tried_before_is_handed_out_alone(house: House) -> None:
    """So that what kills whoever carries it out takes nothing along more than once."""
    await add(house, "a", "b", "c")
    assert len(await take_apart(house)) == 3
    await add(house, "d", "e")
    assert [one.subject for one in await take_apart(house)] == ["d", "e"]
    handed = [await take_apart(house, timedelta(minutes=6)) for _ in range(5)]
    assert [[one.subject for one in some] for some in handed] == [["a"], ["b"], ["c"], ["d"], ["e"]]
    assert all(some[0].attempts == 2 for some in handed)


async def test_what_nobody_came_back_from_is_given_up_at_last(house: House) -> None:
    await add(house, "a", "b")
    for number in range(outbox.MOST_ATTEMPTS):
        assert await take(house, timedelta(hours=number))
    after = timedelta(hours=outbox.MOST_ATTEMPTS)
    assert await take(house, timedelta(hours=outbox.MOST_ATTEMPTS - 1)) == [], "the last one is not over"
    assert await take(house, after) == []
    async with house.vault.db.read() as db:
        told = await outbox.dead_letters(db)
    assert [(one.subject, one.attempts, one.reason) for one in told] == [
        (name, outbox.MOST_ATTEMPTS, outbox.NEVER_ENDED) for name in ("a", "b")
    ]


async def test_those_who_wait_for_the_same_thing_do_not_come_back_at_the_same_time(house: House) -> None:
    await add(house, *(f"s{n}" for n in range(20)))
    due = await take(house, limit=20)
    async with house.vault.db.beside() as db:
        await outbox.put_off(db, due, "away", house.vault.clock.now(), counts=False)
    assert len({row.next_at for row in await held(house)}) > 10


async def take_apart(house: House, after: timedelta = timedelta()) -> list[outbox.Due]:
    async with house.vault.db.beside() as db:
        return await outbox.take(db, TOPIC, house.vault.clock.now() + after, 10, apart=True)
