"""Tags that compare persons without telling who they are: equal tags mean equal persons (DESIGN 6).

Whoever has the key can try every number there is, so the gate keeps it and tags what it is asked to.
"""

from collections.abc import Awaitable, Callable, Sequence
from hmac import digest as hmac

Tags = Callable[[Sequence[tuple[str, str]]], Awaitable[list[bytes]]]
"""Tags pairs of a field and a value, in their order."""


class KeyedTags:
    """Tags under a key of ours."""

    def __init__(self, index_key: bytes) -> None:
        self._key = index_key

    async def tags(self, pairs: Sequence[tuple[str, str]]) -> list[bytes]:
        """Tag related persons' identifiers, each under the field that names them."""
        return [
            hmac(self._key, f"kho/1/relation/{field}\x00{value}".encode(), "sha256") for field, value in pairs
        ]
