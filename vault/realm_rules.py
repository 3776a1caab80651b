"""What a realm asks of whoever signs in at its provider, judged from the ID token alone."""

from dataclasses import dataclass
from typing import Any, Literal

from vault.callers import Assurance
from vault.id_tokens import IdToken

Realm = Literal["citizens", "staff"]


@dataclass(frozen=True, repr=False)
class RealmRules:
    """One realm as the settings have it; `acr` and `acr_high` are the levels that are enough."""

    name: Realm
    issuer: str
    client: str
    acr: tuple[str, ...]
    acr_high: tuple[str, ...]
    amr: tuple[frozenset[str], ...]  # alternatives, one of which must be shown; empty: none is asked
    claim: str  # that names an officer

    def assurance(self, token: IdToken) -> Assurance | None:
        """Say how strongly a token shows its person was authenticated; None where that is not enough.

        Where a token has no `acr`, the one level that `loAs` of the National Portal names stands for it.
        """
        named = token.acr or _only(token.claims.get("loAs"))
        if self.acr_high and named in self.acr_high:
            return "high"
        if self.acr and named not in self.acr:
            return None
        return "basic" if self.acr_high else "high"

    def second_factor(self, token: IdToken) -> bool:
        """Say whether a token shows the second factor that this realm asks for."""
        return not self.amr or any(one <= token.amr for one in self.amr)

    def account(self, token: IdToken) -> str | None:
        """Give the name by which the register knows an officer; None where the token has none."""
        value = token.subject if self.claim == "sub" else token.claims.get(self.claim)
        return value if isinstance(value, str) and value else None

    def asked(self, *, high: bool) -> tuple[str, ...]:
        """Give the levels to ask for, the preferred first."""
        return (self.acr_high or self.acr) if high else self.acr


def _only(levels: Any) -> str | None:
    """Give the level of assurance that is named, as a text or as a list of one."""
    if isinstance(levels, list) and len(levels) == 1:
        levels = levels[0]
    return levels if isinstance(levels, str) else None
