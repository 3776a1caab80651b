"""XML signatures: integrity and chain are judged, everything else is undetermined with its reason."""

import asyncio
import base64
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import SignatureMethod, XMLSigner
from signxml.xades import XAdESSigner

from reuse_api.__main__ import run
from signing.anchors import for_tests
from signing.grounds import Grounds, Piece
from signing.keys_file import FileKey
from signing.report import SignatureReport
from signing.revocation import LocalResponder, collect_status
from signing.xml_signatures import examine_xml, judge_xml
from tests.servers.pki import Pki

pytestmark = pytest.mark.anyio

AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
RESULT = '<KetQua Id="k"><HoTen>Nguyễn Thị Thúy Hằng</HoTen><So>57/2026</So></KetQua>'


class Made:
    """A signer with a certificate, what it signed, and the proofs of its status."""

    def __init__(self, at: datetime = AT) -> None:
        self.at = at
        self.pki = Pki(at=at, status_url="http://ocsp.kho-test.invalid/")
        self.holder = self.pki.seal(stop=at + timedelta(days=100))
        self.anchors = for_tests(self.pki.roots)
        self.fetched = asyncio.run(self._status())
        self.xades = self.signed(XAdESSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256))
        self.plain = self.signed(XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256))

    def signed(self, signer: Any, content: str = RESULT) -> bytes:
        chain = [
            one.public_bytes(Encoding.PEM).decode() for one in (self.holder.certificate, *self.holder.above)
        ]
        made = signer.sign(etree.fromstring(content), key=self.holder.private, cert="".join(chain[:2]))
        return bytes(etree.tostring(made, encoding="UTF-8"))

    async def _status(self) -> tuple[Piece, ...]:
        pki = self.pki
        keys = {
            issuer.certificate.subject.public_bytes(): FileKey(responder.private, responder.chain)
            for issuer, responder in ((pki.root, pki.root_status), (pki.issuing, pki.status))
        }
        known = [x509.Certificate.load(one) for one in self.holder.chain]
        status = await collect_status(LocalResponder(keys, {}), known, self.at)
        return tuple(Piece("ocsp", one.dump()) for one in status.ocsps)


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


async def judged(
    made: Made, content: bytes, *, fetched: bool = True, at: datetime = AT, strange: bool = False
) -> SignatureReport:
    grounds = Grounds(made.fetched if fetched else ())
    anchors = () if strange else made.anchors
    return await judge_xml(content, anchors=anchors, at=at, grounds=grounds)


@pytest.mark.parametrize("kind", ["xades", "xmldsig"])
async def test_a_signature_over_the_whole_document_is_valid(made: Made, kind: str) -> None:
    report = await judged(made, made.xades if kind == "xades" else made.plain)
    assert (report.verdict, report.reasons) == ("valid", ())
    (one,) = report.signatures
    assert (one.kind, one.signer) == (kind, "Ủy ban nhân dân phường Trấn Biên")
    assert (one.digest_algorithm, one.signature_algorithm, one.key_bits) == ("sha256", "ecdsa-sha256", 256)
    assert [proof.source for proof in one.status_evidence] == ["fetched", "fetched"]
    assert one.anchor is not None


async def test_the_status_may_stand_in_the_signature(made: Made) -> None:
    form = b"<xades:EncapsulatedOCSPValue>%s</xades:EncapsulatedOCSPValue>"
    values = b"".join(form % base64.b64encode(one.content) for one in made.fetched)
    end = b"</xades:QualifyingProperties>"
    for inner in (values, form % base64.b64encode(b"no answer")):
        held = (
            b"<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:RevocationValues>"
            b"<xades:OCSPValues>%s</xades:OCSPValues></xades:RevocationValues>"
            b"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>" % inner
        )
        report = await judged(made, made.xades.replace(end, held + end), fetched=False)
        if inner is not values:
            assert (report.sub_indication, report.reasons) == ("TRY_LATER", ("certificate_status_unknown",))
        else:
            assert report.verdict == "valid", report.reasons
            assert [one.source for one in report.signatures[0].status_evidence] == ["embedded", "embedded"]


