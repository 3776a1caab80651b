"""An officer's day in a real browser without script: both languages, phone and desk, and by keys alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reuse_api.demo import people
from tests.pages.test_citizen_life import LIVES

Visiting = Callable[..., Any]
GROUND = "Luật Hộ tịch, Điều 70; Quyết định 15/QĐ-UBND"


def open_dossier(visit: Any, *, applicant: people.Citizen, householder: people.Citizen) -> str:
    """Fill in the form, mistype a number, mend it, and give the code of the dossier that is open then."""
    page: Page = visit.page
    visit.go("/desk")
    expect(page.locator("#code")).to_be_focused()
    visit.follow(page.locator('main a[href="/desk/new"]'))
    code = page.locator("#code").input_value()
    page.locator("#case").select_option(people.CASE)
    page.locator("#persons-0-identifier").fill("12345")
    page.locator("#persons-0-name").fill(applicant.name)
    page.locator("#persons-1-identifier").fill(householder.number)
    page.locator("#persons-1-name").fill(householder.name)
    page.locator("label.check", has=page.locator('[value="officer_check"]')).click()
    visit.follow(page.locator("p.acts button[value=open]"))
    expect(page.locator("#persons-0-identifier")).to_be_focused()
    assert page.locator("#persons-0-identifier-error").is_visible()
    assert page.locator("#persons-1-name").input_value() == householder.name
    assert page.locator("#case").input_value() == people.CASE
    page.locator("#persons-0-identifier").fill(applicant.number)
    visit.follow(page.locator("p.acts button[value=open]"))
    assert page.url.endswith(f"/desk/dossiers/{code}?done=opened")
    return code


def take_everything(visit: Any, code: str) -> str:
    """Take what is there in one act, read it, follow its steps; gives the number of the document."""
    page: Page = visit.page
    assert page.locator(".plan > li.satisfied").count() == 1
    assert page.locator(".forms li").count() == 1
    visit.follow(page.locator(".bar-of .button").first)
    assert page.locator(".done[role=status]").is_visible()
    number = page.locator(".found .document .note").first.inner_text()
    visit.follow(page.locator(".deed .button").first)
    assert page.locator(".page img").evaluate("one => one.complete && one.naturalWidth > 300")
    with page.expect_download() as coming:
        page.locator('a[href$="/content"]').click()
    assert Path(coming.value.path()).read_bytes().startswith(b"%PDF-")
    visit.go(f"/desk/dossiers/{code}")
    visit.follow(page.locator('.rows a[href*="/releases/"]'))
    assert page.locator(".steps > li").count() == 8
    assert page.locator(".steps > li").nth(6).locator("li").count() == 1, "picture and file share one reading"
    with page.expect_download() as coming:
        page.locator('.proof a[href*="/desk/receipts/"]').click()
    assert Path(coming.value.path()).read_text("utf-8").startswith("c2sp.org/tlog-proof@v1")
    return number


def confirm_a_candidate(visit: Any) -> None:
    """A family whose only paper is an upload: look at it, say what it was compared with, and it counts."""
    page: Page = visit.page
    open_dossier(visit, applicant=people.STRANGER, householder=people.STRANGERS_MOTHER)
    candidate = page.locator(".plan > li.candidate")
    assert candidate.locator(".document .why li").count() >= 2, "why it is no more than that"
    visit.follow(candidate.locator(".candidate form button"))
    visit.follow(page.locator('a[href*="/confirmation"]'))
    expect(page.locator("#reason")).to_be_focused()
    page.locator("#reason").fill("Đã đối chiếu với bản chính tại quầy")
    visit.follow(page.locator(".fields .button"))
    assert page.locator(".plan > li.satisfied").count() == 1
    visit.follow(page.locator('a[href$="/close"]'))
    visit.follow(page.locator("main form button"))
    assert page.locator(".plan").count() == 0


def revoke(visit: Any, number: str) -> None:
    """The commune takes back what it issued, with its ground."""
    page: Page = visit.page
    visit.sign_in_staff(people.COMMUNE, "desk")
    visit.follow(page.locator('nav a[href="/desk/issued"]'))
    wanted = number.split(",", maxsplit=1)[0].removeprefix("Số ").removeprefix("No. ")
    page.locator("#number").fill(wanted)
    visit.follow(page.locator(".sieve button"))
    visit.follow(page.locator(".rows a").first)
    page.locator("label.check", has=page.locator('[value="revoke"]')).click()
    page.locator("#ground").fill(GROUND)
    page.locator("#reason").fill("Cấp sai thẩm quyền")
    visit.follow(page.locator(".fields .button"))
    assert page.locator(".done[role=status]").is_visible()
    assert GROUND in page.locator("main").inner_text()


def hear_of_it(visit: Any, code: str, number: str) -> None:
    """The police hear that the document of an open dossier was revoked, and read it no more."""
    page: Page = visit.page
    visit.sign_in_staff(people.POLICE, "desk")
    notice = page.locator(".notices li", has_text=code)
    assert notice.count() == 1
    visit.follow(notice.locator("a"))
    assert page.locator(".notices li").count() == 1
    assert number not in "".join(page.locator(".found > .document .note").all_inner_texts())
    assert page.locator(".deed .mark.bad").count() == 1, "what was taken serves no more"
    visit.follow(page.locator(".notices button"))
    assert page.locator(".notices li", has_text=code).count() == 0


@pytest.mark.parametrize(("language", "width"), LIVES)
def test_an_officers_day(visiting: Visiting, told: Any, language: str, width: int) -> None:
    fields = people.certificate(f"{language}-{width}/2026", "2026-01-05", birth_place="Hà Nội")
    told.run(issue(told, fields))
    visit = visiting(language, width=width, script=False)
    visit.sign_in_staff(people.POLICE, "desk")
    confirm_a_candidate(visit)
    code = open_dossier(visit, applicant=people.DAUGHTER, householder=people.MOTHER)
    number = take_everything(visit, code)
    revoke(visit, number)
    hear_of_it(visit, code, number)


async def issue(told: Any, fields: dict[str, Any]) -> None:
    """Have the commune's system issue a certificate of the daughter's."""
    commune = told.stage.commune
    code = await commune.new_code()
    named = [people.DAUGHTER.named("applicant")]
    body = {"procedure": people.REREGISTRATION, "persons": named, "channel": "counter"}
    await commune.open(code, body | {"evidence": {"kind": "officer_check"}}, "vi")
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}
    reply = await commune.door.ask("POST", f"/v1/dossiers/{code}/results", result)
    assert reply.status == 201, reply.body


def test_a_dossier_is_opened_and_everything_taken_by_keys_alone(visiting: Visiting, told: Any) -> None:
    told.run(issue(told, people.certificate("keys/2026", "2026-01-05", birth_place="Hà Nội")))
    visit = visiting("vi", width=1280, script=False)
    page: Page = visit.sign_in_staff(people.POLICE, "desk")
    keys = page.keyboard

    def tab_to(wanted: str, most: int = 24) -> None:
        for _ in range(most):
            keys.press("Tab")
            seen = page.evaluate("(({outlineStyle: s}) => s)(getComputedStyle(document.activeElement))")
            assert seen == "solid", page.evaluate("document.activeElement.outerHTML")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"{wanted} is not within {most} keys")

    def enter() -> None:
        with page.expect_navigation():
            keys.press("Enter")

    expect(page.locator("#code")).to_be_focused()
    tab_to('main a[href="/desk/new"]', 2)
    enter()
    expect(page.locator("#case")).to_be_focused()
    for _ in range(8):
        if page.locator("#case").input_value() != people.CASE:
            keys.press("ArrowDown")
    assert page.locator("#case").input_value() == people.CASE
    tab_to("#persons-0-identifier")
    keys.type(people.DAUGHTER.number)
    keys.press("Tab")
    keys.type(people.DAUGHTER.name)
    tab_to("#persons-1-identifier")
    keys.type(people.MOTHER.number)
    keys.press("Tab")
    keys.type(people.MOTHER.name)
    tab_to("[name=evidence]")
    keys.press("ArrowUp")
    assert page.locator('[value="officer_check"]').is_checked()
    enter()
    assert page.url.endswith("?done=opened")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("Enter")
    tab_to(".bar-of .button", 1)
    enter()
    assert page.locator(".done[role=status]").is_visible()
    assert "Đã lấy 1 giấy tờ" in page.locator("main").inner_text()
