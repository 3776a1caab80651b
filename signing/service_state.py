"""How a service was the last time it was asked: for operators to see, never to decide by."""

from collections.abc import Mapping
from urllib.parse import urlsplit


class ServiceState:
    """What kind of service, at which host, and what came of the last question."""

    def __init__(self, kind: str, url: str = "") -> None:
        self._kind = kind
        self._host = urlsplit(url).netloc  # never the path: it may name a customer
        self._last = "not_asked"

    def answered(self) -> None:
        """Take down that it answered well."""
        self._last = "ok"

    def failed(self, reason: str) -> None:
        """Take down that it gave no usable answer."""
        self._last = reason

    def told(self) -> Mapping[str, str]:
        """Give kind, host where there is one, and "ok", "not_asked" or what was wrong last."""
        host = {"host": self._host} if self._host else {}
        return {"kind": self._kind, **host, "last": self._last}