async def test_a_worker_says_what_to_ask_and_takes_answers(made: Made, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(made.xades)
    with (tmp_path / "x.xml").open("rb") as stream:
        asked: dict[str, Any] = {
            "anchors": [one.to_json() for one in made.anchors],
            "at": AT.isoformat(),
        }
        found = await asyncio.to_thread(examine_xml, stream, asked)
        assert (found["report"]["verdict"], found["accepted"]) == ("undetermined", [])
        questions = [one for one in found["questions"] if one["kind"] == "ocsp"]
        assert [one["url"] for one in questions] == ["http://ocsp.kho-test.invalid/"] * 2
        answers = [
            {"question": question, "content": piece.to_json()["content"]}
            for question in questions
            for piece in made.fetched
        ]
        found = await asyncio.to_thread(examine_xml, stream, {**asked, "answers": answers})
        assert (found["report"]["verdict"], len(found["accepted"])) == ("valid", 2)


def test_the_command_takes_the_status_that_is_given(tmp_path: Path) -> None:
    made = Made(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1))
    (tmp_path / "x.xml").write_bytes(made.xades)
    (tmp_path / "trust" / "public").mkdir(parents=True)
    (tmp_path / "trust" / "public" / "root.der").write_bytes(made.pki.roots[0])
    asked = ["verify", "document", str(tmp_path / "x.xml"), "--trust", str(tmp_path / "trust")]
    for number, piece in enumerate(made.fetched):
        (tmp_path / f"{number}.der").write_bytes(piece.content)
    given = [f"--status={tmp_path}/{number}.der" for number in range(len(made.fetched))]
    assert run(asked) == 2
    assert run([*asked, *given]) == 0
    assert run([*asked, f"--status={tmp_path}/x.xml"]) == 64


async def test_what_is_not_proven_is_undetermined(made: Made) -> None:
    assert (await judged(made, made.xades, fetched=False)).reasons == ("certificate_status_unknown",)
    assert (await judged(made, made.xades, strange=True)).reasons == ("signer_not_trusted",)
    late = await judged(made, made.xades, at=AT + timedelta(days=200))
    assert (late.verdict, late.reasons) == ("undetermined", ("certificate_expired",))


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"57/2026", b"58/2026", "digest_mismatch"),
        (b"<HoTen>", b"<HoTen> ", "digest_mismatch"),
        (b"<So>", b"<X/><So>", "digest_mismatch"),
    ],
)
async def test_a_changed_document_is_invalid(made: Made, before: bytes, after: bytes, reason: str) -> None:
    report = await judged(made, made.xades.replace(before, after))
    assert (report.verdict, report.reasons) == ("invalid", (reason,))


async def test_a_changed_signing_time_is_invalid(made: Made) -> None:
    year = made.xades.index(b"SigningTime>") + len(b"SigningTime>")
    changed = made.xades[:year] + b"2019" + made.xades[year + 4 :]
    assert (await judged(made, changed)).verdict == "invalid"


async def test_a_signed_part_moved_aside_is_not_the_document(made: Made) -> None:
    """Signature wrapping: the root that is shown is not the element that was signed."""
    signature = made.plain[made.plain.index(b"<ds:Signature") : made.plain.index(b"</KetQua>")]
    original = made.plain.replace(signature, b"")
    wrapped = b'<Vo Id="other"><KetQua Id="k"><So>99/2026</So></KetQua>%s<Cu>%s</Cu></Vo>' % (
        signature,
        original,
    )
    for content in (wrapped, wrapped.replace(b'URI="#k"', b'URI=""')):
        assert (await judged(made, content)).verdict != "valid"


@pytest.mark.parametrize("kind", ["xades", "xmldsig"])
@pytest.mark.parametrize("name", ["Id", "ID", "id", "iD", "xml:id"])
async def test_a_document_around_a_signed_one_is_not_signed(made: Made, kind: str, name: str) -> None:
    """Signature wrapping: another element goes by the name that the reference gives."""
    signed = made.xades if kind == "xades" else made.plain
    body = signed[signed.index(b"<KetQua") :]
    around = b'<Vo %s="k"><HoTen>Somebody</HoTen><So>99/2026</So>%s</Vo>' % (name.encode(), body)
    report = await judged(made, around)
    assert (report.verdict, report.reasons) == ("undetermined", ("coverage_incomplete",))
    beside = body.replace(b"<So>", b'<So %s="k">' % name.encode(), 1)
    assert (await judged(made, beside)).reasons == ("coverage_incomplete",)


