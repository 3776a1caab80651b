"""Signed XML, and a signature beside a file: taken, kept, judged and handed out again at every door."""

import asyncio
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from asn1crypto import cms

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from reuse_api.wiring import AUTHORITY, places_of
from signing.xml_reading import LARGEST_XML
from tests.flows.kept_bytes import flip
from tests.flows.test_agency_records import owner
from tests.flows.test_me import own_pdf
from tests.servers.signed_files import signature_beside, signed_xml
from vault import revalidating
from vault.clock import Clock
from vault.inspecting import inspect

XML, PDF, CMS = "application/xml", "application/pdf", "application/pkcs7-signature"


@dataclass
class Hand:
    """Somebody with a key of the demo's authority, who signs whatever is wanted."""

    authority: DemoAuthority
    key: Any

    def xml(self, content: str | None = None) -> bytes:
        content = content or f"<KetQua><So>{os.urandom(4).hex()}</So><HoTen>Nguyễn Thị Hằng</HoTen></KetQua>"
        return asyncio.run(signed_xml(self.authority, self.key, content, Clock().now()))

    def beside(self, content: bytes, **how: Any) -> bytes:
        return asyncio.run(signature_beside(self.authority, self.key, content, Clock().now(), **how))


@pytest.fixture(scope="module")
def hand(kho: Any) -> Hand:
    authority = DemoAuthority.load(kho.settings.keys / AUTHORITY)
    return Hand(authority, authority.issue_seal_key("Sở Tư pháp Hà Nội", "H26.99"))


def upload(
    wallet: httpx.Client,
    content: bytes,
    signature: bytes | None = None,
    *,
    kind: str = PDF,
    language: str = "en",
    key: str | None = None,
) -> httpx.Response:
    files = [("file", ("giấy", content, kind))]
    if signature is not None:
        files.append(("signature", ("giấy.p7s", signature, CMS)))
    return wallet.post(
        "/v1/me/records",
        data={"title": "Giấy xác nhận đã ký"},
        files=files,
        headers={"Idempotency-Key": key or os.urandom(8).hex(), "Accept-Language": language},
    )


def test_signed_xml_is_kept_judged_and_handed_out_as_a_download(
    kho: Any, daughter: httpx.Client, hand: Hand
) -> None:
    made = hand.xml()
    told = upload(daughter, made, kind="text/xml")
    assert told.status_code == 201, told.text
    record = told.json()["record"]
    assert (told.json()["verdict"], told.json()["reasons"], told.json()["trust"]) == ("valid", [], "D")
    reasons = {one["code"] for one in told.json()["trust_reasons"]}
    assert "class_xml_not_read" in reasons, "no words of XML are read, so that no class rests on them"
    assert "class_text_unreadable" not in reasons, "it has no pages"
    mine = next(one for one in daughter.get("/v1/me/records").json()["records"] if one["id"] == record)
    assert (mine["media_type"], "pages" in mine, "signature" in mine) == (XML, False, False)
    size = kho.vault.signer.tree.size
    got = daughter.get(f"/v1/me/records/{record}/content")
    assert (got.content, got.headers["content-type"]) == (made, XML)
    assert got.headers["content-disposition"].startswith("attachment;")
    assert ".xml" in got.headers["content-disposition"]
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert kho.vault.signer.tree.size == size + 1
    assert daughter.get(f"/v1/me/records/{record}/pages/1").status_code == 404
    assert kho.vault.signer.tree.size == size + 1, "nothing is opened for a picture that there is not"
    assert daughter.get(f"/v1/me/records/{record}/signature").status_code == 404
    found = kho.run(revalidating.revalidate(kho.vault, record))
    assert (found.before, found.now) == ("valid", "valid")
    for n in (1, 2):
        assert kho.run(revalidating.repeat(kho.vault, record, n)).verdict == "valid"


