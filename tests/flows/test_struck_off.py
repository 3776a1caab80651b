"""A system and an agency end while others go on: at the doors from the next call on, for good."""

import os
from typing import Any

import pytest

from reuse_api.demo import people
from signing.errors import SealKeyEnded
from tests.flows.conftest import OTHER_COMMUNE, Kho
from vault import striking_off
from vault.clock import Clock
from vault.sealer import Sealer


def refused(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def test_a_system_and_an_agency_end_and_what_they_did_stays(
    kho_apart: Kho, reregistration: dict[str, Any], residence: dict[str, Any]
) -> None:
    kho = kho_apart
    with (
        kho.system(people.COMMUNE) as commune,
        kho.system(people.POLICE) as police,
        kho.system(OTHER_COMMUNE) as other,
        kho.staff(people.COMMUNE, "desk") as desk,
        kho.staff(OTHER_COMMUNE, "desk") as others_desk,
        kho.wallet(people.DAUGHTER) as daughter,
    ):
        issued = kho.issue(commune, reregistration)
        left = kho.new_code(people.COMMUNE)
        assert commune.put(f"/v1/dossiers/{left}", json=reregistration).status_code == 200
        for one in (commune, other):
            assert one.get("/v1/notices").status_code == 200

        kho.run(striking_off.end_system(kho.registry, OTHER_COMMUNE.system, reason="Đã thay hệ thống"))
        assert refused(other.get("/v1/notices")) == (401, "system_ended"), "its token of before"
        with kho.client(**{"Accept-Language": "vi"}) as asking:
            told = asking.get("/v1/notices", headers={"Authorization": other.headers["authorization"]})
            assert "đã kết thúc đăng ký với Kho" in told.json()["detail"]
            assert 'error="invalid_token"' in told.headers["www-authenticate"]
            form = kho.token_form(OTHER_COMMUNE)
            assert refused(asking.post("/oauth2/token", data=form)) == (401, "client_unknown")
        assert others_desk.get("/desk").status_code == 200, "its agency goes on"
        assert commune.get("/v1/notices").status_code == 200

        kho.run(striking_off.end_agency(kho.registry, people.COMMUNE.code, reason="Sáp nhập"))
        assert refused(commune.get("/v1/notices")) == (401, "system_ended")
        assert refused(commune.get(f"/v1/dossiers/{left}/plan")) == (401, "system_ended")
        assert desk.get("/desk").status_code != 200, "its officers' sessions ended"
        with kho.client() as asking:
            form = kho.token_form(people.COMMUNE)
            assert refused(asking.post("/oauth2/token", data=form)) == (401, "client_unknown")

        kept = daughter.get(f"/v1/me/records/{issued.record}/content")
        assert (kept.status_code, len(kept.content)) == (200, issued.size)
        code = kho.new_code(people.POLICE)
        assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
        body = {"components": [{"component": people.KINSHIP, "record": issued.record}]}
        headers = {"Idempotency-Key": os.urandom(8).hex()}
        (item,) = police.post(f"/v1/dossiers/{code}/releases", json=body, headers=headers).json()["items"]
        assert item["state"] == "released", item
        assert police.get(f"/v1/releases/{item['release']}/content").status_code == 200
        _seals_no_more(kho)


def _seals_no_more(kho: Kho) -> None:
    if not isinstance(kho.vault.sealer, Sealer):  # as `kho seal-key end` does, where the keys are
        kho.around.seal_keys.end(people.COMMUNE.code)
    content, target = kho.folder / "content.pdf", kho.folder / "sealed.pdf"
    content.write_bytes(b"%PDF-1.7")
    asked = {"at": Clock().now(), "reason": "thử", "name": "thử"}
    with pytest.raises(SealKeyEnded):
        kho.run(kho.vault.sealer.seal(people.COMMUNE.code, content, target, **asked))
    assert not target.exists()
