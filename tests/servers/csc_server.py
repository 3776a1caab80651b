"""A remote signing service over HTTP that follows the API of the Cloud Signature Consortium, version 2."""

import base64
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from tests.servers.loopback import Answer, Asked, LoopbackServer
from tests.servers.pki import Private

CLIENT, SECRET = "kho-tests", "a secret & more"
SHA256 = "2.16.840.1.101.3.4.2.1"
ECDSA, RSA = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"


@dataclass
class Held:
    """A credential of the service: its key, its chain (DER), a PIN where it wants one."""

    private: Private
    chain: list[bytes]
    pin: str = ""
    status: str = "enabled"
    auth: dict[str, Any] | None = None  # how its use is authorised; None: by the PIN if there is one
    scal: str = "2"


@dataclass
class Activation:
    """Signature activation data: for one credential and its hashes, once."""

    credential: str
    hashes: list[str]
    until: float
    answer: dict[str, Any] | None = None


@dataclass
class Counted:
    """What the service has done."""

    tokens: int = 0
    authorised: int = 0
    signatures: list[str] = field(default_factory=list)  # the hashes, in order


class CscServer(LoopbackServer):
    """Signs for clients with a token what they were authorised for.

    `lose` answers of signHash are dropped after the signature was made. A used SAD is refused, unless
    `replays`: then it gives the same answer again. `plain` gives ECDSA signatures as r || s. `info` changes
    what it says of itself; tokens are given elsewhere than the API is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.credentials: dict[str, Held] = {}
        self.lose = 0
        self.replays = False
        self.plain = False
        self.info: dict[str, Any] = {}
        self.token_seconds = 300
        self.done = Counted()
        self._tokens: dict[str, float] = {}
        self._activations: dict[str, Activation] = {}
        self._lock = threading.Lock()

    @property
    def base(self) -> str:
        return f"{self.url}/csc/v2"

    def end_tokens(self) -> None:
        """Let every token run out at once."""
        self._tokens.clear()

    def answer(self, asked: Asked) -> Answer:
        if asked.method == "POST" and asked.path == "/authority/oauth2/token":
            return self._token(asked)
        if asked.method != "POST" or not asked.path.startswith("/csc/v2/"):
            return _said({"error": "invalid_request"}, 404)
        method = asked.path.removeprefix("/csc/v2/")
        if method == "info":
            said = _info(f"{self.url}/authority") | self.info
            return _said({name: value for name, value in said.items() if value is not None})
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or self._tokens.get(token, 0.0) < time.monotonic():
            return _said({"error": "invalid_token"}, 401)
        answering = {
            "credentials/list": self._list,
            "credentials/info": self._credential,
            "credentials/authorize": self._authorize,
            "signatures/signHash": self._sign,
        }
        if method not in answering or asked.headers.get("content-type") != "application/json":
            return _bad("the method is not known, or is not called with JSON")
        with self._lock:
            return answering[method](json.loads(asked.body))

    def _token(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "service":
            return _said({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return _said({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe()
        self._tokens[token] = time.monotonic() + self.token_seconds
        self.done.tokens += 1
        return _said({"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds})

    def _list(self, said: dict[str, Any]) -> Answer:
        return _said({"credentialIDs": list(self.credentials)})

    def _credential(self, said: dict[str, Any]) -> Answer:
        held = self.credentials.get(said.get("credentialID", ""))
        if held is None:
            return _bad("Invalid parameter credentialID")
        many = {"none": 0, "single": 1, "chain": len(held.chain)}[said.get("certificates", "single")]
        chain = [base64.b64encode(one).decode() for one in held.chain[:many]]
        is_rsa = isinstance(held.private, rsa.RSAPrivateKey)
        key = {"status": held.status, "algo": [RSA if is_rsa else ECDSA], "len": held.private.key_size}
        return _said(
            {
                "key": key if is_rsa else key | {"curve": "1.2.840.10045.3.1.7"},
                "cert": {"status": "valid", "certificates": chain},
                "auth": held.auth or _auth(held.pin),
                "SCAL": held.scal,
                "multisign": 1,
            }
        )

    def _authorize(self, said: dict[str, Any]) -> Answer:
        held = self.credentials.get(said.get("credentialID", ""))
        if held is None:
            return _bad("Invalid parameter credentialID")
        if held.status != "enabled":
            return _bad("The credential is disabled")
        if said.get("numSignatures") != 1 or said.get("hashAlgorithmOID") != SHA256:
            return _bad("Invalid value for parameter numSignatures")
        wanted = said.get("hashes")
        if not isinstance(wanted, list) or len(wanted) != 1 or len(base64.b64decode(wanted[0])) != 32:
            return _bad("Invalid parameter hashes")
        shown = {one["id"]: one["value"] for one in said.get("authData", [])}
        if held.pin and shown.get("PIN") != held.pin:
            return _said({"error": "invalid_pin", "error_description": "The PIN is invalid"}, 400)
        sad = secrets.token_urlsafe()
        self._activations[sad] = Activation(said["credentialID"], wanted, time.monotonic() + 60)
        self.done.authorised += 1
        return _said({"SAD": sad, "expiresIn": 60})

    def _sign(self, said: dict[str, Any]) -> Answer:
        activation = self._activations.get(said.get("SAD", ""))
        if activation is None or activation.until < time.monotonic():
            return _bad("Invalid parameter SAD")
        if (activation.credential, activation.hashes) != (said.get("credentialID"), said.get("hashes")):
            return _bad("Hash is not authorized by the SAD")
        held = self.credentials[activation.credential]
        is_rsa = isinstance(held.private, rsa.RSAPrivateKey)
        if said.get("signAlgo") != (RSA if is_rsa else ECDSA) or said.get("hashAlgorithmOID") != SHA256:
            return _bad("Invalid parameter signAlgo")
        if activation.answer is not None:
            return _said(activation.answer) if self.replays else _bad("Invalid parameter SAD")
        signature = self._signature(held.private, base64.b64decode(activation.hashes[0]))
        activation.answer = {"signatures": [base64.b64encode(signature).decode()]}
        self.done.signatures.append(activation.hashes[0])
        if self.lose:
            self.lose -= 1
            return Answer(b"", drop=True)
        return _said(activation.answer)

    def _signature(self, private: Private, digest: bytes) -> bytes:
        known = utils.Prehashed(hashes.SHA256())
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(digest, padding.PKCS1v15(), known)
        signature = private.sign(digest, ec.ECDSA(known))
        if not self.plain:
            return signature
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _auth(pin: str) -> dict[str, Any]:
    if not pin:
        return {"mode": "implicit"}
    return {"mode": "explicit", "expression": "PIN", "objects": [{"type": "Password", "id": "PIN"}]}


def _info(authority: str) -> dict[str, Any]:
    methods = ["info", "oauth2/token", "credentials/list", "credentials/info", "credentials/authorize"]
    return {
        "specs": "2.0.0.2",
        "name": "Kho Test Remote Signing",
        "authType": ["oauth2client"],
        "oauth2": authority,
        "methods": [*methods, "signatures/signHash"],
    }


def _said(body: dict[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(body).encode(), "application/json", status)


def _bad(words: str) -> Answer:
    return _said({"error": "invalid_request", "error_description": words}, 400)
