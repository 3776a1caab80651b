"""`kho seal-key`: register where the key of an agency's seal lives, after seeing that it can seal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reuse_api.commands import seal_images
from reuse_api.commands.ending import CommandFailed, Ending
from reuse_api.commands.error_words import error_words
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.document_words import shown
from reuse_api.language import Language
from reuse_api.settings import Settings, SettingsInvalid, read_settings
from reuse_api.wiring import authorities_of
from signing.errors import SealingFailed
from signing.keys import SealKey
from signing.keys_check import check_seal_key
from signing.keys_file import FileKey, read_secret
from storage.keyring import check_key_folder
from vault.clock import Clock
from vault.days import VIETNAM
from vault.seal_keys import Place, SealKeys

commands = typer.Typer(rich_markup_mode=None, add_completion=False)
for _name, _command in (
    ("image", seal_images.image),
    ("remove-image", seal_images.remove_image),
    ("images", seal_images.images),
):
    commands.command(_name)(_command)
_UNTIL = {"vi": "đến", "en": "until"}
_BROKEN = {"vi": "HỎNG", "en": "BROKEN"}
_ENDED = {"vi": "ĐÃ KẾT THÚC", "en": "ENDED"}
_WORDS = {
    "vi": {
        "ended": "{agency}: khóa ký số không ký thêm gì nữa",
        "file": "{agency}: từ nay ký bằng khóa trong tệp của {subject}",
        "pkcs11": "{agency}: từ nay ký bằng khóa trong thiết bị (PKCS#11) của {subject}",
        "csc": "{agency}: từ nay ký bằng khóa ở dịch vụ ký số từ xa (CSC) của {subject}",
        "state": "định danh ký số ở trạng thái {key}, chứng thư ở trạng thái {certificate}",
        "several": "hãy nêu một mã bằng --credential; dịch vụ có: {known}",
        "none": "không có mã nào",
        "no_certificate": "{path} không chứa chứng thư nào",
    },
    "en": {
        "ended": "{agency}: its key seals nothing any more",
        "file": "{agency}: a file key of {subject} seals from now on",
        "pkcs11": "{agency}: a pkcs11 key of {subject} seals from now on",
        "csc": "{agency}: a csc key of {subject} seals from now on",
        "state": "the credential is {key}, its certificate {certificate}",
        "several": "name one with --credential; the service knows {known}",
        "none": "none",
        "no_certificate": "{path} holds no certificate",
    },
}
# Parts of a subject that RFC 4514 has no short name for.
_PARTS = {
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.EMAIL_ADDRESS: "emailAddress",
}
Agency = Annotated[str, typer.Argument(help="The agency's code.")]


@commands.command("add-file")
def add_file(
    agency: Agency,
    pem: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Key and certificates, PEM, mode 600.")
    ],
    passphrase_file: Annotated[
        Path | None, typer.Option(help="A file (mode 600) whose first line opens the PEM file.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Take over a key from a PEM file: checked, then kept encrypted with the passphrase of the settings."""
    settings, keys = _opened()
    key = FileKey.from_pem(pem, read_secret(passphrase_file) if passphrase_file else None)
    _check(settings, key)
    keys.add(agency, key)
    _told(agency, "file", key, spoken_language(lang))


@commands.command("add-token")
def add_token(
    agency: Agency,
    certificates: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The key's certificate and its issuers, PEM.")
    ],
    module: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The PKCS#11 module: a shared library.")
    ],
    token: Annotated[str, typer.Option(help="The token's label.")],
    pin_file: Annotated[Path, typer.Option(help="A file (mode 600) whose first line is the user's PIN.")],
    key_label: Annotated[str | None, typer.Option(help="The key's label.")] = None,
    key_id: Annotated[str | None, typer.Option(help="The key's id, in hexadecimal.")] = None,
    lang: Lang = None,
) -> None:
    """Register a key in a hardware token (PKCS#11), after a signature to try it."""
    settings, keys = _opened()
    said = {"module": str(module.resolve()), "token": token, "pin_file": str(pin_file.resolve())}
    said |= {"key_label": key_label} if key_label else {}
    said |= {"key_id": key_id} if key_id else {}
    language = spoken_language(lang)
    found = _certificates(certificates, language)
    _register(settings, keys, agency, Place("pkcs11", said), found, language)


