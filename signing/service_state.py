"""How a service was the last time it was asked: for operators to see, never to decide by."""

from collections.abc import Mapping
from urllib.parse import urlsplit


class ServiceState:
    """What kind of service, at which host, and what came of the last question."""

    def __init__(self, kind: str, url: str = "") -> None:
        self._kind = kind
        self._host = urlsplit(url).netloc  # never the path: it may name a customer
        self._last = "not_asked"
        self._ahead: int | None = None

    def answered(self) -> None:
        """Take down that it answered well."""
        self._last = "ok"

    def failed(self, reason: str) -> None:
        """Take down that it gave no usable answer."""
        self._last = reason

    def clocked(self, seconds_ahead: float | None) -> None:
        """Take down how far its clock is ahead of ours; None: its answer did not say."""
        if seconds_ahead is not None:
            self._ahead = round(seconds_ahead)

    def told(self) -> Mapping[str, str | int]:
        """Give kind, host where there is one, and "ok", "not_asked" or what was wrong last.

        `clock_ahead`, in seconds, where it was heard.
        """
        host = {"host": self._host} if self._host else {}
        ahead = {"clock_ahead": self._ahead} if self._ahead is not None else {}
        return {"kind": self._kind, **host, "last": self._last, **ahead}
