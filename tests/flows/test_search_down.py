"""Nobody answers where the search index should be: plan and release work, and say that search is degraded."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo.people import COMMUNE, DAUGHTER, KINSHIP, POLICE
from tests.flows.conftest import Kho, service_of
from tests.flows.readiness import readyz


@pytest.fixture
def kho_unsearchable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kho]:
    with socket.socket() as nobody:  # bound and not listening: whoever connects is refused
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/kho"
        with service_of(request, tmp_path, search=address) as running:
            yield running


def test_all_but_searching_works_and_says_so(
    kho_unsearchable: Kho, reregistration: dict[str, Any], residence: dict[str, Any]
) -> None:
    kho = kho_unsearchable
    with kho.system(COMMUNE) as commune, kho.system(POLICE) as police, kho.wallet(DAUGHTER) as wallet:
        ready = police.get("/readyz")
        assert (ready.status_code, ready.json()["search"]["state"]) == (200, "index_unavailable")
        certificate = kho.issue(commune, reregistration)
        assert readyz(police).json()["search"]["waiting"] == 1
        code = kho.new_code(POLICE)
        opened = police.put(f"/v1/dossiers/{code}", json=residence)
        planned = police.get(f"/v1/dossiers/{code}/plan")
        asked = {"components": [{"component": KINSHIP, "record": certificate.record}]}
        headers = {"Idempotency-Key": code}
        released = police.post(f"/v1/dossiers/{code}/releases", json=asked, headers=headers)
        for reply in (opened, planned, released):
            assert (reply.status_code, reply.headers.get("Kho-Search")) == (200, "degraded"), reply.text
        release = released.json()["items"][0]["release"]
        assert police.get(f"/v1/releases/{release}/content").content[:5] == b"%PDF-"
        assert [one["id"] for one in wallet.get("/v1/me/records").json()["records"]] == [certificate.record]
        for seeking, path in (
            (wallet, "/v1/me/records?q=khai+sinh"),
            (police, f"/v1/dossiers/{code}/search?q=khai+sinh"),
            (commune, "/v1/records?q=khai+sinh"),
        ):
            refused = seeking.get(path)
            assert (refused.status_code, refused.json()["code"]) == (503, "search_degraded")
            assert int(refused.headers["Retry-After"]) > 0


def test_where_it_can_be_searched_nothing_is_said(kho: Kho, police: Any, residence: dict[str, Any]) -> None:
    for _ in range(200):  # a new vault builds its index beside the doors
        if police.get("/readyz").json()["search"]["state"] == "ok":
            break
        time.sleep(0.05)
    opened = police.put(f"/v1/dossiers/{kho.new_code(POLICE)}", json=residence)
    assert opened.status_code == 200
    assert "Kho-Search" not in opened.headers