@pytest.mark.parametrize("kind", ["xades", "xmldsig"])
@pytest.mark.parametrize("put", [b"<!-- x -->", b"<?x y?>"], ids=["comment", "instruction"])
async def test_comments_and_instructions_are_not_signed(made: Made, kind: str, put: bytes) -> None:
    signed = made.xades if kind == "xades" else made.plain
    for inside in (b"57/2<>026", b"<ds:SignedInfo><>", b"<ds:X509Certificate><>"):
        content = signed.replace(inside.replace(b"<>", b""), inside.replace(b"<>", put), 1)
        assert content != signed
        report = await judged(made, content)
        assert report.verdict == "undetermined", inside
        assert report.reasons in (("coverage_incomplete",), ("signature_unsupported",))
    shown = signed.replace(b"<KetQua", b'<?xml-stylesheet href="x.xsl"?><KetQua', 1)
    assert (await judged(made, shown)).reasons == ("coverage_incomplete",)


async def test_other_properties_than_the_signed_ones_are_not_judged(made: Made) -> None:
    start, end = b"<xades:SignedProperties", b"</xades:SignedProperties>"
    held = made.xades[made.xades.index(start) : made.xades.index(end) + len(end)]
    other = held.replace(b'Id="', b'Id="other', 1).replace(b"SigningTime>20", b"SigningTime>19")
    assert (await judged(made, made.xades.replace(held, other + held))).reasons == ("signature_unsupported",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<a/>", "no_signature"),
        (b"<a", "structure_damaged"),
        (b"", "structure_damaged"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "xml_unsafe"),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16"), "xml_unsafe"),
        (b"<?xml version='1.0' encoding='UTF-7'?><a/>", "xml_unsafe"),
        (b"<a>" * 100_000, "structure_damaged"),
        (b"<a>" + b" " * (8 * 1024 * 1024) + b"</a>", "too_complex"),
    ],
    ids=["none", "broken", "empty", "entities", "two bytes", "seven bits", "deep", "large"],
)
async def test_what_is_strange_is_undetermined(made: Made, content: bytes, reason: str) -> None:
    report = await judged(made, content)
    assert (report.verdict, report.reasons) == ("undetermined", (reason,))


KEPT = "{http://www.w3.org/2000/09/xmldsig#}"
OWN = "{http://uri.etsi.org/01903/v1.3.2#}"
FORGED = "<KetQua><So>99/2026</So></KetQua>"


def _object(root: etree._Element, signature: etree._Element) -> None:
    etree.SubElement(signature, f"{KEPT}Object").append(etree.fromstring(FORGED))


def _object_read_first(root: etree._Element, signature: etree._Element) -> None:
    _object(root, signature)
    root.insert(0, signature)


def _second_object(root: etree._Element, signature: etree._Element) -> None:
    etree.SubElement(signature, f"{KEPT}Object", Id="x").text = "99/2026"


def _key(root: etree._Element, signature: etree._Element) -> None:
    signature.find(f"{KEPT}KeyInfo").append(etree.fromstring(FORGED))


def _value(root: etree._Element, signature: etree._Element) -> None:
    signature.find(f"{KEPT}SignatureValue").append(etree.fromstring(FORGED))


def _attribute(root: etree._Element, signature: etree._Element) -> None:
    signature.set("So", "99/2026")


def _text(root: etree._Element, signature: etree._Element) -> None:
    signature.find(f"{KEPT}KeyInfo").tail = "99/2026"


def _two_signed_infos(root: etree._Element, signature: etree._Element) -> None:
    signature.append(deepcopy(signature.find(f"{KEPT}SignedInfo")))


def _cutting_a_text(root: etree._Element, signature: etree._Element) -> None:
    number = root.find("So")
    number.text = "5"
    number.append(signature)
    signature.tail = "7/2026"


