"""Why nobody is signed in, and why the gate marks no session."""

from vault.errors import GateRefused, VaultError


class SessionRefused(GateRefused):
    """The gate marks no such session: nobody was proven so.

    `reason` is unproven, of_another, too_strong, owner_unknown, owner_doubtful, role_not_held, too_long or
    not_the_same.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"session: {reason}")
        self.reason = reason


class SignInRefused(VaultError):
    """Whoever the provider has proven is nobody who can sign in here; nothing was changed.

    `code` is not_begun, second_factor, level, staff_unknown, role_not_held (`roles` are those held),
    identity_incomplete or no_provider.
    """

    def __init__(self, code: str, roles: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.roles = roles
