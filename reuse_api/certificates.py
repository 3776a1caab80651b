"""Agencies' certificates: whose signature each makes, which is what trust classes rest on."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.catalogue_schemas import Reason
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import Closed
from vault import enrolling
from vault.agency_certificates import Registration
from vault.enrolling import MAX_CERTIFICATE, NewCertificate

router = APIRouter(prefix="/v1/agencies", tags=["agencies"])


class CertificateBody(Closed):
    """A certificate (PEM) of an agency, from which day to which (both included) it signs for it, and why."""

    certificate: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CERTIFICATE)]
    valid_from: date
    valid_until: date | None = None
    reason: Reason


class EndBody(Closed):
    """The last day of a registration, a past one too, and why."""

    valid_until: Annotated[date, Field()]
    reason: Reason


@router.get("/{agency}/certificates")
async def get_certificates(
    request: Request, vault: TheVault, caller: AsAdministrator, agency: str
) -> Response:
    """List an agency's certificates: those registered, and those of its seal keys here."""
    found = await enrolling.certificates(vault, agency)
    return answer(request, {}, verbatim={"certificates": [_told(one) for one in found]})


@router.post("/{agency}/certificates")
async def post_certificate(
    request: Request,
    vault: TheVault,
    caller: AsAdministrator,
    agency: str,
    body: CertificateBody,
    key: WriteKey,
) -> Response:
    """Register a certificate as an agency's; documents that it signed are judged anew."""
    new = NewCertificate(agency, body.certificate, body.valid_from, body.valid_until, body.reason)
    return answer(request, await enrolling.register(vault, caller, new, key=key), 201)


@router.post("/{agency}/certificates/{sha256}/end")
async def post_end(
    request: Request,
    vault: TheVault,
    caller: AsAdministrator,
    agency: str,
    sha256: str,
    body: EndBody,
    key: WriteKey,
) -> Response:
    """Give a registration its last day; documents that it signed are judged anew."""
    told = await enrolling.end(
        vault, caller, agency, sha256, until=body.valid_until, reason=body.reason, key=key
    )
    return answer(request, told)


def _told(one: Registration) -> dict[str, Any]:
    told: dict[str, Any] = {
        "sha256": one.sha256,
        "subject": one.subject,
        "valid_from": one.valid_from.isoformat(),
        "own_seal": one.index is None,
    }
    if one.valid_until is not None:
        told["valid_until"] = one.valid_until.isoformat()
    return told
