"""Is what somebody answered a proof about a certificate? Signature, subject and time, checked in a worker.

OCSP by RFC 6960 (3.2, 4.2.2.2), CRLs by RFC 5280 (6.3.3) as far as one complete list of the issuer goes.
That a certificate was revoked is as good a proof as that it stands. No nonce is asked for, so that an answer
can be shared (RFC 5019): its freshness is what counts.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp

from signing.grounds import Piece
from signing.status_signing import is_signed, is_whole_list, may_answer

_SKEW = timedelta(minutes=5)
_UNSTATED = timedelta(days=1)  # how long a proof is good for that does not say so itself

StatusKind = Literal["ocsp", "crl"]


@dataclass(frozen=True)
class StatusQuestion:
    """What could be asked about one certificate: where, and with which request (OCSP alone)."""

    kind: StatusKind
    url: str
    request: bytes
    certificate: bytes
    issuer: bytes

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        coded = {name: _text(getattr(self, name)) for name in ("request", "certificate", "issuer")}
        return {"kind": self.kind, "url": self.url, **coded}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        if content["kind"] not in ("ocsp", "crl"):
            raise ValueError(f"no such kind of question: {content['kind']!r}")
        coded = (
            base64.b64decode(content[name], validate=True) for name in ("request", "certificate", "issuer")
        )
        return cls(content["kind"], str(content["url"]), *coded)


@dataclass(frozen=True)
class StatusAnswer:
    """What came back to a question: bytes that nobody has looked at yet."""

    question: StatusQuestion
    content: bytes

    @property
    def piece(self) -> Piece:
        """The answer as evidence, once it was found to be a proof."""
        return Piece(self.question.kind, self.content)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"question": self.question.to_json(), "content": _text(self.content)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        body = base64.b64decode(content["content"], validate=True)
        return cls(StatusQuestion.from_json(content["question"]), body)


def proven_until(answer: StatusAnswer, at: datetime) -> datetime | None:
    """Give until when an answer is a proof about the certificate it was asked for, or None if it is none.

    `at` (aware) is the time judged at: neither older nor newer proofs are taken.
    """
    try:
        own = x509.load_der_x509_certificate(answer.question.certificate)
        issuer = x509.load_der_x509_certificate(answer.question.issuer)
        if answer.question.kind == "crl":
            return _list_until(answer.content, issuer, at)
        return _response_until(answer.content, own, issuer, at)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _list_until(content: bytes, issuer: x509.Certificate, at: datetime) -> datetime | None:
    found = x509.load_der_x509_crl(content)
    if not is_whole_list(found) or found.issuer != issuer.subject:
        return None
    if not is_signed(issuer, found.signature, found.tbs_certlist_bytes, found.signature_hash_algorithm):
        return None
    return _fresh(found.last_update_utc, found.next_update_utc, at)


def _response_until(
    content: bytes, own: x509.Certificate, issuer: x509.Certificate, at: datetime
) -> datetime | None:
    found = ocsp.load_der_ocsp_response(content)
    if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return None
    if found.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return None
    asked = ocsp.OCSPRequestBuilder().add_certificate(own, issuer, found.hash_algorithm).build()
    same = (
        found.serial_number == asked.serial_number
        and found.issuer_name_hash == asked.issuer_name_hash
        and found.issuer_key_hash == asked.issuer_key_hash
    )
    if not same or not _answered_by_right(found, issuer, at):
        return None
    return _fresh(found.this_update_utc, found.next_update_utc, at)


def _answered_by_right(found: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> bool:
    return any(
        may_answer(signer, issuer, at)
        and is_signed(signer, found.signature, found.tbs_response_bytes, found.signature_hash_algorithm)
        for signer in (issuer, *found.certificates)
    )


def _fresh(this: datetime, following: datetime | None, at: datetime) -> datetime | None:
    until = following or this + _UNSTATED
    return until if this <= at + _SKEW and at - _SKEW <= until else None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
