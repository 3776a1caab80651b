# mypy: allow-untyped-calls
"""Time stamps over HTTP (RFC 3161, 3.4) from an authority that the operator named.

Its answers are parsed in this process: an authority whose stamps go into every seal is trusted with that.
They are bounded in size, and nothing of them is used before it was checked against question and roots.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from signing.allowed_address import check_address
from signing.errors import TimestampFailed
from signing.exchange import Answered, Limits, NoAnswer, Question, ask, patiently
from signing.service_clock import reached, utc_now
from signing.service_state import ServiceState

_SKEW = timedelta(minutes=5)  # how far the authority's clock may be behind ours
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class Reply(core.Sequence):
    """A TimeStampResp as RFC 3161 has it: the library's own type wants a token in a refusal too."""

    _fields = [  # noqa: RUF012  as the library has it
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class HttpTimestamper:
    """Asks the authority at `url`; its certificate must lead to `roots` (DER), as they are at each answer.

    `issuers` (DER) are certificates between the authority and a root that it does not send along.
    `clock` is compared with the time it stamps.
    """

    def __init__(
        self,
        url: str,
        roots: Callable[[], Sequence[bytes]],
        issuers: Sequence[bytes] = (),
        *,
        limits: Limits | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Raise ValueError for an address that cannot be asked."""
        self._url = check_address(url, encrypted=False)
        self._roots = roots
        self.issuers: Sequence[bytes] = tuple(issuers)
        self._limits = limits or Limits()
        self._clock = clock
        self.state = ServiceState("http", url)

    async def answer(self, request: bytes, at: datetime) -> bytes:
        """Return a response whose token was checked: granted, nonce, imprint, signature, chain, time.

        `at` is not used: a remote authority has its own clock. Raises TimestampFailed; its `reason` is one of
        those of NoAnswer, or not_granted, not_a_response, nonce, imprint, signature, untrusted, clock.
        """
        try:
            answered = await patiently(lambda: self._asked(request), self._limits)
            self.state.clocked(answered.ahead)
            await self._check(request, answered)
        except NoAnswer as problem:
            self.state.failed(problem.reason)
            words = f"the time stamp authority did not answer: {problem.reason}"
            raise TimestampFailed(words, reason=problem.reason) from problem
        except TimestampFailed as problem:
            self.state.failed(problem.reason)
            raise
        self.state.answered()
        return answered.body

    async def _asked(self, request: bytes) -> Answered:
        headers = {"Content-Type": _QUERY, "Accept": _REPLY}
        answered = await ask(Question(self._url, request, headers=headers), self._limits)
        if answered.status != 200:
            raise NoAnswer(f"status_{answered.status}", sent=True)
        return answered

    async def _check(self, request: bytes, answered: Answered) -> None:
        if answered.kind != _REPLY:
            raise _bad("not_a_response")
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            response = Reply.load(answered.body, strict=True)
            if response["status"]["status"].native != "granted":
                raise _bad("not_granted")
            token: cms.ContentInfo = response["time_stamp_token"]
            signed: cms.SignedData = token["content"]
            told: tsp.TSTInfo = signed["encap_content_info"]["content"].parsed
            await self._compare(asked, told)
            status = await self._judged(signed, asked)
        except TimestampFailed:
            raise
        except Exception as error:  # the libraries raise plain errors of many kinds
            raise _bad("not_a_response") from error
        if not (status.intact and status.valid):
            raise _bad("signature")
        if not status.trusted:
            raise _bad("untrusted")

    async def _compare(self, asked: tsp.TimeStampReq, told: tsp.TSTInfo) -> None:
        if told["nonce"].native != asked["nonce"].native:
            raise _bad("nonce")
        if told["message_imprint"].dump() != asked["message_imprint"].dump():
            raise _bad("imprint")
        stamped = told["gen_time"].native
        if stamped < self._clock() - _SKEW or not await reached(stamped, self._clock):
            raise _bad("clock")

    async def _judged(self, signed: cms.SignedData, asked: tsp.TimeStampReq) -> TimestampSignatureStatus:
        context = ValidationContext(
            trust_roots=[x509.Certificate.load(one) for one in self._roots()],
            other_certs=[x509.Certificate.load(one) for one in self.issuers],
            moment=self._clock(),
            allow_fetching=False,
            revocation_mode="soft-fail",  # its status is asked for apart, before anything is sealed
        )
        digest = asked["message_imprint"]["hashed_message"].native
        return TimestampSignatureStatus(**await validate_tst_signed_data(signed, context, lambda _: digest))


def _bad(reason: str) -> TimestampFailed:
    return TimestampFailed(f"the answer of the time stamp authority is no use: {reason}", reason=reason)
