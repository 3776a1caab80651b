"""The policy book: one canonical text, dated entries, and refusal of what contradicts itself."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from policies.book import LATER, book_from_json, canonical, local_day, shipped_book
from policies.errors import BookInvalid
from policies.facts import Action
from policies.packages import read_package, shipped_packages


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
        ("mappings", {"in_force": {"from": "2025-01-10", "to": "2025-01-09"}}),
        ("mappings", {"alternatives": [["GKS"]], "in_force": {"from": "1990-01-01", "to": "2015-12-31"}}),
        ("mappings", {"confirm": "yes"}),
        ("case_keys", {"additional": 1}),
        ("record_types", {"in_force": {"from": "2016-01-01", "to": "2015-12-31"}}),
        ("record_types", {"name": {"vi": "Giấy"}}),
        ("capacities", {"relations": ["aunt"]}),
        ("capacities", {"type": "XYZ"}),
        ("purposes", {"max_days": "long"}),
        ("consent_texts", {"lines_en": ["too few"]}),
        ("consent_texts", {"sensitive": [{"type": "XYZ", "what": {"vi": "gì đó", "en": "something"}}]}),
    ],
)
def test_a_book_that_contradicts_itself_is_refused(section, change):
    document = json.loads(shipped_book().to_json())
    document[section][0].update(change)
    with pytest.raises(BookInvalid) as refused:
        book_from_json(canonical(document))
    assert refused.value.where.startswith(section)


@pytest.mark.parametrize("line", ["{nobody}", "{owner.name}", "{0}", "{}", "{owner"])
def test_a_consent_text_names_only_what_can_be_filled_in(line):
    document = json.loads(shipped_book().to_json())
    document["consent_texts"][0]["lines_vi"][1] = line
    with pytest.raises(BookInvalid):
        book_from_json(canonical(document))


def test_a_book_of_before_consents_is_still_read_and_permits_none():
    document = json.loads(shipped_book().to_json())
    for section in LATER:
        del document[section]
    older = book_from_json(canonical(document))
    assert older.purpose("loan_assessment", date(2026, 11, 26)) is None
    assert older.capacity("parent", date(2026, 11, 26)) is None
    assert older.hash != shipped_book().hash


def test_a_component_is_one_of_one_group():
    document = json.loads(shipped_book().to_json())
    document["alternatives"].append(document["alternatives"][0] | {"key": "another"})
    with pytest.raises(BookInvalid, match="two groups"):
        book_from_json(canonical(document))


def test_a_book_of_before_is_read_as_it_was_published():
    document = json.loads(shipped_book().to_json())
    del document["alternatives"]
    document["own_components"] = [{"code": "CT01"}]
    text = canonical(document)
    before = book_from_json(text)
    assert (before.text, before.alternatives) == (text, ())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"book": {}}'])
def test_what_is_no_book_is_refused(text):
    with pytest.raises(BookInvalid):
        book_from_json(text)
