"""Who is calling: proven here, at the door, before anything else is done.

Every route names one of `CALLERS`. A habit test lists the routes and fails on one that names none; another
knocks at every route as every kind of caller.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from reuse_api.journal import authentication_failed
from reuse_api.same_origin import require_home
from reuse_api.settings import Settings
from vault import sessions
from vault.assertions import TokenRefused
from vault.authenticating import check_system
from vault.callers import Caller, OwnerCaller, Role, StaffCaller, SystemCaller
from vault.errors import NotAuthenticated, VaultBusy
from vault.services import Vault

SESSION_COOKIE = "kho_session"
STAFF_COOKIE = "kho_staff"
_HOST = "__Host-"
_MAX_SECRET = 512


class CredentialsRefused(Exception):
    """The credentials of a request prove nobody; `scheme` is what WWW-Authenticate asks for."""

    def __init__(self, code: str, scheme: str) -> None:
        super().__init__(code)
        self.code = code
        self.scheme = scheme


def the_vault(request: HTTPConnection) -> Vault:
    """Give the open vault that this application serves."""
    return cast(Vault, request.app.state.vault)


def the_settings(request: HTTPConnection) -> Settings:
    """Give the settings that this application was made with."""
    return cast(Settings, request.app.state.settings)


async def anybody() -> None:
    """Mark a route that asks for no credentials."""


async def system_caller(request: Request) -> SystemCaller:
    """Prove a system by its access token (RFC 6750), with the officer it vouches for.

    Raises:
        CredentialsRefused: no token, or one that is not ours, not meant for us, or over; or the system ended.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _refused(request, "token_missing", "Bearer")
    try:
        return await check_system(the_vault(request), token)
    except (TokenRefused, NotAuthenticated) as problem:
        raise _refused(request, problem.code, "Bearer") from problem


def secure(request: Request) -> bool:
    """Say whether cookies may go over TLS alone: behind a proxy our own address tells."""
    return request.url.scheme == "https" or the_settings(request).address.startswith("https:")


def cookie_named(request: Request, name: str) -> str:
    """Give the name of a cookie of ours: over TLS one that no other host and no plain page can set.

    A browser takes `__Host-` only from this very host, over TLS, for all its paths (RFC 6265bis, 4.1.3.2).
    """
    return _over_tls(name) if secure(request) else name


def cookie_at(address: str, name: str) -> str:
    """Give the name of a cookie of ours where people know us by that address."""
    return _over_tls(name) if address.startswith("https:") else name


def _over_tls(name: str) -> str:
    return f"{_HOST}{name}"


def cookie_of(request: Request, name: str) -> str:
    """Give what a cookie of ours says; empty where there is none."""
    return request.cookies.get(cookie_named(request, name), "")


def _secret(request: Request, cookie: str) -> str:
    """Give the session secret that a request of our own pages carries."""
    require_home(request)
    secret = cookie_of(request, cookie)
    if not secret or len(secret) > _MAX_SECRET:
        raise _refused(request, "session_missing", "Session")
    return secret


async def owner_caller(request: Request) -> OwnerCaller:
    """Prove an owner by the session cookie of the wallet.

    Raises:
        CredentialsRefused: no session, or one that has ended.
        CrossSite: a write from a page of another site.
    """
    secret = _secret(request, SESSION_COOKIE)
    try:
        return await _in_use(request, await the_vault(request).gate.check_session(secret))
    except NotAuthenticated as problem:
        raise _refused(request, problem.code, "Session") from problem


async def person_caller(request: Request) -> OwnerCaller:
    """Prove whoever is signed in to the wallet, also when what they acted for another by has ended.

    Raises:
        CredentialsRefused: no session, or one that has ended.
        CrossSite: a write from a page of another site.
    """
    secret = _secret(request, SESSION_COOKIE)
    gate = the_vault(request).gate
    try:
        person = await _in_use(request, await gate.check_person(secret))
    except NotAuthenticated as problem:
        raise _refused(request, problem.code, "Session") from problem
    try:
        return await gate.check_session(secret)
    except NotAuthenticated:
        return person


