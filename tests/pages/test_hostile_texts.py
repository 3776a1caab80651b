"""Every text that somebody may store, tried as script injection on every page that links lead to."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from reuse_api.demo import people
from reuse_api.demo.actors import Clerk, Wallet, caller_key, expect, register
from reuse_api.demo.door import Door
from reuse_api.demo.people import Citizen, Office
from signing.composing import compose
from tests.pages.desk import at_desk
from tests.pages.family import Family
from vault import registering
from vault.callers import Role
from vault.days import legal_day

HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">'"><svg/onload=alert(3)>{{ 7 * 7 }}"""
NOT_PAGES = re.compile(r"^/(static|log|v1)/|/content$|/proof$|/pages/|csv|download|/sign-out|/export")
MOST = 40  # pages of one visitor
# The other language shows the same values through the same templates.
IN_VIETNAMESE, IN_ENGLISH = (
    pytest.mark.parametrize("language", [one, pytest.param(other, marks=pytest.mark.long)])
    for one, other in (("vi", "en"), ("en", "vi"))
)
FORBIDDEN = {"script", "iframe", "object", "embed", "base", "link-import", "foreignobject"}
VICTIM = Citizen(HOSTILE, "001218049991", "2018-02-03")
EVIL = Office(
    code="H26.99.01",
    name_vi=HOSTILE,
    name_en=HOSTILE,
    system="he-thong-la",
    system_name=HOSTILE,
    officer="cb-la-01",
    officer_name=HOSTILE,
    procedures=(people.REREGISTRATION,),
    purposes=("loan_assessment",),
)


