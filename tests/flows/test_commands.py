"""The command `kho` at work: a caller's token, offline checks, a service of its own that is stopped."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from policies.packages import shipped_packages
from reuse_api.demo.people import COMMUNE, DAUGHTER, POLICE, certificate
from reuse_api.demo.pki import DemoAuthority
from reuse_api.wiring import AUTHORITY
from signing.composing import compose
from tests.flows.conftest import Done
from tests.servers.signed_files import signature_beside, signed_xml
from vault.clock import Clock

KHO = Path(sys.executable).with_name("kho")


@pytest.fixture
def key_file(kho: Any, tmp_path: Path) -> Path:
    content = {"client_id": POLICE.system, "officer": POLICE.officer, "key": kho.keys[POLICE.system]}
    file = tmp_path / "police.json"
    file.write_text(json.dumps(content | {"issuer": kho.url}))
    return file


def test_token_prints_the_token_alone(kho_command: Callable[..., Done], kho: Any, key_file: Path) -> None:
    done = kho_command("token", "--key", str(key_file), "--url", kho.url)
    assert (done.returncode, done.stderr) == (0, "")
    caller = kho.vault.gate.check_token(done.stdout.strip())
    assert (caller.system, caller.officer) == (POLICE.system, POLICE.officer)
    bare = key_file.with_name("bare.json")
    bare.write_text(json.dumps(kho.keys[POLICE.system]))
    done = kho_command("token", "--key", str(bare), "--client-id", POLICE.system, "--url", kho.url)
    assert kho.vault.gate.check_token(done.stdout.strip()).officer is None


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        (["--officer", COMMUNE.officer], 1, "kho: 400: officer_unknown: "),
        (["--client-id", "nobody"], 1, "kho: 401: client_unknown: "),
        (["--issuer", "https://elsewhere.example"], 1, "kho: 401: assertion_audience: "),
        (["--url", "http://127.0.0.1:9"], 1, "kho: http://127.0.0.1:9/oauth2/token cannot be reached"),
        (["--url", "ftp://127.0.0.1"], 64, "expected an address that begins with http"),
    ],
)
def test_a_token_that_is_not_given_is_told_on_stderr(
    kho_command: Callable[..., Done], kho: Any, key_file: Path, more: list[str], status: int, told: str
) -> None:
    done = kho_command("token", "--key", str(key_file), "--url", kho.url, *more)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.fixture(scope="module")
def papers(kho: Any, commune: httpx.Client, certificate: Any, tmp_path_factory: Any) -> Path:
    """What a caller takes home: the receipt of the issuing, the document, the key line, the anchors."""
    folder = Path(tmp_path_factory.mktemp("papers"))
    (folder / "receipt").write_text(commune.get(f"/v1/receipts/{certificate.receipt}").text)
    (folder / "log-key").write_text(commune.get("/log/key").text)
    with kho.wallet(DAUGHTER) as wallet:
        content = wallet.get(f"/v1/me/records/{certificate.record}/content").content
    (folder / "certificate.pdf").write_bytes(content)
    (folder / "trust" / "test").mkdir(parents=True)
    for number, anchor in enumerate(kho.vault.trust.current().anchors):
        (folder / "trust" / "test" / f"{number}.der").write_bytes(anchor.certificate)
    (folder / "empty").mkdir()
    return folder


def test_a_receipt_is_checked_offline(kho_command: Callable[..., Done], papers: Path) -> None:
    done = kho_command("verify", "receipt", "receipt", "--log-key", "@log-key", cwd=papers)
    assert done.returncode == 0, done.stdout
    assert "Outcome: VALID" in done.stdout
    assert "owners" in kho_command("verify", "receipt", "receipt", "--parts", cwd=papers).stdout


def test_a_document_is_checked_offline(kho_command: Callable[..., Done], papers: Path) -> None:
    valid = kho_command("verify", "document", "certificate.pdf", "--trust", "trust", cwd=papers)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert valid.stdout.startswith("1. The file was read in a process of its own: PASSED\n   - a PDF, ")
    assert "B-LTA" in valid.stdout
    unknown = kho_command("verify", "document", "certificate.pdf", cwd=papers)
    assert unknown.returncode == 2, "without roots nobody is trusted"
    content = (papers / "certificate.pdf").read_bytes()
    (papers / "changed.pdf").write_bytes(flipped(content, 1200))
    changed = kho_command("verify", "document", "changed.pdf", "--trust", "trust", "--lang", "vi", cwd=papers)
    assert changed.returncode == 1, changed.stdout
    assert "KHÔNG HỢP LỆ" in changed.stdout
    long_ago = ["--trust", "trust", "--at", "1999-01-01"]
    assert kho_command("verify", "document", "certificate.pdf", *long_ago, cwd=papers).returncode != 0
    assert kho_command("verify", "document", "certificate.pdf", "--at", "soon", cwd=papers).returncode == 64
    later = kho_command("verify", "document", "certificate.pdf", "--at", "2999-01-01", cwd=papers)
    assert (later.returncode, "not that late yet" in later.stderr) == (64, True), later.stderr
    assert kho_command("verify", "document", "x.pdf", "--trust", "empty", cwd=papers).returncode == 64


def test_a_documents_check_is_told_in_full_and_as_json(
    kho_command: Callable[..., Done], papers: Path
) -> None:
    said = kho_command(
        "verify", "document", "certificate.pdf", "--trust", "trust", "--lang", "vi", cwd=papers
    )
    for words in (
        "Người ký: ",
        "Dạng chữ ký: PAdES",
        "Gốc tin cậy: ",
        "gốc chỉ để thử, không có giá trị pháp lý",
        "Thuật toán: sha256",
        "Bản được chứng nhận: không được thay đổi gì sau đó",
        "Bằng chứng: OCSP",
        "Dấu thời gian: của cả tệp",
        "Mức tin cậy cao nhất có thể đạt",
        "Kết luận: HỢP LỆ",
    ):
        assert words in said.stdout, said.stdout
    report = ["--json", "--etsi", "report.xml"]
    done = kho_command("verify", "document", "certificate.pdf", "--trust", "trust", *report, cwd=papers)
    told = json.loads(done.stdout)
    (found,) = etree.parse(papers / "report.xml").iter("{*}MainIndication")
    assert found.text == "urn:etsi:019102:mainindication:total-passed"
    assert (done.returncode, told["verdict"], told["at_best"]["trust"]) == (0, "valid", "A")
    assert [one["number"] for one in told["steps"]] == list(range(1, len(told["steps"]) + 1))
    assert all(one["passed"] and one["name"]["vi"] != one["name"]["en"] for one in told["steps"])
    (signature,) = told["report"]["signatures"]
    assert signature["anchor"]["purpose"] == "test"
    assert signature["time_source"] == "timestamp"
    assert signature["chain"] and signature["status_evidence"] and signature["timestamps"]


def test_a_signature_beside_a_file_is_judged_and_what_is_none_is_told(
    kho_command: Callable[..., Done], kho: Any, tmp_path: Path
) -> None:
    seal = DemoAuthority.load(kho.settings.keys / AUTHORITY).issue_seal_key("Xã Tân Hòa", "H01.07")
    seal.to_pem(tmp_path / "seal.pem")
    private = load_pem_private_key((tmp_path / "seal.pem").read_bytes(), None)
    assert isinstance(private, EllipticCurvePrivateKey)
    first, *others = (load_der_x509_certificate(one) for one in seal.certificates)
    builder = PKCS7SignatureBuilder().set_data(b"so;12\n").add_signer(first, private, SHA256())
    for one in others:
        builder = builder.add_certificate(one)
    made = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    contents = {
        "a.csv": b"so;12\n",
        "b.csv": b"so;13\n",
        "a.p7s": made,
        "x.xml": b"<?xml version='1.0'?><a/>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    asked = (
        ("a.csv", "a.p7s", 2, "leads to no certification authority"),
        ("b.csv", "a.p7s", 1, "Outcome: INVALID"),
        ("a.csv", "x.xml", 2, "does not have the standard's format"),
    )
    for file, signature, status, words in asked:
        done = kho_command("verify", "document", file, "--signature", signature, cwd=tmp_path)
        assert (done.returncode, words in done.stdout) == (status, True), done.stdout
    for file, status in (("x.xml", 2), ("a.csv", 3)):
        assert kho_command("verify", "document", file, cwd=tmp_path).returncode == status


def test_where_a_signature_stands_is_told_and_what_the_file_is_at_best(
    kho_command: Callable[..., Done], kho: Any, papers: Path
) -> None:
    authority = DemoAuthority.load(kho.settings.keys / AUTHORITY)
    key, at = authority.issue_seal_key("Xã Tân Hòa", "H01.07"), Clock().now()
    paper = compose("birth_certificate", certificate("77/2026", "2026-11-20", birth_place="Hà Nội"), at=at)
    (papers / "plain.pdf").write_bytes(paper)
    (papers / "plain.p7s").write_bytes(asyncio.run(signature_beside(authority, key, paper, at)))
    (papers / "signed.xml").write_bytes(asyncio.run(signed_xml(authority, key, "<A><B>1</B></A>", at)))
    asked = ["verify", "document", "plain.pdf", "--signature", "plain.p7s", "--trust", "trust"]
    beside = kho_command(*asked, cwd=papers)
    assert beside.returncode == 0, beside.stdout
    assert "The signature that comes with the file is genuine" in beside.stdout
    assert "At best worth A, if it is what it is headed as" in beside.stdout
    within = kho_command("verify", "document", "signed.xml", "--trust", "trust", cwd=papers)
    assert within.returncode == 0, within.stdout
    assert "The signature in the document is genuine" in within.stdout
    assert "At best" not in within.stdout and "beside" not in within.stdout


def test_a_published_log_is_checked_from_a_folder_and_over_http(
    kho_command: Callable[..., Done], kho: Any, papers: Path
) -> None:
    for place in (str(kho.settings.log_folder), f"{kho.url}/log"):
        done = kho_command("verify", "log", place, "--log-key", "@log-key", cwd=papers)
        assert done.returncode == 0, done.stdout + done.stderr
    unreachable = kho_command("verify", "log", "http://127.0.0.1:9/log", "--log-key", "@log-key", cwd=papers)
    assert unreachable.returncode == 2


def test_a_vault_that_is_served_is_not_written_by_another(
    kho_command: Callable[..., Done], kho: Any, tmp_path: Path
) -> None:
    packages = tmp_path / "packages.jsonl"
    packages.write_text("\n".join(json.dumps(row) for row in shipped_packages()))
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    alone = [["inspect", "--sweep"]]
    if not kho.vault.db.shared:  # otherwise several may write, and a migration that only adds may go in
        alone += [["import", "catalogue", str(packages)], ["migrate"], ["renew"], ["revalidate"]]
        alone += [["dead-letters", "--replay"], ["seal-key", "image", "H26", str(packages)]]
        alone += [["agency-certificate", "add", "H26", str(empty), "--reason", "x"]]
    for arguments in alone:
        done = kho_command(*arguments, env=kho.told)
        assert done.returncode == 1, done.stdout
        assert "kho serve" in done.stderr, "it says what holds the vault"
        done = kho_command(*arguments, "--lang", "vi", env=kho.told) if arguments[0] != "inspect" else done
        assert arguments[0] == "inspect" or "hãy dừng `kho serve`" in done.stderr, done.stderr
    for arguments in (["dead-letters"], ["agency-certificate", "list"], ["seal-key", "images"]):
        assert kho_command(*arguments, env=kho.told).returncode == 0, "looking is for everybody"
    looked = kho_command("inspect", env=kho.told)
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "rows, blobs and log agree" in looked.stdout


def test_a_vault_is_made_filled_served_and_stopped(kho_command: Callable[..., Done], tmp_path: Path) -> None:
    with serving(tmp_path, "--create") as lines:
        assert lines["serving"]["entries"] >= 1
        assert (lines["trusting"]["status_hosts"], lines["trusting"]["anchors"]["public"]) == ("offline", 0)
    packages = tmp_path / "packages.jsonl"
    rows = [*shipped_packages(), {"code": "9.999999"}]
    packages.write_text("\n".join(json.dumps(row) for row in rows))
    done = kho_command("import", "catalogue", str(packages), cwd=tmp_path)
    assert done.returncode == 1
    assert "1.004222: version 1" in done.stdout
    assert f"{len(rows) - 1} new, 0 changed, 0 unchanged, 1 refused" in done.stdout
    refused = done.stderr.splitlines()[-1]  # a slow machine shows its progress before it
    assert refused.startswith(f"{packages}, line {len(rows)}: 9.999999: ")
    again = kho_command("import", "catalogue", str(packages), "--only", "1.004222", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.startswith("0 new, 0 changed, 1 unchanged, 0 refused\n")
    shipped = kho_command("import", "shipped", "--lang", "vi", cwd=tmp_path)
    assert shipped.returncode == 0
    assert f"0 mới, 0 thay đổi, {len(shipped_packages())} không đổi, 0 bị từ chối" in shipped.stdout
    assert "own_edit: theo chỉnh sửa của quản trị viên" in shipped.stdout
    twice = json.dumps(shipped_packages()[0])
    packages.write_text("\n".join(["{", twice, twice.replace('"1.000894"', '"1.000894.01"')]))
    odd = kho_command("import", "catalogue", str(packages), cwd=tmp_path)
    assert odd.returncode == 1
    assert odd.stdout.startswith("0 new, 0 changed, 1 unchanged, 2 refused\n")
    assert f"{packages}, line 1: is no JSON: " in odd.stderr
    assert f"{packages}, line 3: 1.000894: stands already in {packages}, line 2" in odd.stderr
    odd = kho_command("import", "catalogue", str(packages), "--lang", "vi", cwd=tmp_path)
    assert f"{packages}, dòng 1: không phải JSON: " in odd.stderr
    assert f"{packages}, dòng 3: 1.000894: đã có ở {packages}, dòng 2" in odd.stderr
    assert kho_command("import", str(packages), cwd=tmp_path).returncode == 64
    assert kho_command("migrate", cwd=tmp_path).returncode == 0
    assert kho_command("inspect", cwd=tmp_path).returncode == 0


@contextmanager
def serving(place: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """`kho serve` on a free port until the test is done with it; then SIGTERM, and it ends well."""
    command = [str(KHO), "serve", "--listen", "127.0.0.1:0", *arguments]
    lines: dict[str, Any] = {}
    with subprocess.Popen(
        command, cwd=place, stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            told = json.loads(line)
            lines[told["event"]] = told
            if told["event"] == "serving":
                break
        try:
            yield lines
        finally:
            running.send_signal(signal.SIGTERM)
            rest = running.stderr.read()
    assert running.returncode == 0, rest
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
