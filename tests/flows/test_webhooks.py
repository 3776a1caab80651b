"""Web hooks over HTTP: a system registers, is asked, confirms, is told; and the receiver of the handbook."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from tests.servers.hook_receiver import HookReceiver
from tests.servers.loopback import Asked, failing
from vault import outbox
from vault.hook_queue import topic_of

WHY = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}
HANDBOOK = Path(__file__).parents[2] / "docs" / "webhooks.md"


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def until(condition: Callable[[], Any]) -> Any:
    for _ in range(600):
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


@pytest.fixture
def used(
    kho: Any, police: httpx.Client, commune: httpx.Client, residence: Any, certificate: Any
) -> Iterator[str]:
    """A dossier of the police's that uses a certificate of the commune's; in force again at the end."""
    code = kho.new_code(people.POLICE)
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    wanted = {"components": [{"component": people.KINSHIP, "record": certificate.record}]}
    reply = police.post(f"/v1/dossiers/{code}/releases", json=wanted, headers=key())
    assert reply.json()["items"][0]["state"] == "released", reply.text
    yield str(certificate.record)
    commune.post(f"/v1/records/{certificate.record}/reinstatement", json=WHY, headers=key())


def registered(police: httpx.Client, url: str, **more: Any) -> str:
    reply = police.post("/v1/webhooks", json={"url": url} | more, headers=key())
    assert reply.status_code == 201, reply.text
    return str(reply.json()["webhook"])


def confirmed(kho: Any, police: httpx.Client, receiver: HookReceiver, **more: Any) -> str:
    hook = registered(police, receiver.url + "/in-secret", **more)

    def code() -> str | None:
        receiver.trusts(published(kho).json())
        return receiver.codes.get(hook)

    handed = police.post(f"/v1/webhooks/{hook}/confirmation", json={"code": until(code)}, headers=key())
    assert (handed.status_code, handed.json()["state"]) == (200, "active")
    return hook


def published(kho: Any) -> httpx.Response:
    return httpx.get(f"{kho.url}/.well-known/webhook-keys.json")


def taken_back(police: httpx.Client, hook: str) -> None:
    reply = police.delete(f"/v1/webhooks/{hook}", headers=key())
    assert (reply.status_code, reply.json()["state"]) == (200, "ended")


def test_a_system_registers_confirms_and_is_told(
    kho: Any, police: httpx.Client, commune: httpx.Client, used: str, receiver: HookReceiver
) -> None:
    hook = confirmed(kho, police, receiver)
    commune.post(f"/v1/records/{used}/suspension", json=WHY, headers=key())
    commune.post(f"/v1/records/{used}/reinstatement", json=WHY, headers=key())
    until(lambda: len(receiver.events) == 2)
    assert [one["subject"] for one in receiver.events] == [used, used]
    notices = police.get("/v1/notices", params={"limit": 100}).json()["notices"]
    assert {one["data"]["notice"] for one in receiver.events} <= {one["id"] for one in notices}
    told = until(lambda: (shown := police.get(f"/v1/webhooks/{hook}").json())["waiting"] == 0 and shown)
    assert (told["state"], told["given_up"], told["url"]) == ("active", 0, receiver.url + "/in-secret")
    assert "last_ok_at" in told
    assert hook in [one["webhook"] for one in police.get("/v1/webhooks").json()["webhooks"]]
    schema = httpx.get(receiver.events[0]["dataschema"]).json()
    for one in receiver.taken:
        assert set(one["data"]) <= set(schema["properties"])
    taken_back(police, hook)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"url": "https://192.168.0.1/"}, "url", "webhook_address_inside"),
        ({"url": "http://hooks.example/"}, "url", "webhook_address_malformed"),
        ({"url": "http://127.0.0.1:1/", "topics": ["all"]}, "topics", "webhook_topic_unknown"),
        ({}, "body.url", "field_missing"),
        ({"url": "x" * 501}, "body.url", "too_long"),
        ({"url": "http://127.0.0.1:1/", "secret": "x"}, "body.secret", "field_unknown"),
    ],
)
def test_what_is_wrong_is_named(police: httpx.Client, body: Any, field: str, code: str) -> None:
    reply = police.post("/v1/webhooks", json=body, headers=key())
    assert reply.status_code == 422
    told = reply.json()
    assert (told["fields"][0]["field"].removeprefix("body."), told["fields"][0]["code"]) == (
        field.removeprefix("body."),
        code,
    )


def test_an_administrator_sees_hooks_and_has_what_was_given_up_tried_again(
    kho: Any, police: httpx.Client, commune: httpx.Client, used: str, receiver: HookReceiver
) -> None:
    hook = confirmed(kho, police, receiver, topics=["record.suspended"])
    receiver.fault = failing(400)
    commune.post(f"/v1/records/{used}/suspension", json=WHY, headers=key())
    until(lambda: police.get(f"/v1/webhooks/{hook}").json().get("last_failure") == "status_400")

    async def give_up() -> None:
        later = kho.vault.clock.now() + timedelta(days=1)
        async with kho.vault.db.write() as db:
            await outbox.give_up(db, topic_of(hook), later, "status_400", kho.vault.clock.now())

    kho.run(give_up())
    with kho.staff(people.COMMUNE, "administrator") as administrator:
        shown = administrator.get("/admin/webhooks").text
        assert people.POLICE.system_name in shown
        assert (used in shown, "status_400" in shown, "/in-secret" in shown) == (True, True, False)
        form_token = re.search(r'name="form_token" value="([^"]+)"', shown)
        assert form_token is not None
        receiver.fault = None
        form = {"form_token": form_token[1], "request": os.urandom(16).hex()}
        done = administrator.post(f"/admin/webhooks/{hook}/replay", data=form)
        assert done.headers["location"] == "/admin/webhooks?done=replayed"
        until(lambda: receiver.events)
        form["request"] = os.urandom(16).hex()
        assert administrator.post("/admin/webhooks/whk-none/replay", data=form).status_code == 404
    taken_back(police, hook)


def test_the_command_checks_what_came_in(
    kho: Any,
    police: httpx.Client,
    commune: httpx.Client,
    used: str,
    receiver: HookReceiver,
    tmp_path: Path,
    kho_command: Any,
) -> None:
    hook = confirmed(kho, police, receiver, topics=["record.suspended"])
    commune.post(f"/v1/records/{used}/suspension", json=WHY, headers=key())
    until(lambda: receiver.events)
    asked = receiver.asked[-1]
    write(tmp_path, asked, published(kho).content)
    said = ["headers", "body", "--keys", "keys", "--url", receiver.url + "/in-secret"]

    def checked(*more: str) -> tuple[int, str]:
        done = kho_command("verify", "webhook", *[*said, *more], cwd=tmp_path)
        return done.returncode, done.stdout

    status, shown = checked()
    assert (status, "Outcome: VALID" in shown) == (0, True)
    assert checked("--lang", "vi")[1].count("ĐẠT") == 5
    assert checked("--seen", "nonces")[0] == 0
    status, shown = checked("--seen", "nonces")
    assert (status, shown.splitlines()[-2].startswith("6. ")) == (1, True), "the second time"
    assert (tmp_path / "nonces").stat().st_mode & 0o777 == 0o600
    assert checked("--at", "2020-01-01T00:00:00Z")[0] == 1
    assert checked("--at", "soon")[0] == 64
    said[5] = receiver.url + "/other"
    assert checked()[0] == 1
    said[5] = receiver.url + "/in-secret"
    (tmp_path / "keys").write_text('{"keys": []}')
    assert checked()[0] == 2
    (tmp_path / "keys").write_text("no keys")
    assert checked()[0] == 64
    write(tmp_path, asked, b'{"keys": []}')
    (tmp_path / "body").write_bytes(asked.body + b" ")
    assert checked()[0] == 1
    (tmp_path / "headers").write_text("no headers at all")
    assert checked()[0] == 64
    taken_back(police, hook)


def write(folder: Path, asked: Asked, keys: bytes) -> None:
    lines = ["POST /kho HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers.items()), ""]
    (folder / "headers").write_text("\r\n".join(lines))
    (folder / "body").write_bytes(asked.body)
    (folder / "keys").write_bytes(keys)


@pytest.fixture
def handbooks(kho: Any, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The receiver that the handbook shows, running: its address, and what it prints."""
    (program,) = re.findall(r"```python\n(.*?)```", HANDBOOK.read_text("utf-8"), re.DOTALL)
    (tmp_path / "receiver.py").write_text(program)
    with HookReceiver() as spare:  # a port that is free
        port = spare.port
    url, printed = f"http://127.0.0.1:{port}/kho", tmp_path / "printed"
    environment = os.environ | {"KHO": kho.url, "MY_URL": url}
    with printed.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, str(tmp_path / "receiver.py"), str(port)], stdout=out, env=environment
        )
        try:
            yield url, printed
        finally:
            running.kill()
            running.wait()


def test_the_receiver_of_the_handbook_takes_what_is_ours_and_nothing_twice(
    police: httpx.Client, commune: httpx.Client, used: str, handbooks: tuple[str, Path]
) -> None:
    url, printed = handbooks
    until(lambda: _reached(url))
    hook = registered(police, url)
    line = until(lambda: printed.read_text().splitlines())[0]
    kind, subject, data = line.split(" ", 2)
    assert (kind, subject) == ("kho.webhook.challenge.v1", hook)
    body = {"code": json.loads(data)["code"]}
    assert police.post(f"/v1/webhooks/{hook}/confirmation", json=body, headers=key()).status_code == 200
    commune.post(f"/v1/records/{used}/suspension", json=WHY, headers=key())
    line = until(lambda: printed.read_text().splitlines()[1:])[0]
    assert line.split(" ")[:2] == ["kho.record.suspended.v1", used]
    assert httpx.post(url, content=b"{}").status_code == 401
    taken_back(police, hook)


def _reached(url: str) -> bool:
    try:
        return httpx.post(url, content=b"{}").status_code == 401
    except httpx.HTTPError:
        return False
