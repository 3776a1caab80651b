"""What a document is worth, over HTTP: by the signature of a known agency, and by nothing said of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from reuse_api.wiring import AUTHORITY
from signing.composing import compose
from signing.sealing import seal
from tests.flows.conftest import OTHER_COMMUNE
from tests.servers.signed_files import signature_beside
from vault.clock import Clock
from vault.days import legal_day

TODAY = legal_day(Clock().now()).isoformat()
PLACE = f"/v1/agencies/{OTHER_COMMUNE.code}/certificates"


@dataclass(frozen=True)
class Foreign:
    """Results that the other commune sealed elsewhere, and the certificate (PEM) of that seal."""

    daughters: bytes
    strangers: bytes
    certificate: str
    fingerprint: str
    authority: DemoAuthority
    key: Any


@pytest.fixture(scope="module")
def foreign(kho: Any, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    folder: Path = tmp_path_factory.mktemp("foreign")
    authority = DemoAuthority.load(kho.settings.keys / AUTHORITY)
    key = authority.issue_seal_key(OTHER_COMMUNE.name_vi, OTHER_COMMUNE.code)
    read = x509.load_der_x509_certificate(key.certificates[0])

    def made(number: str, **changes: str) -> bytes:
        fields = people.certificate(f"{number}/2026", TODAY, birth_place="Hà Nội") | changes
        plain = compose("birth_certificate", fields, at=Clock().now())
        return sealed(folder, authority, key, plain, number)

    stranger = {"full_name": people.STRANGER.name, "personal_number": people.STRANGER.number}
    pem = read.public_bytes(Encoding.PEM).decode()
    fingerprint = sha256(key.certificates[0]).hexdigest()
    return Foreign(made("901"), made("902", **stranger), pem, fingerprint, authority, key)


@pytest.fixture(scope="module")
def administrator(kho: Any) -> Iterator[httpx.Client]:
    with kho.staff(people.COMMUNE, "administrator") as client:
        yield client


@pytest.fixture(scope="module")
def registered(administrator: httpx.Client, foreign: Foreign, before: dict[str, Any]) -> dict[str, Any]:
    """The certificate becomes the other commune's, after `before` was uploaded."""
    body = {"certificate": foreign.certificate, "valid_from": TODAY, "reason": "Công văn số 12/UBND"}
    reply = administrator.post(PLACE, json=body, headers={"Idempotency-Key": "register"})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


@pytest.fixture(scope="module")
def before(kho: Any, foreign: Foreign) -> dict[str, Any]:
    """The daughter's upload, when nobody knew yet whose seal it bears."""
    with kho.wallet(people.DAUGHTER) as wallet:
        return upload(wallet, foreign.daughters)


def upload(
    wallet: httpx.Client,
    content: bytes,
    type: str = "GKS",
    status: int = 201,
    signature: bytes | None = None,
) -> dict[str, Any]:
    files = {"file": ("giay.pdf", content, "application/pdf")}
    if signature is not None:
        files["signature"] = ("giay.p7s", signature, "application/pkcs7-signature")
    reply = wallet.post(
        "/v1/me/records",
        data={"title": "Giấy khai sinh", "type": type},
        files=files,
        headers={"Idempotency-Key": f"up-{hash((content, type, signature, wallet.headers['cookie']))}"},
    )
    assert reply.status_code == status, reply.text
    return dict(reply.json())


def sealed(folder: Path, authority: DemoAuthority, key: Any, plain: bytes, name: str) -> bytes:
    """Have a paper sealed elsewhere, by a key that the demo's authority vouches for."""
    composed, target = folder / f"{name}.pdf", folder / f"{name}-sealed.pdf"
    composed.write_bytes(plain)
    sealing = seal(
        composed,
        target,
        key=key,
        timestamper=authority.timestamper(),
        revocation=authority.revocation(),
        roots=authority.roots(),
        at=Clock().now(),
        reason="Cấp giấy tờ",
        name=OTHER_COMMUNE.name_vi,
    )
    asyncio.run(sealing)
    return target.read_bytes()


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["trust_reasons"]]


def listed(wallet: httpx.Client, record: str) -> dict[str, Any]:
    found = wallet.get("/v1/me/records").json()["records"]
    return next(one for one in found if one["id"] == record)


