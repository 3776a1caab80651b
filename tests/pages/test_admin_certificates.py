"""The administrator's certificates over plain HTTP: registered from a file, ended, faults at their fields."""

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from tests.pages.desk import entries, hidden
from vault.clock import Clock

PLACE = "/admin/certificates"
CODE = people.COMMUNE.code
NAME = "Ủy ban nhân dân <script>alert(1)</script>"


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("authority") / "pki"
    return DemoAuthority.create(folder, Clock().now()).issue_seal_key(NAME, CODE).certificates[0]


@pytest.fixture(scope="module")
def pem(der: bytes) -> bytes:
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM)


@pytest.fixture
def admin(told: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": "vi"}, timeout=60) as client:
        client.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "administrator")})
        yield client


def adds(
    admin: httpx.Client, pem: bytes, headers: dict[str, str] | None = None, **changes: str
) -> httpx.Response:
    fields = hidden(admin.get(PLACE).text, PLACE)
    fields |= {"agency": CODE, "valid_from": "2026-01-01", "valid_until": "", "reason": "Công văn 12"}
    files = {"certificate": ("seal.pem", pem, "application/x-pem-file")}
    return admin.post(PLACE, data=fields | changes, files=files, headers=headers)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"agency": "khong co"}, "agency", ""),
        ({"agency": "H99.99"}, "agency", "Không có thứ này"),
        ({"valid_from": "hôm nay"}, "valid_from", "Ngày phải có thật"),
        ({"valid_until": "2025-12-31"}, "valid_until", "không được trước"),
        ({"reason": " "}, "reason", ""),
        ({"pem": "no certificate"}, "certificate", "Không đọc được"),
        ({"pem": "ư" * 100}, "certificate", "Không đọc được"),
        ({"pem": "x" * 20_000}, "certificate", "Không đọc được"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    told: Any, admin: httpx.Client, pem: bytes, change: dict[str, str], field: str, words: str
) -> None:
    before = entries(told)
    content = change.pop("pem").encode() if "pem" in change else pem
    answer = adds(admin, content, **change)
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert error is not None and words in unescape(error[1])
    assert entries(told) == before


def test_a_form_of_another_session_or_site_changes_nothing(
    told: Any, admin: httpx.Client, pem: bytes
) -> None:
    before = entries(told)
    for wrong in ({"form_token": ""}, {"form_token": "0" * 64}):
        assert adds(admin, pem, **wrong).status_code == 403
        assert admin.post(f"{PLACE}/{CODE}/x/end", data=wrong).status_code == 403
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert adds(admin, pem, headers).status_code == 403
    assert entries(told) == before


def test_a_certificate_is_registered_listed_and_ended(
    told: Any, admin: httpx.Client, der: bytes, pem: bytes
) -> None:
    before, fingerprint = entries(told), sha256(der).hexdigest()
    assert fingerprint not in admin.get(PLACE).text
    answer = adds(admin, pem)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}?done=added")
    shown = admin.get(answer.headers["location"]).text
    assert 'class="done"' in shown and fingerprint in shown
    assert "<script>alert" not in shown and "&lt;script" in shown, "names are shown as text"
    again = adds(admin, pem)
    assert again.status_code == 422 and 'id="certificate-error"' in again.text
    ending = f"{PLACE}/{CODE}/{fingerprint}/end"
    fields = hidden(shown, ending) | {"valid_until": "2026-06-30", "reason": ""}
    refused = admin.post(ending, data=fields)
    assert refused.status_code == 422 and f'id="reason-{CODE}-{fingerprint}-error"' in refused.text
    assert 'value="2026-06-30"' in refused.text, "what was typed stands there again"
    ended = admin.post(ending, data=fields | {"reason": "Mất khóa"})
    assert (ended.status_code, ended.headers["location"]) == (303, f"{PLACE}?done=ended")
    assert "đến hết" in admin.get(PLACE).text
    assert admin.post(f"{PLACE}/{CODE}/{'0' * 64}/end", data=fields | {"reason": "x"}).status_code == 404
    assert entries(told) >= before + 2