def _cutting_the_end(root: etree._Element, signature: etree._Element) -> None:
    signature.tail = "9"


def _another_time(root: etree._Element, signature: etree._Element) -> None:
    held = etree.SubElement(signature, f"{KEPT}Object")
    etree.SubElement(held, f"{OWN}SigningTime").text = "2001-01-01T00:00:00Z"
    signature.insert(2, held)


ADDED = (
    _object,
    _object_read_first,
    _second_object,
    _key,
    _value,
    _attribute,
    _text,
    _two_signed_infos,
    _cutting_a_text,
    _cutting_the_end,
    _another_time,
)


@pytest.mark.parametrize("kind", ["xades", "xmldsig"])
@pytest.mark.parametrize("add", ADDED, ids=[one.__name__.strip("_") for one in ADDED])
async def test_nothing_stands_unsigned_in_a_signature(made: Made, kind: str, add: Any) -> None:
    root = etree.fromstring(made.xades if kind == "xades" else made.plain)
    add(root, next(root.iter(f"{KEPT}Signature")))
    report = await judged(made, etree.tostring(root, encoding="UTF-8"))
    assert report.verdict != "valid"
    assert report.reasons in (("coverage_incomplete",), ("digest_mismatch",))
    if add not in (_cutting_the_end,):
        assert (report.reasons, report.signatures) == (("coverage_incomplete",), ())


async def test_unsigned_properties_go_by_known_names_and_signed_ones_are_signed(made: Made) -> None:
    end = b"</xades:QualifyingProperties>"
    for held in (
        b"<xades:UnsignedProperties><So>99/2026</So></xades:UnsignedProperties>",
        b"<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:So>99/2026</xades:So>"
        b"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>",
        b"<xades:UnsignedProperties/><xades:UnsignedProperties/>",
        b"<xades:UnsignedProperties So='99/2026'/>",
        b"<xades:Other/>",
        b"99/2026",
    ):
        report = await judged(made, made.xades.replace(end, held + end))
        assert report.reasons == ("coverage_incomplete",), held
    donor = etree.fromstring(made.xades)
    root = etree.fromstring(made.plain)
    borrowed = next(donor.iter(f"{KEPT}Object"))
    next(root.iter(f"{KEPT}Signature")).append(borrowed)
    report = await judged(made, etree.tostring(root, encoding="UTF-8"))
    assert report.reasons == ("coverage_incomplete",), "properties of another signature"


async def test_a_signature_not_as_its_schema_has_it_is_of_a_wrong_format(made: Made) -> None:
    end = b"</ds:SignedInfo>"
    report = await judged(made, made.plain.replace(end, b"<ds:Other/>" + end))
    assert (report.verdict, report.reasons) == ("invalid", ("format_wrong",))


def test_the_command_knows_xml_of_two_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        mark = {"utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
        (tmp_path / "x.xml").write_bytes(mark + "<?xml version='1.0'?><a/>".encode(encoding))
        assert run(["verify", "document", str(tmp_path / "x.xml"), "--json", "--lang", "en"]) == 3
        told = json.loads(capsys.readouterr().out)
        assert told["file"]["media_type"] == "application/xml"
        assert [one["code"] for one in told["reasons"]] == ["not_examined", "xml_unsafe"]


async def test_weak_or_unknown_methods_are_not_judged(made: Made) -> None:
    weak = made.plain.replace(b"ecdsa-sha256", b"ecdsa-sha1")
    assert (await judged(made, weak)).reasons == ("algorithm_too_weak",)
    path = made.plain.replace(
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        b"http://www.w3.org/TR/1999/REC-xpath-19991116",
    )
    assert (await judged(made, path)).reasons == ("signature_unsupported",)
    part = made.plain.replace(b'URI="#k"', b'URI="#part"')
    assert part != made.plain
    assert (await judged(made, part)).reasons == ("coverage_incomplete",)
    twice = made.plain.replace(b"</KetQua>", made.plain[made.plain.index(b"<ds:Signature") :])
    assert (await judged(made, twice)).reasons == ("signature_unsupported",)
