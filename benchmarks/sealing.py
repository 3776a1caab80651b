"""How many seals (PAdES B-LTA) a second of one core, by what the key is and where; in turns, one at a time.

The services are those of the demo, in this process: their work is counted in, what is lost on the way is not.
"""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from benchmarks.table import Row
from reuse_api.demo.people import certificate
from reuse_api.demo.pki import DemoAuthority
from signing.composing import compose
from signing.keys import PublicKey, SealKey
from signing.keys_file import FileKey
from signing.keys_memory import SigningMemory
from signing.keys_pkcs11 import Pkcs11Key, TokenPlace
from signing.sealing import seal

ROUNDS = 5
_SIGNATURES = 40
AGENCY, CODE = "Ủy ban nhân dân phường Nghĩa Đô", "H26.14.02"
_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
_PIN = "87654321"


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Seal a composed certificate `count` times a round with each key."""
    at = datetime.now(UTC)
    authority = DemoAuthority.create(folder / "authority", at)
    paper = folder / "paper.pdf"
    fields = certificate("57/2026", "2026-11-20", birth_place="Bệnh viện Bạch Mai")
    paper.write_bytes(compose("birth_certificate", fields, at=at))
    keys = _keys(folder, authority)
    rates: dict[str, list[float]] = {name: [] for name in keys}
    signing: dict[str, list[float]] = {name: [] for name in keys}
    for _ in range(ROUNDS):
        for name, key in keys.items():
            rates[name].append(await _rate(folder, paper, authority, key, count, at))
            signing[name].append(await _signature(key))
    first = next(iter(rates.values()))
    rows = [_row(name, runs, first, statistics.median(signing[name])) for name, runs in rates.items()]
    return rows if len(rows) == 4 else [*rows, Row("keys in a token", "-", "", "SoftHSM2 is not installed")]


async def _rate(
    folder: Path, paper: Path, authority: DemoAuthority, key: SealKey, count: int, at: datetime
) -> float:
    said: dict[str, Any] = {"timestamper": authority.timestamper(), "revocation": authority.revocation()}
    said |= {"roots": authority.roots(), "at": at, "reason": "Kết quả điện tử", "name": AGENCY}
    started = time.process_time()
    for number in range(count):
        await seal(paper, folder / f"{number}.pdf", key=key, **said)
    return count / (time.process_time() - started)


async def _signature(key: SealKey) -> float:
    """Time one signature, written down durably, in milliseconds of CPU."""
    started = time.process_time()
    for _ in range(_SIGNATURES):
        await key.sign(os.urandom(32))
    return (time.process_time() - started) / _SIGNATURES * 1000


def _row(name: str, runs: list[float], first: list[float], signature: float) -> Row:
    ratios = [one / other for one, other in zip(runs, first, strict=True)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return Row(
        name,
        f"{statistics.median(runs):.1f}/s",
        ratio,
        f"of one core's CPU time; the signature alone {signature:.1f} ms",
    )


def _keys(folder: Path, authority: DemoAuthority) -> dict[str, SealKey]:
    memory = SigningMemory(folder / "signed.sqlite")

    def in_file(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> FileKey:
        return FileKey(private, authority.certify(AGENCY, CODE, private.public_key()), memory)

    keys: dict[str, SealKey] = {
        "P-256 in a file": in_file(ec.generate_private_key(ec.SECP256R1())),
        "RSA-2048 in a file": in_file(rsa.generate_private_key(65537, 2048)),
    }
    module = next((Path(one) for one in _MODULES if Path(one).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        return keys
    for label, public in _in_token(folder, module).items():
        place = TokenPlace(module, "bench", key_label=label)
        chain = authority.certify(AGENCY, CODE, public)
        keys[f"{label} in SoftHSM2"] = Pkcs11Key(place, _PIN.encode, chain, memory)
    return keys


def _in_token(folder: Path, module: Path) -> dict[str, PublicKey]:
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    said = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "bench",
        "--so-pin",
        "12345678",
        "--pin",
        _PIN,
    ]
    subprocess.run(said, check=True, capture_output=True)
    with (
        pkcs11.lib(str(module.resolve()))
        .get_token(token_label="bench")
        .open(rw=True, user_pin=_PIN) as session
    ):
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        domain = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        point, _ = domain.generate_keypair(store=True, label="P-256")
        numbers, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="RSA-2048")
        made = load_der_public_key(encode_ec_public_key(point))
        exponent, modulus = (
            int.from_bytes(numbers[one], "big")
            for one in (pkcs11.Attribute.PUBLIC_EXPONENT, pkcs11.Attribute.MODULUS)
        )
    if not isinstance(made, ec.EllipticCurvePublicKey):
        raise RuntimeError("the token made another key than was asked for")
    return {"P-256": made, "RSA-2048": rsa.RSAPublicNumbers(exponent, modulus).public_key()}
