"""Pages while the index is away: what can be shown, the sentence that says so, and 503: nobody mistyped."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from search.errors import IndexUnavailable
from tests.pages.desk import at_desk, field, opens


@pytest.fixture
def away(told: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def nobody(*_: Any) -> None:
        raise IndexUnavailable

    monkeypatch.setattr(type(told.vault.index), "search", nobody)
    yield


def seek(client: httpx.Client, page: str, action: str, words: str, text: str) -> httpx.Response:
    token = field(client.get(page).text, "form_token")
    return client.post(action, data={"form_token": token, words: text})


def check(client: httpx.Client, page: str, action: str, words: str = "q") -> None:
    shown = seek(client, page, action, words, "khai sinh")
    assert (shown.status_code, int(shown.headers["Retry-After"]) > 0) == (503, True)
    assert "Searching does not work just now" in shown.text
    mistyped = seek(client, page, action, words, "(*)")
    assert (mistyped.status_code, "Retry-After" in mistyped.headers) == (422, False)
    assert "Searching does not work just now" not in mistyped.text


def test_an_owner_still_sees_her_documents(told: Any, away: None) -> None:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": "en"}, timeout=60) as client:
        assert client.post("/sign-in", data={"code": told.code_for(told.stage.daughter)}).status_code == 303
        check(client, "/wallet", "/wallet/search")
        listed = client.get("/wallet").text.count("/wallet/records/")
        assert listed
        assert seek(client, "/wallet", "/wallet/search", "q", "khai").text.count("/wallet/records/") >= listed


def test_an_officer_is_told_so_within_a_dossier_and_among_what_was_issued(told: Any, away: None) -> None:
    with at_desk(told, people.POLICE, "en") as client:
        code = opens(client)
        check(client, f"/desk/dossiers/{code}", f"/desk/dossiers/{code}/search")
    with at_desk(told, people.COMMUNE, "en") as client:
        check(client, "/desk/issued", "/desk/issued", "text")
        assert client.get("/desk/issued").status_code == 200
