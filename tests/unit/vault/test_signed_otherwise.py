"""Signed XML and signatures beside a file, in the vault: what they satisfy and are worth, who is kept out."""

import asyncio
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.composing import compose
from signing.keys_file import FileKey
from signing.malware import Clamd
from tests.conftest import OTHER_COMMUNE, House
from tests.servers.signed_files import signature_beside, signed_xml
from vault import deposit, enrolling, issue, plan
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.enrolling import NewCertificate
from vault.errors import FileRejected
from vault.evidence_tables import quarantine
from vault.issue import ResultBody
from vault.services import Answer
from vault.tables import record

pytestmark = pytest.mark.anyio
XML, PDF = "application/xml", "application/pdf"
LEASE = "KQ003607"  # the contract of whoever lives in a rented place: nothing answers for it
RESULT = ResultBody("GKS", ("applicant",), None, "Giấy khai sinh", "1/2026", None, None)


@pytest.fixture
def key(house: House) -> FileKey:
    """A seal key that the other commune has elsewhere."""
    return house.authority.issue_seal_key(OTHER_COMMUNE.name_vi, OTHER_COMMUNE.code)


@pytest.fixture
async def xml(house: House, key: FileKey, tmp_path: Path) -> dict[str, Path]:
    """Signed XML that can be judged, and the same that cannot: it is signed in part."""
    content = f"<KetQua><So>{os.urandom(4).hex()}</So></KetQua>"
    made = await signed_xml(house.authority, key, content, house.vault.clock.now())
    begin = made.index(b"<ds:Signature")
    signature, end = made[begin : made.rindex(b"</KetQua>")], b"</KetQua>"
    inner = made[made.index(b"<KetQua") : begin].replace(b"<KetQua", b'<KetQua Id="k"', 1) + end
    wrapped = b"<Khac>" + inner + signature.replace(b'URI=""', b'URI="#k"', 1) + b"</Khac>"
    paths = {"valid": tmp_path / "valid.xml", "undetermined": tmp_path / "undetermined.xml"}
    for path, one in zip(paths.values(), (made, wrapped), strict=True):
        path.write_bytes(one)
    return paths


async def paper(house: House, key: FileKey, folder: Path) -> tuple[Path, bytes]:
    """Give a birth certificate that nobody sealed, and the signature of a key beside it."""
    at = house.vault.clock.now()
    fields = people.certificate(
        f"{next(house.serials)}/2026", legal_day(at).isoformat(), birth_place="Hà Nội"
    )
    path = folder / f"{os.urandom(4).hex()}.pdf"
    path.write_bytes(compose("birth_certificate", fields, at=at))
    return path, await signature_beside(house.authority, key, path.read_bytes(), at)


async def uploaded(
    house: House, owner: OwnerCaller, file: Path, *, kind: str = PDF, vault: Any = None, **more: Any
) -> Answer:
    said = {"title": "Giấy khai sinh", "type": "GKS", "declared_type": kind, "key": os.urandom(8).hex()}
    return await deposit.upload(vault or house.vault, owner, file, **(said | more))


async def component(house: House, police: SystemCaller, code: str, wanted: str) -> tuple[str, set[str]]:
    """Give the state of a component of a dossier, and the records that somebody may look at for it."""
    told = await plan.ask(house.vault, police, code)
    assert isinstance(told, dict)
    line = next(one for one in told["components"] if one["component"] == wanted)
    return line["state"], {one["record"] for one in line.get("candidates", [])}


