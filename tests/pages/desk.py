"""An officer at the desk over plain HTTP: signs in, sends the forms that the pages hold."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import httpx
from sqlalchemy import func, select

from reuse_api.demo import people
from reuse_api.demo.people import Office
from vault.tables import log_entry

HIDDEN = re.compile(r'<input type="hidden" name="([\w]+)" value="([^"]*)">')
PERSONS = {
    "persons-0-role": "applicant",
    "persons-0-scheme": "personal_number",
    "persons-0-identifier": people.DAUGHTER.number,
    "persons-0-name": people.DAUGHTER.name,
    "persons-1-role": "householder",
    "persons-1-scheme": "personal_number",
    "persons-1-identifier": people.MOTHER.number,
    "persons-1-name": people.MOTHER.name,
}
RESIDENCE = PERSONS | {
    "procedure": people.RESIDENCE,
    "case": people.CASE,
    "evidence": "officer_check",
    "reference": "thẻ căn cước xem tại quầy",
    "channel": "counter",
}


@contextmanager
def at_desk(told: Any, office: Office, language: str = "vi") -> Iterator[httpx.Client]:
    """Sign an office's officer in at the desk."""
    with httpx.Client(base_url=told.url, headers={"Accept-Language": language}, timeout=60) as client:
        answer = client.post("/sign-in", data={"code": told.staff_code(office, "desk")})
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
        yield client


def token(client: httpx.Client) -> str:
    """Give the form token of this session."""
    return field(client.get("/desk").text, "form_token")


def field(shown: str, name: str) -> str:
    """Give the value of a field of a page."""
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', shown)
    assert found is not None, name
    return unescape(found[1])


def hidden(shown: str, action: str) -> dict[str, str]:
    """Give what the first form that is posted to an address carries unseen."""
    form = re.search(rf'method="post" action="{re.escape(action)}"[^>]*>(.*?)</form>', shown, re.DOTALL)
    assert form is not None, action
    return {name: unescape(value) for name, value in HIDDEN.findall(form[1])}


def opens(client: httpx.Client, **changes: str) -> str:
    """Open a dossier through the form under the code that it suggests, and give the code."""
    shown = client.get("/desk/new").text
    fields = {"form_token": field(shown, "form_token"), "code": field(shown, "code"), "do": "open"}
    answer = client.post("/desk/new", data=fields | RESIDENCE | changes)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    assert place.endswith("?done=opened")
    return place.removeprefix("/desk/dossiers/").removesuffix("?done=opened")


def entries(told: Any) -> int:
    """Count the entries of the log."""

    async def count() -> int:
        async with told.vault.db.read() as db:
            return int((await db.execute(select(func.count()).select_from(log_entry))).scalar_one())

    return int(told.run(count()))
