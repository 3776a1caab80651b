"""Settings of signing in: a provider for citizens and organisations, one for staff, and how long it lasts."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator

from signing.allowed_address import check_address

REALMS = ("citizens", "staff")  # who signs in, each at a provider of their own


class SignInSettings(BaseModel):
    """The part of the settings that signing in needs; see `reuse_api.settings`."""

    citizens_provider: str = Field(
        "",
        description="The OpenID provider of citizens and organisations: its issuer, exactly as it says it, "
        "https:// (http:// on loopback alone); empty: none of them can sign in.",
    )
    citizens_client: str = Field("", description="Our client id at that provider.")
    citizens_credentials: Path | None = Field(
        None,
        description="A file (mode 600) that proves us to that provider: the client secret in its first line, "
        "or a private JWK (Ed25519 or P-256), for private_key_jwt.",
    )
    citizens_scope: str = Field("openid", description="The scopes that are asked of it, openid among them.")
    citizens_acr: str = Field(
        "LoA1",
        description="Its levels of assurance (acr) that are enough for signing in, with blanks between; "
        "empty: any.",
    )
    citizens_acr_high: str = Field(
        "LoA2",
        description="Its levels of assurance that are enough for giving a consent, with blanks between; "
        "empty: those of KHO_CITIZENS_ACR, authenticated afresh.",
    )
    staff_provider: str = Field(
        "",
        description="The OpenID provider of officers, auditors and administrators, a realm of their own: its "
        "issuer, as above; empty: none of them can sign in.",
    )
    staff_client: str = Field("", description="Our client id at the staff's provider.")
    staff_credentials: Path | None = Field(
        None, description="A file (mode 600) that proves us to the staff's provider, as above."
    )
    staff_scope: str = Field("openid", description="The scopes that are asked of it, openid among them.")
    staff_acr: str = Field("", description="Its levels of assurance that are asked for; empty: any.")
    staff_amr: str = Field(
        "mfa",
        description="The methods of authentication (amr) that show a second factor: alternatives with blanks "
        'between, methods that must come together joined by "+", such as "mfa pwd+otp". Never empty.',
    )
    staff_claim: str = Field(
        "sub",
        description="The claim that names an officer as `kho staff add` registered them; it must never be "
        "given to another person.",
    )
    wallet_idle_minutes: int = Field(
        15, ge=1, le=24 * 60, description="Minutes without use after which the session of a citizen ends."
    )
    wallet_session_minutes: int = Field(
        4 * 60, ge=1, le=24 * 60, description="Minutes after which the session of a citizen ends in any case."
    )
    staff_idle_minutes: int = Field(
        15, ge=1, le=24 * 60, description="Minutes without use after which the session of an officer ends."
    )
    staff_session_minutes: int = Field(
        8 * 60,
        ge=1,
        le=24 * 60,
        description="Minutes after which the session of an officer ends in any case.",
    )

    @field_validator("citizens_credentials", "staff_credentials", mode="before")
    @classmethod
    def _no_file_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("citizens_provider", "staff_provider")
    @classmethod
    def _provider_can_be_asked(cls, value: str) -> str:
        return check_address(value, encrypted=True) if value else ""

    @field_validator("citizens_scope", "staff_scope")
    @classmethod
    def _scope_is_of_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError('expected "openid" among the scopes')
        return value

    @field_validator("staff_amr")
    @classmethod
    def _second_factor_is_asked(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a second factor is always asked of staff; name how the provider shows it")
        return value
