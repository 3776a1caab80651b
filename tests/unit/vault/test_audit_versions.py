"""The versions of a record for an auditor: an entry of its owners first, no content and no name."""

from dataclasses import replace
from typing import Any

import pytest

from reuse_api.demo import people
from signing.leaf import Kind
from tests.conftest import House
from vault import deposit
from vault.audit_versions import list_versions
from vault.callers import OwnerCaller, StaffCaller
from vault.errors import NotAuthenticated, NotFound
from vault.masking import masked
from vault.tables import key_pair

pytestmark = pytest.mark.anyio
HERS = masked(people.DAUGHTER.number)


@pytest.fixture
async def auditor(house: House) -> StaffCaller:
    return await house.auditor(people.COMMUNE)


async def test_its_owner_sees_who_looked_and_the_auditor_sees_no_name(
    house: House, auditor: StaffCaller, daughter: OwnerCaller
) -> None:
    size = await house.size()
    told = await list_versions(house.vault, auditor, house.daughters)
    assert await house.size() == size + 1
    (entry,) = await house.last(daughter)
    assert (entry.index, entry.kind, entry.parts.event["type"]) == (size, Kind.AUDITOR_ACT, "versions_listed")
    assert entry.parts.subject == {"owners": [daughter.owner], "record": house.daughters}
    assert entry.parts.actor["officer"] == people.COMMUNE.officer
    assert told.entered.index == size
    (one,) = told.versions
    assert (one.name, one.why, one.current, one.kept, one.entry) == ("1", "sealed", True, True, None)
    assert told.owners == (HERS,) and told.signature is None
    for hidden in (people.DAUGHTER.name, people.DAUGHTER.number, daughter.owner):
        assert hidden not in repr(replace(told, entered=None))  # type: ignore[arg-type]


async def test_an_upload_is_stored_and_its_title_stays_hidden(
    house: House, auditor: StaffCaller, stranger: OwnerCaller, pdf: Any
) -> None:
    said = {"title": f"Của {people.STRANGER.name}", "type": None, "declared_type": "application/pdf"}
    kept = await deposit.upload(house.vault, stranger, pdf("tự tải lên"), **said, key="up")
    told = await list_versions(house.vault, auditor, str(kept["record"]))
    assert [(one.name, one.why) for one in told.versions] == [("1", "stored")]
    assert people.STRANGER.name not in repr(told)


async def test_a_try_at_what_is_not_there_is_an_entry_and_what_can_be_none_is_not(
    house: House, auditor: StaffCaller, daughter: OwnerCaller
) -> None:
    size = await house.size()
    with pytest.raises(NotFound):
        await list_versions(house.vault, auditor, "rec-" + "0" * 32)
    assert await house.size() == size + 1
    for text in ("", "rec-1", "<script>", "rec-" + "0" * 33, "rec-" + "0" * 32 + "\n"):
        with pytest.raises(NotFound):
            await list_versions(house.vault, auditor, text)
    assert await house.size() == size + 1


async def test_nobody_but_an_auditor_may(house: House, auditor: StaffCaller) -> None:
    size = await house.size()
    with pytest.raises(NotAuthenticated):
        await list_versions(house.vault, replace(auditor, role="administrator"), house.daughters)
    assert await house.size() == size


async def test_it_is_entered_for_the_agency_where_nobody_can_read_of_it_any_more(
    house: House, auditor: StaffCaller, daughter: OwnerCaller
) -> None:
    hers = key_pair.update().where(key_pair.c.id == daughter.owner, key_pair.c.purpose == "log")
    await house.change(hers.values(wrapped_private=None))
    size = await house.size()
    assert (await list_versions(house.vault, auditor, house.daughters)).entered.index == size
