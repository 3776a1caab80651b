"""Every reason has its words: for a citizen, an officer and a machine, in Vietnamese and English."""

from enum import StrEnum
from string import Formatter
from typing import get_args

import pytest

from policies import consents, decision, delegations, errors, identifiers, matching, wording
from policies.book import BASES
from policies.facts import RESCAN_REASONS, Action, TrustClass, Validity
from policies.identifiers import SCHEMES

ALL = decision.CODES | matching.CODES | identifiers.CODES | errors.ASKING_CODES | decision.OBLIGATIONS
VIETNAMESE = set("àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ")


def test_no_code_is_without_words():
    assert wording.codes() >= ALL


@pytest.mark.parametrize("code", sorted(wording.codes()))
def test_words_are_whole_sentences_in_the_right_language(code):
    for audience in wording.AUDIENCES:
        vi, en = wording.say(code, audience, "vi"), wording.say(code, audience, "en")
        assert vi.endswith(".") and en.endswith(".")
        assert VIETNAMESE & set(vi.lower()), vi
        assert not VIETNAMESE & set(en.lower()), en
        assert not [field for text in (vi, en) for _, field, _, _ in Formatter().parse(text) if field]
        assert code not in vi + en


def test_details_are_woven_in_when_given():
    assert "QĐ 12" in wording.say("record_revoked", "officer", "vi", ground="QĐ 12")
    assert wording.say("record_revoked", "citizen", "vi", ground="QĐ 12")


def test_an_unlisted_reason_shows_its_code():
    assert "strange_new_reason" in wording.say("strange_new_reason", "officer", "en")


@pytest.mark.parametrize(
    ("group", "keys"),
    [
        ("basis", BASES),
        ("validity", Validity),
        ("verdict", ("valid", "invalid", "undetermined")),
        ("trust", TrustClass),
        ("action", Action),
        ("entry", tuple(map(str, range(1, 18)))),
        ("component_kind", ("document", "form", "note", "identity", "residence")),
        ("plan_state", ("satisfied", "candidate", "data_source", "none")),
        ("rescan_reason", RESCAN_REASONS),
        ("consent_state", get_args(consents.Standing)),
        ("delegation_state", get_args(delegations.Standing)),
        ("scheme", SCHEMES),
    ],
)
def test_values_have_names(group: str, keys: type[StrEnum] | tuple[str, ...]):
    for key in keys:
        assert wording.name(group, key, "vi") and wording.name(group, key, "en")
    assert wording.groups()[group] == set(keys)
