"""Bytes in a bucket: the same doors as with a folder, and nothing half done while the server is away."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from reuse_api.demo.people import COMMUNE, DAUGHTER, KINSHIP, POLICE
from reuse_api.wiring import places_of
from tests.flows.conftest import _store_at, service_of
from tests.flows.readiness import readyz
from tests.servers import seaweed
from tests.servers.s3_relay import relay_to
from vault.inspecting import inspect
from vault.tables import record


def test_documents_are_kept_and_given_from_a_bucket_that_goes_away_and_comes_back(
    kho_on_s3: Any, reregistration: dict[str, Any], residence: dict[str, Any]
) -> None:
    kho, server = kho_on_s3
    with kho.system(COMMUNE) as commune, kho.system(POLICE) as police, kho.wallet(DAUGHTER) as wallet:
        ready = readyz(police).json()
        assert (ready["ready"], ready["store"]["kind"], ready["store"]["versioning"]) == (True, "s3", "off")
        certificate = kho.issue(commune, reregistration)
        code = kho.new_code(POLICE)
        police.put(f"/v1/dossiers/{code}", json=residence)
        asked = {"components": [{"component": KINSHIP, "record": certificate.record}]}
        door = f"/v1/dossiers/{code}/releases"
        item = police.post(door, json=asked, headers={"Idempotency-Key": "1"}).json()["items"][0]
        content = f"/v1/releases/{item['release']}/content"
        whole = police.get(content)
        assert (whole.status_code, whole.content[:5]) == (200, b"%PDF-")
        part = police.get(content, headers={"Range": "bytes=100-299"})
        assert (part.status_code, part.content) == (206, whole.content[100:300])

        server.kill()
        away = readyz(police)
        assert (away.status_code, away.json()["checks"]["store"]) == (503, "store_unavailable")
        counted = kho.run(records_of(kho))
        for reading, path in ((police, content), (wallet, f"/v1/me/records/{certificate.record}/content")):
            refused = reading.get(path)
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert int(refused.headers["Retry-After"]) > 0
        for language, words in (("vi", "Nơi lưu trữ tạm thời"), ("en", "The store cannot be used")):
            spoken = {"Accept-Language": language}
            page = wallet.get(f"/wallet/records/{certificate.record}/content", headers=spoken)
            assert (page.status_code, "Retry-After" in page.headers) == (503, True)
            assert words in page.text and "store_unavailable" in page.text
        other = kho.new_code(COMMUNE)
        assert commune.put(f"/v1/dossiers/{other}", json=reregistration).status_code == 200
        deposit = handed_in(commune, other)
        assert (deposit.status_code, deposit.json()["code"]) == (503, "store_unavailable")
        assert kho.run(records_of(kho)) == counted, "nothing was half done"

        server.start()
        assert readyz(police).status_code == 200
        assert police.get(content).content == whole.content
        assert handed_in(commune, other).status_code == 201, "the same request again, once"
    found = kho.run(inspect(places_of(kho.settings)))
    assert found.sound
    assert kho.run(records_of(kho)) == counted + 1
    assert not [one for one in found.findings if one.code == "orphan_blob"]


def test_strangers_who_keep_asking_whether_it_is_ready_have_nothing_written_each_time(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    host = address.split("/")[2]
    with relay_to(host) as relay:
        store = _store_at(address.replace(host, relay.host), access)
        with service_of(request, tmp_path, store=store) as kho, kho.client() as stranger:
            readyz(stranger)
            relay.asked.clear()
            told = [stranger.get("/readyz").status_code for _ in range(20)]
    assert told == [200] * 20
    written = [path for method, path in relay.asked if method == "PUT" and "_ready/" in path]
    assert len(written) < 10, "the answer is given again for some seconds"


def handed_in(commune: httpx.Client, code: str) -> httpx.Response:
    fields = people.certificate("77/2026", "2026-11-01", birth_place="Hà Nội")
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}
    return commune.post(f"/v1/dossiers/{code}/results", json=result, headers={"Idempotency-Key": code})


async def records_of(kho: Any) -> int:
    async with kho.vault.db.read() as db:
        return int((await db.execute(select(func.count()).select_from(record))).scalar_one())


def test_a_service_starts_without_its_bucket_and_takes_documents_once_it_is_there(
    kho_before_s3: Any, reregistration: dict[str, Any]
) -> None:
    kho, server = kho_before_s3
    with kho.system(COMMUNE) as commune, kho.wallet(DAUGHTER) as wallet:
        away = readyz(commune)
        assert (away.status_code, away.json()["checks"]["store"]) == (503, "store_unavailable")
        assert wallet.get("/v1/me/records").status_code == 200
        code = kho.new_code(COMMUNE)
        assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
        assert handed_in(commune, code).status_code == 503
        server.start()
        assert readyz(commune).status_code == 200
        assert handed_in(commune, code).status_code == 201