@commands.command("add-remote")
def add_remote(
    agency: Agency,
    url: Annotated[str, typer.Argument(help="The service's address, as far as /csc/v2; https://.")],
    client_id: Annotated[str, typer.Option(help="Who we are there.")],
    secret_file: Annotated[
        Path, typer.Option(help="A file (mode 600) whose first line is our secret there.")
    ],
    credential: Annotated[
        str | None, typer.Option(help="The credential's id; needed if there are several.")
    ] = None,
    pin_file: Annotated[
        Path | None, typer.Option(help="A file (mode 600) whose first line is the credential's PIN.")
    ] = None,
    authorities: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="PEM roots for the service's TLS; the system's if not given."
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Register a key at a remote signing service (CSC API 2), after a signature to try it."""
    language = spoken_language(lang)
    if authorities is not None:
        _certificates(authorities, language)
    settings, keys = _opened()
    said = {"url": url, "client_id": client_id, "secret_file": str(secret_file.resolve())}
    said |= {"pin_file": str(pin_file.resolve())} if pin_file else {}
    said |= {"authorities": str(authorities.resolve())} if authorities else {}
    place = Place("csc", {**said, "credential": credential or ""})
    id_ = credential or asyncio.run(_only_credential(place, language))
    place = Place("csc", {**said, "credential": id_})
    found = asyncio.run(place.client().credential(id_))
    found.check(pin=pin_file is not None)
    if found.key_status != "enabled" or found.certificate_status not in {"valid", ""}:
        state = {"key": found.key_status, "certificate": found.certificate_status}
        raise CommandFailed(_WORDS[language]["state"].format(**state))
    _register(settings, keys, agency, place, found.certificates, language)


@commands.command("end")
def end(agency: Agency, lang: Lang = None) -> None:
    """Let an agency's key seal no more, for good; certificates stay known. `kho agency end` ends the rest."""
    keys = _opened()[1]
    keys.end(agency)
    typer.echo(_WORDS[spoken_language(lang)]["ended"].format(agency=agency))


@commands.command("list")
def list_keys(lang: Lang = None) -> None:
    """Show for each agency where its key lives and whose certificate it has; ends with 1 if one is broken."""
    _, keys = _opened()
    language = spoken_language(lang)
    broken = False
    for agency in keys.agencies():
        if keys.ended(agency):
            typer.echo(f"{agency}  {_ENDED[language]}")
            continue
        try:
            key = keys.open(agency)
            own = x509.load_der_x509_certificate(key.certificates[0])
            until = f"{_UNTIL[language]} {own.not_valid_after_utc.astimezone(VIETNAM):%Y-%m-%d}"
            typer.echo(f"{agency}  {keys.kind(agency)}  {key.mechanism}  {until}  {_named(own)}")
        except SealingFailed as problem:
            broken = True
            typer.echo(f"{agency}  {_BROKEN[language]}  {problem.code}: {error_words(problem, language)}")
    if broken:
        raise typer.Exit(int(Ending.FAILED))


def _named(certificate: x509.Certificate) -> str:
    """Name whose certificate it is, the nearest part first, for people: nothing is escaped."""
    parts = [one for each in reversed(certificate.subject.rdns) for one in each]
    return ", ".join(
        f"{_PARTS.get(one.oid, one.rfc4514_attribute_name)}={shown(str(one.value))}" for one in parts
    )


async def _only_credential(place: Place, language: Language) -> str:
    found = await place.client().credentials()
    if len(found) != 1:
        words = _WORDS[language]
        raise CommandFailed(words["several"].format(known=", ".join(found) or words["none"]))
    return found[0]


def _opened() -> tuple[Settings, SealKeys]:
    settings = read_settings()
    check_key_folder(settings.keys)
    return settings, SealKeys(settings.keys / "seal", settings.seal_passphrase)


def _register(
    settings: Settings,
    keys: SealKeys,
    agency: str,
    place: Place,
    certificates: Sequence[bytes],
    language: Language,
) -> None:
    key = place.key(certificates)
    _check(settings, key)
    keys.register(agency, place, certificates)
    _told(agency, place.kind, key, language)


def _check(settings: Settings, key: SealKey) -> None:
    roots = [one.certificate for one in authorities_of(settings).trust.current().anchors if one.signs]
    if not roots:
        raise SettingsInvalid("KHO_TRUST: no anchor is trusted for signatures, so no key can be checked")
    asyncio.run(check_seal_key(key, roots, Clock().now()))


def _told(agency: str, kind: str, key: SealKey, language: Language) -> None:
    typer.echo(_WORDS[language][kind].format(agency=agency, subject=key.subject))


def _certificates(path: Path, language: Language) -> list[bytes]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as problem:
        raise CommandFailed(_WORDS[language]["no_certificate"].format(path=path)) from problem
    return [one.public_bytes(Encoding.DER) for one in found]
