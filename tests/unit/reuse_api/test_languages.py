"""Both languages have every message, and every message that a page asks for is there."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from policies.facts import TrustClass
from policies.scan_rules import rules
from reuse_api.pages import admin_webhooks, consenting, languages, openid, own_sessions, people
from reuse_api.pages.desk import DONE
from reuse_api.pages.desk_fields import groups_of, tables_of
from reuse_api.pages.desk_issued import TURNS
from reuse_api.pages.desk_result_typed import OF_FILE
from reuse_api.pages.languages import COOKIE, MessageMissing, language, preferred
from reuse_api.pages.rendering import ROOMS, environment
from reuse_api.pages.scan_views import READING, TONES
from reuse_api.pages.troubles import OTHER, TROUBLES
from reuse_api.pages.webhook_views import STATES
from reuse_api.schemas import CHANNELS
from search.index import FACETS
from signing.leaf import Kind
from vault import release
from vault.access_steps import READS
from vault.audit_counts import BYS
from vault.callers import Role
from vault.result_paper import TEMPLATES

STEPS = ("requested", "given", "refused", "paused", "resumed", "withdrawn", "lapsed", "exhausted")
PAGES = Path(str(files("reuse_api.pages")))
CATALOGUES = PAGES.parent / "locale"


@cache
def catalogue(code: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((CATALOGUES / code / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            read = read_po(file, locale=code, abort_invalid=True)
        for message in read:
            if message.id:
                key = message.id if isinstance(message.id, str) else message.id[0]
                words = [message.string] if isinstance(message.string, str) else list(message.string)
                assert not message.fuzzy, key
                assert key not in found, f"{key} stands in two catalogues"
                found[key] = words
    return found


def asked() -> set[str]:
    """Give every key that templates and code ask for; the beginnings of composed ones end with a dot."""
    found: set[str] = set()
    for template in (PAGES / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        found |= set(re.findall(r"""(?:say|count)\(\s*["']([a-z0-9_.]+)["']""", text))
    for file in PAGES.glob("*.py"):
        found |= set(re.findall(r"""\.(?:say|count)\(\s*"([a-z0-9_.]+)["]""", file.read_text("utf-8")))
    return found


def composed() -> set[str]:
    """Give the keys that templates put together from two parts."""
    groups = {f"accesses.{kind}{rest}" for kind in ("own", "outside") for rest in ("", "_note")}
    labels = {f"accesses.{name}" for name in ("agency", "officer", "system", "dossier_label")}
    tabs = {f"site.{name}" for room in ROOMS.values() for name, _ in room.tabs}
    tabs |= {f"site.{part}.{room}" for part in ("tagline", "promise", "back") for room in ROOMS}
    troubles = {one.words for one in (*TROUBLES.values(), OTHER)} | {"refused"}
    told = {f"steps.{outcome}" for outcome in ("passed", "failed", "not_decided")}
    told |= {f"history.{begun}" for begun in ("issued", "uploaded", "digitised", "stored")}
    told |= {f"record.trust_note.{trust.value}" for trust in TrustClass}
    told |= {f"consents.done.{done}" for done in consenting.DONE} | {
        f"people.done.{done}" for done in people.DONE
    }
    told |= {f"consents.step.{step}" for step in STEPS} | {
        f"people.missing.{one}" for one in ("kind", "value")
    }
    desk = {f"desk.channel.{one}" for one in CHANNELS} | {f"desk.done.{one}" for one in DONE}
    desk |= {f"desk.read.{one}" for one in READS} | {f"desk.turn.{one}" for one in TURNS}
    desk |= {f"desk.scan_rule.{rule}" for rule in rules()} | {f"desk.scan_read.{one}" for one in READING}
    desk |= {f"desk.scan_outcome.{one}" for one in (*TONES, "untold")} | {"desk.scan_not_passed"}
    groups_shown = [group for template in TEMPLATES.values() for group in groups_of(template)]
    tables = [table for template in TEMPLATES.values() for table in tables_of(template)]
    fields = {f"field.group.{group.key}" for group in groups_shown}
    fields |= {f"field.{one.label}" for each in (*groups_shown, *tables) for one in each.fields}
    fields |= {f"field.{name}" for name in (*OF_FILE, *(table.name for table in tables))}
    troubled = {f"problem.{one}{rest}" for one in troubles for rest in ("", "_note")}
    desk |= {f"search.by.{one}" for one in FACETS}
    desk |= {f"sign_in.not.{why}{rest}" for why in openid.WHY_NOT for rest in ("", "_note")}
    desk |= {f"sign_in.onward.{at}" for at in ("provider", "home", "name")}
    desk |= {f"sign_in.as.{role}" for role in get_args(Role)}
    desk |= {f"sessions.role.{role}" for role in get_args(Role)}
    desk |= {f"sessions.device.{one}" for one in ("phone", "computer")}
    desk |= {f"sessions.done.{one}" for one in own_sessions.DONE}
    audit = {f"certificates.{done}" for done in ("added", "ended")}
    audit |= {f"audit.counts.by.{one}" for one in BYS} | {f"webhooks.state.{one}" for one in STATES}
    audit |= {f"webhooks.done.{one}" for one in admin_webhooks.DONE}
    return groups | labels | tabs | told | desk | fields | audit | troubled


def test_both_languages_have_the_same_keys_none_empty() -> None:
    vietnamese, english = catalogue("vi"), catalogue("en")
    assert set(vietnamese) == set(english)
    for messages in (vietnamese, english):
        assert [key for key, words in messages.items() if not all(one.strip() for one in words)] == []


def test_both_languages_weave_in_the_same_details() -> None:
    vietnamese, english = catalogue("vi"), catalogue("en")

    def details(words: list[str]) -> set[str]:
        return {name for one in words for _, name, _, _ in Formatter().parse(one) if name is not None}

    differing = [key for key, words in vietnamese.items() if details(words) != details(english[key])]
    assert differing == []


def test_no_sentence_was_left_in_the_other_language() -> None:
    alike = {key for key, words in catalogue("vi").items() if words == catalogue("en")[key]}
    assert alike == {"site.name", "record.pdf", "record.other_file"}


def test_every_message_asked_for_is_there_and_every_one_there_is_asked_for() -> None:
    keys, wanted = set(catalogue("vi")), asked()
    whole = {key for key in wanted if not key.endswith(".")} | composed()
    assert {key for key in wanted if key.endswith(".")} == {
        "accesses.",
        "certificates.",
        "consents.done.",
        "people.done.",
        "audit.counts.by.",
        "desk.channel.",
        "desk.done.",
        "desk.read.",
        "desk.turn.",
        "field.",
        "field.group.",
        "problem.",
        "search.by.",
        "sessions.device.",
        "sessions.done.",
        "sessions.role.",
        "sign_in.as.",
        "sign_in.not.",
        "sign_in.onward.",
        "site.",
        "site.back.",
        "site.promise.",
        "site.tagline.",
        "webhooks.done.",
        "webhooks.state.",
    }
    assert whole - keys == set()
    by_value = (
        "desk.advice.",
        "desk.notice.",
        "desk.scan_value.",
        "desk.use.",
        "desk.waiting.",
        "event.",
        "kind.",
        "upload.error.",
    )  # picked by what an entry or a fault is
    assert {key for key in keys - whole if not key.startswith(by_value)} == set()


@pytest.mark.parametrize("code", ["vi", "en"])
def test_every_kind_of_entry_has_words(code: str) -> None:
    keys = set(catalogue(code))
    assert {f"kind.{int(kind)}" for kind in Kind} <= keys


def test_every_event_about_a_dossier_a_document_or_a_refusal_has_a_sentence() -> None:
    """The other kinds have one event each, told by the kind."""
    told = re.compile(r"""Kind\.(?:REFUSED|RECORD_EVENT|DOSSIER_EVENT),\s*"([a-z_]+)["]""")
    turned = re.compile(r"""Turn\(.+, "([a-z_]+)", "([a-z_]+)"\)""")
    sources = [Path(str(one)) for one in files("vault").iterdir() if one.name.endswith(".py")]
    texts = [source.read_text("utf-8") for source in sources]
    events = {event for text in texts for event in told.findall(text)}
    events |= {event for text in texts for pair in turned.findall(text) for event in pair}
    assert "revoked" in events
    assert {f"event.{event}" for event in events} - set(catalogue("vi")) == set()


def test_the_desk_tells_an_access_in_the_steps_of_the_code() -> None:
    told = re.findall(r"^[1-8] (.*)$", release.__doc__ or "", re.MULTILINE)
    shown = [language("en").say(f"desk.step_{n}") for n in range(1, 9)]
    assert len(told) == 8
    plain = [one.translate({ord(quote): "`" for quote in "“”"}) for one in shown]
    assert [one for one, step in zip(plain, told, strict=True) if not step.startswith(one)] == []


def test_a_missing_message_is_an_error_that_names_it() -> None:
    with pytest.raises(MessageMissing, match=r"no\.such\.key"):
        language("vi").say("no.such.key")
    with pytest.raises(MessageMissing):
        language("vi").count("no.such.key", 2)


def test_numbers_take_their_plural() -> None:
    assert language("en").count("records.count", 1) == "1 document"
    assert language("en").count("records.count", 2) == "2 documents"
    assert language("vi").count("records.count", 2) == "2 giấy tờ"


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (None, None, "vi"),
        (None, "en-GB,en;q=0.9,vi;q=0.5", "en"),
        (None, "fr", "vi"),
        ("en", "vi", "en"),
        ("vi", "en", "vi"),
        ("xx", "en", "en"),
        ("../../etc", None, "vi"),
    ],
)
def test_the_choice_on_the_page_beats_the_browsers(
    cookie: str | None, header: str | None, expected: str
) -> None:
    cookies = {} if cookie is None else {COOKIE: cookie}
    assert preferred(cookies, header).code == expected


def test_a_catalogue_is_read_once() -> None:
    assert languages.language("vi") is languages.language("vi")


@pytest.mark.parametrize("tab", sorted({name for room in ROOMS.values() for name, _ in room.tabs}))
def test_every_tab_has_a_sign_of_its_own(tab: str) -> None:
    drawn = environment().from_string("{% from 'icons.html' import sign %}{{ sign(name) }}")
    assert re.search(r"<(path|circle|rect) ", drawn.render(name=tab))
