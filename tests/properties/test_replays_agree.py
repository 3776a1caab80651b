"""What is recorded of a decision is enough to make it again: any facts, whatever came of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.book import book_from_json, canonical, shipped_book
from policies.decision import decide
from policies.errors import FactsUnreadable
from policies.facts import AccessFacts, Action, CallerFacts, DossierFacts
from policies.recording import basis_part, plain
from policies.replaying import access_facts, replay

BOOK = shipped_book()
AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
facts = st.from_type(AccessFacts)


def recorded(told: AccessFacts) -> dict:
    """The basis part as it comes out of a sealed body."""
    decision = decide(told, BOOK, AT)
    return json.loads(json.dumps(basis_part(decision, told)))


def result_of(basis: dict) -> str:
    return basis["decision"]


@given(facts)
def test_facts_come_back_as_they_were(told):
    assert access_facts(json.loads(json.dumps(plain(told)))) == told


@given(facts)
def test_deciding_again_gives_the_same(told):
    basis = recorded(told)
    again = replay(basis, result_of(basis), book_from_json(BOOK.to_json()), AT)
    assert again.differences == ()
    assert again.decision == decide(told, BOOK, AT)


# A refusal of the law's own: no officer is named.
REFUSED = AccessFacts(
    Action.CLOSE_DOSSIER,
    CallerFacts("H26", True, "one-stop", True, "officer", False),
    dossier=DossierFacts("H26-261101-0001", "H26", AT.date(), "H26", "1.004884", None, AT.date()),
)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"decision": "permitted"}, {"decision"}),
        ({"reasons": []}, {"reasons"}),
        ({"policy": "0" * 64}, {"policy"}),
        ({"kind": "statute"}, {"kind"}),
        ({"reference": "Luật"}, {"reference"}),
    ],
)
def test_what_was_recorded_otherwise_is_named(change, names):
    basis = recorded(REFUSED) | change
    again = replay(basis, "refused", BOOK, AT)
    assert {one.name for one in again.differences} == names
    (one,) = again.differences
    assert one.recorded == next(iter(change.values())) and one.again != one.recorded


def test_an_event_that_says_otherwise_than_the_decision_is_named():
    again = replay(recorded(REFUSED), "permitted", BOOK, AT)
    assert [(one.name, one.recorded, one.again) for one in again.differences] == [
        ("result", "permitted", "refused")
    ]


def test_another_book_decides_otherwise_and_every_difference_is_named():
    """The rule in force then, ended before then by a later hand."""
    document = json.loads(BOOK.to_json())
    for rule in document["rules"]:
        rule["in_force"] = {"from": "2001-01-01", "to": "2001-01-02"}
    other = book_from_json(canonical(document))
    live = replace(REFUSED, caller=replace(REFUSED.caller, officer_live=True))
    basis = recorded(live)
    assert basis["decision"] == "permitted"
    again = replay(basis, "permitted", other, AT)
    named = {"decision", "kind", "policy", "reasons", "reference", "result"}
    assert {one.name for one in again.differences} == named


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda told: told.pop("action"), "facts.action"),
        (lambda told: told.update(action="fly"), "facts.action"),
        (lambda told: told.update(more=1), "facts.more"),
        (lambda told: told["caller"].update(system_live="yes"), "facts.caller.system_live"),
        (lambda told: told["caller"].pop("agency"), "facts.caller.agency"),
        (lambda told: told["dossier"].update(code_day="yesterday"), "facts.dossier.code_day"),
        (lambda told: told["dossier"].update(components="KQ"), "facts.dossier.components"),
        (lambda told: told["dossier"].update(persons=["own-1"]), "facts.dossier.persons"),
    ],
)
def test_facts_of_another_shape_are_refused_by_place(spoil, where):
    told = json.loads(json.dumps(plain(REFUSED)))
    spoil(told)
    with pytest.raises(FactsUnreadable, match=where):
        access_facts(told)


@pytest.mark.parametrize("told", [None, [], "facts", {}])
def test_what_is_no_facts_at_all_is_refused(told):
    with pytest.raises(FactsUnreadable):
        access_facts(told)


def test_facts_of_an_older_kind_take_what_they_lack():
    told = json.loads(json.dumps(plain(REFUSED)))
    del told["caller"]["predecessors"], told["dossier"]["additional_cases"]
    assert access_facts(told) == REFUSED
