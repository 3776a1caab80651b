"""What an operator sets: read once from the environment (KHO_...), nowhere else (DESIGN 4, 9).

Four addresses decide the set-up: database, store, keys, search. Every setting has a default that works on one
machine.
"""

import ipaddress
import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from reuse_api.sign_in_settings import REALMS, SignInSettings
from search.errors import IndexAddressInvalid
from search.opening import check_address as check_index
from signing.allowed_address import check_address
from signing.checkpoint import LogVerifier
from signing.log_errors import NoteInvalid
from signing.malware import Clamd
from storage.errors import AddressUnsupported
from storage.opening import check_address as check_store
from storage.s3_address import LOCK_DAYS_MAX
from vault.rows_address import RowsAddress, check_rows_address
from vault.socket_place import check_socket

PREFIX = "KHO_"
_HIGHEST_PORT = 65535


class SettingsInvalid(Exception):
    """The settings cannot be used."""

    code = "settings_invalid"


class Settings(SignInSettings, BaseSettings):
    """Every setting, with what it means; the variable is KHO_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True)

    database: str = Field(
        "var/kho/rows.db",
        description="Where the rows are: the path of an SQLite file, for one process; or "
        '"postgresql+asyncpg://USER@HOST:PORT/DATABASE", a database of its own, for several ('
        '"?ssl=verify-full" demands encryption and a certificate that somebody vouches for: an authority of '
        'your own is named in SSL_CERT_FILE; "?host=FOLDER" is a Unix socket).',
    )
    database_password: Path | None = Field(
        None,
        description="A file (mode 600) whose first line is the password of that user; it goes before one in "
        "the address. Empty: none.",
    )
    database_unencrypted: bool = Field(
        False,
        description="Let KHO_DATABASE be on another machine without ssl=require or more. Whoever is on the "
        "way between then reads names and what is asked; only a network of those two alone is fit.",
    )
    store: str = Field(
        "folder:var/kho/blobs",
        description='Where the sealed bytes are: "folder:PATH", a folder of this machine; or '
        '"s3+https://HOST:PORT/BUCKET", a bucket of any S3 server, made beforehand ("/PREFIX" may follow; '
        '"s3+http" on loopback alone). A certificate authority of your own is named in SSL_CERT_FILE.',
    )
    store_credentials: Path | None = Field(
        None,
        description="A file (mode 600) of two lines, the access key and the secret key of the S3 server; "
        "empty: none.",
    )
    store_region: str = Field(
        "us-east-1", description="The region that requests to the S3 server are signed for."
    )
    store_lock_days: int = Field(
        0,
        ge=0,
        le=LOCK_DAYS_MAX,
        description="How many days the S3 server keeps each new blob from being deleted by anybody, us and "
        "its administrator included (object lock, COMPLIANCE); 0: no lock is asked for.",
    )
    keys: Path = Field(
        Path("var/kho-keys"),
        description="The folder of the keys (mode 700, files 600, ours alone); back it up apart.",
    )
    signer: str = Field(
        "",
        description='Where `kho sign` listens: "unix:PATH"; empty: this process signs. To `kho serve` and '
        "the commands all of KHO_SIGNER, KHO_GATE, KHO_SEALER are given, or none (docs/processes.md).",
    )
    gate: str = Field(
        "", description='Where `kho gate` listens: "unix:PATH"; empty: this process holds the master key.'
    )
    sealer: str = Field(
        "", description='Where `kho seal` listens: "unix:PATH"; empty: this process holds the seal keys.'
    )
    peers: str = Field(
        "",
        description="Users whose processes `kho sign`, `kho gate` and `kho seal` answer, by name or number, "
        "with commas between; empty: our own user alone.",
    )
    work_peers: str = Field(
        "",
        description="Those of KHO_PEERS that `kho work` runs as: `kho gate` gives them what waits for its "
        "seal, and keys for the vault's own work; empty: our own user alone.",
    )
    log_key: str = Field(
        "",
        description="The log's public line, as `kho sign` prints it, which the signer is held to; empty: "
        "what the signer says, which `kho gate` then keeps beside its keys.",
    )
    search: str = Field(
        "tantivy:var/kho/index",
        description='Where the search index is: "tantivy:FOLDER", a folder of this machine for one process; '
        '"http(s)://[USER:PASSWORD@]HOST[:PORT][/NAME]", Elasticsearch 9 or OpenSearch 3; "none": nothing '
        "can be searched for. It is built from the rows where it is not there. NAME (kho) is an alias "
        "for this vault alone; its indexes are called NAME- and twelve digits of 0-9a-f; old ones are "
        "deleted. Off this machine it is https, unless KHO_SEARCH_UNENCRYPTED says otherwise.",
    )
    search_credentials: Path | None = Field(
        None,
        description="A file (mode 600) of two lines, user and password for the search server, or of one, an "
        "API key; it goes before what the address says. Empty: none.",
    )
    search_unencrypted: bool = Field(
        False,
        description="Let KHO_SEARCH be http:// off this machine. Whoever is on the way between then reads "
        "names and what is searched for, and the credentials; only a network of those two alone is fit.",
    )
    full_text: str = Field(
        "",
        description="Record types (their codes, with commas between) whose documents are found by the words "
        "of their pages too; empty: none. These words lie unsealed in the index, and reading them is an "
        "entry of the owners each time. A type with sensitive personal data is refused. `kho reindex` after "
        "every change.",
    )
    log_folder: Path = Field(
        Path("var/kho/log"), description="The folder that the log's checkpoint and tiles are published into."
    )
    scratch: Path = Field(
        Path("var/kho/scratch"),
        description="A folder of our own for files that are being received, best on the store's disk; what "
        "is left in it is removed at every start.",
    )
    listen: str = Field(
        "127.0.0.1:8080", description='Where to serve: "HOST:PORT"; an IPv6 host stands in brackets.'
    )
    metrics_listen: str = Field(
        "",
        description='Where to tell figures for Prometheus ("/metrics", plain HTTP): "HOST:PORT", or a port '
        "alone on 127.0.0.1; each process needs one of its own. Empty: nowhere.",
    )
    metrics_open: bool = Field(
        False,
        description="Let KHO_METRICS_LISTEN be an address that other machines reach. The figures hold no "
        "personal data, but tell how busy Kho is; only the operator's network should reach them.",
    )
    issuer: str = Field(
        "",
        description="Our address as callers know it, `aud` of assertions; empty: http:// and KHO_LISTEN. "
        "A request whose Host is neither of this address nor of KHO_LISTEN is refused with 421.",
    )
    trust: Path | None = Field(
        None,
        description="The folder of the certificates that signatures of documents may lead to, one file each: "
        "public/, government/ (signatures), timestamp/ (time stamps), test/ (both, shown as a test). A .json "
        "of the same name may give label_vi, label_en, valid_from, valid_until. It is read again when it "
        "changes; empty: none, so that no foreign signature is ever valid.",
    )
    timestamp_url: str = Field(
        "",
        description="Where seals get their time stamps (RFC 3161), http:// or https://; its certificate "
        "leads to an anchor of KHO_TRUST. Empty: the demo's own authority where there is one, else nothing "
        "is sealed.",
    )
    timestamp_issuers: Path | None = Field(
        None,
        description="A PEM file of the certificates between the time stamp authority and its root, if it "
        "does not send them along; empty: none.",
    )
    status_url: str = Field(
        "",
        description="The OCSP responder that is asked about every certificate of a seal, http:// or "
        "https://, wherever it leads; empty: those that certificates name, of KHO_STATUS_HOSTS alone.",
    )
    status_hosts: str = Field(
        "",
        description='Hosts ("HOST" or "HOST:PORT", with commas between) whose OCSP responders and CRLs are '
        "asked where a certificate of a seal or of a document names them, at addresses of the open Internet "
        "or those listed here; empty: none, documents are judged offline.",
    )
    webhook_hosts: str = Field(
        "",
        description='Addresses inside, "ADDRESS" or "ADDRESS:PORT" with commas between, that web hooks may '
        "be sent to all the same; those of this very machine over http:// too. Empty: none, hooks are sent "
        "over https:// to addresses of the open Internet alone.",
    )
    seal_passphrase: Path | None = Field(
        None,
        description="A file (mode 600) whose first line opens the seal keys that are kept in files; empty: "
        "seal.passphrase in KHO_KEYS, made with the first such key.",
    )
    clamd: str = Field(
        "",
        description='The malware scanner asked about every file from outside: "unix:PATH" or '
        '"tcp:HOST:PORT" of a clamd; empty: none. While one is set and does not answer, no file is taken.',
    )
    body_limit: int = Field(
        256 * 1024,
        ge=4096,
        le=16 * 2**20,
        description="The largest body in bytes of a request that carries no file.",
    )
    ocr: Literal["auto", "off"] = Field(
        "auto",
        description='Whether scans are read, for suggestions and a text layer: "auto" where tesseract with '
        'its Vietnamese data is installed, "off" never.',
    )
    work: Literal["on", "off"] = Field(
        "on",
        description='Whether a served vault works by itself; "off": no web hook is sent, nothing is sealed, '
        "renewed or indexed by itself. For the rehearsal of a restore, whose copy must speak to nobody.",
    )
    demo_sign_in: bool = Field(
        False,
        description="Let owners sign in with a one-time code printed in the terminal; for the demo alone, "
        "refused unless KHO_LISTEN and KHO_ISSUER are on loopback, KHO_DATABASE, KHO_STORE and KHO_SEARCH "
        "are embedded, and no provider is named.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment alone: no .env file and no folder of secrets changes anything unseen."""
        return init_settings, env_settings

    @field_validator(
        "trust",
        "timestamp_issuers",
        "seal_passphrase",
        "database_password",
        "store_credentials",
        "search_credentials",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("timestamp_url", "status_url")
    @classmethod
    def _service_can_be_asked(cls, value: str) -> str:
        return check_address(value, encrypted=False) if value else ""

    @field_validator("signer", "gate", "sealer")
    @classmethod
    def _socket_can_be_there(cls, value: str) -> str:
        return check_socket(value) if value else ""

    @field_validator("log_key")
    @classmethod
    def _log_key_readable(cls, value: str) -> str:
        try:
            return LogVerifier.from_line(value).line() if value.strip() else ""
        except NoteInvalid:
            raise ValueError("expected the line that `kho sign` prints") from None

    @field_validator("database", mode="before")
    @classmethod
    def _path_is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path) else value

    @field_validator("database")
    @classmethod
    def _rows_can_be_there(cls, value: str) -> str:
        return check_rows_address(value)

    @field_validator("store")
    @classmethod
    def _store_known(cls, value: str) -> str:
        try:
            return check_store(value)
        except AddressUnsupported as problem:
            raise ValueError(problem.detail) from None

    @field_validator("search")
    @classmethod
    def _search_known(cls, value: str) -> str:
        try:
            return value if value == "none" else check_index(value)
        except IndexAddressInvalid as problem:
            raise ValueError(problem.detail) from None  # which repeats no password

    @field_validator("clamd")
    @classmethod
    def _clamd_readable(cls, value: str) -> str:
        if value:
            Clamd(value)
        return value

    @field_validator("listen")
    @classmethod
    def _listen_readable(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= _HIGHEST_PORT:
            raise ValueError('expected "HOST:PORT", such as 127.0.0.1:8080')
        return value

    @field_validator("issuer")
    @classmethod
    def _issuer_is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("expected an address that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("metrics_listen")
    @classmethod
    def _metrics_readable(cls, value: str) -> str:
        if not value:
            return ""
        return cls._listen_readable(value if ":" in value else f"127.0.0.1:{value}")

    @model_validator(mode="after")
    def _metrics_stay_at_home(self) -> Self:
        if self.metrics_listen and self.metrics_listen == self.listen and self.metrics_port:
            raise ValueError("KHO_METRICS_LISTEN needs an address of its own, beside KHO_LISTEN")
        if self.metrics_listen and not (self.metrics_open or is_loopback(self.metrics_host)):
            raise ValueError("KHO_METRICS_LISTEN is not on loopback; KHO_METRICS_OPEN=true allows that")
        return self

    @model_validator(mode="after")
    def _rows_are_encrypted(self) -> Self:
        host = RowsAddress(self.database).elsewhere
        if host and not (self.database_unencrypted or is_loopback(host)):
            raise ValueError(
                "KHO_DATABASE is elsewhere and asks for no encryption: add ?ssl=verify-full; "
                "KHO_DATABASE_UNENCRYPTED=true allows it without"
            )
        return self

    @model_validator(mode="after")
    def _search_is_encrypted(self) -> Self:
        try:
            said = urlsplit(self.search)
        except ValueError:  # whose words repeat the address
            raise ValueError("KHO_SEARCH cannot be read as an address") from None
        if said.scheme == "http" and not (self.search_unencrypted or is_loopback(said.hostname or "")):
            raise ValueError("KHO_SEARCH is http:// to elsewhere; KHO_SEARCH_UNENCRYPTED=true allows that")
        return self

    @model_validator(mode="after")
    def _demo_stays_at_home(self) -> Self:
        if not self.demo_sign_in:
            return self
        if not self.on_loopback:
            raise ValueError("KHO_DEMO_SIGN_IN needs KHO_LISTEN on loopback, such as 127.0.0.1:8080")
        away = next((name for name, embedded in self._embedded.items() if not embedded), None)
        if away is not None:
            raise ValueError(f"KHO_DEMO_SIGN_IN needs {variable(away)} embedded, or on loopback")
        named = next((one for one in REALMS if getattr(self, f"{one}_provider")), None)
        if named is not None:
            raise ValueError(f"KHO_DEMO_SIGN_IN cannot stand beside {variable(f'{named}_provider')}")
        return self

    @model_validator(mode="after")
    def _providers_are_whole(self) -> Self:
        for realm in REALMS:
            if not getattr(self, f"{realm}_provider"):
                continue
            if not getattr(self, f"{realm}_client"):  # what proves us there, its door alone needs
                raise ValueError(f"{variable(f'{realm}_provider')} needs {variable(f'{realm}_client')}")
            if not self.address.startswith("https://") and not self._embedded["issuer"]:
                raise ValueError(f"{variable(f'{realm}_provider')} needs KHO_ISSUER to begin with https://")
        return self

    @property
    def _embedded(self) -> dict[str, bool]:
        """Of every address that decides the set-up: whether it is on this very machine, in this process."""
        return {
            "issuer": is_loopback(urlsplit(self.address).hostname or ""),
            "database": "://" not in self.database,
            "store": self.store.startswith("folder:"),
            "search": self.search == "none" or self.search.startswith("tantivy:"),
            "signer": not self.signer,
            "gate": not self.gate,
            "sealer": not self.sealer,
        }

    @property
    def full_text_types(self) -> frozenset[str]:
        """The record types of KHO_FULL_TEXT."""
        return frozenset(one.strip() for one in self.full_text.split(",") if one.strip())

    @property
    def status_host_names(self) -> list[str]:
        """The hosts of KHO_STATUS_HOSTS."""
        return [one.strip() for one in self.status_hosts.split(",") if one.strip()]

    @property
    def webhook_host_names(self) -> list[str]:
        """The addresses of KHO_WEBHOOK_HOSTS."""
        return [one.strip() for one in self.webhook_hosts.split(",") if one.strip()]

    @property
    def host(self) -> str:
        """The host to bind to, without brackets."""
        return host_of(self.listen)

    @property
    def port(self) -> int:
        """The port to bind to; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        return is_loopback(self.host)

    @property
    def metrics_host(self) -> str:
        """The host that figures are told at, without brackets."""
        return host_of(self.metrics_listen)

    @property
    def metrics_port(self) -> int:
        """The port that figures are told at; 0 lets the system choose."""
        return int(self.metrics_listen.rpartition(":")[2])

    @property
    def address(self) -> str:
        """Our issuer address, without a slash at its end."""
        return self.issuer or f"http://{self.listen}"


def host_of(address: str) -> str:
    """Give the host of "HOST:PORT", without brackets."""
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    return PREFIX + name.upper()


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment of this process; `overrides` win (the command line's options).

    Args:
        overrides: settings by name; None means not given.

    Raises:
        SettingsInvalid: one line that names the variable at fault and says what would be right. A value is
            never repeated: an address may carry a password.
    """
    known = {variable(name) for name in Settings.model_fields}
    strange = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if strange:
        raise SettingsInvalid(f"{strange[0]} is no setting of Kho; known are {', '.join(sorted(known))}")
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as problem:
        raise SettingsInvalid(_words(problem)) from None


def _words(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    words = first["msg"].removeprefix("Value error, ")
    return f"{variable(str(first['loc'][0]))}: {words}" if first["loc"] else words
