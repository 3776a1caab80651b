"""Sealing: what outsiders say about a sealed file, and what is refused before anything is written."""

import shutil
import stat
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from reuse_api.demo.pki import DemoAuthority
from signing.errors import SealingFailed, SealKeyInvalid, SealKeyMissing, TimestampFailed
from signing.keys_file import FileKey
from signing.sealing import seal
from signing.service_state import ServiceState
from signing.timestamps import LocalTimestamper

pytestmark = pytest.mark.anyio


def _run(tool: str, *arguments: object) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=True)
    return done.stdout


def test_qpdf_finds_nothing_wrong(sealed_certificate: Any) -> None:
    assert "No syntax or stream encoding errors" in _run("qpdf", "--check", sealed_certificate.sealed)


def test_pdfsig_finds_the_digest_right(sealed_certificate: Any) -> None:
    said = _run("pdfsig", "-nocert", sealed_certificate.sealed)
    assert said.count("Signature Validation: Signature is Valid.") == 1
    assert "ETSI.CAdES.detached" in said
    assert "Ủy ban nhân dân phường Trấn Biên" in said
    assert "Signature Field Name: SealArchiveTimestamp" in said


def test_the_archive_stamp_covers_the_whole_file(sealed_certificate: Any) -> None:
    content = sealed_certificate.sealed.read_bytes()
    with pikepdf.open(sealed_certificate.sealed) as document:
        ranges = {
            str(field.T): [int(number) for number in field.V.ByteRange]
            for field in document.Root.AcroForm.Fields
        }
        permissions = document.Root.Perms.DocMDP.Reference[0].TransformParams.P
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"
    assert ranges["SealArchiveTimestamp"][2] + ranges["SealArchiveTimestamp"][3] == len(content)
    assert permissions == 1


async def test_what_was_composed_is_the_beginning_of_what_was_sealed(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    target = tmp_path / "sealed.pdf"
    await sealed_certificate.seal(sealed_certificate.composed, target)
    assert target.read_bytes().startswith(sealed_certificate.composed.read_bytes())
    assert [one.name for one in tmp_path.iterdir()] == ["sealed.pdf"]


async def test_a_revoked_seal_seals_nothing(sealed_certificate: Any, tmp_path: Path) -> None:
    certificate = x509.load_der_x509_certificate(sealed_certificate.key.certificates[0])
    revoked = {certificate.serial_number: sealed_certificate.at - timedelta(hours=1)}
    with pytest.raises(SealingFailed):
        await seal(
            sealed_certificate.composed,
            tmp_path / "sealed.pdf",
            key=sealed_certificate.key,
            timestamper=sealed_certificate.authority.timestamper(),
            revocation=sealed_certificate.authority.revocation(revoked),
            roots=sealed_certificate.roots,
            at=sealed_certificate.at,
            reason="x",
            name="x",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("years", [-1, 11])
async def test_a_certificate_out_of_its_time_seals_nothing(
    sealed_certificate: Any, tmp_path: Path, years: int
) -> None:
    at = sealed_certificate.at + timedelta(days=366 * years)
    with pytest.raises(SealingFailed):
        await sealed_certificate.seal(sealed_certificate.composed, tmp_path / "sealed.pdf", at=at)
    assert not list(tmp_path.iterdir())


async def test_a_strange_root_seals_nothing(sealed_certificate: Any, tmp_path: Path) -> None:
    stranger = DemoAuthority.create(tmp_path / "pki", sealed_certificate.at)
    with pytest.raises(SealingFailed):
        await seal(
            sealed_certificate.composed,
            tmp_path / "sealed.pdf",
            key=sealed_certificate.key,
            timestamper=stranger.timestamper(),
            revocation=stranger.revocation(),
            roots=stranger.roots(),
            at=sealed_certificate.at,
            reason="x",
            name="x",
        )
    assert not (tmp_path / "sealed.pdf").exists()


@pytest.mark.parametrize(
    "fault", ["sealed already", "no newline", "cut short", "not a PDF", "empty", "appended"]
)
async def test_odd_files_are_not_sealed(sealed_certificate: Any, tmp_path: Path, fault: str) -> None:
    composed = sealed_certificate.composed.read_bytes()
    content = {
        "sealed already": sealed_certificate.sealed.read_bytes(),
        "no newline": composed.rstrip(b"\n"),
        "cut short": composed[: len(composed) // 2] + b"\n",
        "not a PDF": b"<html>\n",
        "empty": b"",
        "appended": composed + composed,
    }[fault]
    (tmp_path / "odd.pdf").write_bytes(content)
    with pytest.raises(SealingFailed):
        await sealed_certificate.seal(tmp_path / "odd.pdf", tmp_path / "target.pdf")
    assert [one.name for one in tmp_path.iterdir()] == ["odd.pdf"]


async def test_an_authority_that_answers_nonsense_stops_the_sealing(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    class Nonsense:
        issuers = ()
        state = ServiceState("nonsense")

        async def answer(self, request: bytes, at: object) -> bytes:
            return b"\x30\x03\x02\x01\x00" + request

    with pytest.raises(TimestampFailed):
        await seal(
            sealed_certificate.composed,
            tmp_path / "sealed.pdf",
            key=sealed_certificate.key,
            timestamper=Nonsense(),
            revocation=sealed_certificate.authority.revocation(),
            roots=sealed_certificate.roots,
            at=sealed_certificate.at,
            reason="x",
            name="x",
        )
    assert not list(tmp_path.iterdir())


async def test_a_malformed_time_stamp_request_is_refused(sealed_certificate: Any) -> None:
    stamper = sealed_certificate.authority.timestamper()
    assert isinstance(stamper, LocalTimestamper)
    with pytest.raises(TimestampFailed):
        await stamper.answer(b"\x30\x00", sealed_certificate.at)


def test_a_seal_key_is_kept_for_its_owner_alone(sealed_certificate: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.pem"
    sealed_certificate.key.to_pem(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = FileKey.from_pem(path)
    assert again.certificates == sealed_certificate.key.certificates
    assert "PRIVATE" not in repr(again)
    with pytest.raises(FileExistsError):
        sealed_certificate.key.to_pem(path)
    path.chmod(0o640)
    with pytest.raises(SealKeyInvalid, match="640"):
        FileKey.from_pem(path)


def test_a_seal_key_belongs_to_its_certificate(sealed_certificate: Any) -> None:
    with pytest.raises(SealKeyInvalid, match="another key"):
        FileKey(ec.generate_private_key(ec.SECP256R1()), sealed_certificate.key.certificates)
    with pytest.raises(SealKeyInvalid, match="P-256"):
        FileKey(ec.generate_private_key(ec.SECP384R1()), sealed_certificate.key.certificates)


def test_the_demo_authority_is_kept_and_read_back(sealed_certificate: Any, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    made = DemoAuthority.create(folder, sealed_certificate.at)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert DemoAuthority.load(folder).roots() == made.roots()
    with pytest.raises(FileExistsError):
        DemoAuthority.create(folder, sealed_certificate.at)
    (folder / "timestamps.pem").unlink()
    with pytest.raises(SealKeyMissing, match="timestamps"):
        DemoAuthority.load(folder)
