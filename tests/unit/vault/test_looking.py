"""One document of one's own, whole: its history, what replaced it and what it replaced, how many own it."""

import os
from typing import Any

import pytest

from reuse_api.demo import people
from vault import issue, looking, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.errors import NotFound
from vault.issue import ResultBody

pytestmark = pytest.mark.anyio
WHY = {"ground": "Luật Hộ tịch 2014, Điều 12", "reason": "đang xác minh"}


async def test_it_is_told_with_its_check_and_its_owner(house: Any, daughter: OwnerCaller) -> None:
    whole = await looking.look(house.vault, daughter, house.daughters)
    assert (whole.record.id, whole.record.pages, whole.owners) == (house.daughters, 1, 1)
    assert whole.report.verdict == "valid" and whole.report.signatures[0].level == "B-LTA"
    assert whole.judged_at == whole.record.created_at
    assert (whole.history, whole.replaced_by, whole.replaces) == ((), None, ())


async def test_every_change_of_validity_is_kept_with_its_entry(
    house: Any, commune: SystemCaller, daughter: OwnerCaller
) -> None:
    told = await revoke.suspend(house.vault, commune, house.daughters, **WHY, key="1")
    back = await revoke.reinstate(house.vault, commune, house.daughters, **WHY, key="2")
    whole = await looking.look(house.vault, daughter, house.daughters)
    assert [(one.state, one.index) for one in whole.history] == [
        ("suspended", told["index"]),
        ("in_force", back["index"]),
    ]
    assert {(one.ground, one.reason) for one in whole.history} == {(WHY["ground"], WHY["reason"])}
    assert whole.history[0].agency_vi == people.COMMUNE.name_vi
    assert whole.record.validity == "in_force"


async def test_a_replacement_is_told_from_both_sides(
    house: Any, commune: SystemCaller, daughter: OwnerCaller
) -> None:
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    newer = await house.issues(commune, code, people.DAUGHTER, replaces=(house.daughters,))
    old = await looking.look(house.vault, daughter, house.daughters)
    new = await looking.look(house.vault, daughter, newer["record"])
    assert old.replaced_by is not None and old.replaced_by.id == newer["record"] and old.replaced_by.mine
    assert old.replaces == ()
    assert [(one.id, one.mine) for one in new.replaces] == [(house.daughters, True)]
    assert new.replaced_by is None


async def test_of_another_owners_replacement_only_its_existence_is_told(
    house: Any, commune: SystemCaller, daughter: OwnerCaller, mother: OwnerCaller
) -> None:
    """What both own is replaced by what the daughter alone owns: the mother is not shown that one."""
    joint = await _issued(house, commune, ("applicant", "householder"))
    alone = await _issued(house, commune, ("applicant",), replaces=(joint,))
    hers = await looking.look(house.vault, mother, joint)
    assert hers.owners == 2
    assert hers.replaced_by == looking.Neighbour(alone, None, None, mine=False)
    assert people.DAUGHTER.number not in repr(hers)
    whole = await looking.look(house.vault, daughter, joint)
    assert whole.replaced_by is not None and whole.replaced_by.mine


async def _issued(house: Any, commune: SystemCaller, roles: tuple[str, ...], **more: Any) -> str:
    named = [house.person(people.DAUGHTER, "applicant"), house.person(people.MOTHER, "householder")]
    code = await house.opens(commune, people.COMMUNE, house.reregistration(*named))
    fields = people.certificate(f"{next(house.serials)}/2026", "2026-01-05", birth_place="Hà Nội")
    body = ResultBody("GKS", roles, fields, None, None, None, None, **more)
    told = await issue.issue(house.vault, commune, code, body, None, key=os.urandom(8).hex())
    assert isinstance(told, dict), told
    return str(told["record"])


async def test_a_document_of_another_store_is_not_there(house: Any, stranger: OwnerCaller) -> None:
    for record in (house.daughters, "rec-nothing"):
        with pytest.raises(NotFound):
            await looking.look(house.vault, stranger, record)
