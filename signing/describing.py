# mypy: allow-untyped-calls
"""Telling of a judged signature: who signed, by what, proven how. Nothing here decides."""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from asn1crypto import cms, crl, ocsp, x509
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signing.findings import (
    Certified,
    ChainCertificate,
    SignatureKind,
    StampDetail,
    StampKind,
    StatusEvidence,
    Verdict,
)
from signing.judging import Finding, Stamp
from signing.proofs import Proof, Proofs
from signing.reasons import reason_of

_KINDS: dict[str, SignatureKind] = {"/ETSI.CAdES.detached": "pades", "/adbe.pkcs7.detached": "pkcs7"}
_CERTIFIED: dict[MDPPerm, Certified] = {
    MDPPerm.NO_CHANGES: "no_changes",
    MDPPerm.FILL_FORMS: "form_filling",
    MDPPerm.ANNOTATE: "annotations",
}
_LONGEST_NAME = 500  # characters of a subject
_LONGEST_CHAIN = 10


def kind_of(embedded: EmbeddedPdfSignature) -> SignatureKind:
    """Name the format of a signature in a PDF; empty for one that is not known."""
    return _KINDS.get(str(embedded.sig_object.get("/SubFilter")), "")


def certified_of(embedded: EmbeddedPdfSignature) -> Certified:
    """Name what the certification made by this signature permits; empty if it is none."""
    level = embedded.docmdp_level
    return "" if level is None else _CERTIFIED.get(level, "no_changes")


def name_of(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate's subject, or the whole subject in words (NFC)."""
    subject = certificate.subject
    return _clean(subject.native.get("common_name") or subject.human_friendly)


def signer_of(signed_data: cms.SignedData) -> str:
    """Return the name of the signer as claimed; empty where no certificate can be read."""
    try:
        return name_of(extract_certificate_info(signed_data).signer_cert)
    except MemoryError:
        raise
    except Exception:
        return ""  # a certificate that cannot be read names nobody


def chain_of(path: ValidationPath | None, signed_data: cms.SignedData) -> tuple[ChainCertificate, ...]:
    """Tell the chain, the signer first: to the anchor, or as far as the signature's own certificates go."""
    return claimed_chain(list(_claimed(signed_data))) if path is None else chain_of_path(path)


def chain_of_path(path: ValidationPath) -> tuple[ChainCertificate, ...]:
    """Tell the chain of a validated path, the signer first, the anchor last."""
    return claimed_chain(list(reversed(list(path.iter_certs(include_root=True)))))


def claimed_chain(certificates: Iterable[x509.Certificate]) -> tuple[ChainCertificate, ...]:
    """Tell certificates in the order given."""
    return tuple(ChainCertificate(_clean(one.subject.human_friendly), sha256_of(one)) for one in certificates)


def sha256_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER in hexadecimal."""
    return hashlib.sha256(certificate.dump()).hexdigest()


def algorithms_of(signed_data: cms.SignedData) -> tuple[str, str, int]:
    """Return digest algorithm, signature algorithm and key size in bits (0 if unknown) of the signer."""
    signer = signed_data["signer_infos"][0]
    digest = str(signer["digest_algorithm"]["algorithm"].native)
    algorithm = str(signer["signature_algorithm"]["algorithm"].native)
    try:
        return digest, algorithm, key_bits(extract_certificate_info(signed_data).signer_cert)
    except MemoryError:
        raise
    except Exception:
        return digest, algorithm, 0  # a certificate that cannot be read


def key_bits(certificate: x509.Certificate) -> int:
    """Return the size of a certificate's key in bits, 0 for a kind without one."""
    key = certificate.public_key
    return int(key.bit_size) if key.algorithm in ("rsa", "dsa", "ec") else 0


def evidence_of(finding: Finding, proofs: Proofs, at: datetime) -> tuple[StatusEvidence, ...]:
    """Tell for each certificate of the chain what says that it stood at the proven time, else at `at`."""
    moment = finding.proven_at or at
    return () if finding.path is None else path_evidence(finding.path, proofs, moment)


def path_evidence(path: ValidationPath, proofs: Proofs, moment: datetime) -> tuple[StatusEvidence, ...]:
    """Tell for each certificate of a path what says that it stood at a moment: the nearest that is known."""
    pairs = list(pairwise(path.iter_certs(include_root=True)))
    found = (_evidence(one, issuer, proofs.status, moment) for issuer, one in reversed(pairs))
    return tuple(one for one in found if one is not None)


def stamp_details(finding: Finding) -> tuple[StampDetail, ...]:
    """Tell the signature time stamps, each with its own result."""
    return tuple(stamp_detail(one, "signature") for one in finding.stamps)


def stamp_detail(stamp: Stamp, kind: StampKind) -> StampDetail:
    """Tell one time stamp."""
    status = {"PASSED": "valid", "FAILED": "invalid"}.get(stamp.found.status.name, "undetermined")
    verdict: Verdict = "valid" if status == "valid" else "invalid" if status == "invalid" else "undetermined"
    reason = "" if stamp.holds else reason_of(stamp.found)
    return StampDetail(kind, signer_of(stamp.token), stamp.at, verdict, reason)


def _claimed(signed_data: cms.SignedData) -> Iterator[x509.Certificate]:
    try:
        info = extract_certificate_info(signed_data)
    except MemoryError:
        raise
    except Exception:
        return  # nobody is named
    certificate = info.signer_cert
    for _ in range(_LONGEST_CHAIN):
        yield certificate
        above = [one for one in info.other_certs if one.subject == certificate.issuer]
        if certificate.self_issued or not above:
            return
        certificate = above[0]


def _evidence(
    certificate: x509.Certificate, issuer: x509.Certificate, proofs: Iterable[Proof], moment: datetime
) -> StatusEvidence | None:
    about = [one for one in (_told(proof, certificate, issuer) for proof in proofs) if one is not None]
    # The nearest to the moment says most of it.
    about.sort(key=lambda one: abs((one.this_update or moment) - moment))
    return about[0] if about else None


def _told(proof: Proof, certificate: x509.Certificate, issuer: x509.Certificate) -> StatusEvidence | None:
    sha256 = sha256_of(certificate)
    if isinstance(proof.container, CRLContainer):
        content: crl.TbsCertList = proof.container.crl_data["tbs_cert_list"]
        if content["issuer"] != certificate.issuer:
            return None
        return StatusEvidence(sha256, "crl", proof.source, content["this_update"].native)
    if isinstance(proof.container, OCSPContainer):
        return _answered(proof, proof.container, certificate, issuer)
    return None


def _answered(
    proof: Proof, container: OCSPContainer, certificate: x509.Certificate, issuer: x509.Certificate
) -> StatusEvidence | None:
    single, basic = container.extract_single_response(), container.extract_basic_ocsp_response()
    if single is None or basic is None or not _is_about(single["cert_id"], certificate, issuer):
        return None
    produced = basic["tbs_response_data"]["produced_at"].native
    this_update = single["this_update"].native
    return StatusEvidence(sha256_of(certificate), "ocsp", proof.source, this_update, produced)


def _is_about(named: ocsp.CertId, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if named["serial_number"].native != certificate.serial_number:
        return False
    algorithm = named["hash_algorithm"]["algorithm"].native
    digest = hashlib.new(algorithm, bytes(issuer.public_key["public_key"])).digest()
    return bool(named["issuer_key_hash"].native == digest)


def _clean(text: object) -> str:
    return unicodedata.normalize("NFC", str(text))[:_LONGEST_NAME]
