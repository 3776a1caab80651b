"""A provider tells that somebody signed out there: their sessions end here too.

OpenID Connect Back-Channel Logout 1.0. The token is checked as strictly as one that signs somebody in, and is
good once; what it says is nobody's word but the provider's.
"""

from typing import Annotated, cast

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import Anybody, TheVault, door_of, request_id
from reuse_api.doors import the_doors
from reuse_api.journal import authentication_failed, noted
from vault import provider_logout
from vault.errors import NotFound
from vault.id_tokens import IdTokenRefused
from vault.provider_documents import ProviderFailed
from vault.realm_rules import Realm

PLACE = "/sign-in/back-channel/{realm}"
_NOT_KEPT = {"Cache-Control": "no-store"}

router = APIRouter(tags=["sessions"], dependencies=[Anybody])


@router.post(PLACE)
async def post_logout(
    request: Request, vault: TheVault, realm: str, logout_token: Annotated[str, Form()] = ""
) -> Response:
    """End the sessions that a logout token of the realm's provider names; 400 where it does not hold."""
    provider = the_doors(request).get(cast(Realm, realm))
    if provider is None:
        raise NotFound
    try:
        token = await provider.logout(logout_token)
        ended = await provider_logout.end(vault, provider.rules.name, provider.rules.issuer, token)
    except ProviderFailed as problem:
        noted("provider_failed", realm=realm, reason=problem.reason, request=request_id(request))
        return Response(status_code=503, headers=_NOT_KEPT)
    except IdTokenRefused as problem:
        authentication_failed(problem.code, door=door_of(request), request=request_id(request))
        return Response(status_code=400, headers=_NOT_KEPT)
    noted("signed_out_at_provider", realm=realm, count=ended)
    return Response(status_code=200, headers=_NOT_KEPT)
