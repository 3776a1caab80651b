"""A scan in place of a component: marked, signed, stored, class E, counted, with a reason if answered."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from tests.conftest import House
from vault import confirming, deliver, digitise, finding, plan, records, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.digitise import ScanBody
from vault.errors import FieldInvalid, NotFound
from vault.rescans import Rescans, rescans
from vault.services import Refusal
from vault.tables import digitisation

pytestmark = pytest.mark.anyio
SCAN = ScanBody("GKS", ("applicant",), title="Giấy khai sinh bản giấy", number="15/1998")


async def moves(house: House, police: SystemCaller, citizen: Any = people.STRANGER) -> str:
    persons = (house.person(citizen, "applicant"), house.person(people.MOTHER, "householder"))
    return await house.opens(police, people.POLICE, house.residence(*persons))


async def scan(
    house: House, caller: SystemCaller, code: str, file: Path, body: ScanBody = SCAN, **changes: Any
) -> Any:
    said = {"component": people.KINSHIP, "key": os.urandom(8).hex()} | changes
    component = said.pop("component")
    return await digitise.digitise(house.vault, caller, code, component, body, file, **said)


async def kinship(house: House, caller: SystemCaller, code: str) -> dict[str, Any]:
    answer = await plan.ask(house.vault, caller, code)
    assert isinstance(answer, dict)
    return next(one for one in answer["components"] if one["component"] == people.KINSHIP)


async def today(house: House, **changes: Any) -> Rescans:
    day = legal_day(house.vault.clock.now())
    return await rescans(house.vault, **({"since": day, "until": day} | changes))


async def test_it_becomes_a_candidate_of_its_owner_signed_by_the_agency(
    house: House, police: SystemCaller, stranger: OwnerCaller, scanned: Any, tmp_path: Path
) -> None:
    code, file = await moves(house, police), scanned("giấy khai sinh")
    # The first answer is a database: scanning in spite of it needs its reason.
    body = ScanBody("GKS", ("applicant",), number="15/1998", reason="applicant_insists")
    told = await scan(house, police, code, file, body, key="once")
    assert (told["verdict"], told["state"], told["scan_passed"]) == ("valid", "candidate", True)
    assert told["document_codes"] == {"applicant": f"{people.STRANGER.number}-GKS-0001"}
    assert told["digest"] != told["scan_digest"]
    line = await kinship(house, police, code)
    assert (line["state"], line["candidates"][0]["record"]) == ("candidate", told["record"])
    (row,) = await house.rows(select(digitisation))
    assert (row.answered, row.reason, row.scan_sha256.hex()) == (
        "data_source",
        "applicant_insists",
        told["scan_digest"],
    )
    delivery = await deliver.read_own(house.vault, stranger, told["record"])
    assert isinstance(delivery, deliver.Delivery)
    sealed = tmp_path / "sealed.pdf"
    sealed.write_bytes(await house.drained(delivery))
    with pikepdf.open(sealed) as paper:
        assert "Seal" in [str(one.T) for one in paper.Root.AcroForm.Fields]
    entry = next(one for one in await house.last(stranger, 9) if one.kind is Kind.RECORD_EVENT)
    assert entry.parts.event["type"] == "digitised"
    assert entry.parts.basis["scan"] == told["scan_digest"]
    size = await house.size()
    assert await scan(house, police, code, file, body, key="once") == told
    assert await house.size() == size
    assert not list(house.places.scratch.iterdir())


async def test_once_confirmed_it_counts_for_this_dossier(
    house: House, police: SystemCaller, scanned: Any
) -> None:
    code = await moves(house, police)
    body = ScanBody("GKS", ("applicant",), reason="outdated")
    told = await scan(house, police, code, scanned("giấy khai sinh"), body)
    await confirming.confirm(
        house.vault, police, code, people.KINSHIP, told["record"], reason="Đã đối chiếu", key="c"
    )
    assert (await kinship(house, police, code))["reasons"] == ["confirmed_by_officer"]


async def test_scanning_in_spite_of_an_answer_says_why_and_is_counted(
    house: House, police: SystemCaller, scanned: Any
) -> None:
    code = await moves(house, police, people.DAUGHTER)
    assert (await kinship(house, police, code))["state"] == "satisfied"
    refused = await scan(house, police, code, scanned("thừa"))
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("rescan_reason_missing",)
    assert await house.rows(select(digitisation.c.record)) == []
    for reason, explanation in (("officer_doubts", None), ("other", "Bản gốc có ghi chú tay")):
        body = ScanBody("GKS", ("applicant",), reason=reason, explanation=explanation)
        assert isinstance(await scan(house, police, code, scanned("thừa"), body), dict)
    form = ScanBody("KHAC", ("applicant",), title="Tờ khai CT01")
    assert isinstance(await scan(house, police, code, scanned("CT01"), form, component="CT01"), dict)
    counted = await today(house)
    assert (counted.scans, counted.rescans) == (3, 2)
    assert counted.by_reason == {"officer_doubts": 1, "other": 1}
    assert counted.by_answer == {"satisfied": 2}
    assert (await today(house, agency=people.COMMUNE.code)).scans == 0
    yesterday = legal_day(house.vault.clock.now()) - timedelta(days=1)
    assert (await today(house, since=yesterday, until=yesterday)).scans == 0
    assert (await kinship(house, police, code))["state"] == "satisfied", "by the one that was there"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (ScanBody("GKS", ()), "owners", "owners_missing"),
        (ScanBody("GKS", ("witness",)), "owners", "role_not_in_dossier"),
        (ScanBody("GKS", ("applicant",), reason="whim"), "reason", "value_unknown"),
        (ScanBody("GKS", ("applicant",), reason="other"), "explanation", "field_missing"),
        (
            ScanBody("GKS", ("applicant",), reason="other", explanation="x" * 1001),
            "explanation",
            "text_length",
        ),
    ],
)
async def test_what_is_said_wrongly_is_named(
    house: House, police: SystemCaller, scanned: Any, body: ScanBody, field: str, code: str
) -> None:
    dossier = await moves(house, police)
    with pytest.raises(FieldInvalid) as raised:
        await scan(house, police, dossier, scanned("x"), body)
    assert (raised.value.field, raised.value.code) == (field, code)


async def test_only_an_unsigned_pdf_is_a_scan(
    house: House, police: SystemCaller, daughter: OwnerCaller, tmp_path: Path, scanned: Any
) -> None:
    code = await moves(house, police, people.DAUGHTER)
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    signed, words = tmp_path / "signed.pdf", tmp_path / "words.pdf"
    signed.write_bytes(await house.drained(delivery))
    words.write_bytes(b"just words")
    body = ScanBody("GKS", ("applicant",), reason="unreadable")
    for file, fault in ((signed, "scan_signed"), (words, "not_a_pdf")):
        with pytest.raises(FieldInvalid) as raised:
            await scan(house, police, code, file, body)
        assert (raised.value.field, raised.value.code) == ("file", fault)
    assert await house.rows(select(digitisation.c.record)) == []


async def test_it_takes_an_officer_of_the_agency_of_an_open_dossier(
    house: House, commune: SystemCaller, police: SystemCaller, scanned: Any
) -> None:
    code = await moves(house, police)
    with pytest.raises(NotFound):
        await scan(house, commune, code, scanned("x"))
    alone = await house.system(people.POLICE, officer=False)
    refused = await scan(house, alone, code, scanned("x"))
    assert isinstance(refused, Refusal)
    assert refused.code == "officer_not_named"
    other = await scan(
        house, police, code, scanned("x"), ScanBody("VBTN", ("applicant",), reason="other", explanation="x")
    )
    assert isinstance(other, Refusal)
    assert other.reasons == ("type_not_accepted",)


async def test_who_scans_a_paper_did_not_issue_it(
    house: House, police: SystemCaller, stranger: OwnerCaller, scanned: Any
) -> None:
    code = await moves(house, police)
    said = ScanBody("GKS", ("applicant",), issuer_name=" UBND xã Đường Lâm ", reason="outdated")
    named, silent = [
        (await scan(house, police, code, scanned(str(number)), body))["record"]
        for number, body in enumerate((said, ScanBody("GKS", ("applicant",), reason="outdated")))
    ]
    mine = {one.id: one.issuer_name for one in await finding.my_records(house.vault, stranger)}
    assert (mine[named], mine[silent]) == ("UBND xã Đường Lâm", None)
    today = legal_day(house.vault.clock.now())
    async with house.vault.db.read() as db:
        assert await records.issued_by(db, people.POLICE.code, today) == []
    (row,) = await house.rows(select(digitisation.c.agency).where(digitisation.c.record == named))
    assert row.agency == people.POLICE.code, "the converter"
    with pytest.raises(NotFound):
        await revoke.revoke(
            house.vault, police, named, ground="NĐ 30/2020, Điều 18", reason="Quét nhầm", key="r"
        )
    assert (await kinship(house, police, code))["state"] == "candidate"
