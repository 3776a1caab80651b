"""Access tokens for systems: two assertions in, a short-lived token out (RFC 6749, 7521, 7523, 8414).

Errors follow RFC 6749 5.2, with our own code and its words beside them.
"""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reuse_api.callers import Anybody, TheVault, door_of, request_id
from reuse_api.journal import authentication_failed
from reuse_api.language import language_of
from reuse_api.problems import words
from vault.authenticating import exchange
from vault.errors import NotAuthenticated

CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_CREDENTIALS = "client_credentials"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
_JWKS_PATH = "/.well-known/jwks.json"
_MAX_PARAMETERS = 20
_OFFICER_CODES = {"officer_unknown", "officer_of_another_system", "officer_assertion_missing"}
_REQUEST_CODES = {"field_repeated", "body_unreadable", "media_type_unsupported", "field_missing"}

router = APIRouter(tags=["tokens"], dependencies=[Anybody])


class _TokenRefused(Exception):
    """The token request is refused; `code` is ours, the OAuth error follows from it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@router.post(TOKEN_PATH)
async def post_token(request: Request, vault: TheVault) -> Response:
    """Exchange a client assertion, and an assertion naming an officer, for an access token.

    Form fields: grant_type (client_credentials, or jwt-bearer with `assertion` for the officer),
    client_assertion_type, client_assertion. A client_credentials token names no officer.
    """
    try:
        form = await _form(request)
        client, officer = _assertions(form)
        issued = await exchange(vault, client_assertion=client, officer_assertion=officer)
    except (_TokenRefused, NotAuthenticated) as problem:
        return _refused(request, problem.code)
    answer = {"access_token": issued.token, "token_type": "Bearer", "expires_in": issued.expires_in}
    return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


@router.get(_JWKS_PATH)
async def get_keys(vault: TheVault) -> JSONResponse:
    """Give the public key that our access tokens are signed with (RFC 7517)."""
    return JSONResponse(vault.gate.token_key.jwks())


@router.get("/.well-known/oauth-authorization-server")
async def get_metadata(vault: TheVault) -> JSONResponse:
    """Tell a client how to ask for a token (RFC 8414)."""
    issuer = vault.gate.issuer
    return JSONResponse(
        {
            "issuer": issuer,
            "token_endpoint": issuer + TOKEN_PATH,
            "jwks_uri": issuer + _JWKS_PATH,
            "grant_types_supported": [CLIENT_CREDENTIALS, JWT_BEARER],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["Ed25519", "EdDSA", "ES256"],
        }
    )


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _TokenRefused("media_type_unsupported")
    try:
        body = (await request.body()).decode("ascii")
        pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise _TokenRefused("body_unreadable") from None
    form = dict(pairs)
    if len(form) != len(pairs):  # RFC 6749 3.2: a parameter must not be sent twice
        raise _TokenRefused("field_repeated")
    return {name: value for name, value in form.items() if value}  # without a value: as if omitted


def _assertions(form: dict[str, str]) -> tuple[str, str | None]:
    grant = form.get("grant_type")
    if grant is None:
        raise _TokenRefused("field_missing")
    if grant not in (CLIENT_CREDENTIALS, JWT_BEARER):
        raise _TokenRefused("grant_type_unsupported")
    if form.get("client_assertion_type") != CLIENT_ASSERTION_TYPE or "client_assertion" not in form:
        raise _TokenRefused("client_assertion_missing")
    if grant == JWT_BEARER and "assertion" not in form:
        raise _TokenRefused("officer_assertion_missing")
    return form["client_assertion"], form.get("assertion") if grant == JWT_BEARER else None


def _refused(request: Request, code: str) -> Response:
    error, status = _oauth_error(code)
    if error in ("invalid_client", "invalid_grant"):
        authentication_failed(code, door=door_of(request), request=request_id(request))
    language = language_of(request)
    answer: dict[str, Any] = {
        "error": error,
        "error_description": words(code, "en").replace('"', "'").replace("\\", "/"),
        "code": code,
        "detail": words(code, language),
    }
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="kho"'
    return JSONResponse(answer, status, headers=headers)


def _oauth_error(code: str) -> tuple[str, int]:
    """Sort our code under an error of RFC 6749 5.2."""
    if code == "grant_type_unsupported":
        return "unsupported_grant_type", 400
    if code in _REQUEST_CODES:
        return "invalid_request", 400
    return ("invalid_grant", 400) if code in _OFFICER_CODES else ("invalid_client", 401)
