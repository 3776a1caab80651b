# mypy: allow-untyped-calls
"""One CMS signature, judged by EN 319 102-1: in its own time where a time stamp proves one, else now.

With a later document time stamp, pyHanko's validation with archival data judges. Without one, its basic
validation does; where that cannot end well today (a certificate has expired, a proof is stale), the proofs
that existed in time are looked at (see proofs.py). "Passed" is believed only if the chain also stood, with
its status known, at the proven time: pyHanko's validation with time would let an expired signer pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asn1crypto import cms, tsp, x509
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESStatus, AdESSubIndic
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_past_signature_validation,
    ades_timestamp_validation,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter, message_imprint_checker
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.ltv.poe import POEManager, POEType
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager, TrustManager

from signing.proofs import Proofs

MOST_STAMPS = 5  # signature time stamps of one signature
_PAST_MAY_HELP = frozenset(
    {
        AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
        AdESIndeterminate.REVOKED_NO_POE,
        AdESIndeterminate.REVOKED_CA_NO_POE,
        AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        AdESIndeterminate.TRY_LATER,
    }
)


@dataclass(frozen=True)
class Stamp:
    """A signature time stamp: its token, the time it states, and its own result."""

    token: cms.SignedData
    at: datetime
    found: AdESSubIndic

    @property
    def holds(self) -> bool:
        """Whether it proves its time."""
        return self.found.status is AdESStatus.PASSED


@dataclass(frozen=True)
class Finding:
    """What was found about one signature.

    `found` is the indication of EN 319 102-1. `proven_at` is the earliest time that a time stamp proves the
    signature to have existed at, None without one. `path` goes to the anchor, None if none was reached.
    `archived_at` is the time of the oldest document time stamp after the signature, None unless all hold.
    """

    found: AdESSubIndic
    proven_at: datetime | None
    path: ValidationPath | None
    stamps: tuple[Stamp, ...]
    archived_at: datetime | None = None
    result: AdESBasicValidationResult[Any] | None = None  # pyHanko's own, before the rules of ours


@dataclass(frozen=True)
class Judging:
    """How to judge: the policy, the proofs beside it, and the time (aware) to judge at."""

    policy: PdfSignatureValidationSpec
    proofs: Proofs
    at: datetime

    def spec(self, signed_at: datetime | None) -> SignatureValidationSpec:
        """Return the policy with all that is known, if the signature exists since `signed_at`."""
        spec = self.policy.signature_validation_spec
        anchors = [
            anchor
            for kind in (spec.cert_validation_policy, spec.ts_cert_validation_policy)
            if kind is not None
            for anchor in _certificates_of(kind.trust_manager)
        ]
        return replace(spec, local_knowledge=self.proofs.knowledge(signed_at, self.at, anchors))

    async def stamps(self, signed_data: cms.SignedData) -> tuple[Stamp, ...]:
        """Judge each signature time stamp by itself, today. Raises ValueError for more than `MOST_STAMPS`."""
        signer = signed_data["signer_infos"][0]
        tokens = list(extract_tst_data_iter(signer, signed=False))
        if len(tokens) > MOST_STAMPS:
            raise ValueError("too many time stamps on one signature")
        spec, imprint = self.spec(None), message_imprint_checker(signer)
        return tuple([await self.stamp(token, spec, imprint) for token in tokens])

    async def stamp(
        self, token: cms.SignedData, spec: SignatureValidationSpec, imprint: Callable[[str], bytes]
    ) -> Stamp:
        """Judge one time stamp; `imprint` gives the digest it has to state, by the name of the hash."""
        content = _content(token)
        moment = content["gen_time"].native
        now = timing(self.at)
        try:
            found = (await ades_timestamp_validation(token, spec, imprint, timing_info=now)).ades_subindic
        except SignatureValidationError as error:
            found = error.ades_subindication or AdESIndeterminate.GENERIC
        if found is AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE:
            result = await ades_timestamp_validation(token, careless(spec), imprint, timing_info=now)
            found = status_missing(found, result.ades_subindic)
        if found.status is AdESStatus.PASSED and not self._strong_enough(content, moment):
            found = AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE
        return Stamp(token, moment, found)

    def _strong_enough(self, content: tsp.TSTInfo, moment: datetime) -> bool:
        """Look at the hash that a time stamp states, which pyHanko does not."""
        policy = self.policy.signature_validation_spec.cert_validation_policy.algorithm_usage_policy
        algorithm = content["message_imprint"]["hash_algorithm"]
        return policy is None or bool(policy.digest_algorithm_allowed(algorithm, moment))

    async def embedded(
        self, signature: EmbeddedPdfSignature, later: Sequence[EmbeddedPdfSignature]
    ) -> Finding:
        """Judge a signature in a PDF; `later` are the document time stamps that follow it."""
        stamps = await self.stamps(signature.signed_data)
        if not later:
            return await self.detached(signature.signed_data, signature.compute_digest(), stamps)
        if not stamps:
            return await self._unstamped(signature, later)
        if not await self._unbroken(later):
            return await self.detached(signature.signed_data, signature.compute_digest(), stamps)
        proven_at = _earliest(stamps)
        policy = replace(self.policy, signature_validation_spec=self.spec(proven_at))
        result = await ades_lta_validation(signature, policy, timing_info=timing(self.at))
        stamped = result.signature_timestamp_status
        past = len(stamps) == 1 and stamped is not None and stamped.ades_subindic is AdESPassed.OK
        if past and self._strong_enough(_content(stamps[0].token), stamps[0].at):
            stamps = (replace(stamps[0], found=AdESPassed.OK),)
        proven_at = min(
            (one for one in (_earliest(stamps), result.oldest_evidence_record_timestamp) if one), default=None
        )
        finding = Finding(
            result.ades_subindic,
            proven_at,
            result.api_status.validation_path if result.api_status else None,
            stamps,
            result.oldest_evidence_record_timestamp,
            result,
        )
        return await self._confirmed(finding, signature.signed_data, signature.compute_digest())

    async def document_stamps(self, stamps: Sequence[EmbeddedPdfSignature]) -> tuple[Stamp, ...]:
        """Judge each document time stamp by itself, today."""
        spec = self.spec(None)
        return tuple([await self.stamp(one.signed_data, spec, one.compute_digest) for one in stamps])

    async def _unbroken(self, later: Sequence[EmbeddedPdfSignature]) -> bool:
        """Tell whether the newest document time stamp holds now, and each older one held until the next.

        As EN 319 102-1, clause 5.6.2.4, has it; pyHanko alone lets stamps of expired authorities prove on.
        """
        until = self.at
        for one in reversed(later):
            (stamp,) = await replace(self, at=until).document_stamps([one])
            if not stamp.holds or stamp.at > until:
                return False
            until = stamp.at
        return True

    async def _unstamped(
        self, signature: EmbeddedPdfSignature, later: Sequence[EmbeddedPdfSignature]
    ) -> Finding:
        """Judge a signature whose time is proven by document time stamps alone, all of them good today."""
        over = await self.document_stamps(later)
        holding = over if all(one.holds for one in over) else ()
        finding = await self.detached(signature.signed_data, signature.compute_digest(), holding)
        return replace(finding, stamps=(), archived_at=_earliest(holding))

    async def detached(
        self, signed_data: cms.SignedData, digest: bytes, stamps: tuple[Stamp, ...]
    ) -> Finding:
        """Judge a CMS over what has this digest, without document time stamps; `stamps` are its own."""
        proven_at = _earliest(stamps)
        spec = self.spec(proven_at)
        result = await ades_basic_validation(
            signed_data, spec, timing_info=timing(self.at), raw_digest=digest
        )
        found, path = result.ades_subindic, result.api_status.validation_path if result.api_status else None
        if proven_at and isinstance(found, AdESIndeterminate) and found in _PAST_MAY_HELP:
            found = await self._past(signed_data, spec, proven_at, found)
        return await self._confirmed(
            Finding(found, proven_at, path, stamps, result=result), signed_data, digest
        )

    async def _past(
        self,
        signed_data: cms.SignedData,
        spec: SignatureValidationSpec,
        proven_at: datetime,
        found: AdESIndeterminate,
    ) -> AdESSubIndic:
        """Look at the proofs that existed in time (EN 319 102-1, clause 5.6.2.4)."""
        existing = POEManager(current_dt_override=self.at)
        spec.local_knowledge.add_to_poe_manager(existing)
        signature = signed_data["signer_infos"][0]["signature"].native
        existing.register(signature, POEType.VALIDATION, dt=proven_at)
        return await ades_past_signature_validation(
            signed_data, spec, existing, found, init_control_time=self.at
        )

    async def _confirmed(self, finding: Finding, signed_data: cms.SignedData, digest: bytes) -> Finding:
        """Believe a pass only if the whole chain stood at the proven time, with its status known then."""
        if finding.found is AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE:
            spec, now = careless(self.spec(finding.proven_at)), timing(finding.proven_at or self.at)
            result = await ades_basic_validation(signed_data, spec, timing_info=now, raw_digest=digest)
            return replace(finding, found=status_missing(finding.found, result.ades_subindic))
        if finding.found.status is not AdESStatus.PASSED or finding.proven_at is None:
            return finding
        spec = self.spec(finding.proven_at)
        policy = spec.cert_validation_policy
        # What was asked a little after signing says as much about that time, or more.
        then = replace(policy, revinfo_policy=replace(policy.revinfo_policy, retroactive_revinfo=True))
        result = await ades_basic_validation(
            signed_data,
            replace(spec, cert_validation_policy=then),
            timing_info=timing(finding.proven_at),
            raw_digest=digest,
        )
        path = result.api_status.validation_path if result.api_status else None
        return replace(finding, found=result.ades_subindic, path=path or finding.path)


def timing(at: datetime) -> ValidationTimingInfo:
    """Return what pyHanko calls judging at a time."""
    return ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)


def _earliest(stamps: tuple[Stamp, ...]) -> datetime | None:
    return min((one.at for one in stamps if one.holds), default=None)


def _content(token: cms.SignedData) -> tsp.TSTInfo:
    content: tsp.TSTInfo = token["encap_content_info"]["content"].parsed
    return content


def careless(spec: SignatureValidationSpec) -> SignatureValidationSpec:
    """Return a policy that asks for no proof of status: it only explains, and never decides."""
    nothing = CertRevTrustPolicy(NO_REVOCATION)
    stamps = spec.ts_cert_validation_policy
    return replace(
        spec,
        cert_validation_policy=replace(spec.cert_validation_policy, revinfo_policy=nothing),
        ts_cert_validation_policy=None if stamps is None else replace(stamps, revinfo_policy=nothing),
    )


def status_missing(found: AdESSubIndic, without: AdESSubIndic) -> AdESSubIndic:
    """Tell a chain that only lacks proof of status from one that is broken (clause 5.2.6.4: TRY_LATER)."""
    return AdESIndeterminate.TRY_LATER if without.status is AdESStatus.PASSED else found


def _certificates_of(manager: TrustManager) -> list[x509.Certificate]:
    return list(manager.iter_certs()) if isinstance(manager, SimpleTrustManager) else []
