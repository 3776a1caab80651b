"""Whatever was found out about a file, it can be said: its steps in both languages, and as JSON."""

import json

from reuse_api.commands.verify_document import as_told
from reuse_api.commands.verify_words import document_lines
from signing.report import Examination, SignatureReport


def can_be_told(examined: Examination) -> None:
    """Tell an examination every way `kho verify document` does; fails where a value has no words."""
    for language in ("vi", "en"):
        lines = list(document_lines(examined, language))  # type: ignore[arg-type]
        assert len(lines) >= 2
    told = json.dumps(as_told(examined, None), ensure_ascii=False)
    assert json.loads(told)["verdict"] == examined.report.verdict


def report_can_be_told(report: SignatureReport) -> None:
    """The same, of a report alone."""
    can_be_told(Examination(b"\xab" * 32, 3, "application/pdf", 1, None, report))
