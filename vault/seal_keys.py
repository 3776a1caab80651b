"""Where the agencies' seal keys are: for each agency a PEM file, or a description of a token or a service.

`CODE.pem` is a key, encrypted with the passphrase of the house, its certificates behind it. `CODE.json` says
where the key of an agency lives otherwise; it holds no secret, but names the files of secrets, and
`CODE.crt.pem` beside it holds the certificates. Where `CODE.ended` is, that key seals no more.
`signed.sqlite` is what was signed under which request.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing.csc_client import CscClient
from signing.errors import SealKeyEnded, SealKeyInvalid, SealKeyMissing
from signing.keys import SealKey
from signing.keys_file import FileKey, read_private_file, read_secret, write_private_file
from signing.keys_memory import SigningMemory
from signing.keys_pkcs11 import Pkcs11Key, TokenPlace
from signing.keys_remote import RemoteKey

Kind = Literal["file", "pkcs11", "csc"]
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,63}")
# What a description may say; those without a question mark it must.
_SAID: Mapping[str, frozenset[str]] = {
    "pkcs11": frozenset({"module", "token", "pin_file", "key_label?", "key_id?"}),
    "csc": frozenset({"url", "client_id", "secret_file", "credential", "pin_file?", "authorities?"}),
}


@dataclass(frozen=True)
class Place:
    """Where a key is that is no file of ours: its kind, and what a description of that kind says."""

    kind: Kind
    said: Mapping[str, str]

    @classmethod
    def read(cls, content: bytes) -> "Place":
        """Read a description. Raises SealKeyInvalid for anything that is none."""
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
            raise SealKeyInvalid("the description of the seal key is no JSON object of texts")
        kind = said.pop("kind", None)
        known = _SAID.get(str(kind))
        if known is None:
            raise SealKeyInvalid(f"the description of the seal key is of no known kind ({', '.join(_SAID)})")
        needed = {one for one in known if not one.endswith("?")}
        if not needed <= said.keys() <= {one.rstrip("?") for one in known}:
            raise SealKeyInvalid(f"a description of kind {kind} says {', '.join(sorted(known))}")
        return cls("pkcs11" if kind == "pkcs11" else "csc", said)

    def written(self) -> bytes:
        """Give the description as a file."""
        return json.dumps({"kind": self.kind, **self.said}, ensure_ascii=False, indent=1).encode() + b"\n"

    def client(self) -> CscClient:
        """Give the client of a remote service."""
        secret, authorities = Path(self.said["secret_file"]), self.said.get("authorities")
        return CscClient(
            self.said["url"],
            self.said["client_id"],
            lambda: read_secret(secret),
            authorities=Path(authorities) if authorities else None,
        )

    def key(self, certificates: Sequence[bytes], memory: SigningMemory | None = None) -> SealKey:
        """Give the key of this place; it is not asked for anything yet. Raises SealKeyInvalid."""
        pin = Path(self.said["pin_file"]) if "pin_file" in self.said else None
        read_pin = None if pin is None else lambda: read_secret(pin)
        if self.kind == "csc":
            client, credential = self.client(), self.said["credential"]
            return RemoteKey(client, credential, certificates, pin=read_pin, memory=memory)
        try:
            id_ = bytes.fromhex(self.said["key_id"]) if "key_id" in self.said else None
        except ValueError as problem:
            raise SealKeyInvalid("the id of a key in a token is written in hexadecimal") from problem
        module, token = Path(self.said["module"]), self.said["token"]
        place = TokenPlace(module, token, key_label=self.said.get("key_label"), key_id=id_)
        return Pkcs11Key(place, read_pin or _no_pin, certificates, memory)


def _no_pin() -> bytes:
    raise SealKeyInvalid("the description of the seal key names no file of a PIN")


class SealKeys:
    """The folder of seal keys (700, files 600). A key that was opened stays open until its files change."""

    def __init__(self, folder: Path, passphrase: Path | None = None) -> None:
        """Take `passphrase` as the file that opens the PEM files; by default one beside the folder."""
        self._folder = folder
        self._passphrase = passphrase or folder.with_name("seal.passphrase")
        self._memory = SigningMemory(folder / "signed.sqlite")
        self._open: dict[str, tuple[object, SealKey]] = {}

    def agencies(self) -> list[str]:
        """List the agencies that a key is registered for."""
        return sorted({path.stem for path in self._folder.glob("*") if self._is_key(path)})

    def kinds(self) -> dict[str, int]:
        """Count the registered keys of each kind; one that cannot be read counts as "unreadable"."""
        found: dict[str, int] = {}
        for agency in self.agencies():
            try:
                kind: str = self.kind(agency)
            except (SealKeyInvalid, SealKeyMissing):
                kind = "unreadable"
            found[kind] = found.get(kind, 0) + 1
        return found

    def kind(self, agency: str) -> Kind:
        """Say of which kind an agency's key is. Raises SealKeyMissing, SealKeyInvalid."""
        if self._path(agency, ".pem").exists():
            return "file"
        return Place.read(read_private_file(self._path(agency, ".json"))).kind

    def holds(self, agency: str) -> bool:
        """Say whether a seal key is registered for the agency."""
        return any(self._path(agency, ending).exists() for ending in (".pem", ".json"))

    def ended(self, agency: str) -> bool:
        """Say whether the agency's key seals no more."""
        return self._path(agency, ".ended").exists()

    def end(self, agency: str) -> None:
        """Let the agency's key seal no more, for good; its certificates stay known. Twice is once.

        Raises:
            SealKeyInvalid: that is no code of an agency.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            write_private_file(self._path(agency, ".ended"), b"")

    def add(self, agency: str, key: FileKey) -> None:
        """Keep an agency's key in a file, encrypted. Raises FileExistsError: a key is never overwritten."""
        self._begin(agency)
        key.to_pem(self._path(agency, ".pem"), self._secret(create=True))

    def register(self, agency: str, place: Place, certificates: Sequence[bytes]) -> None:
        """Keep where an agency's key lives. Raises FileExistsError as `add` does."""
        self._begin(agency)
        chain = b"".join(
            x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in certificates
        )
        beside = self._path(agency, ".crt.pem")
        beside.unlink(missing_ok=True)  # of a registration that was not finished
        write_private_file(beside, chain)
        write_private_file(self._path(agency, ".json"), place.written())

    def open(self, agency: str) -> SealKey:
        """Give an agency's key.

        Raises:
            SealKeyMissing: none is registered, or its file is gone.
            SealKeyEnded: it seals no more.
            SealKeyRefused: the passphrase does not open it.
            SealKeyInvalid: its files are damaged, exposed or do not belong together.
        """
        if self.ended(agency):
            self._open.pop(agency, None)
            raise SealKeyEnded(f"the seal key of agency {agency} has ended")
        if not self.holds(agency):
            self._open.pop(agency, None)
            raise SealKeyMissing(f"no seal key is registered for agency {agency}")
        state = self._state(agency)
        known = self._open.get(agency)
        if known is not None and known[0] == state:
            return known[1]
        key = self._read(agency)
        self._open[agency] = (state, key)
        return key

    def settle(self, request: str, *, used: bool) -> None:
        """Say whether the signature of a request that ended is in a record now (`SigningMemory.settle`)."""
        self._memory.settle(request, used=used)

    def certificates(self) -> list[bytes]:
        """Give the certificates (DER) of every key that can be read; no key is opened for that."""
        found: dict[bytes, None] = {}
        for agency in self.agencies():
            beside = self._path(agency, ".crt.pem")
            with suppress(SealKeyInvalid, SealKeyMissing):
                path = beside if beside.exists() else self._path(agency, ".pem")
                found |= dict.fromkeys(read_certificates(path))
        return list(found)

    def _read(self, agency: str) -> SealKey:
        path = self._path(agency, ".pem")
        if path.exists():
            return FileKey.from_pem(path, self._secret(), self._memory)
        place = Place.read(read_private_file(self._path(agency, ".json")))
        return place.key(read_certificates(self._path(agency, ".crt.pem")), self._memory)

    def _state(self, agency: str) -> object:
        """Tell what the files of a key look like from outside."""
        seen = []
        for ending in (".pem", ".json", ".crt.pem"):
            try:
                facts = self._path(agency, ending).stat()
            except FileNotFoundError:
                continue
            seen.append((ending, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_mode))
        return seen

    def _begin(self, agency: str) -> None:
        if self.ended(agency):
            raise SealKeyEnded(f"the seal key of agency {agency} has ended")
        if self.holds(agency):
            raise FileExistsError(f"a seal key is registered for agency {agency} already")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for half_written in self._folder.glob(".*"):  # by a process that was killed: this one has the vault
            half_written.unlink()

    def _secret(self, *, create: bool = False) -> bytes | None:
        if create and not self._passphrase.exists():
            with suppress(FileExistsError):  # somebody else has just made it
                write_private_file(self._passphrase, secrets.token_hex(32).encode() + b"\n")
        return read_secret(self._passphrase) if self._passphrase.exists() else None

    def _path(self, agency: str, ending: str) -> Path:
        if not _CODE.fullmatch(agency):
            raise SealKeyInvalid("an agency code cannot name a key file")
        return self._folder / f"{agency}{ending}"

    @staticmethod
    def _is_key(path: Path) -> bool:
        return path.suffix in {".pem", ".json"} and not path.name.endswith(".crt.pem")


def read_certificates(path: Path) -> list[bytes]:
    """Read the certificates (DER) of a PEM file of ours. Raises SealKeyMissing, SealKeyInvalid."""
    try:
        found = x509.load_pem_x509_certificates(read_private_file(path))
    except ValueError as problem:
        raise SealKeyInvalid(f"{path} holds no certificate") from problem
    return [one.public_bytes(Encoding.DER) for one in found]
