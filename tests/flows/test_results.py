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
    size, blobs = kho.vault.signer.tree.size, sorted((kho.folder / "blobs").rglob("*"))
    for position in (sealed.index(b"stream") + 30, sealed.index(b"/ByteRange") + 300, len(sealed) // 2):
        refused = hand_in(commune, issuing, changed(sealed, position), language=language)
        told = refused.json()
        assert (refused.status_code, told["field"], told["code"]) == (422, "file", "signature_invalid")
        assert words in told["detail"]
    assert kho.vault.signer.tree.size == size
    assert sorted((kho.folder / "blobs").rglob("*")) == blobs
