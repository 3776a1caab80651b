"""Copies over HTTP: what is certified from the original, and what is only sao y, by whoever may do which."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from reuse_api.wiring import AUTHORITY
from signing.composing import compose
from signing.sealing import seal
from vault.clock import Clock
from vault.days import legal_day
from vault.registering import NewAgency, register_agency

TODAY = legal_day(Clock().now()).isoformat()
CERTIFIER, COPIER = "H26.15.01", "H26.15.02"
CERTIFIED = "Chứng thực bản sao đúng với bản chính\nSố chứng thực: 815, quyển số 02-SCT/BS"
SAO_Y = "SAO Y\nỦy ban nhân dân phường Tân Mai\n2026-11-26T10:15:32+07:00"


@pytest.fixture(scope="module")
def copied(kho: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Two agencies, one of which may certify copies; gives what has one seal a copy of a paper."""
    folder: Path = tmp_path_factory.mktemp("copies")
    authority = DemoAuthority.load(kho.settings.keys / AUTHORITY)
    keys = {}
    with kho.staff(people.COMMUNE, "administrator") as administrator:
        for code, procedures in ((CERTIFIER, ("2.000815",)), (COPIER, ())):
            kho.run(register_agency(kho.registry, NewAgency(code, f"Cơ quan {code}", code, procedures)))
            keys[code] = authority.issue_seal_key(f"Cơ quan {code}", code)
            read = x509.load_der_x509_certificate(keys[code].certificates[0])
            body = {
                "certificate": read.public_bytes(Encoding.PEM).decode(),
                "valid_from": TODAY,
                "reason": "Đăng ký lần đầu",
            }
            place = f"/v1/agencies/{code}/certificates"
            reply = administrator.post(place, json=body, headers={"Idempotency-Key": code})
            assert reply.status_code == 201, reply.text

    def make(code: str, mark: str) -> bytes:
        plain, sealed = folder / "plain.pdf", folder / "sealed.pdf"
        sealed.unlink(missing_ok=True)
        fields = {
            "title": "Giấy phép xây dựng",
            "body": f"Số định danh cá nhân: {people.MOTHER.number}\n{mark}",
            "issued_on": TODAY,
            "issuer_name": "Sở Xây dựng",
            "issuer_title": "GIÁM ĐỐC",
            "signer": "Trịnh Văn An",
        }
        plain.write_bytes(compose("general_result", fields, at=Clock().now()))
        sealing = seal(
            plain,
            sealed,
            key=keys[code],
            timestamper=authority.timestamper(),
            revocation=authority.revocation(),
            roots=authority.roots(),
            at=Clock().now(),
            reason="Sao",
            name=code,
        )
        asyncio.run(sealing)
        return sealed.read_bytes()

    return make


@pytest.mark.parametrize(
    ("agency", "mark", "trust", "reason"),
    [
        (CERTIFIER, CERTIFIED, "C", "class_by_certifying_agency"),
        (COPIER, CERTIFIED, "D", "class_signer_may_not_certify"),
        (COPIER, SAO_Y, "B", "class_by_copying_agency"),
        (COPIER, "Sao y bản chính", "D", "class_text_unreadable"),
        (CERTIFIER, "", "D", "class_signer_may_not_issue"),
    ],
)
def test_a_copy_is_worth_what_its_mark_and_its_signer_are(
    kho: Any, copied: Callable[..., bytes], agency: str, mark: str, trust: str, reason: str
) -> None:
    with kho.wallet(people.MOTHER) as mother:
        reply = mother.post(
            "/v1/me/records",
            data={"title": "Giấy phép xây dựng", "type": "GPXD"},
            files={"file": ("ban-sao.pdf", copied(agency, mark), "application/pdf")},
            headers={"Idempotency-Key": f"copy-{agency}-{len(mark)}"},
        )
    assert reply.status_code == 201, reply.text
    told = reply.json()
    codes = [one["code"] for one in told["trust_reasons"]]
    assert (told["verdict"], told["trust"]) == ("valid", trust), told
    assert reason in codes
