"""The one place that picks adapters: from settings to an open vault (DESIGN 4, 9)."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from policies.book import shipped_book
from reuse_api.demo.pki import DemoAuthority
from reuse_api.realms import rules_of
from reuse_api.settings import Settings, SettingsInvalid, variable
from search.access import IndexAccess
from signing.malware import Clamd
from signing.ocr import Ocr
from signing.revocation import RevocationSource
from signing.status_http import HttpStatus
from signing.timestamps import TimestampSource
from signing.timestamps_http import HttpTimestamper
from signing.trust_folder import TrustFolder
from storage.s3_address import StoreAccess
from vault.clock import Clock
from vault.full_text import sensitive_types
from vault.opening import Authorities, PartPlaces, VaultPlaces, opened
from vault.rows_address import RowsAddress
from vault.services import Vault
from vault.socket_place import place_of

AUTHORITY = "authority"  # beside the keys: the demo's own time stamps and certificate status


def places_of(settings: Settings) -> VaultPlaces:
    """Say where the vault of these settings lives.

    Raises:
        SettingsInvalid: KHO_FULL_TEXT names a type that there is not, or one with sensitive data.
    """
    return VaultPlaces(
        database=RowsAddress(settings.database, settings.database_password),
        store=settings.store,
        keys=settings.keys,
        log=settings.log_folder,
        scratch=settings.scratch,
        seal_passphrase=settings.seal_passphrase,
        search=None if settings.search == "none" else settings.search,
        search_access=IndexAccess(settings.search_credentials),
        full_text=_full_text(settings),
        store_access=StoreAccess(settings.store_credentials, settings.store_region, settings.store_lock_days),
        parts=parts_of(settings),
    )


def parts_of(settings: Settings) -> PartPlaces | None:
    """Say where signer, gate and sealer are, if they are processes of their own.

    Raises:
        SettingsInvalid: some of the three are, or rows are in a file, which is for one process.
    """
    given = {variable(name): getattr(settings, name) for name in ("signer", "gate", "sealer")}
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise SettingsInvalid(f"{missing[0]} is needed too: all three are given, or none")
    if not RowsAddress(settings.database).server:
        raise SettingsInvalid(f"{variable('database')}: several processes need PostgreSQL")
    signer, gate, sealer = (place_of(one) for one in given.values())
    return PartPlaces(signer, gate, sealer, settings.log_key)


def _full_text(settings: Settings) -> frozenset[str]:
    named, book, name = settings.full_text_types, shipped_book(), variable("full_text")
    if unknown := named - {one.code for one in book.record_types}:
        raise SettingsInvalid(f"{name}: there is no record type {min(unknown)}")
    if secret := named & sensitive_types(book):
        raise SettingsInvalid(
            f"{name}: {min(secret)} holds sensitive personal data, so its text is never in the index"
        )
    return named


def authorities_of(settings: Settings) -> Authorities:
    """Say whom the vault trusts, and where time stamps and certificate status come from.

    Services of the settings come before an authority of the demo beside the keys. With neither, nothing can
    be sealed.

    Raises:
        SettingsInvalid: KHO_TRUST names no folder, KHO_TIMESTAMP_ISSUERS no certificates.
    """
    if settings.trust is not None and not settings.trust.is_dir():
        raise SettingsInvalid(f"{variable('trust')}: there is no such folder")
    folder = settings.keys / AUTHORITY
    demo = DemoAuthority.load(folder) if folder.is_dir() else None
    trust = TrustFolder(settings.trust, fixed=demo.anchors() if demo else ())
    timestamper: TimestampSource | None = demo.timestamper() if demo else None
    if settings.timestamp_url:
        timestamper = HttpTimestamper(settings.timestamp_url, stamp_roots(trust), _issuers(settings))
    revocation: RevocationSource | None = demo.revocation() if demo else None
    if settings.status_url or settings.status_host_names:
        revocation = HttpStatus(settings.status_url, settings.status_host_names)
    return Authorities(
        trust,
        timestamper,
        revocation,
        demonstration=demo is not None,
        status_hosts=settings.status_host_names,
        hook_hosts=settings.webhook_host_names,
        ocr=Ocr.off() if settings.ocr == "off" else Ocr.found(),
    )


def stamp_roots(trust: TrustFolder) -> Callable[[], list[bytes]]:
    """Give what tells the anchors (DER) of time stamps, as they are when it is asked."""
    return lambda: [one.certificate for one in trust.current().anchors if one.stamps]


def _issuers(settings: Settings) -> list[bytes]:
    path = settings.timestamp_issuers
    if path is None:
        return []
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as problem:
        name = variable("timestamp_issuers")
        raise SettingsInvalid(f"{name}: no certificates can be read from that file") from problem
    return [one.public_bytes(Encoding.DER) for one in found]


@asynccontextmanager
async def open_vault(settings: Settings, *, create: bool = False) -> AsyncIterator[Vault]:
    """Open the vault of these settings, for this process alone.

    Args:
        create: make it when neither its rows nor its keys are there.

    Raises:
        SettingsInvalid, and what `vault.opening.opened` raises.
    """
    async with opened(
        places_of(settings),
        create=create,
        clock=Clock(),
        issuer=settings.address,
        authorities=authorities_of(settings),
        scanner=Clamd(settings.clamd) if settings.clamd else None,
        realms=rules_of(settings),
    ) as vault:
        yield vault
