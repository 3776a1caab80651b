"""The whole story over HTTP: seven callers, each with what is theirs, and a stranger who gets nothing."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import httpx
import pytest

from reuse_api.demo import acts, later_acts, people, refusals, staff
from reuse_api.demo.actors import Clerk, Wallet
from reuse_api.demo.door import Door
from reuse_api.demo.teller import Teller
from reuse_api.wiring import places_of
from tests.flows.conftest import OTHER_COMMUNE
from tests.servers.coming_in import ByProvider
from vault.inspecting import inspect

LATER = (people.LAND_OFFICE, people.BUSINESS_OFFICE, people.BANK)


@dataclass(frozen=True)
class Told:
    """The service in which the story was told, what was said, and everything that has an address."""

    kho: Any
    lines: str
    stage: acts.Stage
    records: tuple[str, ...]
    consent: str


async def _tell(kho: Any, out: StringIO) -> acts.Stage:
    door, teller = Door("127.0.0.1", kho.settings.port), Teller("en", out)
    clerks = [
        Clerk(kho.vault, door, office, kho.keys[office.system])
        for office in (people.COMMUNE, people.POLICE, *LATER)
    ]
    for clerk in clerks:
        await clerk.sign_in()
    provider = kho.settings.staff_provider
    comes = ByProvider(kho.registry, kho.url, lambda one: one.number, provider) if provider else None
    citizens = (people.DAUGHTER, people.MOTHER, people.STRANGER)
    wallets = [Wallet(kho.vault, door, one, comes) for one in citizens]
    for wallet in wallets:
        await wallet.open(people.COMMUNE.code)
    commune, police, *later = clerks
    stage = acts.Stage(kho.vault, teller, commune, police, *wallets, kho.folder / "received", comes)
    await staff.register_staff(kho.registry)
    await acts.tell(stage)
    await refusals.tell(stage)
    await later_acts.tell(stage, *later, door)
    return stage


@pytest.fixture
def told(kho_apart: Any) -> Iterator[Told]:
    out = StringIO()
    telling = asyncio.run_coroutine_threadsafe(_tell(kho_apart, out), kho_apart.loop)
    stage = telling.result(timeout=200)
    with kho_apart.wallet(people.DAUGHTER) as daughter, kho_apart.wallet(people.MOTHER) as mother:
        records = [
            one["id"]
            for wallet in (daughter, mother)
            for one in wallet.get("/v1/me/records").json()["records"]
        ]
        consent = mother.get("/v1/me/consents").json()["consents"][0]["id"]
    yield Told(kho_apart, out.getvalue(), stage, tuple(records), consent)


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def test_seven_callers_tell_the_story_and_a_stranger_gets_nothing(told: Told) -> None:
    for step in range(3, 15):
        assert f"{step}. " in told.lines
    assert "deciding again gives what was recorded" in told.lines
    callers(told)
    auditor_believes_nothing(told)
    stranger_in_the_wallet(told)
    stranger_among_systems(told)
    nobody_at_all(told)
    found = told.kho.run(inspect(places_of(told.kho.settings)))
    assert found.sound, found.findings


def callers(told: Told) -> None:
    """Each of the seven sees what is theirs."""
    kho, stage = told.kho, told.stage
    with kho.wallet(people.DAUGHTER) as citizen:
        mine = {one["id"]: one for one in citizen.get("/v1/me/records").json()["records"]}
        assert mine[stage.certificate]["validity"] == "in_force"
        events = {one["event"] for one in citizen.get("/v1/me/accesses?limit=100").json()["accesses"]}
        assert {"dossier_opened", "plan_asked", "released", "delivered", "revoked", "issued"} <= events
    with kho.system(people.COMMUNE) as commune:
        issued = commune.get("/v1/records", params={"limit": 50}).json()["records"]
        assert stage.certificate in [one["record"] for one in issued]
    with kho.system(people.POLICE) as police:
        notices = police.get("/v1/notices").json()["notices"]
        assert "replaced" in [one["event"] for one in notices]
        assert police.get(f"/v1/releases/{stage.release}/content").status_code == 410
    with kho.system(people.LAND_OFFICE) as land:
        (certificate,) = land.get("/v1/records").json()["records"]
        assert (certificate["type"], certificate["validity"]) == ("GCNQSDD", "in_force")
    with kho.system(people.BUSINESS_OFFICE) as business:
        (registration,) = business.get("/v1/records").json()["records"]
        assert registration["type"] == "GCNDKDN"
    with kho.system(people.BANK) as bank:
        body = {"consent": told.consent, "purpose": "loan_assessment", "records": [certificate["record"]]}
        refused = bank.post("/v1/fetches", json=body, headers=key())
        assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (403, "consent_withdrawn")
    with kho.staff(people.INSPECTORATE, "auditor") as auditor:
        counts = auditor.get("/v1/audit/counts", params={"by": "reason"}).json()["counts"]
        assert {"record_revoked", "consent_withdrawn", "outside_territory"} <= {one["key"] for one in counts}


def auditor_believes_nothing(told: Told) -> None:
    """Every entry of the story is opened and decided again: nothing differs, and nobody is named."""
    persons = [one for one in vars(people).values() if isinstance(one, people.Citizen)]
    differing, decided = [], 0
    with told.kho.staff(people.INSPECTORATE, "auditor") as auditor:
        for index in range(told.kho.vault.signer.tree.size):
            body = {"index": index, "ground": "Kiểm tra toàn bộ câu chuyện"}
            reply = auditor.post("/v1/audit/replays", json=body, headers=key())
            told_again = reply.json()
            decided += told_again["replay"]["outcome"] == "same"
            if told_again["replay"]["alarm"] or told_again["disagreements"]:
                differing.append((index, told_again["entry"].get("event"), told_again["replay"]))
            shown = reply.text
            assert not any(one.name in shown or one.number in shown for one in persons), index
            assert "own-" not in shown, index
    assert differing == []
    assert decided > 50


def stranger_in_the_wallet(told: Told) -> None:
    """Somebody with a store of his own, who knows every address."""
    with told.kho.wallet(people.STRANGER) as stranger:
        held = [one["id"] for one in stranger.get("/v1/me/records").json()["records"]]
        assert not set(held) & set(told.records)
        for record in told.records:
            assert stranger.get(f"/v1/me/records/{record}/content").status_code == 404
            assert stranger.get(f"/v1/me/records/{record}/pages/1").status_code == 404
        assert stranger.get(f"/v1/me/consents/{told.consent}").status_code == 404
        withdrawn = stranger.post(f"/v1/me/consents/{told.consent}/withdrawal", headers=key())
        assert withdrawn.status_code == 404
        mine = {one["index"] for one in stranger.get("/v1/me/accesses?limit=100").json()["accesses"]}
        size = told.kho.vault.signer.tree.size
        foreign = sorted(set(range(size)) - mine)[:40]
        assert {stranger.get(f"/v1/me/accesses/{index}").status_code for index in foreign} == {404}
        assert {stranger.get(f"/v1/me/accesses/{index}/proof").status_code for index in foreign} == {404}


def stranger_among_systems(told: Told) -> None:
    """A system of another agency, proven, and with no business here."""
    with told.kho.system(OTHER_COMMUNE) as system:
        for dossier in (told.stage.first_dossier, told.stage.residence_dossier):
            assert system.get(f"/v1/dossiers/{dossier}/plan").status_code == 404
            wanted = {"components": [{"component": people.KINSHIP}]}
            reply = system.post(f"/v1/dossiers/{dossier}/releases", json=wanted, headers=key())
            assert reply.status_code == 404
        assert system.get(f"/v1/releases/{told.stage.release}/content").status_code == 404
        why = {"ground": "Không có", "reason": "Không có"}
        for record in told.records:
            reply = system.post(f"/v1/records/{record}/revocation", json=why, headers=key())
            assert reply.status_code == 404
        assert system.get("/v1/records").json()["records"] == []
        assert system.get("/v1/notices").json()["notices"] == []


def nobody_at_all(told: Told) -> None:
    """Without credentials only the public log answers."""
    with httpx.Client(base_url=told.kho.url) as nobody:
        places = [f"/v1/me/records/{record}/content" for record in told.records]
        places += ["/v1/me/records", "/v1/me/accesses", "/v1/records", "/v1/notices", "/v1/audit/entries"]
        places += [f"/v1/releases/{told.stage.release}/content", f"/v1/consent-requests/{told.consent}"]
        assert {nobody.get(place).status_code for place in places} == {401}
        assert nobody.get("/log/checkpoint").status_code == 200
