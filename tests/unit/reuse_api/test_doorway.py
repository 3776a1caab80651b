"""Around every request: an id, closed headers, one line in the journal that tells nobody's business."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, StreamingResponse

from reuse_api.answering import answer_errors
from reuse_api.body_limit import BodyLimit
from reuse_api.doorway import CLOSED, Doorway
from reuse_api.journal import JsonLines
from storage.errors import StoreUnavailable
from vault.errors import ContentDamaged, FieldInvalid, PartAway, StoreAway, VaultBusy

SECRET = "001307012347"
AWAY: dict[str, tuple[Exception, str]] = {  # what is away -> the code that it is told by
    "log": (VaultBusy("queue full"), "vault_busy"),
    "gate": (PartAway("the gate does not answer"), "part_away"),
    "store of what is read": (StoreAway("storage: store_unavailable"), "store_unavailable"),
    "store of what is put": (StoreUnavailable("no answer"), "store_unavailable"),
}

pytestmark = pytest.mark.anyio


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/fine/{code}")
    async def fine(code: str) -> PlainTextResponse:
        return PlainTextResponse(code, headers={"Cache-Control": "public"})

    @app.get("/broken/{code}")
    async def broken(code: str) -> None:
        raise RuntimeError(f"cannot do {code}")

    @app.get("/away/{cause}")
    async def away(cause: str) -> None:
        raise AWAY[cause][0]

    @app.get("/damaged/{code}")
    async def damaged(code: str) -> None:
        raise ContentDamaged(code)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            raise ContentDamaged

        return StreamingResponse(pieces())

    @app.post("/body")
    async def body(sent: dict[str, Any]) -> dict[str, Any]:
        if "name" not in sent:
            raise FieldInvalid("name", "field_missing")
        return sent

    answer_errors(app)
    app.add_middleware(BodyLimit, limit=100)
    app.add_middleware(Doorway)
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://kho.test", headers={"Accept-Language": "en"}
    ) as client:
        yield client


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture) -> Any:
    """What the journal holds, as it would be written."""
    caplog.set_level(logging.INFO, "kho")
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records]


async def test_an_answer_carries_an_id_and_closes_what_nobody_needs(client: httpx.AsyncClient) -> None:
    first, second = await client.get("/fine/x"), await client.get("/nowhere")
    for name, value in CLOSED.items():
        assert second.headers[name] == value
        assert first.headers[name] == ("public" if name == "Cache-Control" else value)
    assert first.headers["request-id"] != second.headers["request-id"]
    assert second.headers["content-type"] == "application/problem+json"


async def test_the_journal_tells_the_route_and_not_the_path(client: httpx.AsyncClient, journal: Any) -> None:
    reply = await client.get(f"/fine/{SECRET}?token={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    (line,) = [one for one in journal() if one["event"] == "request"]
    assert (line["door"], line["status"], line["method"]) == ("/fine/{code}", 200, "GET")
    assert line["request"] == reply.headers["request-id"]
    assert SECRET not in json.dumps(journal())


async def test_an_error_of_ours_is_a_problem_without_its_message(
    client: httpx.AsyncClient, journal: Any
) -> None:
    reply = await client.get(f"/broken/{SECRET}")
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert reply.headers["x-content-type-options"] == "nosniff"
    failure = next(one for one in journal() if one["event"] == "request_failed")
    assert failure["request"] == reply.headers["request-id"]
    assert failure["failure"][0]["type"] == "RuntimeError"
    assert "test_doorway.py" in failure["failure"][0]["where"][-1]
    assert SECRET not in json.dumps(journal()) + reply.text


async def test_damage_is_answered_and_written_down(client: httpx.AsyncClient, journal: Any) -> None:
    reply = await client.get(f"/damaged/{SECRET}")
    assert (reply.status_code, reply.json()["code"]) == (500, "content_damaged")
    assert [one["failure"][0]["code"] for one in journal() if one["event"] == "content_damaged"] == [
        "content_damaged"
    ]
    assert SECRET not in json.dumps(journal())


@pytest.mark.parametrize("cause", AWAY)
async def test_what_is_away_is_named_and_when_to_try_again(cause: str, client: httpx.AsyncClient) -> None:
    reply = await client.get(f"/away/{cause}", headers={"Accept-Language": "en"})
    assert (reply.status_code, reply.json()["code"]) == (503, AWAY[cause][1])
    assert int(reply.headers["retry-after"]) >= 1
    # An entry may have been committed before the gate or the store was asked.
    assert ("may stand in the log" in reply.json()["detail"]) is (cause != "log")


async def test_a_stream_that_breaks_is_written_down(client: httpx.AsyncClient, journal: Any) -> None:
    reply = await client.get("/stream")
    assert reply.content == b"first"
    (failure,) = [one for one in journal() if one["event"] == "request_failed"]
    assert "ContentDamaged" in [one["type"] for one in failure["failure"]]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_a_problem(client: httpx.AsyncClient, declared: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b'{"a": 1}  '

    content = b"x" * 300 if declared else pieces()
    reply = await client.post("/body", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"a": ', 422, "body_not_json"),
        (b'{"a": "\xff"}', 400, "body_unreadable"),
        (b"[1]", 422, "body_not_json"),
        (b"", 422, "body_missing"),
        (b"{}", 422, "field_missing"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(
    client: httpx.AsyncClient, content: bytes, status: int, code: str
) -> None:
    reply = await client.post("/body", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (status, code)


async def test_another_method_is_told_which_there_are(client: httpx.AsyncClient) -> None:
    reply = await client.delete("/away/log")
    assert (reply.status_code, reply.json()["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET"


def test_a_librarys_text_that_is_put_together_is_not_told() -> None:
    record = logging.LogRecord("asyncio", logging.ERROR, "x.py", 1, f"Task failed\n{SECRET}", (SECRET,), None)
    line = JsonLines().format(record)
    assert (json.loads(line)["event"], json.loads(line)["where"]) == ("untold", "x.py:1")
    assert SECRET not in line
