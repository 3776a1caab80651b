"""Signing in at a provider: sent there, come back once and in the same browser, and let in (or told why not).

The session cookie is `SameSite=Strict`, so a browser that comes back from the provider does not send it along
with a redirect: the answer is a page of ours that leads on by itself, without a script.
"""

from typing import Annotated, cast, get_args

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import (
    SESSION_COOKIE,
    STAFF_COOKIE,
    Anybody,
    TheVault,
    cookie_named,
    cookie_of,
    door_of,
    request_id,
    secure,
    the_settings,
)
from reuse_api.doors import the_doors
from reuse_api.identity_provider import IdentityProvider
from reuse_api.journal import authentication_failed, noted
from reuse_api.pages.browsers import device_of, within
from reuse_api.pages.rendering import ROOMS, Room, check_form, onward, page
from reuse_api.pages.troubles import PageRoute
from vault import sessions, sign_ins, signing_in
from vault.callers import Role
from vault.errors import NotFound
from vault.id_tokens import IdTokenRefused
from vault.provider_documents import ProviderFailed
from vault.realm_rules import Realm
from vault.services import Vault
from vault.session_marks import Holder
from vault.sessions import Proven
from vault.sign_in_proofs import SignInProof
from vault.sign_in_refusals import SignInRefused
from vault.sign_ins import Begun, Wanted
from vault.signing_in import Visit

BROWSER_COOKIE = "kho_door"
CALLBACK = "/sign-in/callback"
ROOM_OF: dict[Role, Room] = {"desk": "desk", "auditor": "audit", "administrator": "admin"}
_COOKIES: dict[Realm, str] = {"citizens": SESSION_COOKIE, "staff": STAFF_COOKIE}
_HOLDERS: dict[Realm, Holder] = {"citizens": "owner", "staff": "staff"}
_LONGEST = 4096  # characters of what a provider sends people back with

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Anybody])


WHY_NOT = (
    "not_begun",
    "cancelled",
    "provider_error",
    "provider_away",
    "provider_nonsense",
    "provider_refused",
    "id_token",
    "id_token_clock",
    "second_factor",
    "level",
    "another_person",
    "staff_unknown",
    "role_not_held",
    "identity_incomplete",
)


