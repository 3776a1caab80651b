"""What `kho verify` prints: numbered steps and an outcome, in Vietnamese or English."""

from collections.abc import Iterator, Sequence

from reuse_api.language import Language
from reuse_api.problems import words
from signing.receipt import Outcome, Step
from signing.report import Examination, SignatureDetail

_STEPS = {
    "format": ("Biên nhận đúng dạng", "The receipt has the right form"),
    "checkpoint": ("Điểm kiểm do khóa của nhật ký ký", "The checkpoint is signed by the log's key"),
    "inclusion": ("Mục này nằm trong cây đã ký", "The entry is in the signed tree"),
    "leaf": ("Lá khớp với năm cam kết", "The leaf is made of the five commitments"),
    "parts": ("Nội dung cho xem khớp với cam kết", "What is shown is what was committed to"),
    "tiles": ("Đủ các mảnh cây, tầng trên khớp tầng dưới", "All tiles are there and fit together"),
    "entries": ("Mỗi mục là một lá và ở đúng chỗ", "Each entry is a leaf in its place"),
    "root": ("Cây của mọi mục có gốc đã ký", "The tree over all entries has the signed root"),
    "file": ("Tệp được đọc trong tiến trình riêng", "The file was read in a process of its own"),
    "signature": ("Chữ ký trong trường {field}", "The signature in field {field}"),
    "report": ("Kết luận chung về tệp", "The file as a whole"),
}
_RESULTS = {
    True: ("ĐẠT", "PASSED"),
    False: ("KHÔNG ĐẠT", "FAILED"),
    None: ("CHƯA RÕ", "NOT DECIDED"),
}
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "valid": ("HỢP LỆ", "VALID"),
    "invalid": ("KHÔNG HỢP LỆ", "INVALID"),
    "undetermined": ("KHÔNG XÁC ĐỊNH", "UNDETERMINED"),
}
_PASSED: dict[Outcome, bool | None] = {"valid": True, "invalid": False, "undetermined": None}


def step_lines(steps: Sequence[Step], language: Language) -> Iterator[str]:
    """Give a line for each step: its number, what it checks, how it came out, and the detail."""
    for step in steps:
        yield _line(step.number, _said(_STEPS[step.name], language), step.passed, step.detail, language)


def outcome_line(outcome: Outcome, language: Language) -> str:
    """Give the last line: the outcome."""
    return f"{'Kết luận' if language == 'vi' else 'Outcome'}: {_said(_OUTCOMES[outcome], language)}"


def document_lines(examined: Examination, language: Language) -> Iterator[str]:
    """Give the numbered steps of a document's check: the file, each signature, the whole."""
    report = examined.report
    name = _said(_STEPS["file"], language)
    told = f"{examined.media_type}, {examined.size} bytes, SHA-256 {examined.sha256.hex()}"
    readable = True if examined.refusal is None else None
    if examined.refusal is not None:
        told += f"; {words(examined.refusal, language, 'officer')}"
    yield _line(1, name, readable, told, language)
    for number, one in enumerate(report.signatures, 2):
        name = _said(_STEPS["signature"], language).format(field=one.field)
        yield _line(number, name, _PASSED[one.verdict], _signature(one, language), language)
    reasons = " ".join(words(code, language, "officer") for code in report.reasons)
    told = "; ".join(part for part in (report.sub_indication, reasons) if part)
    number = len(report.signatures) + 2
    yield _line(number, _said(_STEPS["report"], language), _PASSED[report.verdict], told, language)


def _signature(one: SignatureDetail, language: Language) -> str:
    parts = [one.signer]
    if one.signed_at is not None:
        parts.append(one.signed_at.isoformat())
    parts += [one.level, one.sub_indication]
    if one.reason:
        parts.append(words(one.reason, language, "officer"))
    return "; ".join(part for part in parts if part)


def _line(number: int, name: str, passed: bool | None, detail: str, language: Language) -> str:
    line = f"{number}. {name}: {_said(_RESULTS[passed], language)}"
    return f"{line} ({detail})" if detail else line


def _said(pair: tuple[str, str], language: Language) -> str:
    return pair[0] if language == "vi" else pair[1]