async def desk_caller(request: Request) -> SystemCaller:
    """Prove an officer at the desk by the staff session; they call as their agency's desk system.

    Raises:
        CredentialsRefused: no session, one that has ended, or one of another role.
        CrossSite: a write from a page of another site.
    """
    return (await _staff(request, "desk")).at_desk()


async def auditor_caller(request: Request) -> StaffCaller:
    """Prove an auditor by the staff session.

    Raises:
        CredentialsRefused: no session, one that has ended, or one of another role.
        CrossSite: a write from a page of another site.
    """
    return await _staff(request, "auditor")


async def administrator_caller(request: Request) -> StaffCaller:
    """Prove an administrator by the staff session.

    Raises:
        CredentialsRefused: no session, one that has ended, or one of another role.
        CrossSite: a write from a page of another site.
    """
    return await _staff(request, "administrator")


async def staff_caller(request: Request) -> StaffCaller:
    """Prove an officer by the staff session, whatever the role.

    Raises:
        CredentialsRefused: no session, or one that has ended.
        CrossSite: a write from a page of another site.
    """
    secret = _secret(request, STAFF_COOKIE)
    try:
        return await _in_use(request, await the_vault(request).gate.check_staff(secret))
    except NotAuthenticated as problem:
        raise _refused(request, problem.code, "Session") from problem


async def _staff(request: Request, role: Role) -> StaffCaller:
    found = await staff_caller(request)
    if found.role != role:
        raise _refused(request, "role_missing", "Session")
    return found


Signed = TypeVar("Signed", OwnerCaller, StaffCaller)


async def _in_use(request: Request, caller: Signed) -> Signed:
    """Keep a session that is used from ending for want of use; written down once a minute at the most."""
    settings, vault = the_settings(request), the_vault(request)
    owner = isinstance(caller, OwnerCaller)
    idle = timedelta(minutes=settings.wallet_idle_minutes if owner else settings.staff_idle_minutes)
    until = sessions.touched(caller.idle_until, caller.expires, idle, vault.clock.now())
    if until is not None:
        with suppress(VaultBusy):  # then it is not prolonged, and works all the same
            await sessions.touch(vault.db, "owner" if owner else "staff", caller.session, until)
    return caller


async def either_caller(request: Request) -> Caller:
    """Prove a system if a token is sent, else an owner."""
    if "authorization" in request.headers:
        return await system_caller(request)
    return await owner_caller(request)


async def counting_caller(request: Request) -> SystemCaller | StaffCaller:
    """Prove a system if a token is sent, else an auditor."""
    if "authorization" in request.headers:
        return await system_caller(request)
    return await auditor_caller(request)


def _refused(request: Request, code: str, scheme: str) -> CredentialsRefused:
    authentication_failed(code, door=door_of(request), request=request_id(request))
    return CredentialsRefused(code, scheme)


def door_of(request: HTTPConnection) -> str:
    """Give the template of the route, which names no dossier, record or person."""
    return str(getattr(request.scope.get("route"), "path", "no such route"))


def request_id(request: HTTPConnection) -> str:
    """Give the id of this request, the one in its answer's Request-Id header."""
    return str(request.scope.get("state", {}).get("request_id", ""))


Anybody = Depends(anybody)
AsSystem = Annotated[SystemCaller, Depends(system_caller)]
AsOwner = Annotated[OwnerCaller, Depends(owner_caller)]
AsPerson = Annotated[OwnerCaller, Depends(person_caller)]
AsDesk = Annotated[SystemCaller, Depends(desk_caller)]
AsAuditor = Annotated[StaffCaller, Depends(auditor_caller)]
AsStaff = Annotated[StaffCaller, Depends(staff_caller)]
AsAdministrator = Annotated[StaffCaller, Depends(administrator_caller)]
AsEither = Annotated[Caller, Depends(either_caller)]
AsCounting = Annotated[SystemCaller | StaffCaller, Depends(counting_caller)]
TheVault = Annotated[Vault, Depends(the_vault)]
CALLERS = (
    anybody,
    system_caller,
    owner_caller,
    person_caller,
    desk_caller,
    auditor_caller,
    administrator_caller,
    staff_caller,
    either_caller,
    counting_caller,
)
