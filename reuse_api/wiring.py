"""The one place that picks adapters: from settings to an open vault (DESIGN 4, 9)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reuse_api.demo.pki import DemoAuthority
from reuse_api.settings import Settings, SettingsInvalid, variable
from signing.trust_folder import TrustFolder
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


def authorities_of(settings: Settings) -> Authorities:
    """Say whom the vault trusts, and where time stamps come from.

    Without an authority of the demo beside the keys nothing can be sealed: no other source is built yet.

    Raises:
        SettingsInvalid: KHO_TRUST names no folder.
    """
    if settings.trust is not None and not settings.trust.is_dir():
        raise SettingsInvalid(f"{variable('trust')}: there is no such folder")
    folder = settings.keys / AUTHORITY
    if not folder.is_dir():
        return Authorities(TrustFolder(settings.trust))
    authority = DemoAuthority.load(folder)
    trust = TrustFolder(settings.trust, fixed=authority.anchors())
    return Authorities(trust, authority.timestamper(), authority.revocation())


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
