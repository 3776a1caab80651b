"""Keys that an identity provider publishes (RFC 7517), and whether one of them made a signature.

Only asymmetric algorithms of the list below are taken, and each only with a key of its own kind: no `none`,
no HMAC with a public key as its secret. What a key set says of secret or private members is not read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from vault.signed_claims import Signed

Key = RSAKey | ECKey | OKPKey
ALGORITHMS: Mapping[str, tuple[str, str]] = {  # name -> kind of key, curve where there is one
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
}
_OLD_NAMES = {"EdDSA": "Ed25519"}  # RFC 9864
_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
_KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_LEAST_RSA, _MOST_RSA = 2048, 6144  # bits: weaker is no proof, larger is no longer quick
_MOST_KEYS = 64
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


def algorithm_of(signed: Signed) -> str | None:
    """Give the algorithm that a token names, by its present name; None for one that is not taken."""
    named = str(signed.protected.get("alg", ""))
    named = _OLD_NAMES.get(named, named)
    return named if named in ALGORITHMS else None


def find(keys: Sequence[Mapping[str, Any]], kid: str | None, algorithm: str) -> Key | None:
    """Give the one published key that a token of this algorithm can be signed with.

    Without a `kid` it is found only where no other key would do.
    """
    fitting = [one for one in keys[:_MOST_KEYS] if _fits(one, algorithm)]
    if kid is not None:
        fitting = [one for one in fitting if one.get("kid") == kid]
    return _read(fitting[0]) if len(fitting) == 1 else None


def is_signed_by(signed: Signed, key: Key, algorithm: str) -> bool:
    """Say whether `key` made the signature with `algorithm`, as the library computes it."""
    judged = jws.CompactSignature({"alg": algorithm}, signed.payload)
    judged.segments = signed.segments
    try:
        return jws.validate_compact(judged, key, registry=_REGISTRY)
    except (JoseError, ValueError):
        return False


def _fits(jwk: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = ALGORITHMS[algorithm]
    if jwk.get("kty") != kind or (curve and jwk.get("crv") != curve):
        return False
    named = jwk.get("alg", algorithm)
    meant = isinstance(named, str) and _OLD_NAMES.get(named, named) == algorithm
    operations = jwk.get("key_ops", ["verify"])
    return (
        meant and jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    )


def _read(jwk: Mapping[str, Any]) -> Key | None:
    """Read a key by its public members alone; None if they make none, or one that is too weak."""
    kind = str(jwk["kty"])
    members: dict[str, str | list[str]] = {
        name: value for name in _MEMBERS[kind] if isinstance(value := jwk.get(name), str)
    }
    if kind == "RSA" and not _LEAST_RSA // 7 < len(str(members.get("n", ""))) < _MOST_RSA // 5:
        return None
    try:
        key = _KINDS[kind].import_key(members)
        if isinstance(key, RSAKey) and not _LEAST_RSA <= key.public_key.key_size <= _MOST_RSA:
            return None
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return key
