"""The doors that are open: a provider for each realm that has one, as the application holds them."""

from starlette.requests import HTTPConnection

from reuse_api.identity_provider import IdentityProvider
from reuse_api.realms import realms_of
from reuse_api.settings import Settings, SettingsInvalid, variable
from vault.realm_rules import Realm
from vault.services import Vault

Doors = dict[Realm, IdentityProvider]


def doors_of(settings: Settings, vault: Vault) -> Doors:
    """Make what talks to each realm's provider; nobody is asked yet.

    Raises:
        SettingsInvalid: see `reuse_api.realms`; or the gate believes another provider, or another client.
    """
    found = realms_of(settings)
    for name, one in found.items():
        if vault.gate.realms.get(name) != (one.issuer, one.client):
            raise SettingsInvalid(
                f"{variable(f'{name}_provider')}: the gate has another provider or client id"
            )
    return {name: IdentityProvider(rules, vault.clock) for name, rules in found.items()}


def the_doors(request: HTTPConnection) -> Doors:
    """Give the doors of this application."""
    doors: Doors = request.app.state.doors
    return doors
