"""A citizen at the wallet, without script: she answers a bank, looks at her papers, acts for her child."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reuse_api.demo import people
from signing.receipt import verify_receipt
from tests.pages.family import ACCOUNT, LOAN, Family

Visiting = Callable[..., Any]
SHORT = [("vi", 390), ("en", 1280)]
LONG = [("en", 390), ("vi", 1280)]
LIVES = [*SHORT, *(pytest.param(*life, marks=pytest.mark.long) for life in LONG)]
WORDS = {
    "vi": {
        "asks": "xin đọc giấy tờ",
        "chosen": "Bạn chưa chọn giấy tờ nào",
        "given": "Đã ghi nhận: bạn đồng ý.",
        "refused": "Đã từ chối",
        "withdrawn": "Đã rút lại",
        "page": "Xem trang 1 của “Giấy khai sinh”",
        "acting": "Bạn đang thay mặt",
    },
    "en": {
        "asks": "asks to read documents",
        "chosen": "You have not chosen a document",
        "given": "Taken down: you agreed.",
        "refused": "Refused",
        "withdrawn": "Withdrawn",
        "page": "Page 1 of “Giấy khai sinh” was shown",
        "acting": "You are acting for",
    },
}


def test_an_answer_from_another_tab_that_comes_too_late_is_told(visiting: Visiting, family: Family) -> None:
    visit = visiting("en", script=False)
    mother = visit.told.stage.mother
    request = family.asks(people.MOTHER, LOAN)
    visit.sign_in(mother)
    page = visit.go(f"/wallet/requests/{request}")
    family.gives(mother, request)
    visit.follow(page.locator("section.request button[value=refuse]"))
    told = page.locator("section.request [role=alert]").inner_text()
    assert "already answered" in told and "withdraw" in told
    assert page.locator("section.request form").count() == 0


@pytest.mark.parametrize(("language", "width"), LIVES)
def test_she_answers_a_bank_and_follows_what_it_reads(
    visiting: Visiting, family: Family, language: str, width: int
) -> None:
    visit, words = visiting(language, width=width, script=False), WORDS[language]
    request = family.asks(people.MOTHER, LOAN, ACCOUNT)
    page = visit.sign_in(visit.told.stage.mother)
    assert _before(page, ".asking", ".paper"), "what waits comes first"
    visit.follow(page.locator(f".asking a[href$='{request}']"))
    assert words["asks"] in page.title()
    account, loan = sorted(family.consents(visit.told.stage.mother, request), key=lambda one: one.purpose)
    shown = page.locator(".exact").nth(1).locator("p").all_inner_texts()
    assert "\n".join(shown) == getattr(loan.text, language), (
        "the text that is hashed is the text that is shown"
    )
    assert page.locator("input:checked").count() == 0, "nothing is agreed to beforehand"
    first = page.locator("section.request").nth(1)
    boxes = [first.locator(f"button[value={act}]").bounding_box() for act in ("give", "refuse")]
    assert boxes[0] and boxes[1] and boxes[0]["width"] == boxes[1]["width"]
    visit.follow(first.locator("button[value=give]"))
    assert words["chosen"] in page.locator("section.request [role=alert]").inner_text()
    page.locator("section.request").nth(1).locator("input[type=checkbox]").first.check()
    visit.follow(page.locator("section.request").nth(1).locator("button[value=give]"))
    assert page.url.endswith(f"/wallet/consents/{loan.id}?done=given")
    assert words["given"] in page.locator("[role=status]").inner_text()
    _proven(visit, page.locator("[role=status] a"), "consent_given")
    page = visit.go(f"/wallet/requests/{request}")
    visit.follow(page.locator("section.request button[value=refuse]"))
    assert page.url.endswith(f"/wallet/consents/{account.id}?done=refused")
    assert words["refused"] in page.locator(".head").inner_text()
    _withdraws(visit, family, loan.id, words)


def _withdraws(visit: Any, family: Family, consent: str, words: dict[str, str]) -> None:
    (record,) = family.documents(visit.told.stage.mother, consent)
    assert family.fetches(consent, record) == ["released"]
    page = visit.go(f"/wallet/consents/{consent}")
    assert page.locator(".used li").count() == 1
    assert (
        page.locator(".used a[href^='/wallet/records/']").get_attribute("href") == f"/wallet/records/{record}"
    )
    _proven(visit, page.locator(".used .proof a"), "released")
    page = visit.go(f"/wallet/consents/{consent}")
    visit.follow(page.locator("button[value=pause]"))
    assert family.fetches(consent, record) == ["consent_paused"]
    visit.follow(page.locator("button[value=resume]"))
    visit.follow(page.locator("button[value=withdraw]"))
    assert words["withdrawn"] in page.locator(".head").inner_text()
    assert page.locator(".head button").count() == 0, "there is nothing left to end"
    assert family.fetches(consent, record) == ["consent_withdrawn"]


def _proven(visit: Any, way: Any, event: str) -> None:
    """Follow a proof from where it is offered, and check it with the key line of its page and no vault."""
    page = visit.follow(way)
    line = page.locator("pre").nth(0).inner_text()
    with page.expect_download() as coming:
        page.locator(".steps .button").click()
    checked = verify_receipt(Path(coming.value.path()).read_text("utf-8"), line)
    assert (checked.outcome, checked.parts["event"]["type"]) == ("valid", event)


@pytest.mark.parametrize(("language", "width"), LIVES)
def test_she_looks_at_her_certificate_page_by_page(visiting: Visiting, language: str, width: int) -> None:
    visit = visiting(language, width=width, script=False)
    page = visit.sign_in(visit.told.stage.daughter)
    visit.follow(page.locator(".paper:not(.bad) h2 a", has_text="Giấy khai sinh").first)
    steps = page.locator(".checked .steps > li")
    assert steps.count() == 8 and steps.locator(".mark.bad").count() == 0
    assert steps.locator(".mark.good").count() >= 5
    assert page.locator("main img").count() == 0, "no content before it is asked for"
    with page.expect_response(re.compile(r"/pages/1$")) as coming:
        visit.follow(page.locator("a.button[href$='/view/1']"))
    answer = coming.value
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body().startswith(b"\x89PNG")
    assert page.locator("figure img").get_attribute("alt")
    visit.follow(page.locator(".tabs a[href='/wallet/accesses']"))
    assert page.locator(".months a[aria-current=page]").count() == 1
    newest = page.locator(".log > li").first
    assert newest.locator("h4").inner_text() == WORDS[language]["page"]
    _proven(visit, newest.locator(".proof a"), "page_delivered")


@pytest.mark.parametrize(("language", "width"), LIVES)
def test_she_acts_for_her_child_and_every_page_says_so(
    visiting: Visiting, family: Family, language: str, width: int
) -> None:
    visit, words = visiting(language, width=width, script=False), WORDS[language]
    visit.sign_in(visit.told.stage.mother)
    page = visit.go("/wallet/people")
    _claims(visit, people.CHILD.number[:5])
    assert page.locator("#value").input_value() == people.CHILD.number[:5], "nothing typed is lost"
    assert page.locator("#value").get_attribute("aria-invalid") == "true"
    assert page.locator("input[value=parent]").is_checked()
    _claims(visit, people.STRANGER.number)
    assert page.locator("[role=alert] li").count() == 1, "refused with its reason"
    _claims(visit, people.CHILD.number)
    card = page.locator(".one-of-them", has_text=people.CHILD.name)
    visit.follow(card.locator("form[action$='/act'] button"))
    for place in (
        "/wallet",
        "/wallet/accesses",
        "/wallet/consents",
        "/wallet/upload",
        "/wallet/people",
        "/wallet/x",
    ):
        banner = visit.go(place).locator("aside.acting").inner_text()
        assert words["acting"] in banner and people.CHILD.name in banner, place
    assert people.CHILD.name in visit.go("/wallet").locator("h1").inner_text()
    visit.follow(page.locator(".paper h2 a").first)
    visit.follow(page.locator("a.button[href$='/view/1']"))
    page = visit.go("/wallet/accesses")
    assert people.MOTHER.name in page.locator(".log > li").first.inner_text(), (
        "the child's store names who looked"
    )
    visit.follow(page.locator("aside.acting button"))
    assert page.locator("aside.acting").count() == 0
    assert people.MOTHER.name in page.locator(".holder").inner_text()
    page = visit.go("/wallet/people")
    visit.follow(card.locator("form[action$='/end'] button"))
    expect(page.locator("[role=status]")).to_be_visible()


def _claims(visit: Any, number: str) -> None:
    page = visit.page
    page.locator("input[value=parent]").check()
    page.locator("#value").fill(number)
    visit.follow(page.locator(".fields button[type=submit]"))


def _before(page: Page, first: str, second: str) -> bool:
    one, other = page.locator(first).first.bounding_box(), page.locator(second).first.bounding_box()
    return one is not None and other is not None and one["y"] < other["y"]
