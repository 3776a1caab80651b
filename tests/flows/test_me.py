"""The wallet as an API: an owner adds, reads and sees who looked; nobody else does."""

import os
import socket
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pikepdf
import pytest

from reuse_api.demo.people import DAUGHTER, POLICE, STRANGER
from signing.receipt import verify_receipt
from vault.services import MAX_UPLOAD


def upload(
    wallet: httpx.Client,
    content: bytes,
    *,
    kind: str = "application/pdf",
    language: str = "en",
    **fields: str,
) -> httpx.Response:
    headers = {"Idempotency-Key": fields.pop("key", os.urandom(8).hex()), "Accept-Language": language}
    form = {"title": "Ảnh chụp giấy khai sinh"} | fields
    return wallet.post(
        "/v1/me/records", data=form, files={"file": ("giấy.pdf", content, kind)}, headers=headers
    )


def own_pdf() -> bytes:
    """A PDF that nobody else uploads."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo["/Title"] = os.urandom(8).hex()
        pdf.save(made)
    return made.getvalue()


def encrypted_pdf() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(made, encryption=pikepdf.Encryption(owner="o", user="u"))
    return made.getvalue()


@pytest.fixture
def counted(kho: Any, daughter: httpx.Client) -> Any:
    """Nothing is stored, nothing entered, no scratch file left by what a test does."""

    def counts() -> tuple[int, int, list[str]]:
        held = daughter.get("/v1/me/records").json()["records"]
        scratch = sorted(one.name for one in (kho.folder / "scratch").iterdir())
        return len(held), kho.vault.signer.tree.size, scratch

    before = counts()
    yield
    assert counts() == before


def test_a_page_is_a_picture_that_nobody_keeps_and_an_entry(
    kho: Any, daughter: httpx.Client, mother: httpx.Client
) -> None:
    record = upload(daughter, own_pdf()).json()["record"]
    size = kho.vault.signer.tree.size
    shown = daughter.get(f"/v1/me/records/{record}/pages/1")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert (shown.headers["cache-control"], shown.headers["kho-pages"]) == ("no-store", "1")
    assert kho.vault.signer.tree.size == size + 1
    newest = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (newest["event"], newest["page"], newest["record"]) == ("page_delivered", 1, record)
    for page in ("2", "0", "x"):
        assert daughter.get(f"/v1/me/records/{record}/pages/{page}").status_code == 404
    assert kho.vault.signer.tree.size == size + 1
    assert daughter.get("/v1/me/records/rec-nothing/pages/1").status_code == 404
    assert mother.get(f"/v1/me/records/{record}/pages/1").status_code == 404


def test_an_upload_is_class_d_and_can_be_read_back(kho: Any, daughter: httpx.Client) -> None:
    pdf = own_pdf()
    stored = upload(daughter, pdf)
    assert stored.status_code == 201
    told = stored.json()
    assert (told["trust"], told["verdict"], told["already_stored"]) == ("D", "undetermined", False)
    assert told["reasons"][0]["code"] == "no_signature"
    listed = daughter.get("/v1/me/records").json()["records"]
    mine = next(one for one in listed if one["id"] == told["record"])
    assert (mine["title"], mine["trust"], mine["source"]) == ("Ảnh chụp giấy khai sinh", "D", "upload")
    assert mine["trust_words"] and mine["verdict_words"]
    assert (mine["validity"], mine["validity_words"]) == ("in_force", "no term of validity stated")
    size = kho.vault.signer.tree.size
    content = daughter.get(f"/v1/me/records/{told['record']}/content")
    assert content.content == pdf
    assert content.headers["kho-receipt"]
    assert kho.vault.signer.tree.size == size + 1, "one's own reading is an entry too"
    part = daughter.get(f"/v1/me/records/{told['record']}/content", headers={"Range": "bytes=1-4"})
    assert (part.status_code, part.content) == (206, pdf[1:5])


def test_one_key_is_one_upload(daughter: httpx.Client) -> None:
    pdf = own_pdf()
    first, again = upload(daughter, pdf, key="k-1"), upload(daughter, pdf, key="k-1")
    assert first.json() == again.json()
    other = upload(daughter, own_pdf(), key="k-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (lambda: b"", "application/pdf", 422, "empty"),
        (lambda: b"just words", "application/pdf", 422, None),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "application/pdf", 422, None),
        (own_pdf, "image/png", 422, "mislabelled"),
        (encrypted_pdf, "application/pdf", 422, "encrypted"),
        (lambda: own_pdf()[:200], "application/pdf", 422, "unreadable"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_and_not_stored(
    daughter: httpx.Client,
    counted: None,
    content: Any,
    kind: str,
    status: int,
    code: str | None,
    language: str,
) -> None:
    reply = upload(daughter, content(), kind=kind, language=language)
    told = reply.json()
    assert (reply.status_code, told["field"]) == (status, "file"), told
    assert told["code"] == (code or told["code"])
    assert reply.headers["content-language"] == language
    assert told["detail"]


@pytest.mark.parametrize(
    ("language", "words"), [("vi", "đã bị sửa sau khi ký"), ("en", "was changed after it was signed")]
)
def test_a_signed_file_that_was_changed_is_not_stored(
    daughter: httpx.Client,
    certificate: Any,
    changed: Any,
    request: pytest.FixtureRequest,
    language: str,
    words: str,
) -> None:
    sealed = daughter.get(f"/v1/me/records/{certificate.record}/content").content
    request.getfixturevalue("counted")
    reply = upload(daughter, changed(sealed, sealed.index(b"stream") + 10), language=language)
    told = reply.json()
    assert (reply.status_code, told["field"], told["code"]) == (422, "file", "signature_invalid")
    assert words in told["detail"]


def test_a_file_over_the_limit_is_refused_while_it_streams(daughter: httpx.Client, counted: None) -> None:
    reply = upload(daughter, b"%PDF-1.7\n" + bytes(MAX_UPLOAD))
    assert (reply.status_code, reply.json()["field"]) == (413, "file")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 500}, "title"),
        ({"type": "NOPE"}, "type"),
        ({"agency": "x"}, "agency"),
    ],
)
def test_a_field_that_cannot_be_is_named(
    daughter: httpx.Client, counted: None, fields: dict[str, str], field: str
) -> None:
    reply = upload(daughter, own_pdf(), **fields)
    assert (reply.status_code, reply.json()["field"]) == (422, field)


def test_a_form_without_its_parts_or_its_key_is_named(daughter: httpx.Client, counted: None) -> None:
    key, file = {"Idempotency-Key": "x"}, {"file": ("a.pdf", own_pdf(), "application/pdf")}
    untitled = daughter.post("/v1/me/records", files=file, headers=key)
    assert (untitled.status_code, untitled.json()["field"]) == (422, "title")
    no_file = daughter.post("/v1/me/records", files={"title": (None, "x")}, headers=key)
    assert (no_file.status_code, no_file.json()["field"]) == (422, "file")
    no_form = daughter.post("/v1/me/records", json={"title": "x"}, headers=key)
    assert no_form.status_code == 415
    unkeyed = daughter.post("/v1/me/records", files=file, data={"title": "x"})
    assert (unkeyed.status_code, unkeyed.json()["field"]) == (400, "Idempotency-Key")


def test_a_client_that_leaves_while_sending_leaves_nothing(
    kho: Any, daughter: httpx.Client, counted: None
) -> None:
    place = urlsplit(kho.url)
    head = (
        f"POST /v1/me/records HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {daughter.headers['cookie']}\r\n"
        "Idempotency-Key: gone\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 900000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    )
    with socket.create_connection((place.hostname, place.port)) as leaving:
        leaving.sendall(head.encode() + b"%PDF-1.7\n" + bytes(300_000))
    assert daughter.get("/healthz").status_code == 200


def test_nobody_else_sees_it(kho: Any, daughter: httpx.Client, stranger: httpx.Client) -> None:
    record = upload(daughter, own_pdf()).json()["record"]
    for part in ("content", "pages/1"):
        size = kho.vault.signer.tree.size
        foreign = stranger.get(f"/v1/me/records/{record}/{part}")
        seen = daughter.get("/v1/me/accesses").json()["accesses"][0]
        assert (seen["event"], seen["record"], seen["by_owner"]) == ("read_own_refused", record, False)
        assert [one["code"] for one in seen["reasons"]] == ["not_the_owner"]
        assert STRANGER.name not in str(seen), "who tried is not named to her"
        assert (seen["by_another"], "acted_by" in seen) == (True, False)
        nothing = stranger.get(f"/v1/me/records/rec-none/{part}")
        assert foreign.status_code == nothing.status_code == 404
        assert foreign.json() == nothing.json()
        assert kho.vault.signer.tree.size == size + 2, "each try is an entry"
    assert record not in stranger.get("/v1/me/records").text


def test_every_look_is_seen_with_its_proof(
    kho: Any, police: httpx.Client, daughter: httpx.Client, residence: dict[str, Any]
) -> None:
    code = kho.new_code(POLICE)
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    accesses = daughter.get("/v1/me/accesses").json()["accesses"]
    opened = next(one for one in accesses if one.get("dossier") == code and one["event"] == "dossier_opened")
    assert opened["agency"] == POLICE.name_en
    assert (opened["officer"], opened["result"], opened["basis"]) == (POLICE.officer, "permitted", "statute")
    assert opened["kind_words"] and opened["basis_words"] and opened["reference"]
    one = daughter.get(f"/v1/me/accesses/{opened['index']}")
    assert one.json() == opened
    proof = daughter.get(f"/v1/me/accesses/{opened['index']}/proof")
    checked = verify_receipt(proof.text, daughter.get("/log/key").text.strip())
    assert (checked.outcome, checked.index) == ("valid", opened["index"])
    owners = checked.parts["subject"]["owners"]
    assert len(owners) == 1, "an entry about persons holds one person's facts alone"


def test_accesses_are_paged_by_cursor(kho: Any, daughter: httpx.Client) -> None:
    for _ in range(3):
        assert upload(daughter, own_pdf()).status_code == 201
    whole = [one["index"] for one in daughter.get("/v1/me/accesses?limit=100").json()["accesses"]]
    paged, place = [], "/v1/me/accesses?limit=2"
    while place:
        page = daughter.get(place).json()
        paged += [one["index"] for one in page["accesses"]]
        limit = 2 if len(paged) < 10 else 99  # many flows have written into her store before
        place = f"/v1/me/accesses?limit={limit}&cursor={page['next']}" if "next" in page else ""
    assert paged[: len(whole)] == whole
    assert paged == sorted(set(paged), reverse=True)


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("cursor=x", "cursor", "cursor_malformed"),
        ("cursor=-1", "cursor", "cursor_malformed"),
        ("limit=0", "limit", "number_out_of_range"),
        ("limit=101", "limit", "number_out_of_range"),
        ("limit=many", "limit", "wrong_type"),
    ],
)
def test_a_query_that_cannot_be_is_named(daughter: httpx.Client, query: str, field: str, code: str) -> None:
    reply = daughter.get(f"/v1/me/accesses?{query}")
    assert (reply.status_code, reply.json()["field"], reply.json()["code"]) == (422, field, code)


@pytest.mark.parametrize("index", ["999999", "-1", "x", "9" * 40])
@pytest.mark.parametrize("ending", ["", "/proof"])
def test_anothers_entry_and_none_are_told_alike(stranger: httpx.Client, index: str, ending: str) -> None:
    reply = stranger.get(f"/v1/me/accesses/{index}{ending}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_an_entry_about_the_daughter_alone_is_not_the_strangers(
    daughter: httpx.Client, stranger: httpx.Client
) -> None:
    upload(daughter, own_pdf())
    index = daughter.get("/v1/me/accesses?limit=1").json()["accesses"][0]["index"]
    assert daughter.get(f"/v1/me/accesses/{index}/proof").status_code == 200
    assert stranger.get(f"/v1/me/accesses/{index}").status_code == 404
    assert stranger.get(f"/v1/me/accesses/{index}/proof").status_code == 404


@pytest.mark.parametrize("cookie", ["", "kho_session=", "kho_session=guess", f"kho_session={'x' * 2000}"])
def test_without_a_session_nothing_is_shown(kho: Any, cookie: str) -> None:
    with kho.client(**({"Cookie": cookie} if cookie else {})) as client:
        for place in ("/v1/me/records", "/v1/me/accesses", "/v1/me/accesses/0", "/v1/me/accesses/0/proof"):
            reply = client.get(place)
            assert reply.status_code == 401
            assert reply.headers["www-authenticate"].startswith("Session")


def test_a_systems_token_is_no_session(police: httpx.Client) -> None:
    assert police.get("/v1/me/records").status_code == 401


def test_the_digest_of_ones_own_file_is_told(daughter: httpx.Client) -> None:
    pdf = own_pdf()
    record = upload(daughter, pdf).json()["record"]
    content = daughter.get(f"/v1/me/records/{record}/content")
    assert content.headers["etag"] == f'"sha256-{sha256(pdf).hexdigest()}"'
    assert DAUGHTER.number in content.headers["content-disposition"]


def test_the_page_of_sessions_promises_no_end_that_a_session_by_code_does_not_have(
    kho: Any, mother: httpx.Client
) -> None:
    if not kho.settings.demo_sign_in:
        pytest.skip("the demo's code opens no door where rows are on a server")
    told = mother.get("/wallet/sessions", headers={"Accept-Language": "en"}).text
    assert "At the latest until" in told
    assert "without use" not in told