@pytest.mark.parametrize("verdict", ["undetermined", "valid"])
async def test_xml_satisfies_no_component(
    house: House,
    police: SystemCaller,
    commune: SystemCaller,
    stranger: OwnerCaller,
    xml: dict[str, Path],
    verdict: str,
) -> None:
    """Uploaded by its owner or handed in by an agency, judged or not: nobody has read whose it is."""
    mine = await uploaded(house, stranger, xml[verdict], kind=XML)
    assert (mine["verdict"], mine["trust"]) == (verdict, "D")
    applicant = house.person(people.STRANGER, "applicant")
    issuing = await house.opens(commune, people.COMMUNE, house.reregistration(applicant))
    other = xml[verdict].with_suffix(".other.xml")
    other.write_bytes(xml[verdict].read_bytes() + b"\n")
    given = await issue.issue(house.vault, commune, issuing, RESULT, other, key="k", declared_type=XML)
    assert isinstance(given, dict), given
    assert (given["verdict"], given["trust"]) == (verdict, "E")
    asked = house.residence(applicant, house.person(people.MOTHER, "householder"))
    code = await house.opens(police, people.POLICE, asked)
    both = {mine["record"], given["record"]}
    assert await component(house, police, code, people.KINSHIP) == ("candidate", both)


@pytest.mark.parametrize(("verdict", "state"), [("undetermined", "candidate"), ("valid", "satisfied")])
async def test_undetermined_xml_satisfies_nothing_even_if_its_row_says_class_a(
    house: House, police: SystemCaller, stranger: OwnerCaller, xml: dict[str, Path], verdict: str, state: str
) -> None:
    mine = await uploaded(house, stranger, xml[verdict], kind=XML, type="HDTN")
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    asked = replace(house.residence(*persons), case="thue-muon-o-nho")
    code = await house.opens(police, people.POLICE, asked)
    assert await component(house, police, code, LEASE) == ("candidate", {mine["record"]})
    await house.change(update(record).where(record.c.id == mine["record"]).values(trust="A"))
    assert (await component(house, police, code, LEASE))[0] == state


async def test_malware_in_a_signature_beside_a_file_is_kept_shut_alone(
    house: House, daughter: OwnerCaller, key: FileKey, tmp_path: Path
) -> None:
    bad = b"X5O!P%@AP"
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\0\0\0\0"))
        writer.write(b"stream: Ours.Eicar FOUND\0" if bad in heard[-1] else b"stream: OK\0")
        writer.close()

    file, signature = await paper(house, key, tmp_path)
    place, records = tmp_path / "clamd", await house.rows(select(record.c.id))
    async with await asyncio.start_unix_server(serve, place):
        vault = replace(house.vault, scanner=Clamd(f"unix:{place}"))
        with pytest.raises(FileRejected) as raised:
            await uploaded(house, daughter, file, vault=vault, signature=signature + bad)
    assert (raised.value.code, raised.value.detail, len(heard)) == ("malware", "Ours.Eicar", 2)
    columns = (quarantine.c.sha256, quarantine.c.malware)
    rows = await house.rows(select(*columns).where(quarantine.c.id == raised.value.quarantine))
    assert rows == [(sha256(signature + bad).digest(), "Ours.Eicar")], (
        "what was found, not the file beside it"
    )
    assert await house.rows(select(record.c.id)) == records
    assert list(house.vault.scratch.iterdir()) == []


async def test_a_signature_beside_a_file_by_a_registered_agency_makes_class_a(
    house: House, daughter: OwnerCaller, key: FileKey, tmp_path: Path
) -> None:
    file, signature = await paper(house, key, tmp_path)
    unknown = await uploaded(house, daughter, file, signature=signature)
    assert (unknown["verdict"], unknown["trust"]) == ("valid", "D")
    assert "class_signer_not_registered" in unknown["trust_reasons"]
    read = x509.load_der_x509_certificate(key.certificates[0]).public_bytes(Encoding.PEM).decode()
    new = NewCertificate(OTHER_COMMUNE.code, read, legal_day(house.vault.clock.now()), None, "Công văn số 12")
    await enrolling.register(house.vault, None, new, key=os.urandom(8).hex())
    file, signature = await paper(house, key, tmp_path)
    known = await uploaded(house, daughter, file, signature=signature)
    assert (known["verdict"], known["trust"]) == ("valid", "A")
    assert "class_by_issuing_agency" in known["trust_reasons"]
    (row,) = await house.rows(select(record.c.trust).where(record.c.id == unknown["record"]))
    assert row == ("A",), "what it had signed before is judged anew"
