"""The door, in a real browser: through a real provider into a room, and out again."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from reuse_api.demo import people
from tests.flows.plain_browser import TO_THE_ROOM
from tests.flows.signing_in import Door, served
from tests.pages.looks import check, check_widths
from tests.pages.playing import Told
from tests.servers.realms import Realms
from tests.servers.sharing import Unobtainable
from vault.officer_sign_ins import let_sign_in

OFFICE = people.POLICE


@pytest.fixture(scope="module")
def door(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The vault of the story, served at a second address, where people sign in at providers."""
    own = tmp_path_factory.mktemp("realms")
    realms = Realms(own, own, "")
    with served(told, issuer="", **realms.settings) as running:
        realms.address = running.url
        try:
            with realms:
                told.run(told._staff_code(OFFICE, "desk"))  # whoever is given a code is given the role
                who = {"agency": OFFICE.code, "officer": OFFICE.officer, "subject": OFFICE.officer}
                told.run(let_sign_in(told.vault, issuer=running.settings.staff_provider, **who))
                yield running
        except Unobtainable as missing:
            pytest.skip(str(missing))


def at_provider(page: Any, account: str, **fields: str) -> None:
    page.get_by_label("Account").fill(account)
    for label, typed in fields.items():
        page.get_by_label(label.capitalize()).fill(typed)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("script", [True, False])
def test_a_citizen_comes_in_sees_her_papers_and_leaves(door: Door, visiting: Any, script: bool) -> None:
    page = visiting("vi", width=360, script=script).page
    page.goto(f"{door.url}/sign-in")
    if script:  # what looks at pages is a script itself
        check(page, "vi")
        check_widths(page)
    page.locator("main form[action='/sign-in/provider'] button").first.click()
    at_provider(page, "daughter", level="LoA1")
    page.wait_for_url(f"{door.url}/wallet")
    expect(page.locator("body")).to_contain_text(people.DAUGHTER.name)
    expect(page.locator("main")).to_contain_text("Giấy khai sinh")
    page.locator("form[action*='sign-out'] button").first.click()
    expect(page.locator("main form").first).to_be_visible()
    page.goto(f"{door.url}/wallet")
    assert page.url.startswith(f"{door.url}/sign-in"), "nobody is signed in any more"


def test_an_officer_comes_to_the_desk_with_a_second_factor_alone(door: Door, visiting: Any) -> None:
    page = visiting("en", width=1280).page
    for methods, arrives in (("pwd", "/sign-in/callback/staff"), ("pwd mfa", "/desk")):
        page.context.clear_cookies()
        page.goto(f"{door.url}/sign-in")
        page.get_by_role("button", name=TO_THE_ROOM["desk"]).click()
        at_provider(page, OFFICE.officer, methods=methods)
        page.wait_for_url(lambda url, to=arrives: url.startswith(f"{door.url}{to}"))
        check(page, "en", width=1280)
