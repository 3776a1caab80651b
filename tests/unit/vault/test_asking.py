"""Whoever asks for consent learns nothing about whom; and asks no more than they may."""

from datetime import timedelta
from unicodedata import normalize

import pytest
from sqlalchemy import select

from policies.consents import standing
from reuse_api.demo import people
from reuse_api.demo.people import Citizen
from signing.leaf import Kind
from tests.unit.vault.conftest import ACCOUNT, LOAN, Lending, at_ten, fresh
from vault import asking, consents, my_consents, receipts
from vault.clock import FixedClock
from vault.consent_request import AskedPurpose
from vault.days import legal_day
from vault.errors import FieldInvalid, NotFound
from vault.services import Refusal
from vault.tables import consent, log_entry, notice

pytestmark = pytest.mark.anyio
NOBODY = Citizen("Nguyễn Văn Không", "001207012999", "2007-01-01")
MISNAMED = Citizen("Nguyễn Thị Khác", people.DAUGHTER.number, people.DAUGHTER.born_on)


async def lender(house):
    return Lending(house, await house.system(people.BANK, officer=False))


async def told(house, lending, citizen, **changes):
    """Ask, and give everything the asker can see of it: answer, state, receipt, new entries."""
    size = await house.size()
    answer = await lending.request(lending.asks(citizen, **changes))
    kinds = [row.kind for row in await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))]
    state = await asking.state(house.vault, lending.bank, answer["request"])
    (line,) = answer["consents"]
    assert await receipts.fetch(house.vault, lending.bank, line["receipt"])
    (entry,) = [one for one in await house.last(lending.bank, 9) if one.index == line["index"]]
    basis, facts = entry.parts.basis, entry.parts.basis["facts"]
    assert "owner" not in facts["consent"]
    assert entry.parts.subject == {}
    told_facts = facts["consent"] | {"id": "", "offered": len(facts["consent"]["offered"])}
    return {
        "answer": [sorted(answer), sorted(line), line["state"], answer["answer_until"]],
        "state": [{**one, "consent": ""} for one in state["consents"]],
        "kinds": kinds,
        "distance": line["index"] - size,
        "entry": [
            entry.parts.actor,
            basis["decision"],
            basis["reasons"],
            basis["asked"]["types"],
            told_facts,
        ],
        "fields": [sorted(facts), sorted(facts["consent"])],
    }


async def test_known_unknown_misnamed_and_without_papers_are_told_alike(house, lending, stranger):
    """The stranger has a store without a birth certificate; the record asked for may be anybody's."""
    seen = [
        await told(house, lending, people.DAUGHTER),
        await told(house, lending, NOBODY),
        await told(house, lending, MISNAMED),
        await told(house, lending, people.STRANGER),
    ]
    assert seen[0] == seen[1] == seen[2] == seen[3]
    named = [
        await told(house, lending, citizen, types=(), records=(record,))
        for citizen, record in (
            (people.DAUGHTER, house.daughters),
            (people.STRANGER, house.daughters),
            (NOBODY, "rec-of-nobody-in-the-world"),
        )
    ]
    assert named[0] == named[1] == named[2]


async def test_only_the_one_who_is_meant_is_told(house, lending, daughter, stranger):
    await told(house, lending, MISNAMED)
    await told(house, lending, people.STRANGER, types=(), records=(house.daughters,))
    assert await my_consents.my_consents(house.vault, daughter) == []
    assert await my_consents.my_consents(house.vault, stranger) == []
    await lending.asked(people.STRANGER)  # who holds no birth certificate, but may get one
    (waiting,) = await my_consents.pending(house.vault, stranger)
    assert waiting.offered == ()
    (entry,) = await house.last(stranger)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.CONSENT_EVENT, "consent_requested")
    assert entry.parts.actor["system"] == people.BANK.system


async def test_names_are_compared_without_case_and_spacing(house, lending, daughter):
    await lending.asked(Citizen("  nguyễn   MINH anh ", people.DAUGHTER.number, ""))
    assert len(await my_consents.pending(house.vault, daughter)) == 1


async def test_a_request_is_asked_once_for_its_key(house, lending):
    first = await lending.request(lending.asks(), key="once")
    size = await house.size()
    assert await lending.request(lending.asks(), key="once") == first
    assert await house.size() == size


@pytest.mark.parametrize("citizen", [people.DAUGHTER, NOBODY])
async def test_five_requests_may_wait_for_one_person(house, lending, citizen):
    for _ in range(5):
        await lending.request(lending.asks(citizen))
    size = await house.size()
    refusal = await lending.request(lending.asks(citizen))
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == ("consent_too_many_waiting",)
    assert await house.size() == size + 1, "the person hears nothing of it"
    assert isinstance(await lending.request(lending.asks(people.MOTHER)), dict)


async def test_a_request_taken_back_waits_no_more(house, lending, daughter):
    answer = await lending.request(lending.asks(purposes=(LOAN, ACCOUNT)))
    loan, account = (one["consent"] for one in answer["consents"])
    await lending.gives(daughter, loan)
    lapsed = await asking.lapse(house.vault, lending.bank, answer["request"], key="lapse")
    assert [(one["consent"], one["state"]) for one in lapsed["consents"]] == [(account, "lapsed")]
    state = await asking.state(house.vault, lending.bank, answer["request"])
    assert {one["consent"]: one["state"] for one in state["consents"]} == {loan: "given", account: "lapsed"}
    assert await my_consents.pending(house.vault, daughter) == []
    refusal = await lending.gives(daughter, account)
    assert refusal.reasons == ("consent_already_answered",)
    again = await asking.lapse(house.vault, lending.bank, answer["request"], key="again")
    assert again.reasons == ("consent_already_answered",)
    assert (await house.last(daughter, 2))[0].parts.event["type"] == "consent_lapsed"


