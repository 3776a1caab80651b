"""What a list or search is narrowed to, the same at every door: type, issuer, state, class, year."""

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import Depends, Query

from policies.facts import TrustClass, Validity


@dataclass(frozen=True)
class Narrowed:
    """Of each, one value."""

    type: Annotated[str | None, Query(max_length=40)] = None
    issuer: Annotated[str | None, Query(max_length=40)] = None
    state: Validity | None = None
    trust: TrustClass | None = None
    year: Annotated[str | None, Query(pattern="^[0-9]{4}$")] = None

    def filters(self) -> dict[str, frozenset[str]]:
        """Give the filters as the vault takes them."""
        return {name: frozenset([str(value)]) for name, value in asdict(self).items() if value is not None}


Narrowing = Annotated[Narrowed, Depends()]
