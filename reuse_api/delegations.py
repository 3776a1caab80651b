"""Acting for another: whom I act for and who acts for me, claims, ends, and for whom this session acts."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from policies.recording import plain
from policies.wording import name
from reuse_api.answering import answer
from reuse_api.callers import AsPerson, TheVault
from reuse_api.consent_schemas import ActingBody, ClaimBody
from reuse_api.idempotency import WriteKey
from reuse_api.language import language_of
from vault import claiming, delegating, finding

router = APIRouter(prefix="/v1/me", tags=["delegations"])


@router.get("/delegations")
async def get_delegations(request: Request, vault: TheVault, caller: AsPerson) -> Response:
    """List whom I act for and who acts for me, newest first; ended ones too."""
    language = language_of(request)
    held = await delegating.my_delegations(vault, caller)
    lines = [plain(one) | {"state_words": name("delegation_state", one.state, language)} for one in held]
    return answer(request, {"delegations": lines}, audience="citizen")


@router.post("/delegations")
async def post_delegation(
    request: Request, vault: TheVault, caller: AsPerson, body: ClaimBody, key: WriteKey
) -> Response:
    """Claim to act for a child or an enterprise whose document in the vault names me."""
    outcome = await claiming.claim(
        vault,
        caller,
        scheme=body.identifier.scheme,
        value=body.identifier.value,
        kind=body.kind,
        key=key,
    )
    return answer(request, outcome, 201, audience="citizen")


@router.post("/delegations/{delegation}/end")
async def post_end(
    request: Request, vault: TheVault, caller: AsPerson, delegation: str, key: WriteKey
) -> Response:
    """End a delegation that I am a party of."""
    return answer(request, await delegating.end(vault, caller, delegation, key=key), audience="citizen")


@router.post("/acting")
async def post_acting(
    request: Request, vault: TheVault, caller: AsPerson, body: ActingBody, key: WriteKey
) -> Response:
    """Act for another from now on in this session, or for myself again; doing it twice changes nothing."""
    await delegating.act_for(vault, caller, body.delegation)
    acting = await vault.gate.check_session(caller.session)
    told = plain(await finding.me(vault, acting))
    chosen = {"delegation": body.delegation} if body.delegation is not None else {}
    return answer(request, told | chosen, audience="citizen")