async def test_taking_back_tells_nothing_either(house, lending):
    seen = []
    for citizen in (people.DAUGHTER, NOBODY):
        answer = await lending.request(lending.asks(citizen))
        size = await house.size()
        lapsed = await asking.lapse(house.vault, lending.bank, answer["request"], key=fresh())
        kinds = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
        (line,) = lapsed["consents"]
        seen.append((sorted(line), line["state"], line["index"] - size, [one.kind for one in kinds]))
    assert seen[0] == seen[1]


async def test_another_system_finds_no_such_request(house, lending, commune):
    answer = await lending.request(lending.asks())
    with pytest.raises(NotFound):
        await asking.state(house.vault, commune, answer["request"])
    with pytest.raises(NotFound):
        await asking.lapse(house.vault, commune, answer["request"], key="lapse")
    with pytest.raises(NotFound):
        await asking.state(house.vault, lending.bank, "ask-unknown")


async def test_a_request_that_nobody_answers_lapses_by_itself(open_house):
    clock = FixedClock(at_ten())
    async with open_house(clock) as house:
        lending = await lender(house)
        answer = await lending.request(lending.asks(valid_until=legal_day(clock.now()) + timedelta(days=100)))
        last = clock.now() + timedelta(days=30)
        for at, state in ((last, "requested"), (last + timedelta(days=1), "lapsed")):
            clock.move_to(at)
            told_now = await asking.state(house.vault, lending.bank, answer["request"])
            assert told_now["consents"][0]["state"] == state
        daughter = await house.owner(people.DAUGHTER)
        assert await my_consents.pending(house.vault, daughter) == []
        refusal = await lending.gives(daughter, answer["consents"][0]["consent"])
        assert refusal.reasons == ("consent_lapsed",)


async def test_no_text_is_kept_for_nobody(house, lending):
    await lending.asked(NOBODY)
    (row,) = await house.rows(select(consent).where(consent.c.owner.is_(None)))
    assert (row.text_vi, row.text_en) == ("", "")
    assert NOBODY.number.encode() not in row.asked
    assert (
        standing(consents.facts(row._mapping, frozenset()), legal_day(house.vault.clock.now())) == "requested"
    )
    assert await house.rows(select(notice)) == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"value": "12"}, "person.identifier", "personal_number_malformed"),
        ({"scheme": "shoe_size"}, "person.identifier", "identifier_scheme_unknown"),
        ({"purposes": ()}, "purposes", "purposes_number"),
        ({"purposes": (LOAN,) * 2}, "purposes", "purpose_twice"),
        ({"purposes": (AskedPurpose(LOAN.purpose, "   "),)}, "purposes.0.reason", "reason_length"),
        ({"purposes": (AskedPurpose(LOAN.purpose, "a\u202eb"),)}, "purposes.0.reason", "value_malformed"),
        ({"purposes": (AskedPurpose(LOAN.purpose, "a\u2028b"),)}, "purposes.0.reason", "value_malformed"),
        ({"purposes": (AskedPurpose(LOAN.purpose, "a\nb"),)}, "purposes.0.reason", "value_malformed"),
        ({"types": ()}, "types", "consent_nothing_asked"),
        ({"records": ("a",) * 21}, "records", "too_many"),
        ({"max_reads": 0}, "max_reads", "consent_reads_number"),
        ({"max_reads": 101}, "max_reads", "consent_reads_number"),
    ],
)
async def test_a_request_that_cannot_be_one_stores_nothing(house, lending, changes, field, code):
    size = await house.size()
    with pytest.raises(FieldInvalid) as refused:
        await lending.request(lending.asks(**changes))
    assert (refused.value.field, refused.value.code) == (field, code)
    assert await house.size() == size
    assert await house.rows(select(consent)) == []


async def test_a_reason_is_kept_in_composed_letters(house, lending, daughter):
    spelt = normalize("NFD", "Hồ sơ vay số 7")
    consent_id = await lending.asked(purposes=(AskedPurpose(LOAN.purpose, spelt),))
    found = await my_consents.my_consent(house.vault, daughter, consent_id)
    assert found.reason == "Hồ sơ vay số 7"
    assert found.reason in found.text.vi


async def test_the_shortest_limit_of_several_purposes_counts(house, lending):
    with pytest.raises(FieldInvalid) as refused:
        await lending.request(lending.asks(purposes=(LOAN, ACCOUNT), max_reads=11))
    assert refused.value.code == "consent_reads_number"
    day = legal_day(house.vault.clock.now())
    with pytest.raises(FieldInvalid) as refused:
        await lending.request(lending.asks(purposes=(LOAN, ACCOUNT), valid_until=day + timedelta(days=30)))
    assert refused.value.code == "consent_too_long"
    assert isinstance(
        await lending.request(lending.asks(purposes=(LOAN, ACCOUNT), valid_until=day + timedelta(days=29))),
        dict,
    )