@pytest.mark.parametrize("armored", [False, True])
def test_a_signature_beside_a_file_is_kept_with_it_for_ever(
    kho: Any, daughter: httpx.Client, mother: httpx.Client, hand: Hand, armored: bool
) -> None:
    pdf = own_pdf()
    signature = hand.beside(pdf, armored=armored)
    told = upload(daughter, pdf, signature)
    assert told.status_code == 201, told.text
    record = told.json()["record"]
    assert (told.json()["verdict"], told.json()["reasons"]) == ("valid", [])
    _, report = kho.run(revalidating.told_by(kho.vault, record, None))
    assert [one.time_source for one in report.signatures] == ["timestamp"]
    assert told.json()["signature"]["size"] == len(signature)
    mine = next(one for one in daughter.get("/v1/me/records").json()["records"] if one["id"] == record)
    assert (mine["signature"], mine["pages"]) == (told.json()["signature"]["digest"], 1)
    size = kho.vault.signer.tree.size
    got = daughter.get(f"/v1/me/records/{record}/signature")
    assert (got.status_code, got.content) == (200, signature)
    assert got.headers["content-disposition"].startswith("attachment;")
    ending = ".pem" if armored else ".p7s"
    assert ending in got.headers["content-disposition"]
    shown = daughter.get(f"/wallet/records/{record}").text
    hint = re.search(r"kho verify document (\S+) --signature (\S+) ", shown)
    assert hint is not None and hint[1].endswith(".pdf") and hint[2].endswith(ending)
    assert kho.vault.signer.tree.size == size + 1, "reading it is an entry"
    newest = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (newest["event"], newest["record"]) == ("signature_delivered", record)
    assert mother.get(f"/v1/me/records/{record}/signature").status_code == 404
    assert daughter.get(f"/v1/me/records/{record}/content").content == pdf
    assert daughter.get(f"/v1/me/records/{record}/pages/1").status_code == 200
    assert kho.run(revalidating.revalidate(kho.vault, record)).now == "valid"
    assert kho.run(revalidating.repeat(kho.vault, record, 1)).verdict == "valid"


def test_the_same_file_with_another_signature_is_another_document(daughter: httpx.Client, hand: Hand) -> None:
    pdf = own_pdf()
    first, second = hand.beside(pdf), hand.beside(pdf)
    told = [upload(daughter, pdf, one).json() for one in (first, second, first, None)]
    assert [one["already_stored"] for one in told] == [False, False, True, True]
    assert len({one["record"] for one in told[:2]}) == 2
    assert told[2]["record"] == told[0]["record"]
    key, other = os.urandom(8).hex(), own_pdf()
    assert upload(daughter, other, hand.beside(other), key=key).status_code == 201
    assert upload(daughter, other, hand.beside(other), key=key).json()["code"] == "idempotency_conflict"


def test_unsigned_xml_with_a_signature_beside_it_is_taken(daughter: httpx.Client, hand: Hand) -> None:
    plain = f"<KetQua><So>{os.urandom(4).hex()}</So></KetQua>".encode()
    told = upload(daughter, plain, hand.beside(plain), kind=XML)
    assert (told.status_code, told.json()["verdict"]) == (201, "valid"), told.text


def test_what_cannot_be_judged_is_kept_as_undetermined(daughter: httpx.Client, hand: Hand) -> None:
    made = hand.xml()
    twice = made.replace(b"</KetQua>", made[made.index(b"<ds:Signature") :], 1)
    for content, reason in ((twice, "signature_unsupported"), (_wrapped(made), "coverage_incomplete")):
        told = upload(daughter, content, kind=XML)
        assert (told.status_code, told.json()["verdict"], told.json()["trust"]) == (201, "undetermined", "D")
        assert [one["code"] for one in told.json()["reasons"]] == [reason]


def _wrapped(made: bytes) -> bytes:
    """Put what was signed under a new root, and point the signature at it by its id."""
    begin = made.index(b"<ds:Signature")
    signature, end = made[begin : made.rindex(b"</KetQua>")], b"</KetQua>"
    inner = made[made.index(b"<KetQua") : begin].replace(b"<KetQua", b'<KetQua Id="k"', 1) + end
    return b"<Khac><So>1</So>" + inner + signature.replace(b'URI=""', b'URI="#k"', 1) + b"</Khac>"


def _bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY e0 "x">{entities}]><x>&e11;</x>'.encode()


def _nested() -> bytes:
    return b"<x>" * 100_000 + b"</x>" * 100_000


OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
PAGE = b'<x><html xmlns="http://www.w3.org/1999/xhtml"><script>1</script></html></x>'
BARE = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
STYLED = b'<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><x/>'


