"""What may be sent about consents and delegations: closed objects, as in reuse_api/schemas.py."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reuse_api.schemas import Closed, Code, Day, IdentifierBody, Text
from vault.consent_request import (
    MAX_PURPOSES,
    MAX_READS,
    MAX_RECORDS,
    MAX_TYPES,
    AskedPurpose,
    ConsentRequest,
)
from vault.consenting import MAX_CHOSEN
from vault.fetched import Fetch
from vault.fetching import MAX_RECORDS as MAX_FETCHED

Hash = Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9a-fA-F]{64}$")]


class AskedPersonBody(Closed):
    """Whom to ask: identifier and name together; either alone is nobody."""

    identifier: IdentifierBody
    name: Text


class AskedPurposeBody(Closed):
    """One purpose of the policy book, with the reason in the asker's own words."""

    purpose: Code
    reason: Text


class ConsentRequestBody(Closed):
    """A request for consent: `POST /v1/consent-requests`. One consent comes of each purpose."""

    person: AskedPersonBody
    purposes: list[AskedPurposeBody] = Field(min_length=1, max_length=MAX_PURPOSES)
    types: list[Code] = Field(default_factory=list, max_length=MAX_TYPES)
    records: list[Code] = Field(default_factory=list, max_length=MAX_RECORDS)
    valid_from: Day | None = None
    valid_until: Day
    max_reads: Annotated[int, Field(strict=True, ge=1, le=MAX_READS)]

    def value(self) -> ConsentRequest:
        """Give the request as the vault takes it."""
        return ConsentRequest(
            scheme=self.person.identifier.scheme,
            value=self.person.identifier.value,
            name=self.person.name,
            purposes=tuple(AskedPurpose(one.purpose, one.reason) for one in self.purposes),
            types=tuple(self.types),
            records=tuple(self.records),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            max_reads=self.max_reads,
        )


class FetchBody(Closed):
    """Records to fetch under a consent, for its purpose: `POST /v1/fetches`."""

    consent: Code
    purpose: Code
    records: list[Code] = Field(min_length=1, max_length=MAX_FETCHED)

    def value(self) -> Fetch:
        """Give the fetch as the vault takes it."""
        return Fetch(self.consent, self.purpose, tuple(self.records))


class ConsentAnswerBody(Closed):
    """An owner's answer: to give, with the hash of the text that was shown and the records agreed to."""

    act: Literal["give", "refuse"]
    text_hash: Hash | None = None
    language: Literal["vi", "en"]
    records: list[Code] = Field(default_factory=list, max_length=MAX_CHOSEN)
    child_agrees: bool = False


class ClaimBody(Closed):
    """A claim to act for a child or an enterprise, named by its identifier."""

    kind: Code
    identifier: IdentifierBody


class ActingBody(Closed):
    """Whom to act for from now on: a delegation, or null for oneself."""

    delegation: Code | None
