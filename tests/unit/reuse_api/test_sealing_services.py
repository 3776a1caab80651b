"""From settings to the services that sealing needs, and what /readyz says of them."""

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as parsed
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reuse_api.demo.pki import DemoAuthority
from reuse_api.settings import Settings, SettingsInvalid
from reuse_api.wiring import AUTHORITY, authorities_of
from signing.status_http import HttpStatus
from signing.timestamps import LocalTimestamper
from signing.timestamps_http import HttpTimestamper
from tests.servers.pki import Pki
from vault.readiness import ready

pytestmark = pytest.mark.anyio


def settings(folder: Path, **said: Any) -> Settings:
    return Settings(keys=folder / "keys", **said)


def test_without_services_nothing_can_be_sealed(tmp_path: Path) -> None:
    found = authorities_of(settings(tmp_path))
    assert (found.timestamper, found.revocation) == (None, None)


def test_the_demo_s_own_authority_is_used_until_services_are_named(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    DemoAuthority.create(tmp_path / "keys" / AUTHORITY, datetime.now(UTC))
    assert isinstance(authorities_of(settings(tmp_path)).timestamper, LocalTimestamper)
    pki = Pki()
    (tmp_path / "issuers.pem").write_bytes(pki.issuing.certificate.public_bytes(Encoding.PEM))
    found = authorities_of(
        settings(
            tmp_path,
            timestamp_url="http://stamps.example/tsa",
            timestamp_issuers=tmp_path / "issuers.pem",
            status_hosts="ocsp.example, crl.example:8080",
        )
    )
    assert isinstance(found.timestamper, HttpTimestamper)
    assert list(found.timestamper.issuers) == [pki.issuing.chain[0]]
    assert isinstance(found.revocation, HttpStatus)


@pytest.mark.parametrize("name", ["timestamp_url", "status_url"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    for value in ("stamps.example", "ftp://stamps.example/", "http://"):
        with pytest.raises(ValueError, match="http"):
            settings(tmp_path, **{name: value})


def test_issuers_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    said = {"timestamp_url": "http://stamps.example/", "timestamp_issuers": tmp_path / "none.pem"}
    with pytest.raises(SettingsInvalid, match="KHO_TIMESTAMP_ISSUERS"):
        authorities_of(settings(tmp_path, **said))


async def test_readyz_says_what_sealing_rests_on(house: Any) -> None:
    told = (await ready(house.vault))["sealing"]
    assert told["timestamps"]["kind"] == told["status"]["kind"] == "local"
    assert set(told["keys"]) == {"file"}


@pytest.mark.filterwarnings("ignore:Attribute's length")  # the library counts bytes, RFC 5280 characters
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_with_stacked_marks_is_right_in_the_certificate(tmp_path: Path, form: Any) -> None:
    name = "Ủy ban nhân dân phường Nguyễn Nghiêm, tỉnh Quảng Ngãi"
    assert len(name) <= 64 < len(name.encode())
    authority = DemoAuthority.create(tmp_path / "authority", datetime.now(UTC))
    key = authority.issue_seal_key(unicodedata.normalize(form, name), "H48.12.03")
    own = x509.load_der_x509_certificate(key.certificates[0])
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        assert own.subject.get_attributes_for_oid(oid)[0].value == name
    read = parsed.Certificate.load(key.certificates[0])
    assert read.subject.native["common_name"] == name, "and by another reader"
    assert name.encode() in key.certificates[0], "as UTF-8, not taken apart"
