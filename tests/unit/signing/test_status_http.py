"""Certificate status over real HTTP: OCSP, then lists, only where the operator allows; lies are found."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_crl
from cryptography.x509.ocsp import load_der_ocsp_response

from signing.errors import CertificateRevoked, StatusFailed
from signing.exchange import Limits
from signing.revocation import StatusProof
from signing.status_http import HttpStatus
from tests.servers import loopback
from tests.servers.loopback import Answer, Asked
from tests.servers.ocsp_server import StatusServer
from tests.servers.pki import Holder, Pki, der

QUICK = Limits(seconds=5, pause=0.01)


@pytest.fixture(scope="module")
def running() -> Iterator[StatusServer]:
    with StatusServer() as server:
        server.pki = Pki(status_url=f"{server.url}/ocsp", crl_url=server.crl_url)
        yield server


@pytest.fixture
def server(running: StatusServer) -> Iterator[StatusServer]:
    running.asked.clear()
    yield running
    running.lies, running.revoked, running.fault, running.slow, running.trickle = set(), {}, None, 0.0, 0.0


@pytest.fixture(scope="module")
def own(running: StatusServer) -> Holder:
    assert running.pki is not None
    return running.pki.seal()


def by_url(server: StatusServer, **changes: Any) -> HttpStatus:
    return HttpStatus(f"{server.url}/ocsp", **({"limits": QUICK} | changes))


def by_host(server: StatusServer) -> HttpStatus:
    return HttpStatus(hosts=[f"127.0.0.1:{server.port}"], limits=QUICK)


def proof(source: HttpStatus, own: Holder) -> StatusProof:
    issuer = der(own.above[0])
    return asyncio.run(source.status(der(own.certificate), issuer, datetime.now(UTC)))


def refused(source: HttpStatus, own: Holder) -> str:
    with pytest.raises(StatusFailed) as caught:
        proof(source, own)
    assert (caught.value.code, caught.value.retryable) == ("status_failed", True)
    assert source.state.told()["last"] == caught.value.reason
    return caught.value.reason


def no_ocsp(asked: Asked) -> Answer | None:
    return Answer(b"", "text/plain", 404) if asked.method == "POST" else None


@pytest.mark.parametrize("source", [by_url, by_host])
def test_a_standing_certificate_is_proven_by_ocsp(server: StatusServer, own: Holder, source: Any) -> None:
    asked = source(server)
    found = proof(asked, own)
    assert found.kind == "ocsp"
    assert load_der_ocsp_response(found.content).serial_number == own.certificate.serial_number
    assert asked.state.told()["last"] == "ok"


def test_a_list_stands_in_when_the_responder_does_not_answer(server: StatusServer, own: Holder) -> None:
    server.fault = no_ocsp
    found = proof(by_host(server), own)
    assert found.kind == "crl"
    assert load_der_x509_crl(found.content).issuer == own.certificate.issuer


@pytest.mark.parametrize("fault", [None, no_ocsp])
def test_a_revoked_certificate_is_not_asked_about_again(
    server: StatusServer, own: Holder, fault: Any
) -> None:
    server.fault = fault
    server.revoked = {own.certificate.serial_number: server.now() - timedelta(hours=1)}
    with pytest.raises(CertificateRevoked) as caught:
        proof(by_host(server), own)
    assert (caught.value.code, caught.value.retryable) == ("certificate_revoked", False)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("nonce", "nonce"),
        ("stale", "stale"),
        ("future", "clock"),
        ("signer", "signature"),
        ("certificate", "another"),
        ("unknown", "unknown"),
        ("later", "refused"),
        ("tampered", "signature"),
    ],
)
def test_a_responder_s_lie_is_found(server: StatusServer, own: Holder, lie: Any, reason: str) -> None:
    server.lies = {lie}
    assert refused(by_url(server), own) == reason


def test_an_answer_made_beforehand_carries_no_nonce(server: StatusServer, own: Holder) -> None:
    server.lies = {"no nonce"}
    assert proof(by_url(server), own).kind == "ocsp"


@pytest.mark.parametrize(
    ("lie", "reason"), [("stale", "stale"), ("signer", "signature"), ("tampered", "signature")]
)
def test_a_list_s_lie_is_found(server: StatusServer, own: Holder, lie: Any, reason: str) -> None:
    server.fault, server.lies = no_ocsp, {lie}
    assert refused(by_host(server), own) == reason


@pytest.mark.parametrize(
    "mark",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(None, None, True, False, None, False, False),
        x509.IssuingDistributionPoint(None, None, False, False, None, True, False),
    ],
    ids=["delta", "partitioned", "indirect"],
)
def test_a_list_about_some_alone_is_no_proof(server: StatusServer, own: Holder, mark: Any) -> None:
    issuer, now = own.above[0].subject, server.now()
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(now)
    made = made.next_update(now + timedelta(days=1)).add_extension(mark, critical=True)
    content = made.sign(server.pki.issuing.private, SHA256()).public_bytes(Encoding.DER)  # type: ignore[union-attr]
    server.fault = lambda asked: no_ocsp(asked) or Answer(content, "application/pkix-crl")
    assert refused(by_host(server), own) == "another"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (loopback.garbage, "not_a_response"),
        (loopback.page, "not_a_response"),
        (loopback.giant, "too_large"),
        (loopback.failing(500), "busy"),
        (loopback.dropped, "hung_up"),
        (lambda asked: Answer(loopback.garbage(asked).body, "application/ocsp-response"), "not_a_response"),
    ],
)
def test_a_useless_answer_is_told_as_what_it_is(
    server: StatusServer, own: Holder, fault: Any, reason: str
) -> None:
    server.fault = fault
    assert refused(by_url(server), own) == reason


def test_a_slow_service_is_left(server: StatusServer, own: Holder) -> None:
    server.slow = 30.0
    assert refused(by_url(server, limits=Limits(seconds=0.2, tries=1)), own) == "slow"


def test_nobody_else_is_asked(server: StatusServer, own: Holder) -> None:
    for hosts in ([], ["127.0.0.1"], ["127.0.0.1:9"], ["ocsp.example"]):
        assert refused(HttpStatus(hosts=hosts, limits=QUICK), own) == "no_source"
    assert server.asked == []


def by_name(server: StatusServer) -> Holder:
    """A seal whose certificate names the services of this machine by a name."""
    url = f"http://localhost:{server.port}"
    return Pki(status_url=f"{url}/ocsp", crl_url=f"{url}/list.crl").seal()


def test_a_name_out_of_a_certificate_that_leads_inside_is_not_followed(server: StatusServer) -> None:
    source = HttpStatus(hosts=[f"localhost:{server.port}"], limits=QUICK)
    assert refused(source, by_name(server)) == "inside"
    assert server.asked == []


def test_a_list_named_in_a_certificate_is_not_fetched_inside_either(server: StatusServer) -> None:
    url = f"http://127.0.0.1:{server.port}/nothing"
    source = HttpStatus(url, [f"localhost:{server.port}"], limits=QUICK)
    server.fault = no_ocsp
    assert refused(source, by_name(server)) == "inside"
    assert {asked.method for asked in server.asked} == {"POST"}


def test_the_address_in_the_settings_is_asked_wherever_it_leads(server: StatusServer, own: Holder) -> None:
    source = HttpStatus(f"http://localhost:{server.port}/ocsp", limits=QUICK)
    assert proof(source, own).kind == "ocsp"


def test_a_name_may_lead_to_an_address_that_is_listed_itself(server: StatusServer) -> None:
    server.pki, before = Pki(status_url=f"http://localhost:{server.port}/ocsp"), server.pki
    try:
        source = HttpStatus(hosts=[f"localhost:{server.port}", "127.0.0.1"], limits=QUICK)
        assert proof(source, server.pki.seal()).kind == "ocsp"
    finally:
        server.pki = before
