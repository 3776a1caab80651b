# mypy: allow-untyped-calls
"""The report of ETSI TS 119 102-2 (XML), made by pyHanko where it can, with our verdict in it.

pyHanko reports one signature at a time; here they stand in one document. It leaves out what it does not
support: the reports of time stamps and the proofs of existence. A signature that could not be judged at all
has no entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lxml import etree
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESSubIndic
from pyhanko.sign.validation.ades import AdESBasicValidationResult, AdESWithTimeValidationResult
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.report.tools import generate_report

from signing.report import SignatureDetail, SignatureReport

LARGEST_REPORT = 1024 * 1024  # bytes
_INDICATIONS: Mapping[str, AdESSubIndic] = {
    str(one.standard_name): one for one in (*AdESFailure, *AdESIndeterminate)
}


class EtsiReport:
    """Gathers what pyHanko found about each signature while they are judged; then writes one report."""

    def __init__(self) -> None:
        self._found: dict[
            str, tuple[EmbeddedPdfSignature, AdESBasicValidationResult[Any], datetime | None]
        ] = {}

    def add(
        self,
        signature: EmbeddedPdfSignature,
        result: AdESBasicValidationResult[Any],
        proven_at: datetime | None,
    ) -> None:
        """Take in the result about one signature, and the time that a time stamp proves for it."""
        if result.api_status is not None:
            self._found[str(signature.field_name)] = signature, result, proven_at

    def written(self, report: SignatureReport) -> bytes:
        """Return the report (UTF-8), saying of each signature what our own report says; empty if none can be.

        A file that is not valid as a whole has no signature that passed.
        """
        documents = [self._one(one, report) for one in report.signatures if one.field in self._found]
        content = _joined(documents) if documents else b""
        return content if len(content) <= LARGEST_REPORT else b""

    def _one(self, detail: SignatureDetail, report: SignatureReport) -> str:
        signature, result, proven_at = self._found[detail.field]
        result = replace(result, ades_subindic=_indication(detail, report))
        if proven_at is not None and not isinstance(result, AdESWithTimeValidationResult):
            result = AdESWithTimeValidationResult(
                result.ades_subindic,
                result.api_status,
                result.failure_msg,
                result.validation_objects,
                best_signature_time=proven_at,
                signature_not_before_time=None,
            )
        return generate_report(signature, result)


def _indication(detail: SignatureDetail, report: SignatureReport) -> AdESSubIndic:
    if detail.verdict != "valid":
        return _INDICATIONS.get(detail.sub_indication, AdESIndeterminate.GENERIC)
    return AdESPassed.OK if report.verdict == "valid" else AdESIndeterminate.GENERIC


def _joined(documents: Sequence[str]) -> bytes:
    """Put the signatures and objects of several reports into the first one; each object once."""
    roots = [etree.fromstring(one.encode()) for one in documents]
    first = roots[0]
    objects = _child(first, "SignatureValidationObjects")
    known = {one.get("id") for one in objects} if objects is not None else set()
    place = first.index(_children(first, "SignatureValidationReport")[-1])
    for number, root in enumerate(roots[1:], 1):
        first.insert(place + number, _children(root, "SignatureValidationReport")[0])
        more = _child(root, "SignatureValidationObjects")
        for one in list(more) if more is not None else []:
            if objects is not None and one.get("id") not in known:
                known.add(one.get("id"))
                objects.append(one)
    return bytes(etree.tostring(first, xml_declaration=True, encoding="UTF-8"))


def _children(root: etree._Element, name: str) -> list[etree._Element]:
    return [one for one in root if etree.QName(one).localname == name]


def _child(root: etree._Element, name: str) -> etree._Element | None:
    return next(iter(_children(root, name)), None)
