"""Results handed in as files without a signature, over HTTP: sealed here, or refused, or not taken at all."""

import json
import os
import shutil
import subprocess
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest

from reuse_api.demo import people
from signing.composing import compose
from tests.flows.kept_bytes import waiting
from tests.flows.test_waiting_seals import until_sealed
from vault.clock import Clock
from vault.days import legal_day
from vault.masking import masked

TODAY = legal_day(Clock().now()).isoformat()
RESULT: dict[str, Any] = {"type": "GKS", "owner_roles": ["applicant"]}


def unsigned(**changes: str) -> bytes:
    """A birth certificate of the daughter as another program writes it, with no signature."""
    fields = people.certificate(f"{os.urandom(3).hex()}/2026", TODAY, birth_place="Hà Nội") | changes
    return compose("birth_certificate", fields, at=Clock().now())


def hand_in(system: httpx.Client, code: str, file: bytes, key: str = "", **said: Any) -> httpx.Response:
    parts = {"result": (None, json.dumps(RESULT | said)), "file": ("gks.pdf", file, "application/pdf")}
    headers = {"Idempotency-Key": key or os.urandom(8).hex()}
    return system.post(f"/v1/dossiers/{code}/results", files=parts, headers=headers)


@pytest.fixture(scope="module")
def issuing(kho: Any, commune: httpx.Client, reregistration: dict[str, Any]) -> str:
    code = str(kho.new_code(people.COMMUNE))
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    return code


@pytest.fixture(scope="module")
def handed_in() -> bytes:
    return unsigned()


@pytest.fixture(scope="module")
def stored(commune: httpx.Client, issuing: str, handed_in: bytes) -> dict[str, Any]:
    reply = hand_in(commune, issuing, handed_in)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


@pytest.fixture(scope="module")
def sealed(daughter: httpx.Client, stored: dict[str, Any]) -> bytes:
    return daughter.get(f"/v1/me/records/{stored['record']}/content").content


def test_an_unsigned_result_is_sealed_and_of_the_class_that_it_shows(
    kho: Any, stored: dict[str, Any], handed_in: bytes, sealed: bytes, tmp_path: Path
) -> None:
    assert (stored["verdict"], stored["trust"]) == ("valid", "A"), stored
    assert [one["code"] for one in stored["trust_reasons"]] == [
        "class_by_issuing_agency",
        "class_test_anchor",
    ]
    assert stored["handed_in_digest"] == sha256(handed_in).hexdigest()
    assert stored["handed_in_size"] == len(handed_in)
    assert stored["digest"] == sha256(sealed).hexdigest() != stored["handed_in_digest"]
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    examining = kho.vault.workers.examine(
        path, anchors=kho.vault.trust.current().anchors, at=Clock().now(), max_bytes=len(sealed)
    )
    (seal,) = kho.run(examining).report.signatures
    assert (seal.verdict, seal.level, seal.covers_whole_file) == ("valid", "B-LTA", True)
    with pikepdf.open(path) as after, pikepdf.open(BytesIO(handed_in)) as before:
        assert after.Root.Perms.DocMDP.Reference[0].TransformParams.P == 1, "no change is permitted"
        (field,) = (one for one in after.Root.AcroForm.Fields if str(one.T) == "Seal")
        top = float(before.pages[0].mediabox[3])
        assert float(field.Rect[1]) >= top, "above everything that the page showed"
        assert len(after.pages) == len(before.pages)


def test_an_auditor_sees_what_was_handed_in_and_what_counts_now_and_she_sees_the_auditor(
    kho: Any, daughter: httpx.Client, stored: dict[str, Any]
) -> None:
    record = stored["record"]
    with kho.staff(people.COMMUNE, "auditor") as auditor:
        told = auditor.get(f"/v1/audit/records/{record}/versions").json()
        assert told["owners"] == [masked(people.DAUGHTER.number)]
        assert [(one["why"], one["sha256"], one["current"], one["kept"]) for one in told["versions"]] == [
            ("handed_in", stored["handed_in_digest"], False, False),
            ("sealed", stored["digest"], True, True),
        ]
        seen = daughter.get("/v1/me/accesses", params={"limit": 1}).json()["accesses"][0]
        assert (seen["index"], seen["event"]) == (told["entry"]["index"], "versions_listed")
        for language, words in (("vi", "Chỉ giữ mã băm"), ("en", "Its digest alone is kept")):
            page = auditor.get(f"/audit/records/{record}/versions", headers={"Accept-Language": language})
            assert page.status_code == 200 and words in page.text
            assert stored["handed_in_digest"] in page.text and stored["digest"] in page.text
            for hidden in (people.DAUGHTER.name, people.DAUGHTER.number, "own-"):
                assert hidden not in page.text
        entry = auditor.get(f"/audit/entries/{told['entry']['index']}").text
        assert f'href="/audit/records/{record}/versions"' in entry
        hostile = auditor.get("/audit/records/%3Cscript%3Ealert(1)%3C%2Fscript%3E/versions")
        assert hostile.status_code == 404 and "<script>alert" not in hostile.text
    wallet = daughter.get("/wallet/accesses", headers={"Accept-Language": "vi"}).text
    assert "Kiểm toán viên xem các phiên bản" in wallet