class _Looked(HTMLParser):
    """What a browser would make of a page: nothing that runs, nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        runs = [name for name in said if name.startswith("on") or name in ("style", "srcdoc")]
        away = [
            value
            for name, value in said.items()
            if name in ("href", "src", "action", "formaction") and not value.startswith(("/", "#"))
        ]
        if (
            tag in FORBIDDEN
            or runs
            or away
            or (tag == "img" and not said["src"].startswith("/wallet/records/"))
        ):
            self.wrong.append(self.get_starttag_text() or tag)


@dataclass(frozen=True)
class Poisoned:
    """A vault in which hostile texts stand wherever somebody may put one."""

    told: Any
    victim: Wallet
    dossier: str


@pytest.fixture(scope="module")
def poisoned(told: Any, family: Family, tmp_path_factory: pytest.TempPathFactory) -> Poisoned:
    poisoning = _poison(told, family, tmp_path_factory.mktemp("poison"))
    poisoned: Poisoned = told.run(poisoning)
    family.asks(VICTIM)
    return poisoned


async def _poison(told: Any, family: Family, folder: Path) -> Poisoned:
    vault, commune = told.vault, told.stage.commune
    at = urlsplit(told.url)
    door = Door(at.hostname, at.port)
    key = caller_key(folder, EVIL, vault.gate.issuer)
    await register(vault, EVIL, key)
    evil = Clerk(vault, door, EVIL, key)
    await evil.sign_in()
    owner = {"scheme": "personal_number", "value": VICTIM.number, "name": HOSTILE}
    born = date.fromisoformat(VICTIM.born_on)
    await registering.register_owner(vault, **owner, born_on=born, checked_by=people.COMMUNE.code)
    victim = Wallet(vault, door, VICTIM)
    await victim.open(people.COMMUNE.code)
    notes = {"title": HOSTILE, "issuer_name": HOSTILE, "issuer_title": HOSTILE, "signer": HOSTILE}
    day = legal_day(vault.clock.now()).isoformat()
    content = compose("general_result", notes | {"issued_on": day, "body": HOSTILE}, at=vault.clock.now())
    await victim.upload(HOSTILE, "OTHER", content, "vi")
    for certificate in ("122/2026", "123/2026"):
        code = await commune.new_code()
        expect(await commune.open(code, _body("applicant"), "vi"), 200, 201, what="open")
        fields = people.childs_certificate(certificate, day) | {
            "full_name": HOSTILE,
            "birth_place": HOSTILE,
            "home_town": HOSTILE,
            "birth_date": VICTIM.born_on,
            "personal_number": VICTIM.number,
        }
        result = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
        reply = await commune.door.ask("POST", f"/v1/dossiers/{code}/results", result)
        record = expect(reply, 200, 201, what="issue").json["record"]
        if certificate == "122/2026":
            why = {"ground": HOSTILE, "reason": HOSTILE}
            reply = await commune.door.ask("POST", f"/v1/records/{record}/revocation", why)
            expect(reply, 200, what="revoke")
    theirs = await evil.new_code()
    expect(await evil.open(theirs, _body("applicant"), "vi"), 200, 201, what="open")
    ask = {
        "person": {"identifier": {"scheme": "personal_number", "value": VICTIM.number}, "name": HOSTILE},
        "purposes": [{"purpose": "loan_assessment", "reason": HOSTILE}],
        "types": ["GKS"],
        "valid_until": day,
        "max_reads": 3,
    }
    expect(await evil.door.ask("POST", "/v1/consent-requests", ask), 200, 201, what="ask")
    return Poisoned(told, victim, code)


def _body(role: str) -> dict[str, Any]:
    return {
        "procedure": people.REREGISTRATION,
        "channel": "counter",
        "evidence": {"kind": "officer_check", "reference": HOSTILE},
        "persons": [VICTIM.named(role)],
    }


@contextmanager
def _wallet(told: Any, wallet: Wallet, language: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": language}, timeout=60) as client:
        assert client.post("/sign-in", data={"code": told.code_for(wallet)}).status_code == 303
        yield client


@contextmanager
def _staff(told: Any, office: Office, role: Role, language: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": language}, timeout=60) as client:
        assert client.post("/sign-in", data={"code": told.staff_code(office, role)}).status_code == 303
        yield client


def _crawl(client: httpx.Client, *starts: str) -> dict[str, str]:
    """Follow every link from some pages on; each page is looked at, and given by its address."""
    waiting, seen = list(starts), dict.fromkeys(starts, "")
    while waiting:
        place = waiting.pop(0)
        answer = client.get(place)
        assert answer.status_code == 200, (place, answer.status_code)
        assert answer.headers["content-type"].startswith("text/html"), place
        _look(answer.text, place)
        seen[place] = answer.text
        for link in map(unescape, re.findall(r'<a [^>]*?href="(/[^"#]*)', answer.text)):
            if link not in seen and not NOT_PAGES.search(link) and len(seen) < MOST:
                seen[link] = ""
                waiting.append(link)
    return seen


def _look(shown: str, place: str) -> None:
    looked = _Looked()
    looked.feed(shown)
    looked.close()
    assert looked.wrong == [], place


def _poisoned(pages: dict[str, str]) -> int:
    return sum("&lt;script&gt;alert(1)" in text for text in pages.values())


@IN_VIETNAMESE
def test_the_wallet_shows_hostile_texts_as_texts(poisoned: Poisoned, language: str) -> None:
    with _wallet(poisoned.told, poisoned.victim, language) as client:
        pages = _crawl(client, "/wallet", "/wallet/accesses", "/wallet/upload")
    kinds = (
        "/wallet/records/",
        "/wallet/accesses/",
        "/wallet/consents",
        "/wallet/requests/",
        "/view/",
        "/wallet/people",
    )
    assert [kind for kind in kinds if not any(kind in place for place in pages)] == []
    assert _poisoned(pages) > 12


def test_acting_for_a_hostile_name_shows_it_as_text(poisoned: Poisoned) -> None:
    told = poisoned.told
    with _wallet(told, told.stage.mother, "vi") as client:
        shown = client.get("/wallet/people").text
        form = {"form_token": _field(shown, "form_token"), "request": os.urandom(8).hex()}
        claim = form | {"kind": "parent", "value": VICTIM.number}
        assert client.post("/wallet/people", data=claim).status_code == 303
        shown = client.get("/wallet/people").text
        delegation = _field(shown[shown.index("&lt;script&gt;") :], "delegation")
        act = form | {"delegation": delegation}
        assert client.post("/wallet/people/act", data=act).headers["location"] == "/wallet"
        pages = _crawl(client, "/wallet")
        assert all('<aside class="acting"' in text for text in pages.values())
        assert _poisoned(pages) == len(pages), "the banner names whom she acts for on every page"
        client.post("/wallet/people/act", data=form)
        ended = client.post("/wallet/people/end", data=act | {"request": "end"})
        assert ended.headers["location"].endswith("?done=ended")


def _field(shown: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', shown)
    assert found is not None, name
    return unescape(found[1])


@pytest.mark.parametrize(
    ("office", "language"),
    [
        (people.COMMUNE, "vi"),
        (EVIL, "en"),
        pytest.param(people.COMMUNE, "en", marks=pytest.mark.long),
        pytest.param(EVIL, "vi", marks=pytest.mark.long),
    ],
)
def test_the_desk_shows_hostile_texts_as_texts(poisoned: Poisoned, office: Office, language: str) -> None:
    with at_desk(poisoned.told, office, language) as client:
        pages = _crawl(client, "/desk")
    assert len(pages) > 3
    assert _poisoned(pages) > 1


@IN_ENGLISH
def test_the_audit_shows_hostile_texts_as_texts(poisoned: Poisoned, language: str) -> None:
    with _staff(poisoned.told, people.COMMUNE, "auditor", language) as client:
        searches = ("agency=H26.99.01", "event=record_revoked", f"dossier={quote(HOSTILE)}")
        pages = _crawl(client, "/audit", *(f"/audit?find=1&{each}" for each in searches))
        met = _poisoned(pages)
        assert met > len(searches), "the office's name, and what was typed"
        entries = [place for place in pages if place.startswith("/audit/entries/")]
        opened = {place: _opened(client, place) for place in entries}
        grounds = 4  # of the two forms of each answer
        most = max(text.count("&lt;script&gt;alert(1)") for text in opened.values())
        assert _poisoned(opened) == len(opened) and most > grounds, "the office's name in an opened entry too"


def _opened(client: httpx.Client, place: str) -> str:
    """Open an entry on a hostile ground, and have it decided again; both answers are looked at."""
    form = {"form_token": _field(client.get("/audit").text, "form_token"), "ground": HOSTILE}
    answers = [
        client.post(where, data=form | {"request": os.urandom(8).hex()})
        for where in (place, f"{place}/replay")
    ]
    assert [answer.status_code for answer in answers] == [200, 200], place
    for answer in answers:
        _look(answer.text, place)
    return "".join(answer.text for answer in answers)


@IN_VIETNAMESE
def test_administration_shows_hostile_texts_as_texts(poisoned: Poisoned, language: str) -> None:
    place = f"/admin/procedures/{people.REREGISTRATION}"
    with _staff(poisoned.told, people.COMMUNE, "administrator", language) as client:
        pages = _crawl(client, "/admin", f"/admin?q={quote(HOSTILE)}")
        assert _poisoned(pages) > 0, "what was looked for"
        form = {"form_token": _field(client.get("/admin").text, "form_token")}
        hostile = dict.fromkeys(("component", "condition_key", "reason", "legal_reference"), HOSTILE)
        answer = client.post(f"{place}/edits", data=form | hostile)
        assert answer.status_code == 422
        _look(answer.text, place)
        assert _poisoned({place: answer.text}) == 1, "what was typed"
