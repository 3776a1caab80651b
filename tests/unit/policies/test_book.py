"""The policy book: one canonical text, dated entries, and refusal of what contradicts itself."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from policies.book import book_from_json, canonical, local_day, shipped_book
from policies.errors import BookInvalid
from policies.facts import Action
from policies.procedures import read_package, shipped_packages


def test_the_stored_text_is_the_same_book():
    book = shipped_book()
    assert book_from_json(book.to_json()) == book
    assert hashlib.sha256(book.to_json().encode()).hexdigest() == book.hash


def test_spaces_and_order_do_not_change_the_hash():
    document = json.loads(shipped_book().to_json())
    loose = json.dumps(dict(reversed(document.items())), indent=3)
    assert book_from_json(loose).hash == shipped_book().hash


def test_one_changed_word_does():
    document = json.loads(shipped_book().to_json())
    document["mappings"][0]["least_trust"] = "B"
    assert book_from_json(canonical(document)).hash != shipped_book().hash


def test_rules_hold_from_their_first_to_their_last_day():
    def ground(day):
        rule = shipped_book().rule_for("statute", Action.RELEASE, "1.004222", "GKS", day)
        return rule.key if rule else None

    days = [date(2023, 6, 30), date(2023, 7, 1), date(2025, 12, 31), date(2026, 1, 1)]
    assert [ground(day) for day in days] == [None, "residence-2023", "residence-2023", "residence-2026"]


def test_the_legal_day_is_viet_nams():
    assert local_day(datetime(2026, 11, 24, 16, 59, tzinfo=UTC)) == date(2026, 11, 24)
    assert local_day(datetime(2026, 11, 24, 17, 0, tzinfo=UTC)) == date(2026, 11, 25)


def test_the_book_speaks_of_components_that_the_packages_have():
    book = shipped_book()
    rows = {
        (one.code, row.code) for one in map(read_package, shipped_packages()) for row in one.all_components()
    }
    conditional = {(entry.procedure, code) for entry in book.conditions for code in entry.components}
    assert set(book.mappings) | set(book.component_readings) | conditional <= rows


def test_every_asked_component_has_a_short_name():
    for one in map(read_package, shipped_packages()):
        for row in one.all_components():
            assert row.kind == "note" or (len(row.label.vi) < 80 and row.label.en != row.label.vi), row.code


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("mappings", {"alternatives": [["XYZ"]]}),
        ("mappings", {"data_source": "oracle"}),
        ("mappings", {"unless": "it_rains"}),
        ("mappings", {"case": "nowhere"}),
        ("mappings", {"relation": {"fields": ["aunt"], "role": "householder"}}),
        ("mappings", {"least_trust": "F"}),
        ("mappings", {"least_trsut": "A"}),
        ("mappings", {"in_force": {"from": "yesterday"}}),
        ("rules", {"basis": "habit"}),
        ("rules", {"actions": ["steal"]}),
        ("rules", {"types": ["XYZ"]}),
        ("own_components", {"case": "nowhere"}),
        ("own_components", {"kind": "poem"}),
        ("own_components", {"originals": True}),
        ("record_types", {"name": {"vi": "Giấy"}}),
    ],
)
def test_a_book_that_contradicts_itself_is_refused(section, change):
    document = json.loads(shipped_book().to_json())
    document[section][0].update(change)
    with pytest.raises(BookInvalid) as refused:
        book_from_json(canonical(document))
    assert refused.value.where.startswith(section)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"book": {}}'])
def test_what_is_no_book_is_refused(text):
    with pytest.raises(BookInvalid):
        book_from_json(text)
