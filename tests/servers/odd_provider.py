"""An OpenID provider of our own that can be told to lie: a small real HTTP server on loopback.

Whoever comes to its authorization endpoint is sent back at once, signed in. Every document that it serves,
and everything its tokens say, can be changed.
"""

import hmac
import json
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64encode

from tests.servers.loopback import Answer, Asked, LoopbackServer

CLIENT, SECRET = "kho", "a secret & more"
Changing = Callable[[dict[str, Any]], dict[str, Any]]


def same(told: dict[str, Any]) -> dict[str, Any]:
    return told


class OddProvider(LoopbackServer):
    """Says who somebody is by `person`; `metadata`, `claims`, `tokens` change what it says.

    `sign` makes the ID token of its claims; `back` changes what people are sent back with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.key: RSAKey | ECKey = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.published: list[dict[str, Any]] = [self.key.as_dict(private=False)]
        self.reset()

    def reset(self) -> None:
        """Be honest again."""
        self.person: dict[str, Any] = {}
        self.metadata: Changing = same
        self.claims: Changing = same
        self.tokens: Changing = same
        self.back: Changing = same
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.fault, self.slow = None, 0.0
        self.asked.clear()
        self._codes: dict[str, dict[str, str]] = {}

    def rotate(self) -> None:
        """Sign with a new key from now on, published in place of the old one."""
        kid = os.urandom(4).hex()
        self.key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})
        self.published = [self.key.as_dict(private=False)]

    def signed(self, claims: dict[str, Any], **header: str) -> str:
        alg = "RS256" if isinstance(self.key, RSAKey) else "ES256"
        named = {"alg": alg, "kid": str(self.key.kid)} | header
        return jws.serialize_compact(named, json.dumps(claims), self.key, algorithms=[alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = (json.dumps(one).encode() for one in ({"alg": "none"}, claims))
        return b".".join([*(urlsafe_b64encode(one) for one in parts), b""]).decode()

    def by_public_key(self, claims: dict[str, Any]) -> str:
        """Sign with HMAC, the published key as its secret."""
        return keyed(claims, "HS256", str(self.key.kid), self.key.as_pem(private=False))

    def by_another_key(self, claims: dict[str, Any]) -> str:
        """Sign with a key that it never published, under the name of one that it did."""
        other = RSAKey.generate_key(2048)
        header = {"alg": "RS256", "kid": str(self.key.kid)}
        return jws.serialize_compact(header, json.dumps(claims), other, algorithms=["RS256"])

    def answer(self, asked: Asked) -> Answer:
        place = urlsplit(asked.path)
        if place.path == "/.well-known/openid-configuration":
            return self._json(self.metadata(self._described()))
        if place.path == "/keys":
            return self._json({"keys": self.published})
        if place.path == "/authorize":
            return self._sent_back(_fields(place.query))
        if place.path == "/token":
            return self._exchanged(
                {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            )
        return Answer(b"no", "text/plain", 404)

    def count(self, path: str) -> int:
        """Give how often a path was asked for."""
        return sum(urlsplit(one.path).path == path for one in self.asked)

    def _described(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "code_challenge_methods_supported": ["S256"],
        }

    def _sent_back(self, asked: dict[str, str]) -> Answer:
        code = os.urandom(16).hex()
        self._codes[code] = asked
        told = self.back({"code": code, "state": asked["state"]})
        return Answer(b"", status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(told)}"})

    def _exchanged(self, form: dict[str, str]) -> Answer:
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return self._json({"error": "invalid_grant"}, 400)
        now, access = int(time.time()), os.urandom(16).hex()
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "somebody",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "acr": asked.get("acr_values", "").split(" ")[0],
            **self.person,
        }
        told = {"access_token": access, "token_type": "Bearer", "id_token": self.sign(self.claims(claims))}
        return self._json(self.tokens(told))

    def _json(self, told: dict[str, Any], status: int = 200) -> Answer:
        return Answer(json.dumps(told).encode(), "application/json", status)


def _fields(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def keyed(claims: dict[str, Any], alg: str, kid: str, secret: bytes) -> str:
    """Sign with HMAC by hand: the library itself refuses a public key as a secret."""
    parts = ({"alg": alg, "kid": kid}, claims)
    signed = b".".join(urlsafe_b64encode(json.dumps(one).encode()) for one in parts)
    digest = hmac.digest(secret, signed, f"sha{alg[2:]}")
    return b".".join([signed, urlsafe_b64encode(digest)]).decode()
