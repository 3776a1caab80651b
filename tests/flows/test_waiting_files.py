"""Scans and files of results while the services of time and status are really away: waiting, then sealed."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from reuse_api.wiring import AUTHORITY
from signing.composing import compose
from tests.flows.kept_bytes import waiting
from tests.flows.test_waiting_seals import until_sealed
from tests.pages.desk import hidden
from tests.scans import making
from tests.servers.demo_services import DemoServices
from tests.servers.loopback import failing
from vault.clock import Clock

LEASE = "KQ003607"
NOT_SCANNED = "/scan?component=" + LEASE


@pytest.fixture(scope="module")
def running(kho: Any) -> Iterator[DemoServices]:
    if kho.around.services is not None:
        yield kho.around.services
        return
    with DemoServices(DemoAuthority.load(kho.settings.keys / AUTHORITY)) as services:
        yield services


@pytest.fixture
def services(kho: Any, running: DemoServices, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServices]:
    """The vault's services, over HTTP; up again when the test has ended."""
    if kho.around.services is None:
        monkeypatch.setattr(kho.vault.sealer, "_timestamper", running.stamper)
        monkeypatch.setattr(kho.vault.sealer, "_revocation", running.status)
    yield running
    for server in (running.stamps_server, running.status_server):
        server.fault = None
        server.stop()
        server.start()


@pytest.fixture
def renting(kho: Any, police: httpx.Client, residence: dict[str, Any]) -> str:
    code = str(kho.new_code(people.POLICE))
    persons = [people.FATHER.named("applicant"), people.MOTHER.named("householder")]
    body = residence | {"case": "thue-muon-o-nho", "persons": persons}
    reply = police.put(f"/v1/dossiers/{code}", json=body)
    assert reply.status_code == 200, reply.text
    return code


def scan(system: httpx.Client, code: str, content: bytes, key: str) -> httpx.Response:
    said = {"type": "HDTN", "owner_roles": ["applicant"], "title": "Hợp đồng thuê nhà", "reason": "outdated"}
    parts = {"scan": (None, json.dumps(said)), "file": ("scan.pdf", content, "application/pdf")}
    place = f"/v1/dossiers/{code}/components/{LEASE}/digitised"
    return system.post(place, files=parts, headers={"Idempotency-Key": key})


def component(system: httpx.Client, code: str) -> dict[str, Any]:
    told = system.get(f"/v1/dossiers/{code}/plan").json()
    found: dict[str, Any] = next(one for one in told["components"] if one["component"] == LEASE)
    return found


def put_away(page: str) -> str:
    """Give the notice behind the button that puts away what was given up."""
    shown = page[page.index('id="waiting"') :]
    return re.findall(r'action="/desk/notices/([^"/]+)/seen"', shown)[0]


@pytest.mark.parametrize("down", ["stamps_server", "status_server"])
def test_a_scan_waits_while_a_service_is_down_and_is_sealed_when_it_is_back(
    kho: Any, services: DemoServices, police: httpx.Client, renting: str, down: str
) -> None:
    content, key = making.good_scan(os.urandom(4).hex()), os.urandom(8).hex()
    before = component(police, renting)
    getattr(services, down).stop()
    reply = scan(police, renting, content, key)
    assert reply.status_code == 202, reply.text
    told, place = reply.json(), reply.headers["location"]
    code = "timestamp_failed" if down == "stamps_server" else "status_failed"
    assert [one["code"] for one in told["reasons"]] == ["waiting_for_seal", code]
    assert scan(police, renting, content, key).status_code == 202
    state = police.get(place).json()
    assert (state["state"], state["component"]) == ("waiting_for_seal", LEASE)
    waits = component(police, renting)
    assert (waits["state"], waits["waiting"]) == (before["state"], [told["waiting"]]), "it does not count"
    for language, row, section in (
        ("en", "A scan waits for its seal", "A scan that waits for its seal since"),
        ("vi", "Có bản quét đang chờ ký số", "Bản quét chờ ký số từ"),
    ):
        with kho.staff(people.POLICE, "desk") as desk:
            desk.headers["Accept-Language"] = language
            shown = desk.get(f"/desk/dossiers/{renting}").text
            assert row in shown and section in shown and NOT_SCANNED not in shown
            assert section in desk.get("/desk").text
            asked = desk.get(f"/desk/dossiers/{renting}/scan", params={"component": LEASE})
            assert asked.headers["location"] == f"/desk/dossiers/{renting}"
    getattr(services, down).start()
    sealed = until_sealed(kho, police, place)
    reply = scan(police, renting, content, key)
    assert (reply.status_code, reply.json()["record"]) == (201, sealed["record"])
    assert (reply.json()["verdict"], reply.json()["trust"]) == ("valid", "B")
    assert component(police, renting)["state"] == "satisfied"
    heard = police.get("/v1/notices", params={"dossier": renting}).json()["notices"]
    assert [one["event"] for one in heard] == ["scan_sealed"]
    assert waiting(kho.around.kept) == []


