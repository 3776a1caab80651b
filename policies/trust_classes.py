"""What a document is worth, A to E, from evidence alone (DESIGN 2.6), every reason with its fact.

A  a signed electronic result: the valid signature of an agency that may issue such papers, over the paper
   itself and no copy of it (Luật Giao dịch điện tử 2023, Điều 8-10, 22-23).
B  a signed conversion (Nghị định 137/2024/NĐ-CP, Điều 4) or sao y (Nghị định 30/2020/NĐ-CP, Điều 25-26): the
   copy says in words what it is, and the valid signature is that of an agency.
C  an electronically certified copy (Nghị định 45/2020/NĐ-CP, Điều 10): its words of certification, and the
   valid signature of an agency that may certify copies.
D  put in by its owner, and none of these.
E  nothing of this is proven.

Fail closed: a condition that is not known to hold does not hold, and whatever does not hold costs the class.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from policies.facts import TrustClass

RULES = "trust-classes/3"  # moves with every change of what follows; stored classes are then judged anew
READING = "paper-words/2"  # moves with every change of how papers are read (paper_words.py, and its worker)
BEFORE = "trust-classes/0"  # what was stored before classes were judged: sealed here A, uploaded D, else E

Origin = Literal["result", "result_file", "digitised", "upload"]  # as `record.source`
Mark = Literal["none", "conversion", "copy", "certified", "unreadable", "xml"]  # xml: no pages to read
Shown = Literal["yes", "other", "no"]  # as said; something else; nothing of the kind

REAL_ANCHORS = frozenset({"public", "government"})
# Whoever processes this national procedure (chứng thực bản sao từ bản chính) may certify copies.
CERTIFYING = "2.000815"

CODES = frozenset(
    {
        "class_by_issuing_agency",
        "class_by_converting_agency",
        "class_by_copying_agency",
        "class_by_certifying_agency",
        "class_by_owner",
        "class_unverified",
        "class_test_anchor",
        "class_signature_not_valid",
        "class_anchor_unknown",
        "class_anchor_for_tests",
        "class_signer_not_registered",
        "class_signer_may_not_issue",
        "class_signer_not_issuer",
        "class_signer_not_converter",
        "class_signer_may_not_certify",
        "class_text_unreadable",
        "class_text_read_before",
        "class_xml_not_read",
        "class_type_not_shown",
        "class_type_differs",
        "class_owner_not_shown",
        "class_owner_differs",
        "class_scan_not_measured",
        "class_scan_too_poor",
        "class_before_rules",
    }
)


@dataclass(frozen=True)
class Signer:
    """Who made one signature of the file, as far as that is proven.

    `certificate` is the SHA-256 of the signer's certificate (hexadecimal, empty if unknown), `anchor` the
    purpose of the trusted certificate that its chain ends in (public, government, test; empty if none is
    trusted now). `agencies` are those that the certificate is registered to on the day of the signature,
    with the codes they are known by; `issues` and `certifies` say what one of them might do on that day.
    """

    verdict: str
    certificate: str
    anchor: str
    agencies: frozenset[str] = frozenset()
    issues: bool = False
    certifies: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything a class is judged by.

    Args:
        origin: how the document came.
        verdict: of all its signatures together.
        signers: of each signature.
        mark: what the words of the paper say that it is a copy of.
        type_shown: whether its heading is that of the type it is kept as.
        owner_shown: whether the first numbers it names are its owners'.
        agencies: who handed it in or converted it, with the agencies they succeeded; empty for an upload.
        scan_passed: whether the scan was measured and is good enough; None: not measured.
        reading: by which rules the words of the paper were read.
        demonstration: the vault is one for tests, in which roots for tests count.
    """

    origin: Origin
    verdict: str
    signers: tuple[Signer, ...] = ()
    mark: Mark = "unreadable"
    type_shown: Shown = "no"
    owner_shown: Shown = "no"
    agencies: frozenset[str] = frozenset()
    scan_passed: bool | None = None
    demonstration: bool = False
    reading: str = READING

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, sets as sorted lists."""
        content = asdict(self) | {"agencies": sorted(self.agencies)}
        content["signers"] = [one | {"agencies": sorted(one["agencies"])} for one in content["signers"]]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or TypeError on anything else."""
        signers = tuple(
            Signer(**(one | {"agencies": frozenset(one["agencies"])})) for one in content["signers"]
        )
        return cls(
            **(
                {"reading": ""}
                | dict(content)
                | {"signers": signers, "agencies": frozenset(content["agencies"])}
            )
        )


@dataclass(frozen=True)
class ClassReason:
    """One thing that a class rests on, or that stands in the way of a better one, with its fact."""

    code: str
    fact: str


@dataclass(frozen=True)
class Classed:
    """The class, the version of the rules that gave it, and why: what it rests on first."""

    trust: TrustClass
    rules: str
    reasons: tuple[ClassReason, ...]


