"""Results handed in as files, over HTTP: what is stored, what is refused, and in which words."""

import json
import os
from io import BytesIO
from typing import Any

import httpx
import pikepdf
import pytest

from reuse_api.demo.people import COMMUNE

RESULT: dict[str, Any] = {"type": "GKS", "owner_roles": ["applicant"]}


def hand_in(
    system: httpx.Client, code: str, file: bytes, key: str | None = None, language: str = "en", **said: Any
) -> Any:
    parts = {
        "result": (None, json.dumps(RESULT | said)),
        "file": ("result.pdf", file, "application/pdf"),
    }
    headers = {"Idempotency-Key": key or os.urandom(8).hex(), "Accept-Language": language}
    return system.post(f"/v1/dossiers/{code}/results", files=parts, headers=headers)


def paper(title: str) -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo["/Title"] = title
        pdf.save(made, deterministic_id=True)
    return made.getvalue()


@pytest.fixture(scope="module")
def issuing(kho: Any, commune: httpx.Client, reregistration: dict[str, Any]) -> str:
    code = str(kho.new_code(COMMUNE))
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    return code


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", 10**30, "wrong_type"),
        ("number", -(2**53), "wrong_type"),
        ("number", 1.5, "wrong_type"),
        ("number", {"a": {"b": []}}, "wrong_type"),
        ("number", ["1"], "wrong_type"),
        ("number", "1" * 20_001, "too_long"),
    ],
)
def test_a_field_is_text_or_yes_or_no(
    commune: httpx.Client, issuing: str, field: str, value: Any, code: str, language: str
) -> None:
    headers = {"Idempotency-Key": os.urandom(8).hex(), "Accept-Language": language}
    asked = RESULT | {"fields": {field: value}}
    reply = commune.post(f"/v1/dossiers/{issuing}/results", json=asked, headers=headers)
    told = reply.json()
    assert (reply.status_code, told.get("field"), told["code"]) == (422, f"fields.{field}", code)
    assert reply.headers["content-language"] == language


@pytest.mark.parametrize("field", ["issued_on", "valid_until"])
@pytest.mark.parametrize("value", [0, 10**30, 20_000.0, True, "2026-02-30", "2026-1-1", " 2026-01-01"])
def test_a_date_is_written_as_a_date(commune: httpx.Client, issuing: str, field: str, value: Any) -> None:
    asked = RESULT | {"fields": {"number": "1"}, field: value}
    reply = commune.post(
        f"/v1/dossiers/{issuing}/results", json=asked, headers={"Idempotency-Key": os.urandom(8).hex()}
    )
    told = reply.json()
    assert (reply.status_code, told.get("field"), told["code"]) == (422, field, "date_malformed")


def test_another_file_under_the_same_key_is_another_request(commune: httpx.Client, issuing: str) -> None:
    first = hand_in(commune, issuing, paper("one"), "one-key-two-files")
    assert first.status_code == 201, first.text
    assert hand_in(commune, issuing, paper("one"), "one-key-two-files").json() == first.json()
    other = hand_in(commune, issuing, paper("two"), "one-key-two-files")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize(
    ("language", "words"), [("vi", "đã bị sửa sau khi ký"), ("en", "was changed after it was signed")]
)
def test_a_sealed_file_with_a_changed_byte_is_refused(
    kho: Any,
    commune: httpx.Client,
    issuing: str,
    daughter: httpx.Client,
    certificate: Any,
    changed: Any,
    language: str,
    words: str,
) -> None:
    sealed = daughter.get(f"/v1/me/records/{certificate.record}/content").content
    size, blobs = kho.vault.signer.tree.size, kho.around.kept.names()
    for position in (sealed.index(b"stream") + 30, sealed.index(b"/ByteRange") + 300, len(sealed) // 2):
        refused = hand_in(commune, issuing, changed(sealed, position), language=language)
        told = refused.json()
        assert (refused.status_code, told["field"], told["code"]) == (422, "file", "signature_invalid")
        assert words in told["detail"]
    assert kho.vault.signer.tree.size == size
    assert kho.around.kept.names() == blobs
