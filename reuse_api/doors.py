"""The doors that are open: a provider for each realm that has one, as the application holds them."""

from starlette.requests import HTTPConnection

from reuse_api.identity_provider import IdentityProvider
from reuse_api.realms import realms_of
from reuse_api.settings import Settings
from vault.services import Vault
from vault.sign_ins import Realm

Doors = dict[Realm, IdentityProvider]


def doors_of(settings: Settings, vault: Vault) -> Doors:
    """Make what talks to each realm's provider; nobody is asked yet.

    Raises:
        SettingsInvalid: see `reuse_api.realms`.
    """
    return {name: IdentityProvider(rules, vault.clock) for name, rules in realms_of(settings).items()}


def the_doors(request: HTTPConnection) -> Doors:
    """Give the doors of this application."""
    doors: Doors = request.app.state.doors
    return doors