def classify(evidence: Evidence) -> Classed:
    """Judge what a document is worth."""
    trust, rests_on = _sought(evidence)
    against = _against(evidence, trust)
    if against:
        by_owner = evidence.origin == "upload"
        trust = TrustClass.D if by_owner else TrustClass.E
        rests_on = "class_by_owner" if by_owner else "class_unverified"
    reasons = [ClassReason(rests_on, f"origin={evidence.origin}"), *against]
    if not against and _best(evidence, trust).anchor not in REAL_ANCHORS:
        reasons.append(ClassReason("class_test_anchor", "anchor.purpose=test"))
    return Classed(trust, RULES, tuple(reasons))


def counting(trust: TrustClass, verdict: str, *, by_owner: bool) -> TrustClass:
    """Give the class that counts while a document's newest verdict counts as it does.

    What was judged on a valid signature counts for nothing while that verdict does not stand, and counts
    again once it does.
    """
    return trust if verdict == "valid" else max(trust, TrustClass.D if by_owner else TrustClass.E)


def withheld(*, by_owner: bool) -> tuple[str, ...]:
    """Give the codes of why a document counts for less than it was judged to be worth."""
    return ("class_by_owner" if by_owner else "class_unverified", "class_signature_not_valid")


def _sought(evidence: Evidence) -> tuple[TrustClass, str]:
    """Say which class a document could have, by what it is: an original, or which kind of copy."""
    if evidence.origin == "digitised" or evidence.mark == "conversion":
        return TrustClass.B, "class_by_converting_agency"
    if evidence.mark == "copy":
        return TrustClass.B, "class_by_copying_agency"
    if evidence.mark == "certified":
        return TrustClass.C, "class_by_certifying_agency"
    return TrustClass.A, "class_by_issuing_agency"


def _against(evidence: Evidence, trust: TrustClass) -> list[ClassReason]:
    """Give everything that stands in the way of a class."""
    if evidence.verdict != "valid" or not evidence.signers:
        return [ClassReason("class_signature_not_valid", f"verdict={evidence.verdict}")]
    unsure = next((one.verdict for one in evidence.signers if one.verdict != "valid"), None)
    if unsure is not None:  # whoever made it: a paper is worth what all of its signatures are
        return [ClassReason("class_signature_not_valid", f"signature.verdict={unsure}")]
    return [
        *_against_signer(evidence, _best(evidence, trust), trust),
        *_against_paper(evidence, trust),
        *_against_scan(evidence),
    ]


def _best(evidence: Evidence, trust: TrustClass) -> Signer:
    """Give the signer who speaks for a class best; persons sign beside their agency."""
    return min(evidence.signers, key=lambda one: len(_against_signer(evidence, one, trust)))


def _against_signer(evidence: Evidence, signer: Signer, trust: TrustClass) -> list[ClassReason]:
    against = []
    if signer.anchor == "test" and not evidence.demonstration:
        against.append(ClassReason("class_anchor_for_tests", "anchor.purpose=test"))
    elif signer.anchor not in REAL_ANCHORS | {"test"}:
        against.append(ClassReason("class_anchor_unknown", f"anchor.purpose={signer.anchor or 'none'}"))
    certificate = f"signer.certificate={signer.certificate[:16] or 'unknown'}"
    if not signer.agencies:
        return [*against, ClassReason("class_signer_not_registered", certificate)]
    may = {
        TrustClass.A: (signer.issues, "class_signer_may_not_issue"),
        TrustClass.B: (True, ""),
        TrustClass.C: (signer.certifies, "class_signer_may_not_certify"),
    }
    held, code = may[trust]
    if not held:
        against.append(ClassReason(code, certificate))
    if evidence.origin != "upload" and not signer.agencies & evidence.agencies:
        other = "class_signer_not_converter" if evidence.origin == "digitised" else "class_signer_not_issuer"
        against.append(ClassReason(other, certificate))
    return against


def _against_paper(evidence: Evidence, trust: TrustClass) -> list[ClassReason]:
    """Hold what a file shows against what is said of it; what was made here was made from what was said."""
    if evidence.origin in ("result", "digitised"):
        return []
    if evidence.reading != READING:
        return [ClassReason("class_text_read_before", f"paper.reading={evidence.reading or 'none'}")]
    if evidence.mark == "xml":
        return [ClassReason("class_xml_not_read", "paper.mark=xml")]
    against = []
    if evidence.mark == "unreadable":
        against.append(ClassReason("class_text_unreadable", "paper.mark=unreadable"))
    # An owner's word for what and whose it is counts for nothing; an agency answers for copies it makes.
    own_word = evidence.origin == "upload"
    if evidence.type_shown == "other":
        against.append(ClassReason("class_type_differs", "paper.type=other"))
    elif evidence.type_shown == "no" and (own_word or trust is TrustClass.A):
        against.append(ClassReason("class_type_not_shown", "paper.type=no"))
    if evidence.owner_shown == "other":
        against.append(ClassReason("class_owner_differs", "paper.owner=other"))
    elif evidence.owner_shown == "no" and own_word:
        against.append(ClassReason("class_owner_not_shown", "paper.owner=no"))
    return against


def _against_scan(evidence: Evidence) -> list[ClassReason]:
    if evidence.origin != "digitised" and evidence.mark != "conversion":
        return []
    if evidence.scan_passed is None:
        return [ClassReason("class_scan_not_measured", "scan.passed=unknown")]
    return [] if evidence.scan_passed else [ClassReason("class_scan_too_poor", "scan.passed=false")]
