"""The demo's authorities behind real HTTP services: time stamps and certificate status, that can be down."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reuse_api.demo.pki import DemoAuthority
from signing.exchange import Limits
from signing.status_http import HttpStatus
from signing.timestamps_http import HttpTimestamper
from tests.servers.ocsp_server import StatusServer
from tests.servers.pki import der, pem
from tests.servers.tsa_server import StampServer

_QUICK = Limits(seconds=5, tries=1)


class _Parts:
    """The authorities of the demo under the names that the servers know."""

    def __init__(self, authority: DemoAuthority) -> None:
        held = authority._keys
        self.root, self.issuing, self.stamps = held["root"], held["issuing"], held["timestamps"]
        self.root_status, self.status = held["status-root"], held["status-issuing"]


class DemoServices:
    """Two servers, up while inside; `stamper` and `status` ask them as a vault does that is set up so."""

    def __init__(self, authority: DemoAuthority) -> None:
        parts: Any = _Parts(authority)
        self.stamps_server = StampServer(authority.timestamper())
        self.status_server = StatusServer()
        self.status_server.pki = parts
        self.above = [der(parts.issuing.certificate)]
        self._roots = authority.roots()

    def told(self, folder: Path) -> dict[str, Any]:
        """Give the settings of a Kho that asks them; certificates are written into `folder`."""
        between = folder / "between.pem"
        between.write_text("".join(map(pem, self.above)))
        return {
            "timestamp_url": f"{self.stamps_server.url}/",
            "timestamp_issuers": between,
            "status_url": f"{self.status_server.url}/ocsp",
        }

    def __enter__(self) -> Self:
        self.stamps_server.start()
        self.status_server.start()
        self.stamper = HttpTimestamper(
            f"{self.stamps_server.url}/", lambda: self._roots, self.above, limits=_QUICK
        )
        self.status = HttpStatus(f"{self.status_server.url}/ocsp", limits=_QUICK)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stamps_server.stop()
        self.status_server.stop()
