"""The one place that picks adapters: from settings to an open vault (DESIGN 4, 9)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reuse_api.demo.pki import DemoAuthority
from reuse_api.settings import Settings, SettingsInvalid, variable
from vault.clock import Clock
from vault.opening import Authorities, VaultPlaces, opened
from vault.services import Vault

AUTHORITY = "authority"  # beside the keys: the demo's own time stamps and certificate status


def places_of(settings: Settings) -> VaultPlaces:
    """Say where the vault of these settings lives."""
    return VaultPlaces(
        database=settings.database,
        store=settings.store,
        keys=settings.keys,
        log=settings.log_folder,
        scratch=settings.scratch,
    )


def read_roots(path: Path) -> list[bytes]:
    """Read the certificates (DER) of a PEM file; ValueError or OSError if there are none to be had."""
    return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes())]


def authorities_of(settings: Settings) -> Authorities:
    """Say whom the vault trusts, and where time stamps come from.

    Without an authority of the demo beside the keys nothing can be sealed: no other source is built yet.

    Raises:
        SettingsInvalid: KHO_TRUST_ROOTS names no readable PEM file.
    """
    roots: list[bytes] = []
    if settings.trust_roots is not None:
        try:
            roots = read_roots(settings.trust_roots)
        except (OSError, ValueError) as problem:
            raise SettingsInvalid(
                f"{variable('trust_roots')}: no certificates can be read from that file"
            ) from problem
    folder = settings.keys / AUTHORITY
    if not folder.is_dir():
        return Authorities(roots)
    authority = DemoAuthority.load(folder)
    return Authorities([*roots, *authority.roots()], authority.timestamper(), authority.revocation())


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
    ) as vault:
        yield vault
