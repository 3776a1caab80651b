"""Time stamps over real HTTP: what is taken, what is refused and why, and how long anybody waits."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signing.errors import TimestampFailed
from signing.exchange import Limits
from signing.keys_file import FileKey
from signing.timestamps import LocalTimestamper, StampingAt
from signing.timestamps_http import HttpTimestamper
from tests.servers import loopback
from tests.servers.loopback import Answer, Asked
from tests.servers.pki import Holder, Pki, der, stamping
from tests.servers.tsa_server import StampServer

QUICK = Limits(seconds=5, pause=0.01)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture
def server(pki: Pki) -> Iterator[StampServer]:
    with StampServer(LocalTimestamper(as_key(pki.stamps))) as server:
        yield server


def as_key(holder: Holder) -> FileKey:
    return FileKey(holder.private, holder.chain)


def source(server: StampServer, pki: Pki, **changes: Any) -> HttpTimestamper:
    said: dict[str, Any] = {
        "roots": lambda: pki.roots,
        "issuers": [der(pki.issuing.certificate)],
        "limits": QUICK,
    }
    return HttpTimestamper(server.url + "/stamp", **(said | changes))


def stamped(source: HttpTimestamper) -> tsp.TSTInfo:
    token = asyncio.run(StampingAt(source, datetime.now(UTC)).async_timestamp(b"\x07" * 32, "sha256"))
    return token["content"]["encap_content_info"]["content"].parsed


def refused(source: HttpTimestamper) -> str:
    with pytest.raises(TimestampFailed) as caught:
        stamped(source)
    assert (caught.value.code, caught.value.retryable) == ("timestamp_failed", True)
    assert source.state.told()["last"] == caught.value.reason
    return caught.value.reason


def test_a_good_stamp_is_taken(server: StampServer, pki: Pki) -> None:
    asked = source(server, pki)
    assert asked.state.told()["last"] == "not_asked"
    assert stamped(asked)["message_imprint"]["hashed_message"].native == b"\x07" * 32
    told = dict(asked.state.told())
    assert abs(told.pop("clock_ahead")) < 5
    assert told == {"kind": "http", "host": f"127.0.0.1:{server.port}", "last": "ok"}
    assert [one.headers["content-type"] for one in server.asked] == ["application/timestamp-query"]


@pytest.mark.parametrize("ahead", [600.0, -600.0])
def test_a_clock_ten_minutes_off_is_heard_with_the_answer(
    server: StampServer, pki: Pki, ahead: float
) -> None:
    asked, server.clock_ahead = source(server, pki), ahead
    stamped(asked)
    assert asked.state.told()["clock_ahead"] == pytest.approx(ahead, abs=5)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("nonce", "nonce"),
        ("no nonce", "nonce"),
        ("imprint", "imprint"),
        ("stale", "clock"),
        ("refused", "not_granted"),
        ("tampered", "signature"),
        ("no token", "not_a_response"),
        ("no certificate", "not_a_response"),
    ],
)
def test_a_lie_is_found_and_not_asked_for_again(server: StampServer, pki: Pki, lie: Any, reason: str) -> None:
    server.lies = {lie}
    assert refused(source(server, pki)) == reason
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("fault", "reason", "times"),
    [
        (loopback.garbage, "not_a_response", 1),
        (loopback.page, "not_a_response", 1),
        (loopback.giant, "too_large", 1),
        (loopback.elsewhere("http://127.0.0.1:9/"), "status_302", 1),
        (loopback.failing(404), "status_404", 1),
        (loopback.failing(503), "busy", 3),
        (loopback.failing(429), "busy", 3),
        (loopback.dropped, "hung_up", 3),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_a_useless_answer_is_told_as_what_it_is(
    server: StampServer, pki: Pki, fault: Any, reason: str, times: int
) -> None:
    server.fault = fault
    assert refused(source(server, pki)) == reason
    assert len(server.asked) == times


def test_garbage_under_the_right_name_is_no_response(server: StampServer, pki: Pki) -> None:
    server.fault = lambda asked: Answer(loopback.garbage(asked).body, "application/timestamp-reply")
    assert refused(source(server, pki)) == "not_a_response"


def test_a_passing_fault_is_waited_out(server: StampServer, pki: Pki) -> None:
    server.fault = loopback.times(2, loopback.failing(503))
    assert stamped(source(server, pki))["version"].native == "v1"
    assert len(server.asked) == 3


def test_a_service_that_is_down_is_unreachable(server: StampServer, pki: Pki) -> None:
    server.stop()
    assert refused(source(server, pki)) == "unreachable"
    server.start()
    assert stamped(source(server, pki))["version"].native == "v1", "and is asked again once it is back"


@pytest.mark.parametrize("how", ["slow", "trickle"])
def test_a_slow_service_is_left(server: StampServer, pki: Pki, how: str) -> None:
    setattr(server, how, 30.0)
    assert refused(source(server, pki, limits=Limits(seconds=0.2, tries=1))) == "slow"


def test_a_stranger_s_stamp_is_not_trusted(server: StampServer, pki: Pki) -> None:
    stranger = Pki()
    assert refused(source(server, pki, roots=lambda: stranger.roots)) == "untrusted"


def test_an_authority_for_something_else_does_not_stamp(pki: Pki) -> None:
    with StampServer(LocalTimestamper(as_key(pki.seal()))) as server:
        assert refused(source(server, pki)) == "untrusted"


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "/stamp", "http://me:pw@127.0.0.1/", "http://x:y/"])
def test_an_odd_address_is_not_taken(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        HttpTimestamper(url, list)


def test_an_authority_of_openssl_s_is_understood(pki: Pki, tmp_path: Path) -> None:
    """Another maker's responses: openssl ts answers what our server gets."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    holder = pki.issue("Kho Test OpenSSL Stamps", stamping())
    (tmp_path / "key.pem").write_bytes(
        holder.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "cert.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ts.cnf").write_text(
        f"[tsa]\ndefault_tsa=t\n[t]\nserial={tmp_path}/serial\nsigner_cert={tmp_path}/cert.pem\n"
        f"signer_key={tmp_path}/key.pem\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n"
        "digests=sha256\ness_cert_id_alg=sha256\n"
    )

    def by_openssl(asked: Asked) -> Answer:
        (tmp_path / "query").write_bytes(asked.body)
        said = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(said, cwd=tmp_path, check=True, capture_output=True)
        return Answer((tmp_path / "reply").read_bytes(), "application/timestamp-reply")

    with StampServer(LocalTimestamper(as_key(pki.stamps))) as server:
        server.fault = by_openssl
        assert stamped(source(server, pki))["policy"].native == "1.2.3.4"
