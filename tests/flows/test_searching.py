"""Searching over HTTP: the wallet's own, a dossier's, an agency's; what is stored is found soon after."""

import os
import time
from typing import Any

import httpx
import pytest

from tests.flows.test_me import own_pdf, upload


def soon(client: httpx.Client, text: str, count: int) -> dict[str, Any]:
    """Search until the index has caught up with the rows."""
    end = time.monotonic() + 30
    while True:
        reply = client.get("/v1/me/records", params={"q": text})
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        if len(told["records"]) == count or time.monotonic() > end:
            return told
        time.sleep(0.1)


def test_what_was_added_is_found_without_accents_by_its_owner_alone(
    kho: Any, daughter: httpx.Client, stranger: httpx.Client
) -> None:
    mark = os.urandom(4).hex()
    record = upload(daughter, own_pdf(), title=f"Bằng khen Hoà Bình {mark}").json()["record"]
    size = kho.vault.signer.tree.size
    told = soon(daughter, f"hòa binh {mark}", 1)
    (line,) = told["records"]
    assert line["id"] == record
    assert [one["text"] for one in line["highlight"] if one["found"]] == ["Hoà", "Bình", mark]
    assert told["total"] == 1
    assert told["facets"]["trust"] == {"D": 1}
    assert stranger.get("/v1/me/records", params={"q": mark}).json()["records"] == []
    only = {"q": mark, "trust": "A"}
    assert daughter.get("/v1/me/records", params=only).json()["records"] == []
    assert kho.vault.signer.tree.size == size  # one's own searches are no entries


def test_a_list_without_words_is_narrowed_by_the_rows(kho: Any, daughter: httpx.Client) -> None:
    mark = os.urandom(4).hex()
    record = upload(daughter, own_pdf(), title=f"Bằng khen {mark}").json()["record"]
    (mine,) = [one for one in daughter.get("/v1/me/records").json()["records"] if one["id"] == record]
    for narrowed, there in (
        ({"trust": mine["trust"]}, True),
        ({"trust": mine["trust"], "type": mine["type"], "state": mine["validity"]}, True),
        ({"trust": "A"}, False),
        ({"type": "HC"}, False),
        ({"year": "1999"}, False),
        ({"issuer": "H26"}, False),
        ({"state": "revoked"}, False),
    ):
        told = daughter.get("/v1/me/records", params=narrowed).json()["records"]
        assert (record in {one["id"] for one in told}) is there, narrowed


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"q": "a" * 10_000}, "q", "query_too_long"),
        ({"q": "của và"}, "q", "query_only_stop_words"),
        ({"q": "(*)"}, "q", "query_without_words"),
        ({"q": "a\x00"}, "q", "query_control_characters"),
        ({"q": "Nguуễn"}, "q", "query_mixed_scripts"),
        ({"q": "giay", "cursor": "none"}, "cursor", "cursor_malformed"),
        ({"q": "giay", "limit": "51"}, "limit", None),
        ({"q": "giay", "state": "lost"}, "state", None),
        ({"q": "giay", "year": "20"}, "year", None),
    ],
)
def test_a_search_that_cannot_be_is_named(
    daughter: httpx.Client, query: dict[str, str], field: str, code: str | None
) -> None:
    reply = daughter.get("/v1/me/records", params=query)
    assert reply.status_code == 422
    told = reply.json()
    assert field in str(told)
    assert code is None or code in str(told)


def test_readyz_tells_how_far_the_index_is_behind(kho: Any) -> None:
    with kho.client() as client:
        told = client.get("/readyz").json()["search"]
    assert told["state"] in ("ok", "index_missing")
    assert told["dead"] == 0
    assert told["seconds_behind"] >= 0