class NotLetIn(Exception):
    """Nobody was let in; `code` is one of WHY_NOT, and has its words on a page."""

    def __init__(self, code: str, *, status: int = 403, roles: tuple[Role, ...] = (), ahead: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.roles = roles
        self.ahead = ahead


@router.post("/sign-in/provider")
async def begin(
    request: Request,
    vault: TheVault,
    realm: Annotated[str, Form()] = "citizens",
    role: Annotated[str, Form()] = "",
) -> Response:
    """Send somebody to their realm's provider, to sign in; an officer in the role that was chosen."""
    check_form(request)
    provider = _provider(request, realm)
    chosen = cast(Role, role) if role in get_args(Role) else None
    if provider.rules.name == "staff" and chosen is None:
        raise NotFound
    room: Room = ROOM_OF[chosen] if provider.rules.name == "staff" and chosen else "wallet"
    before = cookie_of(request, ROOMS[room].cookie)
    wanted = Wanted(
        provider.rules.name,
        "sign_in",
        ROOMS[room].home,
        chosen if provider.rules.name == "staff" else None,
        sessions.hash_of(before) if before else None,
    )
    return await _sent(request, vault, provider, wanted)


@router.post("/sign-in/again")
async def again(
    request: Request,
    vault: TheVault,
    room: Annotated[Room, Form()] = "wallet",
    back: Annotated[str, Form()] = "",
    form_token: Annotated[str, Form()] = "",
) -> Response:
    """Send whoever is signed in to the provider once more, for a stronger or a fresh proof of them."""
    check_form(request, form_token, room=room)
    realm: Realm = "citizens" if room == "wallet" else "staff"
    if the_settings(request).demo_sign_in:
        return onward("/sign-in")  # a new code is as strong as can be
    secret = cookie_of(request, ROOMS[room].cookie)
    place = within(back, room)
    wanted = Wanted(realm, "step_up", place, session_hash=sessions.hash_of(secret))
    return await _sent(request, vault, _provider(request, realm), wanted)


@router.get(CALLBACK + "/{realm}")
async def callback(
    request: Request,
    vault: TheVault,
    realm: str,
    state: Annotated[str, Query()] = "",
    code: Annotated[str, Query()] = "",
    error: Annotated[str, Query()] = "",
    iss: Annotated[str, Query()] = "",
) -> Response:
    """Take somebody back from the provider: let in, or told why not; nothing is half done."""
    provider = _provider(request, realm)
    role: Role | None = None
    try:
        begun = await _begun(request, vault, provider, state)
        role = begun.wanted.role
        return await _let_in(request, vault, provider, begun, code, error, iss)
    except ProviderFailed as problem:
        noted("provider_failed", realm=realm, reason=problem.reason, request=request_id(request))
        status = 503 if problem.code == "provider_away" else 502
        return _told(request, realm, NotLetIn(problem.code, status=status), role)
    except IdTokenRefused as problem:
        noted("provider_failed", realm=realm, reason=problem.code, request=request_id(request))
        code = problem.code if problem.code == "id_token_clock" else "id_token"
        return _told(request, realm, NotLetIn(code, status=502, ahead=problem.ahead), role)
    except SignInRefused as problem:
        return _told(request, realm, _refused(problem), role)
    except NotLetIn as problem:
        return _told(request, realm, problem, role)


async def _sent(request: Request, vault: Vault, provider: IdentityProvider, wanted: Wanted) -> Response:
    try:
        await provider.metadata()  # before anything is kept of who never gets there
        nonce = await vault.gate.begin_sign_in(wanted.realm, wanted.purpose)
        begun = sign_ins.begin(wanted, nonce, vault.clock.now())
        place = await provider.authorization(begun)
    except ProviderFailed as problem:
        noted("provider_failed", realm=wanted.realm, reason=problem.reason, request=request_id(request))
        status = 503 if problem.code == "provider_away" else 502
        return _told(request, wanted.realm, NotLetIn(problem.code, status=status), wanted.role)
    except SignInRefused:  # the gate has lost its provider since we looked
        return _told(request, wanted.realm, NotLetIn("provider_nonsense", status=502), wanted.role)
    answer = page(request, "sign_in_onward.html", signed_in=False, here="/sign-in", to=place, at="provider")
    answer.set_cookie(
        cookie_named(request, BROWSER_COOKIE),
        sign_ins.cookie(begun, provider.rules.credentials.door_key),
        max_age=int(sign_ins.LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",  # it must come along when the provider sends the browser back
        secure=secure(request),
    )
    return answer


async def _begun(request: Request, vault: Vault, provider: IdentityProvider, state: str) -> Begun:
    rules, at = provider.rules, vault.clock.now()
    begun = sign_ins.read(
        cookie_of(request, BROWSER_COOKIE), rules.credentials.door_key, rules.name, state, at
    )
    if begun is None or not await sign_ins.come_back(vault.db, begun, at):
        raise NotLetIn("not_begun")
    return begun


async def _let_in(
    request: Request,
    vault: Vault,
    provider: IdentityProvider,
    begun: Begun,
    code: str,
    error: str,
    iss: str,
) -> Response:
    if iss != provider.rules.issuer and (iss or (await provider.metadata()).names_itself):
        raise NotLetIn("provider_error", status=502)  # another provider's answer (RFC 9207)
    if error:
        raise NotLetIn("cancelled" if error in ("access_denied", "login_required") else "provider_error")
    if not code or len(code) > _LONGEST:
        raise NotLetIn("provider_error", status=502)
    tokens = await provider.exchanged(begun, code)
    wanted = begun.wanted
    proof = await vault.gate.prove_sign_in(
        wanted.realm, wanted.purpose, begun.nonce, tokens.id_token, tokens.access_token
    )
    proven = _proven(proof, tokens.id_token)
    if wanted.purpose == "step_up":
        return await _stronger(request, vault, begun, proven)
    visit = Visit(device_of(request), wanted.session_hash)
    limits = provider.rules.limits
    if proof.account is not None:
        role = wanted.role or "desk"
        entered = await signing_in.officer(vault, proof.account, role, proven, limits, visit)
    elif proof.identity is not None:
        entered = await signing_in.owner(vault, proof.identity, proven, limits, visit)
    else:
        raise NotLetIn("identity_incomplete")
    return _entered(request, begun, entered.secret, name_differs=entered.name_differs)


def _proven(proof: SignInProof, id_token: str) -> Proven:
    return Proven(
        issuer=proof.issuer,
        subject=proof.subject,
        sid=proof.sid,
        assurance=proof.assurance,
        authenticated_at=proof.authenticated_at,
        id_token=id_token,
        proof=proof.handle,
    )


def _refused(problem: SignInRefused) -> NotLetIn:
    roles = cast(tuple[Role, ...], problem.roles)
    return NotLetIn(problem.code if problem.code in WHY_NOT else "provider_nonsense", roles=roles)


async def _stronger(request: Request, vault: Vault, begun: Begun, proven: Proven) -> Response:
    holder = _HOLDERS[begun.wanted.realm]
    secret = await signing_in.again(vault, holder, begun.wanted.session_hash or b"", proven)
    if secret is None:
        raise NotLetIn("another_person")
    return _entered(request, begun, secret)


def _entered(request: Request, begun: Begun, secret: str, *, name_differs: bool = False) -> Response:
    answer = page(
        request,
        "sign_in_onward.html",
        signed_in=False,
        here="/sign-in",
        to=begun.wanted.back,
        at="name" if name_differs else "home",
    )
    answer.set_cookie(
        cookie_named(request, _COOKIES[begun.wanted.realm]),
        secret,
        httponly=True,
        samesite="strict",
        secure=secure(request),
    )
    _forget_begun(request, answer)
    return answer


def _told(request: Request, realm: str, problem: NotLetIn, role: Role | None) -> Response:
    authentication_failed(problem.code, door=door_of(request), request=request_id(request))
    answer = page(
        request,
        "sign_in_refused.html",
        signed_in=False,
        here="/sign-in",
        status=problem.status,
        headers={"Retry-After": "30"} if problem.status == 503 else None,
        why=problem.code,
        ahead=problem.ahead,
        realm=realm,
        role=role,
        roles=problem.roles,
    )
    _forget_begun(request, answer)
    return answer


def _forget_begun(request: Request, answer: Response) -> None:
    named = cookie_named(request, BROWSER_COOKIE)
    answer.delete_cookie(named, httponly=True, samesite="lax", secure=secure(request))


def _provider(request: Request, realm: str) -> IdentityProvider:
    found = the_doors(request).get(cast(Realm, realm))
    if found is None:
        raise NotFound
    return found