@pytest.fixture
def counted(kho: Any, daughter: httpx.Client) -> Any:
    """Nothing is stored, nothing entered, no scratch file left by what a test does."""

    def counts() -> tuple[int, int, int, list[str]]:
        held = daughter.get("/v1/me/records").json()["records"]
        scratch = sorted(one.name for one in (kho.folder / "scratch").iterdir())
        return len(held), kho.vault.signer.tree.size, len(kho.around.kept.names()), scratch

    before = counts()
    yield
    assert counts() == before


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (_bomb, 422, "xml_unsafe"),
        (lambda: OUTSIDE, 422, "xml_unsafe"),
        (lambda: STYLED, 422, "xml_unsafe"),
        (lambda: "<x/>".encode("utf-16"), 422, "xml_unsafe"),
        (_nested, 422, "xml_damaged"),
        (lambda: b"<x><y></x>", 422, "xml_damaged"),
        (lambda: b"just words", 422, "xml_damaged"),
        (lambda: PAGE, 422, "xml_page"),
        (lambda: b"<svg/>", 422, "xml_page"),
        (lambda: BARE, 422, "xml_page"),
        (lambda: b"<KetQua/>", 422, "xml_unsigned"),
        (lambda: b"<x>" + b" " * LARGEST_XML + b"</x>", 413, "xml_too_large"),
        (own_pdf, 422, "mislabelled"),
        (lambda: b"", 422, "empty"),
    ],
)
def test_xml_that_is_not_taken_is_told_and_not_stored(
    daughter: httpx.Client, counted: None, content: Callable[[], bytes], status: int, code: str
) -> None:
    for language in ("vi", "en"):
        told = upload(daughter, content(), kind=XML, language=language)
        assert (told.status_code, told.json()["code"], told.json()["field"]) == (status, code, "file")
        assert told.headers["content-language"] == language


def test_a_signed_document_that_was_changed_is_not_stored(
    daughter: httpx.Client, counted: None, hand: Hand
) -> None:
    told = upload(daughter, hand.xml().replace("Hằng".encode(), "Hường".encode()), kind=XML)
    assert (told.status_code, told.json()["code"]) == (422, "signature_invalid")
    assert [one["code"] for one in told.json()["reasons"]] == ["digest_mismatch"]


def test_a_signature_that_is_none_of_the_file_is_told_and_not_stored(
    daughter: httpx.Client, certificate: Any, hand: Hand, request: pytest.FixtureRequest
) -> None:
    pdf = own_pdf()
    signature = hand.beside(pdf)
    sealed = daughter.get(f"/v1/me/records/{certificate.record}/content").content
    request.getfixturevalue("counted")
    cases = [
        (pdf, b"", 422, "signature_empty"),
        (pdf, b"just words", 422, "signature_unreadable"),
        (pdf, signature[:-40], 422, "signature_unreadable"),
        (pdf, bytes(1024 * 1024 + 1), 413, "signature_too_large"),
        (own_pdf(), signature, 422, "signature_of_another_file"),
        (sealed, hand.beside(sealed), 422, "signature_one_too_many"),
    ]
    for content, beside, status, code in cases:
        for language in ("vi", "en"):
            told = upload(daughter, content, beside, language=language)
            assert (told.status_code, told.json()["code"]) == (status, code), told.text
            assert told.json()["field"] == "signature"
            assert told.headers["content-language"] == language


def test_a_signature_of_the_file_that_is_wrong_is_told_by_its_own_reason(
    daughter: httpx.Client, counted: None, hand: Hand
) -> None:
    pdf = own_pdf()
    signature = bytearray(hand.beside(pdf))
    value = cms.ContentInfo.load(bytes(signature))["content"]["signer_infos"][0]["signature"].native
    signature[signature.index(value) + len(value) - 1] ^= 1
    for language, words in (("vi", "Chữ ký số"), ("en", "signature")):
        told = upload(daughter, pdf, bytes(signature), language=language)
        assert (told.status_code, told.json()["field"]) == (422, "signature"), told.text
        assert told.json()["code"] == "signature_invalid"
        assert words in told.json()["detail"]
        assert [one["code"] for one in told.json()["reasons"]] == ["signature_wrong"]


def test_two_signatures_beside_a_file_are_one_too_many(
    daughter: httpx.Client, counted: None, hand: Hand
) -> None:
    pdf = own_pdf()
    one = ("signature", ("a.p7s", hand.beside(pdf), CMS))
    told = daughter.post(
        "/v1/me/records",
        data={"title": "Giấy"},
        files=[("file", ("a.pdf", pdf, PDF)), one, one],
        headers={"Idempotency-Key": os.urandom(8).hex()},
    )
    assert (told.status_code, told.json()["code"]) == (422, "field_repeated")
    assert told.json()["field"] == "signature"


def hand_in(
    system: httpx.Client, place: str, part: str, said: dict[str, Any], files: list[Any]
) -> httpx.Response:
    return system.post(
        place,
        data={part: json.dumps(said)},
        files=files,
        headers={"Idempotency-Key": os.urandom(8).hex()},
    )


