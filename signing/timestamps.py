# mypy: allow-untyped-calls
"""Time stamps (RFC 3161): the contract, and an authority that lives in this process."""

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from weakref import WeakKeyDictionary

from asn1crypto import algos, cms, core, tsp, x509
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.timestamps import TimeStamper

from signing.errors import TimestampFailed
from signing.keys_file import FileKey
from signing.plain_der import as_read
from signing.service_state import ServiceState

POLICY = "1.3.6.1.4.1.4146.2.3"  # placeholder policy of a test authority; a real one names its own
_KEPT_FOR = 3600.0  # seconds
_HASHES = frozenset({"sha256", "sha384", "sha512"})


class TimestampSource(Protocol):
    """Who answers time stamp requests; called in the event loop of the thread that seals.

    `issuers` (DER) are certificates above the authority's own that its answers do not carry.
    """

    issuers: Sequence[bytes]
    state: ServiceState

    async def answer(self, request: bytes, at: datetime) -> bytes:
        """Return a TimeStampResp (DER) to a TimeStampReq (DER).

        `at` is the time of sealing: an authority of our own stamps it, a remote one has its own clock.
        Raises TimestampFailed.
        """
        ...


class LocalTimestamper:
    """An authority in this process, made for demo and tests: it vouches for the clock it is given.

    `certificates` of the key: the authority's own (extended key usage timeStamping, critical), its issuers.
    """

    def __init__(self, key: FileKey) -> None:
        self._key = key
        self.issuers: Sequence[bytes] = tuple(key.certificates[1:])
        self.state = ServiceState("local")

    async def answer(self, request: bytes, at: datetime) -> bytes:
        """Return a granted response stamped `at` (whole seconds); TimestampFailed on a malformed request."""
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            algorithm = asked["message_imprint"]["hash_algorithm"]["algorithm"].native
            digest = asked["message_imprint"]["hashed_message"].native
            nonce = asked["nonce"].native
        except (ValueError, TypeError) as error:
            raise TimestampFailed("the time stamp request cannot be read") from error
        if algorithm not in _HASHES or len(digest) != hashlib.new(algorithm).digest_size:
            raise TimestampFailed("the time stamp request asks for an unknown or weak hash")
        # Read anew each time: it is parsed while it is used, and threads that share one break each other.
        own = x509.Certificate.load(self._key.certificates[0])
        content = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": POLICY,
                "message_imprint": asked["message_imprint"],
                "serial_number": int.from_bytes(os.urandom(8), "big"),
                "gen_time": at.astimezone(UTC).replace(microsecond=0),
                "tsa": x509.GeneralName(name="directory_name", value=own.subject),
                **({} if nonce is None else {"nonce": nonce}),
            }
        )
        signed = self._signed(own, content.dump(), at)
        token = cms.ContentInfo({"content_type": "signed_data", "content": signed})
        granted = tsp.PKIStatusInfo({"status": "granted"})
        return bytes(tsp.TimeStampResp({"status": granted, "time_stamp_token": token}).dump())

    def _signed(self, own: x509.Certificate, content: bytes, at: datetime) -> cms.SignedData:
        said = (
            simple_cms_attribute("content_type", "tst_info"),
            simple_cms_attribute("signing_time", cms.Time({"utc_time": core.UTCTime(at.astimezone(UTC))})),
            simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(own)),
            simple_cms_attribute("message_digest", hashlib.sha256(content).digest()),
        )
        # From bytes: what is built of parts is encoded over again, part by part, at each level around it.
        encoded = (cms.CMSAttribute.load(one.dump()) for one in said)
        attributes = cms.CMSAttributes.load(cms.CMSAttributes(encoded).dump())
        digest = algos.DigestAlgorithm({"algorithm": "sha256"})
        sid = cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number})
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": sid}),
                "digest_algorithm": digest,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": self._key.mechanism}),
                "signed_attrs": attributes,
                "signature": self._key.sign_now(attributes.dump()),
            }
        )
        return cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": cms.DigestAlgorithms((digest,)),
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(content),
                },
                # Its own alone: the token names and so protects it; the others stand in the sealed file.
                "certificates": [own],
                "signer_infos": [signer],
            }
        )


class _AsRead(cms.ContentInfo):
    """A token that is put into a signature as it came: see `plain_der.as_read`."""

    def dump(self, force: bool = False) -> bytes:
        return as_read(self)


class StampingAt(TimeStamper):
    """What pyHanko asks for a time stamp: hands the request to a source, with the time of this sealing.

    How large a stamp is and whose certificates it shows is learnt from a first one, which is kept for the
    source: later sealings ask for the stamps alone that they put into the file.
    """

    def __init__(self, source: TimestampSource, at: datetime) -> None:
        super().__init__()
        self.cert_registry.register_multiple(x509.Certificate.load(one) for one in source.issuers)
        self._source = source
        self._at = at

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        """Give a stamp of the source that goes into no file; one from the last hour serves."""
        known = md_algorithm in self._dummy_response_cache
        kept = None if known else _FIRST.of(self._source, md_algorithm)
        if kept is not None:
            self._register_dummy(md_algorithm, cms.ContentInfo.load(kept))
        dummy: cms.ContentInfo = await super().async_dummy_response(md_algorithm)
        if not known and kept is None:
            _FIRST.keep(self._source, md_algorithm, dummy.dump())
        return dummy

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Ask for a stamp; TimestampFailed where another certificate made it than the kept one shows."""
        try:
            token: cms.ContentInfo = await super().async_timestamp(message_digest, md_algorithm)
        except BaseException:
            _FIRST.forget(self._source)  # it is asked first of all again, before a key signs anything
            raise
        kept = _FIRST.of(self._source, md_algorithm)
        if kept is not None and not _shown(token) <= _shown(cms.ContentInfo.load(kept)):
            _FIRST.forget(self._source)  # its certificate was renewed: the status of the new one is not known
            words = "the time stamp authority has another certificate now"
            raise TimestampFailed(words, reason="certificate_changed")
        made: cms.ContentInfo = _AsRead.load(as_read(token))
        return made

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Pass the request on; TimestampFailed when the answer cannot be read."""
        answer = await self._source.answer(req.dump(), self._at)
        try:
            response: tsp.TimeStampResp = tsp.TimeStampResp.load(answer, strict=True)
        except (ValueError, TypeError) as error:
            raise TimestampFailed("the answer of the time stamp authority cannot be read") from error
        return response


def _shown(token: cms.ContentInfo) -> set[bytes]:
    return {one.dump() for one in token["content"]["certificates"]}


class _FirstStamps:
    """The first stamps of sources, as bytes: what is parsed of them is no two threads' to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[TimestampSource, dict[str, tuple[bytes, float]]] = WeakKeyDictionary()

    def of(self, source: TimestampSource, algorithm: str) -> bytes | None:
        with self._lock:
            token, since = self._kept.get(source, {}).get(algorithm, (None, 0.0))
        return token if time.monotonic() - since < _KEPT_FOR else None

    def keep(self, source: TimestampSource, algorithm: str, token: bytes) -> None:
        with self._lock:
            self._kept.setdefault(source, {})[algorithm] = (token, time.monotonic())

    def forget(self, source: TimestampSource) -> None:
        with self._lock:
            self._kept.pop(source, None)


_FIRST = _FirstStamps()
