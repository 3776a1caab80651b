"""A whole working day leaves a journal that names nobody and nothing that belongs to anybody."""

import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reuse_api.demo.people import COMMUNE, DAUGHTER, KINSHIP, MOTHER, POLICE, STRANGER
from reuse_api.journal import JsonLines

TITLE = "Sổ hộ khẩu cũ của gia đình"


class Kept(logging.Handler):
    """Every line as it would be written, of our own logs and of every library's warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def journal() -> Iterator[Kept]:
    kept, top, ours = Kept(), logging.getLogger(), logging.getLogger("kho")
    before = ours.level
    top.addHandler(kept)
    ours.setLevel(logging.INFO)
    yield kept
    ours.setLevel(before)
    top.removeHandler(kept)


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def a_day(
    kho: Any,
    residence: dict[str, Any],
    reregistration: dict[str, Any],
    plain_pdf: bytes,
) -> list[str]:
    """Open, ask, take, read, upload, issue, revoke, be refused; give what only its people may know."""
    with (
        kho.system(COMMUNE) as commune,
        kho.system(POLICE) as police,
        kho.wallet(DAUGHTER) as daughter,
        kho.wallet(STRANGER) as stranger,
    ):
        issued = kho.issue(commune, reregistration)
        code = kho.new_code(POLICE)
        police.put(f"/v1/dossiers/{code}", json=residence)
        police.get(f"/v1/dossiers/{code}/plan")
        body = {"components": [{"component": KINSHIP, "record": issued.record}]}
        taken = police.post(f"/v1/dossiers/{code}/releases", json=body, headers=key()).json()
        release = taken["items"][0]["release"]
        read = police.get(f"/v1/releases/{release}/content")
        police.get(f"/v1/receipts/{read.headers['kho-receipt']}")
        commune.get(f"/v1/releases/{release}/content")
        form = {"file": (f"{DAUGHTER.name}.pdf", plain_pdf + os.urandom(4).hex().encode(), "application/pdf")}
        said = {"title": TITLE}
        own = daughter.post("/v1/me/records", files=form, data=said, headers=key()).json()["record"]
        stranger.get(f"/v1/me/records/{own}/content")
        daughter.get(f"/v1/me/records/{own}/pages/1")
        daughter.get("/v1/me/accesses", params={"cursor": DAUGHTER.number})
        daughter.get("/wallet", params={"q": MOTHER.name})
        # What cannot be: a wrong number, a name as a field, a body that is none, a path that names somebody.
        wrong = residence | {"persons": [MOTHER.named("applicant") | {MOTHER.name: MOTHER.number}]}
        police.put(f"/v1/dossiers/{code}", json=wrong)
        police.put(f"/v1/dossiers/{code}", content=f'{{"{MOTHER.name}": '.encode())
        police.get(f"/v1/{MOTHER.number}/{MOTHER.name}")
        with kho.client(Authorization=f"Bearer {DAUGHTER.number}") as nobody:
            nobody.get(f"/v1/dossiers/{code}/plan")
        ground = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": f"Ghi sai tên {DAUGHTER.name}"}
        commune.post(f"/v1/records/{issued.record}/revocation", json=ground, headers=key())
        police.get(f"/v1/releases/{release}/content")
        token = police.headers["authorization"].removeprefix("Bearer ")
        session = daughter.headers["cookie"].partition("=")[2]
        people = [part for one in (DAUGHTER, MOTHER, STRANGER) for part in (one.name, one.number)]
        return [*people, code, issued.record, issued.digest, own, release, TITLE, token, session]


def test_a_working_day_is_told_without_anybody_in_it(
    kho: Any,
    journal: Kept,
    residence: dict[str, Any],
    reregistration: dict[str, Any],
    plain_pdf: bytes,
) -> None:
    private = a_day(kho, residence, reregistration, plain_pdf)
    told = [json.loads(line) for line in journal.lines if '"log": "kho' in line]
    doors = {one.get("route", one.get("door")) for one in told}
    assert len(told) >= 20 and len(doors) >= 8, doors
    assert any(one["event"] == "authentication_failed" for one in told)
    text = "\n".join(journal.lines)
    for one in private:
        assert one not in text, f"the journal tells {one[:12]} ..."
        assert json.dumps(one)[1:-1] not in text
        for part in one.split():
            if len(part) > 3 and not part.isascii():
                assert part not in text


def test_a_failure_of_ours_is_told_without_the_value_that_broke_it(
    kho_apart: Any, journal: Kept, reregistration: dict[str, Any]
) -> None:
    with kho_apart.system(COMMUNE) as commune, kho_apart.wallet(DAUGHTER) as wallet:
        issued = kho_apart.issue(commune, reregistration)
        for name, size in kho_apart.around.kept.names().items():
            if name.endswith(".file"):
                kho_apart.around.kept.change(name, bytes(size))
        reply: httpx.Response = wallet.get(f"/v1/me/records/{issued.record}/content")
    assert (reply.status_code, reply.json()["code"]) == (500, "content_damaged")
    failures = [json.loads(line) for line in journal.lines if '"failure"' in line]
    assert failures and failures[0]["failure"][0]["type"] == "ContentDamaged"
    for private in (issued.record, DAUGHTER.name, DAUGHTER.number):
        assert private not in "\n".join(journal.lines)
