"""A form's token that no page of ours made, over plain HTTP: refused, whatever it is made of."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from tests.pages.desk import at_desk, entries

STRANGE = ["é", "ấn chỉ", "\x00", "\U0001f4dc"]
FORMS = {
    "desk": ["/desk/new", "/desk/dossiers/x/plan", "/desk/issued/x", "/sign-out"],
    "wallet": ["/wallet/people", "/wallet/requests/x", "/wallet/consents/x", "/sign-out"],
    "audit": ["/audit/searches", "/audit/exports", "/audit/entries/1"],
    "admin": ["/admin/procedures/1.004222/edits", "/admin/edits/x/end"],
}


@pytest.fixture(scope="module")
def sessions(told: Any) -> Iterator[dict[str, httpx.Client]]:
    with (
        at_desk(told, people.POLICE) as desk,
        httpx.Client(base_url=told.url) as wallet,
        httpx.Client(base_url=told.url) as audit,
        httpx.Client(base_url=told.url) as admin,
    ):
        wallet.post("/sign-in", data={"code": told.code_for(told.stage.daughter)})
        audit.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "auditor")})
        admin.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "administrator")})
        yield {"desk": desk, "wallet": wallet, "audit": audit, "admin": admin}


@pytest.mark.parametrize("strange", STRANGE, ids=ascii)
@pytest.mark.parametrize("room", FORMS)
def test_a_token_of_any_letters_is_refused_and_nothing_done(
    told: Any, sessions: dict[str, httpx.Client], room: str, strange: str
) -> None:
    before = entries(told)
    for place in FORMS[room]:
        form = {"form_token": strange, "room": room}
        assert sessions[room].post(place, data=form).status_code == 403, place
    if room == "wallet":  # the form with a file
        parts = {"form_token": (None, strange.encode()), "file": ("a.pdf", b"%PDF-1.7", "application/pdf")}
        assert sessions[room].post("/wallet/records", files=parts).status_code == 403
    assert entries(told) == before


@pytest.mark.parametrize("strange", STRANGE, ids=ascii)
def test_without_a_session_it_is_refused_alike(told: Any, strange: str) -> None:
    with httpx.Client(base_url=told.url) as nobody:
        for room in FORMS:
            form = {"form_token": strange, "room": room}
            assert nobody.post("/sign-out", data=form).status_code == 403
        assert nobody.post("/desk/new", data={"form_token": strange}).headers["location"] == "/sign-in"
