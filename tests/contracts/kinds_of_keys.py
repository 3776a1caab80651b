"""The kinds of seal keys, and what can go wrong with each: in a file, in SoftHSM2, at a remote service."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.keys_file import FileKey
from tests.servers import softhsm
from tests.servers.csc_server import CLIENT, SECRET, CscServer, Held
from tests.servers.pki import Pki, Private
from vault.seal_keys import Place, SealKeys

Algorithm = Literal["p256", "rsa"]
AGENCY = "H26.14.02"
NAME = "Ủy ban nhân dân phường Nghĩa Đô"
_labels = (f"seal-{number}" for number in itertools.count())
_private: dict[Algorithm, Private] = {}


class KindOfKey(ABC):
    """One agency's key of one kind, registered in a folder of keys."""

    def __init__(self, folder: Path, pki: Pki, algorithm: Algorithm) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.keys = SealKeys(folder / "seal")
        self.prepare(pki, algorithm)

    @abstractmethod
    def prepare(self, pki: Pki, algorithm: Algorithm) -> None:
        """Make the key and register it."""

    @abstractmethod
    def spoil_secret(self) -> None:
        """Have the passphrase, PIN or client secret be another from now on."""

    @abstractmethod
    def lose(self) -> None:
        """Take the key away from under whoever uses it."""

    @abstractmethod
    def swap(self, pki: Pki) -> None:
        """Put the certificate of another key in its place."""

    def secret(self, text: str) -> Path:
        path = self.folder / "secret"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text + "\n")
        return path

    def swap_certificates(self, pki: Pki, algorithm: Algorithm) -> None:
        """Replace the registered certificates of a token or service."""
        place = Place.read((self.folder / "seal" / f"{AGENCY}.json").read_bytes())
        (self.folder / "seal" / f"{AGENCY}.json").unlink()
        self.keys.register(AGENCY, place, pki.issue_for(private(algorithm).public_key(), NAME))


class InFile(KindOfKey):
    """A PEM file and its passphrase."""

    def prepare(self, pki: Pki, algorithm: Algorithm) -> None:
        key = private(algorithm)
        self.keys.add(AGENCY, FileKey(key, pki.seal(NAME, private=key).chain))

    def spoil_secret(self) -> None:
        (self.folder / "seal.passphrase").write_text("another\n")
        self.keys = SealKeys(self.folder / "seal")

    def lose(self) -> None:
        (self.folder / "seal" / f"{AGENCY}.pem").unlink()

    def swap(self, pki: Pki) -> None:
        path = self.folder / "seal" / f"{AGENCY}.pem"
        own, _, _ = path.read_text().partition("-----BEGIN CERTIFICATE")
        stranger = FileKey(other := ec.generate_private_key(ec.SECP256R1()), pki.seal(private=other).chain)
        stranger.to_pem(self.folder / "stranger.pem")
        theirs = (self.folder / "stranger.pem").read_text().partition("-----BEGIN CERTIFICATE")[2]
        path.write_text(own + "-----BEGIN CERTIFICATE" + theirs)


class InToken(KindOfKey):
    """A key pair of SoftHSM2."""

    def prepare(self, pki: Pki, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.place, public = softhsm.make_key(next(_labels), algorithm)
        said = {
            "module": str(self.place.module),
            "token": self.place.token,
            "key_label": self.place.key_label,
        }
        said["pin_file"] = str(self.secret(softhsm.PIN))
        self.keys.register(AGENCY, Place("pkcs11", said), pki.issue_for(public, NAME))

    def spoil_secret(self) -> None:
        self.secret("11112222")

    def lose(self) -> None:
        softhsm.remove_key(self.place)

    def swap(self, pki: Pki) -> None:
        self.swap_certificates(pki, self.algorithm)


class AtService(KindOfKey):
    """A credential of a remote signing service."""

    server: CscServer

    def prepare(self, pki: Pki, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.server = CscServer().start()
        key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "p256" else other_rsa()
        self.server.credentials["c1"] = Held(key, pki.seal(NAME, private=key).chain, pin="4711")
        (self.folder / "pin").touch(mode=0o600)
        (self.folder / "pin").write_text("4711\n")
        said = {"url": self.server.base, "client_id": CLIENT, "credential": "c1"}
        said |= {"secret_file": str(self.secret(SECRET)), "pin_file": str(self.folder / "pin")}
        self.keys.register(AGENCY, Place("csc", said), self.server.credentials["c1"].chain)

    def spoil_secret(self) -> None:
        self.secret("another")
        self.server.end_tokens()

    def lose(self) -> None:
        self.server.credentials.clear()

    def swap(self, pki: Pki) -> None:
        self.swap_certificates(pki, self.algorithm)


def private(algorithm: Algorithm) -> Private:
    """Give a private key; RSA keys are made once, because they take a while."""
    if algorithm == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if "rsa" not in _private:
        _private["rsa"] = rsa.generate_private_key(65537, 2048)
    return _private["rsa"]


def other_rsa() -> Private:
    """Give another RSA key than `private` does."""
    return rsa.generate_private_key(65537, 2048)


def made(kind: str, folder: Path, pki: Pki) -> Iterator[KindOfKey]:
    """Make a key of a kind, such as "token-rsa"; ends what runs for it."""
    where, _, algorithm = kind.partition("-")
    holder: type[KindOfKey] = {"file": InFile, "token": InToken, "service": AtService}[where]
    held = holder(folder, pki, "rsa" if algorithm == "rsa" else "p256")
    yield held
    if isinstance(held, AtService):
        held.server.stop()
