"""What is worth a look, and what is not: each pattern at its threshold and just below it."""

from datetime import UTC, datetime, timedelta

import pytest

from reuse_api.demo import people
from signing.leaf import Kind, Parts
from vault import anomalies, entries, registering, staff
from vault.audit_filters import Filters
from vault.days import legal_day
from vault.telling import VAULT_HOLDER, nothing_to_check

pytestmark = pytest.mark.anyio
WHO = {"agency": "H99.01", "system": "one-stop", "officer": "cb-01"}
DOSSIER = "H99.01-261101-0001"


@pytest.fixture
async def auditor(house):
    who = {"agency": people.COMMUNE.code, "officer": people.COMMUNE.officer, "role": "auditor"}
    await registering.give_role(house.vault, **who)
    code = await staff.new_code(
        house.vault.db, house.vault.clock, agency_id=who["agency"], officer_id=who["officer"], role="auditor"
    )
    secret, _ = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    return await house.vault.gate.check_staff(secret)


def noon(house, **back):
    """Noon in Viet Nam, some days ago."""
    day = legal_day(house.vault.clock.now()) - timedelta(**(back or {"days": 1}))
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC)


async def told(house, kind, *times, dossier=DOSSIER, record="rec-1", who=None, result="permitted"):
    """Append one entry of a kind at each of some instants."""
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    prepared = []
    for at in times:
        event = {"type": kind.name.lower(), "result": result, "at": at.isoformat()}
        subject = {"record": record} if record else {}
        parts = Parts(subject, who or WHO, {"dossier": dossier} if dossier else {}, {}, event)
        prepared.append(entries.prepare(kind, parts, held, at=at, caller_kind="vault", caller="vault"))
    await house.vault.appender.append(prepared, nothing_to_check)


async def found(house, auditor, code, **filters):
    every = await anomalies.anomalies(house.vault, auditor, Filters(**filters))
    return [one for one in every if one.code == code]


async def test_an_ordinary_day_shows_nothing(house, auditor, police):
    code = await house.opens(police, people.POLICE, house.residence())
    await house.reads(police, await house.releases(police, code))
    every = await anomalies.anomalies(house.vault, auditor, Filters())
    assert every == []


async def test_many_reads_of_one_officer_in_one_hour(house, auditor):
    at = noon(house)
    await told(house, Kind.RELEASE_PERMITTED, at)
    await told(house, Kind.DELIVERED, *[at + timedelta(seconds=one) for one in range(anomalies.BULK - 1)])
    await told(house, Kind.DELIVERED, at + timedelta(hours=1))
    await told(house, Kind.DELIVERED, at, who=WHO | {"officer": "cb-02"})
    assert await found(house, auditor, "bulk_reads") == []
    await told(house, Kind.DELIVERED, at + timedelta(minutes=59))
    (one,) = await found(house, auditor, "bulk_reads")
    assert (one.agency, one.officer, one.number) == ("H99.01", "cb-01", anomalies.BULK)
    assert one.hour == f"{at:%Y-%m-%dT%H}:00:00Z"


async def test_refusals_that_outnumber_what_was_permitted(house, auditor):
    at = noon(house)
    await told(house, Kind.REFUSED, *[at] * (anomalies.REFUSED - 1), result="refused")
    assert await found(house, auditor, "many_refusals") == []
    await told(house, Kind.REFUSED, at, result="refused")
    (one,) = await found(house, auditor, "many_refusals")
    assert (one.number, one.of) == (anomalies.REFUSED, anomalies.REFUSED)
    await told(house, Kind.RELEASE_PERMITTED, *[at] * anomalies.REFUSED)
    assert await found(house, auditor, "many_refusals") == []


@pytest.mark.parametrize(
    ("hour", "seen"), [(14, False), (15, True), (21, True), (22, False), (5, False)], ids=str
)
async def test_reads_at_night(house, auditor, hour, seen):
    """Hours of UTC: the night of Viet Nam begins at 22 and ends at 5."""
    at = noon(house, days=2).replace(hour=hour)
    await told(house, Kind.RELEASE_PERMITTED, at)
    await told(house, Kind.DELIVERED, *[at] * anomalies.NIGHT)
    every = await found(house, auditor, "night_reads")
    assert [one.number for one in every] == ([anomalies.NIGHT] if seen else [])
    assert [one.day for one in every] == ([legal_day(at).isoformat()] if seen else [])


async def test_a_read_before_which_nothing_was_released(house, auditor):
    at = noon(house)
    await told(house, Kind.DELIVERED, at)
    (one,) = await found(house, auditor, "read_without_release")
    assert (one.dossier, one.number) == (DOSSIER, 1)
    await told(house, Kind.RELEASE_PERMITTED, at, dossier="H99.01-261101-0002")
    await told(house, Kind.DELIVERED, at, dossier="H99.01-261101-0002")
    await told(house, Kind.DELIVERED, at, dossier="H99.01-261101-0002", record="rec-2")
    await told(house, Kind.DELIVERED, at, dossier=None)  # under a consent there is no dossier
    every = await found(house, auditor, "read_without_release")
    assert {one.dossier: one.number for one in every} == {DOSSIER: 1, "H99.01-261101-0002": 1}


async def test_a_dossier_asked_about_again_and_again_and_nothing_taken(house, auditor):
    at = noon(house)
    await told(house, Kind.PLAN_ASKED, *[at] * 5)  # one question about five persons
    await told(house, Kind.PLAN_ASKED, at + timedelta(minutes=1))
    assert await found(house, auditor, "asked_not_taken") == []
    await told(house, Kind.PLAN_ASKED, at + timedelta(minutes=2))
    (one,) = await found(house, auditor, "asked_not_taken")
    assert (one.dossier, one.number) == (DOSSIER, anomalies.ASKED)
    await told(house, Kind.RELEASE_PERMITTED, at + timedelta(hours=9))
    assert await found(house, auditor, "asked_not_taken") == []


async def test_filters_narrow_and_the_look_is_an_entry(house, auditor):
    await told(house, Kind.DELIVERED, noon(house))
    assert await found(house, auditor, "read_without_release", agency="H99.02") == []
    assert await found(house, auditor, "read_without_release", until=noon(house, days=3).date()) == []
    size = await house.size()
    assert len(await found(house, auditor, "read_without_release", agency="H99.01")) == 1
    assert await house.size() == size + 1


async def test_what_owners_do_themselves_is_no_anomaly(house, auditor):
    at = noon(house)
    await told(house, Kind.DELIVERED, *[at] * anomalies.BULK, who={"owner": "own-1"}, dossier=None)
    assert await anomalies.anomalies(house.vault, auditor, Filters()) == []


async def test_every_pattern_has_its_threshold():
    assert set(anomalies.THRESHOLDS) == set(anomalies.CODES)
