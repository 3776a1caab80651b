"""If the entry cannot be written nothing is served, and nothing is changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from reuse_api.demo import people
from reuse_api.demo.people import COMMUNE, KINSHIP, POLICE
from vault.connecting import connect
from vault.rows_address import RowsAddress
from vault.sqlite import SqliteDatabase

TABLES = ("log_entry", "record", "dossier", "release", "request", "validity_event", "delivery_share")


@dataclass
class Scene:
    """Who asks, and what there is to ask for: each name below is one thing that must be entered."""

    police: httpx.Client
    commune: httpx.Client
    daughter: httpx.Client
    body: dict[str, Any]
    opened: str  # a dossier of the police's
    issuing: str  # one of the commune's
    release: str
    fresh: str  # a code that is free
    record: str
    closing: str  # another dossier of the police's, to be closed
    wrong: str  # another record, to be revoked
    pdf: bytes

    def put_dossier(self) -> httpx.Response:
        return self.police.put(f"/v1/dossiers/{self.fresh}", json=self.body)

    def put_again(self) -> httpx.Response:
        return self.police.put(f"/v1/dossiers/{self.opened}", json=self.body)

    def plan(self) -> httpx.Response:
        return self.police.get(f"/v1/dossiers/{self.opened}/plan")

    def releases(self) -> httpx.Response:
        body = {"components": [{"component": KINSHIP, "record": self.record}]}
        return self.police.post(f"/v1/dossiers/{self.opened}/releases", json=body, headers=self.key("take"))

    def content(self) -> httpx.Response:
        return self.police.get(f"/v1/releases/{self.release}/content")

    def refusal(self) -> httpx.Response:
        return self.police.get("/v1/dossiers/G01.26.05-250101-9999/plan")

    def result_of_fields(self) -> httpx.Response:
        fields = people.certificate("503/2026", "2026-01-05", birth_place="Hà Nội")
        body = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
        place = f"/v1/dossiers/{self.issuing}/results"
        return self.commune.post(place, json=body, headers=self.key("fields"))

    def result_as_a_file(self) -> httpx.Response:
        said = json.dumps({"type": "GKS", "owner_roles": ["applicant"]})
        parts = {"result": (None, said), "file": ("r.pdf", self.pdf, "application/pdf")}
        place = f"/v1/dossiers/{self.issuing}/results"
        return self.commune.post(place, files=parts, headers=self.key("file"))

    def revocation(self) -> httpx.Response:
        body = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}
        place = f"/v1/records/{self.wrong}/revocation"
        return self.commune.post(place, json=body, headers=self.key("revoke"))

    def upload(self) -> httpx.Response:
        form = {"file": ("a.pdf", self.pdf + b"\n", "application/pdf")}
        return self.daughter.post(
            "/v1/me/records", files=form, data={"title": "Giấy tờ"}, headers=self.key("up")
        )

    def wallet_reading(self) -> httpx.Response:
        return self.daughter.get(f"/v1/me/records/{self.record}/content")

    def page_picture(self) -> httpx.Response:
        return self.daughter.get(f"/v1/me/records/{self.record}/pages/1")

    def close(self) -> httpx.Response:
        place = f"/v1/dossiers/{self.closing}"
        return self.police.patch(place, json={"state": "closed"}, headers=self.key("close"))

    def key(self, what: str) -> dict[str, str]:
        return {"Idempotency-Key": f"busy-{what}-{self.opened}"}


DOORS: tuple[Callable[[Scene], httpx.Response], ...] = (
    Scene.put_dossier,
    Scene.put_again,
    Scene.plan,
    Scene.releases,
    Scene.content,
    Scene.refusal,
    Scene.result_of_fields,
    Scene.result_as_a_file,
    Scene.upload,
    Scene.wallet_reading,
    Scene.page_picture,
    Scene.close,
    Scene.revocation,
)


@pytest.fixture(scope="module")
def scene(
    kho: Any,
    police: httpx.Client,
    commune: httpx.Client,
    daughter: httpx.Client,
    residence: dict[str, Any],
    reregistration: dict[str, Any],
    plain_pdf: bytes,
) -> Scene:
    opened, closing, fresh = (kho.new_code(POLICE) for _ in range(3))
    issuing = kho.new_code(COMMUNE)
    record, wrong = (kho.issue(commune, reregistration).record for _ in range(2))
    for code in (opened, closing):
        assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    assert commune.put(f"/v1/dossiers/{issuing}", json=reregistration).status_code == 200
    made = Scene(
        police=police,
        commune=commune,
        daughter=daughter,
        body=residence,
        opened=opened,
        issuing=issuing,
        release="",
        fresh=fresh,
        record=record,
        closing=closing,
        wrong=wrong,
        pdf=plain_pdf + b"\n\n\n",
    )
    wanted = {"components": [{"component": KINSHIP, "record": record}]}
    taken = police.post(f"/v1/dossiers/{opened}/releases", json=wanted, headers=made.key("first"))
    made.release = taken.json()["items"][0]["release"]
    return made


@pytest.fixture(scope="module", autouse=True)
def impatient(kho: Any) -> Iterator[None]:
    """Have a writer give up after a moment: what it does then is the same."""
    waiting = wait_sqlite if isinstance(kho.vault.db, SqliteDatabase) else wait_postgres
    kho.run(waiting(kho.vault.db, 50))
    yield
    kho.run(waiting(kho.vault.db, 5000))


async def wait_sqlite(database: Any, milliseconds: int) -> None:
    async with database.write() as db:
        await db.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")


async def wait_postgres(database: Any, milliseconds: int) -> None:
    async with database.write() as db:  # another of its connections may wait the whole time
        await db.exec_driver_sql(f"SET lock_timeout = {milliseconds}")


@contextmanager
def held(kho: Any) -> Iterator[None]:
    """Somebody else holds the database: nothing can be written."""
    other = kho.run(connect(RowsAddress(kho.settings.database), hold="none"))
    holding = AsyncExitStack()
    kho.run(holding.enter_async_context(other.write()))
    try:
        yield
    finally:
        kho.run(holding.aclose())
        kho.run(other.close())


def counts(kho: Any) -> list[int]:
    async def found() -> list[int]:
        async with kho.vault.db.read() as db:
            counting = [text(f"SELECT count(*) FROM {table}") for table in TABLES]
            return [(await db.execute(one)).scalar_one() for one in counting]

    return [*kho.run(found()), kho.vault.signer.tree.size]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_without_an_entry_nothing_is_served_or_changed(
    kho: Any, scene: Scene, door: Callable[[Scene], httpx.Response]
) -> None:
    before = counts(kho)
    with held(kho):
        reply = door(scene)
    assert (reply.status_code, reply.json()["code"]) == (503, "vault_busy")
    assert int(reply.headers["retry-after"]) >= 1
    assert b"%PDF" not in reply.content
    assert "reasons" not in reply.json(), "not even a refusal is told"
    assert counts(kho) == before
    again = door(scene)
    assert again.status_code in (200, 201) or door is Scene.refusal, again.text
    assert counts(kho)[0] > before[0]
