"""What `prepare` makes: the same each time, each secret its reader's alone; and the S3 server it is for."""

import os
import runpy
import stat
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from tests.servers import compose
from tests.servers.prepared import prepare
from tests.servers.sharing import Unobtainable
from tests.servers.standing import Bytes


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return prepare(tmp_path_factory.mktemp("prepared") / "volumes")
    except Unobtainable as missing:
        pytest.skip(str(missing))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_it_changes_nothing_when_it_is_run_again(volumes: Path) -> None:
    before = contents(volumes)
    assert len(before) > 15
    prepare(volumes)
    assert contents(volumes) == before


def test_every_volume_but_those_of_other_images_is_made(volumes: Path) -> None:
    mounted = {one.source for one in compose.services()["prepare"].mounts}
    assert {one.name for one in volumes.iterdir()} == mounted
    assert set(compose.read()["volumes"]) - mounted == {"rows", "index", "index-settings"}


def test_secrets_are_their_readers_alone_and_no_two_parts_share_a_password(volumes: Path) -> None:
    secret = [one for one in volumes.glob("secrets-*/*") if one.name != "certificate.pem"]
    assert secret
    for one in (*secret, volumes / "tls" / "key.pem"):
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
        assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700
        if os.geteuid() == 0:
            assert one.stat().st_uid == one.parent.stat().st_uid > 0
    passwords = [one.read_text() for one in volumes.glob("secrets-*/database")]
    assert len(passwords) == len(set(passwords)) == 5
    assert all(len(one.strip()) >= 40 for one in passwords)
    for name in ("admin", "sign", "gate", "api", "work"):
        told = (volumes / "secrets-postgresql" / f"kho-{name}").read_text()
        assert told == (volumes / f"secrets-{name}" / "database").read_text()


def test_certificates_name_where_they_are_shown(volumes: Path) -> None:
    for place, name in (("tls", "localhost"), ("secrets-seaweedfs", "seaweedfs")):
        shown = x509.load_pem_x509_certificate((volumes / place / "certificate.pem").read_bytes())
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert name in names.get_values_for_type(x509.DNSName)
        assert shown.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)
    trusted = (volumes / "authorities" / "trusted.pem").read_bytes()
    assert (volumes / "secrets-seaweedfs" / "certificate.pem").read_bytes() in trusted


def test_kho_may_use_its_bucket_and_nothing_else(
    volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        server = Bytes(compose.services()["seaweedfs"], volumes, tmp_path / "output")
    except Unobtainable as missing:
        pytest.skip(str(missing))
    try:
        monkeypatch.setenv("SSL_CERT_FILE", str(volumes / "authorities" / "trusted.pem"))
        monkeypatch.setenv("STORE_HOST", server.host)
        monkeypatch.setenv("STORE_CREDENTIALS", str(volumes / "secrets-admin" / "store"))
        for _ in range(2):
            runpy.run_path(str(compose.ROOT / "docs/server/bucket.py"), run_name="__main__")
        access, secret = (volumes / "secrets-api" / "store").read_text().split()
        kho = Minio(server.host, access_key=access, secret_key=secret, region="us-east-1")
        kho.get_object_lock_config("kho")  # which Kho asks, and which is refused where there is none
        kept = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=1))
        version = kho.put_object("kho", "a", BytesIO(b"a"), 1, retention=kept).version_id
        for refused in (
            lambda: kho.remove_object("kho", "a", version_id=version),
            lambda: kho.make_bucket("other"),
            lambda: kho.remove_bucket("kho"),
        ):
            with pytest.raises(S3Error):
                refused()
        assert kho.get_object("kho", "a", version_id=version).data == b"a"
    finally:
        server.stop()
