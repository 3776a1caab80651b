"""A time stamp authority over HTTP (RFC 3161, 3.4), with the key of the tests' PKI."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from asn1crypto import cms, tsp

from signing.errors import TimestampFailed
from signing.timestamps import LocalTimestamper
from signing.timestamps_http import Reply
from tests.servers.loopback import Answer, Asked, LoopbackServer

Lie = Literal["nonce", "no nonce", "imprint", "stale", "refused", "tampered", "no token", "no certificate"]


class StampServer(LoopbackServer):
    """Stamps whatever is asked, by the machine's clock.

    `lies` says what is wrong with its answers: another nonce than asked or none, another imprint, a time from
    last week, a refusal, a signature that does not hold, "granted" without a token, a token without its
    certificate.
    """

    def __init__(self, timestamper: LocalTimestamper) -> None:
        super().__init__()
        self.timestamper = timestamper
        self.lies: set[Lie] = set()
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("content-type") != "application/timestamp-query":
            return Answer(b"", "text/plain", 415)
        at = self.now() - (timedelta(days=7) if "stale" in self.lies else timedelta(0))
        try:
            body = asyncio.run(self.timestamper.answer(self._asked(asked.body), at))
        except TimestampFailed:
            return Answer(_refusal(), "application/timestamp-reply")
        return Answer(self._spoilt(body), "application/timestamp-reply")

    def _asked(self, body: bytes) -> bytes:
        request = tsp.TimeStampReq.load(body)
        changed = {name: request[name] for name in ("version", "message_imprint", "cert_req", "nonce")}
        if "nonce" in self.lies:
            changed["nonce"] = request["nonce"].native + 1
        if "no nonce" in self.lies:
            del changed["nonce"]
        if "imprint" in self.lies:
            imprint = request["message_imprint"]
            other = bytes(byte ^ 1 for byte in imprint["hashed_message"].native)
            changed["message_imprint"] = {
                "hash_algorithm": imprint["hash_algorithm"],
                "hashed_message": other,
            }
        return bytes(tsp.TimeStampReq(changed).dump())

    def _spoilt(self, body: bytes) -> bytes:
        if "refused" in self.lies:
            return _refusal()
        if "no token" in self.lies:
            return bytes(Reply({"status": {"status": "granted"}}).dump())
        response = tsp.TimeStampResp.load(body)
        signed: cms.SignedData = response["time_stamp_token"]["content"]
        if "tampered" in self.lies:
            signer = signed["signer_infos"][0]
            content = signer["signature"].native
            signer["signature"] = content[:-1] + bytes([content[-1] ^ 1])
        if "no certificate" in self.lies:
            signed["certificates"] = cms.CertificateSet([])
        return bytes(response.dump(force=True)) if self.lies & {"tampered", "no certificate"} else body


def _refusal() -> bytes:
    status = {"status": "rejection", "fail_info": {"system_failure"}}
    return bytes(Reply({"status": status}).dump())
