"""A seal key at a remote signing service, by the API of the Cloud Signature Consortium, version 2.

Each signature is authorised apart: the service gives signature activation data (SAD) for one credential and
one hash. After a lost answer the same SAD is shown again, never a new one: a service that takes a SAD once
cannot sign twice, and one that gives the same answer again loses nothing. What stays unknown is told as that.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import utils

from signing.csc_client import CscClient, CscRefused
from signing.errors import SealAnswerLost, SealKeyRefused, SealKeyUnavailable
from signing.exchange import NoAnswer, patiently
from signing.keys import SealKey, verifies
from signing.keys_memory import SigningMemory

SHA256 = "2.16.840.1.101.3.4.2.1"
_ALGORITHMS = {"sha256_ecdsa": "1.2.840.10045.4.3.2", "sha256_rsa": "1.2.840.113549.1.1.11"}


class RemoteKey(SealKey):
    """A credential of a remote service. `pin`, where the credential wants one, is read at each signature."""

    repeatable = False

    def __init__(
        self,
        client: CscClient,
        credential: str,
        certificates: Sequence[bytes],
        *,
        pin: Callable[[], bytes] | None = None,
        memory: SigningMemory | None = None,
    ) -> None:
        super().__init__(certificates, memory)
        self._client = client
        self._credential = credential
        self._pin = pin

    async def _signature(self, digest: bytes) -> bytes:
        sad = await self._authorised(digest)
        return self._as_der(digest, await self._signed(digest, sad))

    async def _authorised(self, digest: bytes) -> str:
        said: dict[str, Any] = {
            "credentialID": self._credential,
            "numSignatures": 1,
            "hashes": [base64.b64encode(digest).decode()],
            "hashAlgorithmOID": SHA256,
        }
        if self._pin is not None:
            said["authData"] = [{"id": "PIN", "value": self._pin().decode()}]
        try:
            told = await patiently(
                lambda: self._client.call("credentials/authorize", said), self._client.limits
            )
        except NoAnswer as problem:
            raise SealKeyUnavailable(f"the signing service did not answer: {problem.reason}") from problem
        except CscRefused as problem:
            raise _refused(problem) from problem
        sad = told.get("SAD")
        if not isinstance(sad, str) or not sad:
            raise SealKeyUnavailable("the signing service authorised nothing")
        return sad

    async def _signed(self, digest: bytes, sad: str) -> bytes:
        """Have it signed; every try shows the same SAD."""
        said = {
            "credentialID": self._credential,
            "SAD": sad,
            "hashes": [base64.b64encode(digest).decode()],
            "hashAlgorithmOID": SHA256,
            "signAlgo": _ALGORITHMS[self.mechanism],
        }
        perhaps = False  # whether a try may have been acted upon

        async def once() -> dict[str, Any]:
            nonlocal perhaps
            try:
                return await self._client.call("signatures/signHash", said)
            except NoAnswer as problem:
                perhaps = perhaps or problem.sent
                raise

        try:
            told = await patiently(once, self._client.limits)
        except NoAnswer as problem:
            if perhaps:
                raise SealAnswerLost(
                    f"the answer of the signing service was lost: {problem.reason}"
                ) from problem
            raise SealKeyUnavailable(f"the signing service did not answer: {problem.reason}") from problem
        except CscRefused as problem:
            if perhaps:  # an earlier try was heard: this one is refused because the SAD is used up
                raise SealAnswerLost("the answer of the signing service was lost") from problem
            raise _refused(problem) from problem
        try:
            (signature,) = told["signatures"]
            return base64.b64decode(signature, validate=True)
        except (KeyError, ValueError, TypeError) as problem:
            raise SealAnswerLost("the signing service answered without a signature") from problem

    def _as_der(self, digest: bytes, signature: bytes) -> bytes:
        """Take ECDSA as DER, or as r || s: the API leaves that open."""
        if self.mechanism == "sha256_ecdsa" and len(signature) == 64:
            halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            der = utils.encode_dss_signature(*halves)
            if verifies(self.public, digest, der):
                return der
        return signature


def _refused(problem: CscRefused) -> SealKeyRefused:
    return SealKeyRefused(f"the signing service refuses: {problem.code}")
