"""A result whose seal has to wait, over HTTP: told to its system and at the desk, sealed while serving."""

import asyncio
import os
import time
from typing import Any

import httpx
from sqlalchemy import update

from reuse_api.demo import people
from vault.evidence_tables import waiting_seal


async def make_due(kho: Any) -> None:
    async with kho.vault.db.write() as db:
        await db.execute(update(waiting_seal).values(next_at="2026-01-01T00:00:00.000000Z"))


def until_sealed(kho: Any, system: httpx.Client, place: str) -> dict[str, Any]:
    for _ in range(200):
        state: dict[str, Any] = system.get(place).json()
        if state["state"] == "sealed":
            return state
        if state["state"] == "seal_given_up":
            break
        kho.run(make_due(kho))
        time.sleep(0.2)
    raise AssertionError(state)


def test_it_is_told_that_it_waits_and_then_where_it_is(
    kho: Any, commune: httpx.Client, reregistration: dict[str, Any]
) -> None:
    code = str(kho.new_code(people.COMMUNE))
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    fields = people.certificate(f"{os.urandom(3).hex()}/2026", "2026-11-20", birth_place="Hà Nội")
    asked = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
    key = {"Idempotency-Key": os.urandom(8).hex()}
    with kho.nobody_stamps(), kho.staff(people.COMMUNE, "desk") as desk:
        reply = commune.post(f"/v1/dossiers/{code}/results", json=asked, headers=key)
        assert reply.status_code == 202, reply.text
        assert reply.headers["retry-after"] == "5"
        told = reply.json()
        assert told["state"] == "waiting_for_seal"
        assert [one["code"] for one in told["reasons"]] == ["waiting_for_seal", "timestamp_failed"]
        assert all(one["words"] for one in told["reasons"])
        place = reply.headers["location"]
        state = commune.get(place)
        assert (state.status_code, state.json()["waiting"]) == (200, told["waiting"])
        assert commune.post(f"/v1/dossiers/{code}/results", json=asked, headers=key).status_code == 202
        for page in (f"/desk/dossiers/{code}", "/desk"):
            shown = desk.get(page).text
            assert "Waiting for their seal" in shown
            assert "The time stamp service did not answer" in shown
    sealed = until_sealed(kho, commune, place)
    reply = commune.post(f"/v1/dossiers/{code}/results", json=asked, headers=key)
    assert (reply.status_code, reply.json()["record"]) == (201, sealed["record"])
    heard = commune.get("/v1/notices", params={"dossier": code}).json()
    assert "result_sealed" in [one["event"] for one in heard["notices"]]
    with kho.system(people.POLICE) as other:
        assert other.get(place).status_code == 404
    assert kho.run(asyncio.sleep(0, True)), "the loop of the service goes on"