def test_a_result_with_a_signature_beside_it_reaches_the_next_agency(
    kho: Any,
    commune: httpx.Client,
    police: httpx.Client,
    daughter: httpx.Client,
    reregistration: dict[str, Any],
    residence: dict[str, Any],
    hand: Hand,
) -> None:
    code = kho.new_code(people.COMMUNE)
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    pdf = own_pdf()
    signature = hand.beside(pdf)
    files = [
        ("file", ("a.pdf", pdf, PDF)),
        ("signature", ("a.p7s", signature, CMS)),
    ]
    said = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"]}
    told = hand_in(commune, f"/v1/dossiers/{code}/results", "result", said, files)
    assert told.status_code == 201, told.text
    assert (told.json()["verdict"], told.json()["size"]) == ("valid", len(pdf)), "nothing was sealed over it"
    record = told.json()["record"]
    again = hand_in(commune, f"/v1/dossiers/{code}/results", "result", said, files)
    assert (again.json()["record"], again.json()["already_stored"]) == (record, True)

    asked = kho.new_code(people.POLICE)
    assert police.put(f"/v1/dossiers/{asked}", json=residence).status_code == 200
    wanted = {"components": [{"component": people.KINSHIP, "record": record}]}
    reply = police.post(
        f"/v1/dossiers/{asked}/releases", json=wanted, headers={"Idempotency-Key": os.urandom(8).hex()}
    )
    (item,) = reply.json()["items"]
    assert (item["state"], item["trust"], item["counts"]) == ("released", "E", False), item
    assert item["signature"]["digest"] == told.json()["signature"]["digest"]
    size = kho.vault.signer.tree.size
    got = police.get(f"/v1/releases/{item['release']}/signature")
    assert (got.status_code, got.content) == (200, signature)
    assert kho.vault.signer.tree.size == size + 1
    assert got.headers["kho-receipt"]
    assert commune.get(f"/v1/releases/{item['release']}/signature").status_code == 404
    newest = daughter.get("/v1/me/accesses").json()["accesses"][1]
    assert (newest["event"], newest["dossier"]) == ("signature_delivered", asked)


def test_signed_xml_is_a_result_and_a_record_of_an_agency(
    kho: Any, commune: httpx.Client, reregistration: dict[str, Any], hand: Hand
) -> None:
    code = kho.new_code(people.COMMUNE)
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    files = [("file", ("a.xml", hand.xml(), XML))]
    said = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"]}
    told = hand_in(commune, f"/v1/dossiers/{code}/results", "result", said, files)
    assert (told.status_code, told.json()["verdict"], told.json()["trust"]) == (201, "valid", "E"), told.text
    unsigned = [("file", ("a.xml", b"<KetQua/>", XML))]
    told = hand_in(commune, f"/v1/dossiers/{code}/results", "result", said, unsigned)
    assert (told.status_code, told.json()["code"]) == (422, "xml_unsigned")

    said = {"type": "GCNQSDD", "owners": [owner("wife", people.MOTHER), owner("husband", people.FATHER)]}
    pdf = own_pdf()
    beside = ("signature", ("a.p7s", hand.beside(pdf), CMS))
    with kho.system(people.LAND_OFFICE) as land:
        for sent in ([("file", ("a.xml", hand.xml(), XML))], [("file", ("a.pdf", pdf, PDF)), beside]):
            told = hand_in(land, "/v1/records", "record", said, sent)
            assert (told.status_code, told.json()["verdict"]) == (201, "valid"), told.text
            assert ("signature" in told.json()) is (len(sent) == 2)


def test_inspection_knows_the_signature_and_finds_another_in_its_place(kho_apart: Any, hand: Hand) -> None:
    kho = kho_apart
    with kho.wallet(people.DAUGHTER) as wallet:
        pdf = own_pdf()
        record = upload(wallet, pdf, hand.beside(pdf)).json()["record"]
        kept = kho.around.kept
        name = next(one for one in kept.names() if "signature" in one and record.removeprefix("rec-") in one)
        places = places_of(kho.settings)
        assert not [one for one in kho.run(inspect(places)).findings if record in one.what]
        flip(kept, name, -1)
        found = [one.code for one in kho.run(inspect(places)).findings if f"{record}, signature" == one.what]
        assert found == ["blob_changed"]
        size = kho.vault.signer.tree.size
        assert wallet.get(f"/v1/me/records/{record}/signature").status_code == 500
        assert kho.vault.signer.tree.size == size + 2, "the try, and that nothing arrived"
        assert wallet.get(f"/v1/me/records/{record}/content").content == pdf
