"""Signed claims: compact JWS in and out (RFC 7515, 7519), strictly read; what assertions and tokens share.

Algorithms are Ed25519 (RFC 9864; also under its older name EdDSA, RFC 8037) and ES256, nothing else.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import urlsafe_b64encode

Claims = dict[str, Any]
Jwk = dict[str, Any]
Key = OKPKey | ECKey
Signed = jws.CompactSignature

NAME_LENGTH_MAX = 512
_LENGTH_MAX = 8192
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_CURVES = {"OKP": "Ed25519", "EC": "P-256"}
_ALGORITHMS = {"OKP": "Ed25519", "EC": "ES256"}
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y")}
_REGISTRY = jws.JWSRegistry(algorithms=list(_ALGORITHMS.values()), strict_check_header=False)


class Malformed(Exception):
    """A token cannot be read as what it should be; the message says which part."""


def parse(token: str, length_max: int = _LENGTH_MAX) -> Signed:
    """Read a compact JWS of at most `length_max` characters, unverified.

    Raises Malformed; also for a `crit` header, because it names extensions we do not have. Stray bits of
    base64url are refused by the library, here and in the signature: no other text is the same token.
    """
    if len(token) > length_max or not _COMPACT.fullmatch(token):
        raise Malformed(f"no compact JWS of at most {length_max} characters")
    try:
        signed = jws.extract_compact(token.encode(), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Malformed("header or encoding") from None
    header: object = signed.protected
    if not isinstance(header, dict) or "crit" in header:
        raise Malformed("header or encoding")
    if not all(isinstance(header.get(name, ""), str) for name in ("alg", "kid", "typ")):
        raise Malformed("alg, kid and typ are texts")
    return signed


def claims_of(signed: Signed) -> Claims:
    """Give the claims, an object of JSON. Raises Malformed."""
    try:
        claims = json.loads(signed.payload)
    except (ValueError, RecursionError):
        raise Malformed("claims are no JSON") from None
    if not isinstance(claims, dict):
        raise Malformed("claims are no object")
    return claims


def text(claims: Claims, name: str, length_max: int = NAME_LENGTH_MAX) -> str:
    """Give a claim that is a printable text of 1 to `length_max` characters. Raises Malformed."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= length_max or not value.isprintable():
        raise Malformed(f"{name} must be a text of 1 to {length_max} characters")
    return value


def seconds(claims: Claims, name: str) -> float:
    """Give a claim that is an instant, in seconds since 1970 (NumericDate). Raises Malformed."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**36:
        raise Malformed(f"{name} must be a number of seconds")
    return float(value)


def is_for(claims: Claims, audience: str) -> bool:
    """Say whether `audience` is the whole `aud`, as a text or as a list of one."""
    return claims.get("aud") in (audience, [audience])


def is_signed_by(signed: Signed, key: Key) -> bool:
    """Say whether `key` made the signature, with the one algorithm that is its own."""
    algorithm = _ALGORITHMS[key.key_type]
    named = signed.protected["alg"]
    if named != algorithm and (named, algorithm) != ("EdDSA", "Ed25519"):
        return False
    # Verified under the algorithm of the key, never under what the token asks for.
    judged = jws.CompactSignature({"alg": algorithm}, signed.payload)
    judged.segments = signed.segments
    return jws.validate_compact(judged, key, registry=_REGISTRY)


def sign(typ: str, kid: str, claims: Claims, key: Key) -> str:
    """Give the claims as a compact JWS, signed with the private `key`."""
    header = {"alg": _ALGORITHMS[key.key_type], "typ": typ, "kid": kid}
    return jws.serialize_compact(header, json.dumps(claims, separators=(",", ":")), key, registry=_REGISTRY)


def find_key(keys: Sequence[Jwk], kid: str | None) -> Key | None:
    """Give the public key that `kid` names, by the JWK's own kid or its thumbprint; without kid the only one.

    A JWK that is no Ed25519 or P-256 key is never found.
    """
    for jwk in keys if kid is not None or len(keys) == 1 else ():
        try:
            key = import_key(jwk)
        except ValueError:
            continue  # of a kind that signs no assertion
        if kid is None or kid in (jwk.get("kid"), key.thumbprint()):
            return key
    return None


def import_key(jwk: Jwk, *, private: bool = False) -> Key:
    """Read an Ed25519 or P-256 JWK by its key members alone; ValueError if it is none."""
    kind = jwk.get("kty")
    if not isinstance(kind, str) or jwk.get("crv") != _CURVES.get(kind, ""):
        raise ValueError("a key for assertions is an Ed25519 or P-256 JWK")
    wanted = (*_MEMBERS[kind], "d") if private else _MEMBERS[kind]
    try:
        members: dict[str, str | list[str]] = {name: str(jwk[name]) for name in wanted}
        return OKPKey.import_key(members) if kind == "OKP" else ECKey.import_key(members)
    except (KeyError, ValueError, JoseError) as error:
        raise ValueError("the JWK lacks a member, or one is not right") from error


def as_jwk(key: Key, *, private: bool, kid: str | None = None) -> Jwk:
    """Give a key as JWK: its key members and a `kid`, by default its thumbprint (RFC 7638)."""
    return {**key.as_dict(private=private), "kid": kid or key.thumbprint()}


def ed25519_key(secret: bytes, public: bytes) -> OKPKey:
    """Give the Ed25519 key of 32 secret and 32 public bytes."""
    halves = {"d": urlsafe_b64encode(secret).decode(), "x": urlsafe_b64encode(public).decode()}
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **halves})


def ed25519_public(public: bytes) -> OKPKey:
    """Give the Ed25519 key of 32 public bytes; any other length raises ValueError."""
    if len(public) != 32:
        raise ValueError("a public key has 32 bytes")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(public).decode()})
