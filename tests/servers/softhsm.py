"""SoftHSM2: a token in software, in a folder of the tests, which the module reads once a process."""

import functools
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from signing.keys_pkcs11 import TokenPlace, _turns

PIN = "87654321"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
)


def module() -> Path:
    """Find the module; skips the test by name where SoftHSM2 is not installed."""
    for one in _MODULES:
        if Path(one).exists() and shutil.which("softhsm2-util"):
            return Path(one).resolve()
    pytest.skip("SoftHSM2 is not installed (on Debian: the package softhsm2)")


@functools.cache
def configured() -> Path:
    """Say where tokens lie, once a process, for it and those that it starts; gives the file that says so."""
    folder = Path(tempfile.mkdtemp(prefix="kho-softhsm-"))
    (folder / "tokens").mkdir()
    conf = f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    (folder / "softhsm2.conf").write_text(conf)
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    return folder / "softhsm2.conf"


@functools.cache
def token() -> tuple[Path, str]:
    """Make a token with a user PIN, once a process; gives module and label."""
    library = module()
    configured()
    said = ["softhsm2-util", "--init-token", "--free", "--label", "kho", "--so-pin", "12345678", "--pin", PIN]
    subprocess.run([*said, "--module", str(library)], check=True, capture_output=True)
    return library, "kho"


def make_key(label: str, kind: str) -> tuple[TokenPlace, ec.EllipticCurvePublicKey | rsa.RSAPublicKey]:
    """Make a key pair ("p256" or "rsa") in the token; gives its place and the public half."""
    library, name = token()
    with _turns.setdefault(library, threading.Lock()), _rw_session() as session:
        if kind == "rsa":
            public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label=label)
            loaded = _rsa(public)
        else:
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            domain = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            public, _ = domain.generate_keypair(store=True, label=label)
            loaded = load_der_public_key(encode_ec_public_key(public))
    return TokenPlace(library, name, key_label=label), loaded


def remove_key(place: TokenPlace) -> None:
    """Take a private key out of the token."""
    with _turns.setdefault(place.module, threading.Lock()), _rw_session() as session:
        session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=place.key_label).destroy()


def lose_sessions(place: TokenPlace) -> None:
    """Have the module forget every session and login, as a token does that was pulled out."""
    with _turns.setdefault(place.module, threading.Lock()):
        pkcs11.lib(str(place.module)).reinitialize()


def _rw_session() -> pkcs11.Session:
    library, name = token()
    slot = pkcs11.lib(str(library)).get_token(token_label=name)
    try:
        return slot.open(rw=True, user_pin=PIN)
    except pkcs11.UserAlreadyLoggedIn:
        return slot.open(rw=True)


def _rsa(public: pkcs11.PublicKey) -> rsa.RSAPublicKey:
    exponent, modulus = public[pkcs11.Attribute.PUBLIC_EXPONENT], public[pkcs11.Attribute.MODULUS]
    return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
