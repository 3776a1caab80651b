"""How old somebody is comes from the birth certificate, not from whoever named them first."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from policies.consents import age
from reuse_api.demo import people
from vault import births, registering
from vault.claiming import claim
from vault.days import legal_day
from vault.drafting import draft
from vault.errors import FieldInvalid
from vault.tables import delegation, owner, record

pytestmark = pytest.mark.anyio

ADULT = people.STRANGER  # born in 2006, as the number says


async def claims(house, mother, citizen):
    return await claim(
        house.vault, mother, scheme="personal_number", value=citizen.number, kind="parent", key=citizen.number
    )


async def born(house, citizen, day):
    """Have the store say a day of birth, whatever its first caller would have been told of it."""
    person = await house.owner(citizen)
    await house.change(update(owner).where(owner.c.id == person.owner).values(born_on=day))
    return person.owner


async def certified(house, commune, day):
    """Give the adult a birth certificate that names the mother and says a day of birth."""
    body = house.reregistration(house.person(ADULT, "applicant"))
    code = await house.opens(commune, people.COMMUNE, body)
    fields = people.certificate("7/2026", legal_day(house.vault.clock.now()).isoformat(), birth_place="Huế")
    named = {"full_name": ADULT.name, "birth_date": day, "personal_number": ADULT.number}
    return (await house.issues(commune, code, ADULT, fields=fields | named))["record"]


@pytest.mark.parametrize(
    ("store", "certificate"),
    [
        ("2016-11-20", "2006-11-20"),  # an agency once typed a child's birthday
        ("2016-11-20", "2016-11-20"),  # so did the certificate: the number says otherwise
        (None, "2016-11-20"),
        (None, "2006-11-20"),
    ],
)
async def test_no_wrong_birthday_makes_an_adult_a_child(house, commune, mother, store, certificate):
    await certified(house, commune, certificate)
    await born(house, ADULT, store)
    assert (await claims(house, mother, ADULT)).reasons == ("delegation_of_age",)


async def test_a_child_is_acted_for_by_the_certificate_alone(house, mother):
    child = await born(house, people.CHILD, None)
    told = await claims(house, mother, people.CHILD)
    (row,) = await house.rows(select(delegation.c.valid_until).where(delegation.c.id == told["delegation"]))
    assert (row.valid_until, told["valid_until"]) == ("2034-05-08", "2034-05-08")
    async with house.vault.db.read() as db:
        assert await births.known(db, child, date(2026, 1, 1)) == date(2016, 5, 9)


@pytest.mark.parametrize("day", ["2016-05-10", "2010-05-09"])
async def test_a_store_that_says_another_day_leaves_it_uncertain(house, mother, day):
    await born(house, people.CHILD, day)
    assert (await claims(house, mother, people.CHILD)).reasons == ("delegation_of_age",)


async def test_a_certificate_without_a_kept_day_of_birth_proves_none(house, mother):
    await house.change(update(record).where(record.c.id == house.childs).values(subject_born_on=None))
    assert (await claims(house, mother, people.CHILD)).reasons == ("delegation_of_age",)


async def test_whoever_may_be_a_child_is_treated_as_one(house):
    today = legal_day(house.vault.clock.now())
    person = await born(house, people.STRANGERS_MOTHER, None)
    wrong = await born(house, ADULT, "1990-01-01")
    async with house.vault.db.read() as db:
        assert await births.known(db, person, today) == date(1978, 12, 31)
        adult = await births.known(db, wrong, today)
    assert adult == date(2006, 12, 31)
    assert age(adult, today) < age(date(1990, 1, 1), today)


async def test_nobody_is_named_with_a_birthday_of_another_year(house, commune):
    newborn = replace(people.CHILD, number="001216099999")
    person = house.person(newborn, "applicant", born_on=date(1996, 5, 9))
    with pytest.raises(FieldInvalid) as refused:
        await draft(house.vault, commune, house.code(people.COMMUNE), house.reregistration(person))
    assert (refused.value.field, refused.value.code) == ("persons.0.born_on", "birth_date_disagrees")
    with pytest.raises(FieldInvalid):
        await registering.register_owner(
            house.vault,
            scheme="personal_number",
            value=newborn.number,
            name=newborn.name,
            born_on=date(1996, 5, 9),
            checked_by=people.COMMUNE.code,
        )