def test_a_result_as_a_file_waits_while_the_authority_only_says_that_it_is_busy(
    kho: Any, services: DemoServices, commune: httpx.Client, reregistration: dict[str, Any]
) -> None:
    code, key = str(kho.new_code(people.COMMUNE)), {"Idempotency-Key": os.urandom(8).hex()}
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    fields = people.certificate(f"{os.urandom(3).hex()}/2026", "2026-11-20", birth_place="Hà Nội")
    file = compose("birth_certificate", fields, at=Clock().now())
    said = json.dumps({"type": "GKS", "owner_roles": ["applicant"]})
    parts = {"result": (None, said), "file": ("gks.pdf", file, "application/pdf")}
    services.stamps_server.fault = failing(503)
    reply = commune.post(f"/v1/dossiers/{code}/results", files=parts, headers=key)
    assert (reply.status_code, reply.json()["state"]) == (202, "waiting_for_seal"), reply.text
    services.stamps_server.fault = None
    sealed = until_sealed(kho, commune, reply.headers["location"])
    reply = commune.post(f"/v1/dossiers/{code}/results", files=parts, headers=key)
    assert (reply.status_code, reply.json()["record"]) == (201, sealed["record"])
    assert (reply.json()["verdict"], reply.json()["trust"]) == ("valid", "A")


def test_a_dossier_closed_meanwhile_ends_it_and_everybody_hears_why(
    kho: Any, services: DemoServices, police: httpx.Client, renting: str
) -> None:
    content, key = making.good_scan(os.urandom(4).hex()), os.urandom(8).hex()
    services.stamps_server.stop()
    place = scan(police, renting, content, key).headers["location"]
    closing = police.patch(
        f"/v1/dossiers/{renting}", json={"state": "closed"}, headers={"Idempotency-Key": f"c-{key}"}
    )
    assert closing.status_code == 200, closing.text
    services.stamps_server.start()
    with pytest.raises(AssertionError, match="seal_given_up"):
        until_sealed(kho, police, place)
    reply = scan(police, renting, content, key)
    assert (reply.status_code, reply.json()["code"]) == (409, "seal_given_up")
    assert "dossier_closed" in [one["code"] for one in reply.json()["reasons"]]
    heard = police.get("/v1/notices", params={"dossier": renting}).json()["notices"]
    assert {one["event"] for one in heard} == {"scan_given_up"}
    with kho.staff(people.POLICE, "desk") as desk:
        shown = desk.get(f"/desk/dossiers/{renting}").text
        assert "The scan could not be sealed" in shown and "The dossier has ended" in shown
        assert "A scan that waited could not be sealed" in shown
        assert "The scan could not be sealed" in desk.get("/desk").text
        away = hidden(shown, f"/desk/notices/{put_away(shown)}/seen")
        assert desk.post(f"/desk/notices/{put_away(shown)}/seen", data=away).status_code == 303
        for page in ("/desk", f"/desk/dossiers/{renting}"):
            left = desk.get(page).text
            assert "could not be sealed" not in left, "it was seen, and put away"
    assert police.get(place).json()["state"] == "seal_given_up"
    assert waiting(kho.around.kept) == []