def test_a_valid_signature_of_nobody_known_is_an_owners_upload(before: dict[str, Any]) -> None:
    assert (before["trust"], before["verdict"]) == ("D", "valid")
    assert codes(before) == ["class_by_owner", "class_signer_not_registered"]
    assert before["trust_reasons"][1]["words"].startswith("Kho does not know which agency")


def test_a_registered_certificate_makes_it_a_signed_result_and_its_owner_is_told(
    kho: Any, before: dict[str, Any], registered: dict[str, Any]
) -> None:
    with kho.wallet(people.DAUGHTER) as wallet:
        told = listed(wallet, before["record"])
        assert told["trust"] == "A"
        assert codes(told) == ["class_by_issuing_agency", "class_test_anchor"], "said to be a root for tests"
        (entry,) = (
            one for one in wallet.get("/v1/me/accesses").json()["accesses"] if one["event"] == "class_moved"
        )
        assert entry["record"] == before["record"]


def test_the_same_seal_lifts_neither_another_type_nor_another_person_nor_a_changed_byte(
    kho: Any, foreign: Foreign, registered: dict[str, Any]
) -> None:
    with kho.wallet(people.STRANGER) as stranger:
        other_type = upload(stranger, foreign.strangers, "GCNKH")
        assert (other_type["trust"], codes(other_type)[1:]) == (
            "D",
            ["class_signer_may_not_issue", "class_type_differs"],
        )
    with kho.wallet(people.MOTHER) as mother:
        of_another = upload(mother, foreign.daughters)
        assert (of_another["trust"], codes(of_another)[1:]) == ("D", ["class_owner_differs"])
    changed = bytearray(foreign.daughters)
    changed[changed.index(b"xpacket begin") + 20] ^= 1  # inside the metadata
    with kho.wallet(people.DAUGHTER) as daughter:
        refused = upload(daughter, bytes(changed), status=422)
        assert refused["code"] == "signature_invalid"


REFUSAL = {
    "title": "Thông báo từ chối cấp",
    "body": f"Người nộp: {people.DAUGHTER.number}\nGiấy khai sinh\nLý do: hồ sơ giả mạo",
}
RECEIPT = {
    "title": "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
    "body": f"Người nộp: {people.DAUGHTER.number}\nThành phần hồ sơ nộp gồm\nGiấy khai sinh\nTờ khai",
}


@pytest.mark.parametrize("said", [REFUSAL, RECEIPT], ids=["refusal", "receipt"])
def test_an_agencys_letter_that_names_a_paper_is_not_that_paper(
    kho: Any, foreign: Foreign, registered: dict[str, Any], tmp_path: Path, said: dict[str, str]
) -> None:
    rest = {"issued_on": TODAY, "issuer_name": OTHER_COMMUNE.name_vi, "issuer_title": "CHỦ TỊCH"}
    letter = compose("general_result", said | rest | {"signer": "Đinh Thị Lan"}, at=Clock().now())
    content = sealed(tmp_path, foreign.authority, foreign.key, letter, "letter")
    with kho.wallet(people.DAUGHTER) as wallet:
        told = upload(wallet, content)
        assert (told["verdict"], told["trust"], codes(told)[1:]) == ("valid", "D", ["class_type_differs"])


def test_words_that_nobody_sees_lift_nothing(
    kho: Any, foreign: Foreign, registered: dict[str, Any], tmp_path: Path
) -> None:
    page = (
        "#set page(width: 300pt, height: 300pt)\n#text(fill: white, size: 20pt)[Giấy khai sinh]\n\n"
        f"Xin chào {people.DAUGHTER.number}"
    )
    plain = typst.compile(page.encode(), format="pdf")
    content = sealed(tmp_path, foreign.authority, foreign.key, plain + b"\n", "white")
    with kho.wallet(people.DAUGHTER) as wallet:
        told = upload(wallet, content)
        assert (told["verdict"], told["trust"]) == ("valid", "D")
        assert codes(told)[1] == "class_text_unreadable"