def test_it_is_a_whole_file_to_qpdf(sealed: bytes, tmp_path: Path) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip("qpdf is not installed")
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    asked = ["qpdf", "--check", str(tmp_path / "sealed.pdf")]
    checked = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_same_file_again_is_the_same_record_and_nothing_is_signed(
    commune: httpx.Client, issuing: str, stored: dict[str, Any], handed_in: bytes
) -> None:
    told = hand_in(commune, issuing, handed_in).json()
    assert (told["record"], told["already_stored"]) == (stored["record"], True)
    assert (told["digest"], told["handed_in_digest"]) == (stored["digest"], stored["handed_in_digest"])


def test_the_seal_lends_a_paper_nothing_that_it_does_not_show(commune: httpx.Client, issuing: str) -> None:
    of_another = hand_in(commune, issuing, unsigned(personal_number=people.STRANGER.number)).json()
    assert (of_another["verdict"], of_another["trust"]) == ("valid", "E")
    assert "class_owner_differs" in [one["code"] for one in of_another["trust_reasons"]]


def test_a_scan_that_says_nothing_says_nothing_more_once_it_is_sealed(
    commune: httpx.Client, issuing: str
) -> None:
    with pikepdf.new() as paper:
        page = paper.add_blank_page()
        page.obj.Contents = pikepdf.Stream(paper, b"0 0 100 100 re f")
        paper.docinfo["/Title"] = os.urandom(8).hex()
        made = BytesIO()
        paper.save(made)
    told = hand_in(commune, issuing, made.getvalue()).json()
    assert (told["verdict"], told["trust"]) == ("valid", "E")
    assert "class_text_unreadable" in [one["code"] for one in told["trust_reasons"]]


def test_a_file_that_does_things_is_refused(kho: Any, commune: httpx.Client, issuing: str) -> None:
    with pikepdf.open(BytesIO(unsigned())) as paper:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        paper.Root.OpenAction = paper.make_indirect(script)
        made = BytesIO()
        paper.save(made)
    reply = hand_in(commune, issuing, made.getvalue())
    assert (reply.status_code, reply.json()["code"]) == (422, "active_content")


def test_what_hides_layers_is_not_sealed(commune: httpx.Client, issuing: str) -> None:
    with pikepdf.open(BytesIO(unsigned())) as paper:
        layer = paper.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="hidden"))
        paper.Root.OCProperties = pikepdf.Dictionary(
            OCGs=pikepdf.Array([layer]), D=pikepdf.Dictionary(OFF=pikepdf.Array([layer]))
        )
        made = BytesIO()
        paper.save(made)
    reply = hand_in(commune, issuing, made.getvalue())
    assert (reply.status_code, reply.json()["field"]) == (422, "file"), reply.text


def test_a_signed_file_stays_as_it_is(
    kho: Any,
    commune: httpx.Client,
    reregistration: dict[str, Any],
    stranger: httpx.Client,
    stored: dict[str, Any],
    sealed: bytes,
) -> None:
    code = kho.new_code(people.COMMUNE)
    body = reregistration | {"persons": [people.STRANGER.named("applicant")]}
    assert commune.put(f"/v1/dossiers/{code}", json=body).status_code == 200
    told = hand_in(commune, code, sealed).json()
    assert (told["already_stored"], told["record"] == stored["record"]) == (False, False), "another's"
    assert told["digest"] == sha256(sealed).hexdigest()
    assert "handed_in_digest" not in told
    assert stranger.get(f"/v1/me/records/{told['record']}/content").content == sealed


def test_where_nobody_stamps_it_waits_and_no_record_claims_a_seal(
    kho: Any, commune: httpx.Client, issuing: str
) -> None:
    file, key = unsigned(), os.urandom(8).hex()
    size = kho.vault.signer.tree.size
    with kho.nobody_stamps():
        reply = hand_in(commune, issuing, file, key)
        assert (reply.status_code, reply.json()["state"]) == (202, "waiting_for_seal"), reply.text
        assert kho.vault.signer.tree.size == size, "nothing is stored or claimed"
    until_sealed(kho, commune, reply.headers["location"])
    assert hand_in(commune, issuing, file, key).json()["trust"] == "A", "the same key, once they are back"
    assert waiting(kho.around.kept) == []


def test_a_record_outside_any_dossier_is_sealed_too(kho: Any, plain_pdf: bytes) -> None:
    holder = {"role": "wife", "name": people.MOTHER.name, "born_on": people.MOTHER.born_on}
    holder["identifier"] = {"scheme": "personal_number", "value": people.MOTHER.number}
    said = {"type": "GCNQSDD", "owners": [holder], "number": "BT 88"}
    parts = {"record": (None, json.dumps(said)), "file": ("so-do.pdf", plain_pdf, "application/pdf")}
    with kho.system(people.LAND_OFFICE) as land:
        reply = land.post("/v1/records", files=parts, headers={"Idempotency-Key": os.urandom(8).hex()})
    told = reply.json()
    assert (reply.status_code, told["verdict"], told["trust"]) == (201, "valid", "E"), reply.text
    assert told["handed_in_digest"] == sha256(plain_pdf).hexdigest()