def test_a_signature_beside_a_paper_lifts_it_as_one_within_does(
    kho: Any, foreign: Foreign, registered: dict[str, Any]
) -> None:
    fields = people.certificate("903/2026", TODAY, birth_place="Hà Nội")
    paper = compose("birth_certificate", fields, at=Clock().now())
    unknown = foreign.authority.issue_seal_key("Cơ quan lạ", "H26.98")
    theirs, others = (
        asyncio.run(signature_beside(foreign.authority, key, paper, Clock().now()))
        for key in (foreign.key, unknown)
    )
    with kho.wallet(people.DAUGHTER) as wallet:
        told = upload(wallet, paper, signature=theirs)
        assert (told["verdict"], told["trust"]) == ("valid", "A")
        assert codes(told) == ["class_by_issuing_agency", "class_test_anchor"]
        told = upload(wallet, paper, signature=others)
        assert (told["trust"], codes(told)[1:]) == ("D", ["class_signer_not_registered"])
    with kho.wallet(people.STRANGER) as wallet:
        told = upload(wallet, paper, signature=theirs)
        assert (told["trust"], codes(told)[1:]) == ("D", ["class_owner_differs"])


def test_an_agency_hands_in_what_it_sealed_itself_and_nobody_elses(
    kho: Any, commune: httpx.Client, foreign: Foreign, registered: dict[str, Any]
) -> None:
    def hand_in(client: httpx.Client, office: people.Office, type: str = "GKS") -> dict[str, Any]:
        code = kho.new_code(office)
        persons = [people.STRANGER.named("applicant")]
        body = {
            "procedure": people.REREGISTRATION,
            "persons": persons,
            "evidence": {"kind": "officer_check", "reference": "CCCD"},
            "channel": "counter",
        }
        opened = client.put(f"/v1/dossiers/{code}", json=body)
        assert opened.status_code == 200, opened.text
        said = f'{{"type": "{type}", "owner_roles": ["applicant"]}}'
        parts = {"result": (None, said), "file": ("gks.pdf", foreign.strangers, "application/pdf")}
        reply = client.post(f"/v1/dossiers/{code}/results", files=parts, headers={"Idempotency-Key": code})
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    with kho.system(OTHER_COMMUNE) as other:
        own = hand_in(other, OTHER_COMMUNE)
        assert (own["trust"], codes(own)[0]) == ("A", "class_by_issuing_agency")
    anothers = hand_in(commune, people.COMMUNE)
    assert (anothers["trust"], codes(anothers)) == ("E", ["class_unverified", "class_signer_not_issuer"])


def test_certificates_are_listed_refused_twice_and_ended(
    kho: Any,
    administrator: httpx.Client,
    foreign: Foreign,
    registered: dict[str, Any],
    before: dict[str, Any],
) -> None:
    found = {one["sha256"]: one for one in administrator.get(PLACE).json()["certificates"]}
    assert found[foreign.fingerprint]["own_seal"] is False
    assert OTHER_COMMUNE.code in found[foreign.fingerprint]["subject"]
    body = {"certificate": foreign.certificate, "valid_from": TODAY, "reason": "lần nữa"}
    again = administrator.post(PLACE, json=body, headers={"Idempotency-Key": "again"})
    assert (again.status_code, again.json()["code"]) == (409, "certificate_registered")
    for change, field in (
        ({"certificate": "none"}, "certificate"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
    ):
        wrong = administrator.post(PLACE, json=body | change, headers={"Idempotency-Key": f"wrong-{field}"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, field)
    nobodys = administrator.get("/v1/agencies/H99.99/certificates")
    assert nobodys.status_code == 404
    end = {"valid_until": "2020-01-01", "reason": "Lộ khóa bí mật"}
    place = f"{PLACE}/{foreign.fingerprint}/end"
    ended = administrator.post(place, json=end, headers={"Idempotency-Key": "end"})
    assert ended.status_code == 200, ended.text
    with kho.wallet(people.DAUGHTER) as wallet:
        told = listed(wallet, before["record"])
        assert (told["trust"], codes(told)[1:]) == ("D", ["class_signer_not_registered"])
    again = administrator.post(place, json=end | {"valid_until": TODAY}, headers={"Idempotency-Key": "end-2"})
    assert (again.status_code, again.json()["code"]) == (422, "certificate_ends_before")
