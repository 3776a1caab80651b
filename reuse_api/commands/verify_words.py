"""What `kho verify` prints: numbered steps and an outcome, in Vietnamese or English."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from reuse_api.document_steps import DocumentStep, Teller, Worth
from reuse_api.language import Language
from signing.receipt import Outcome, Step
from signing.report import Examination

_STEPS = {
    "format": ("Biên nhận đúng dạng", "The receipt has the right form"),
    "checkpoint": ("Điểm kiểm do khóa của nhật ký ký", "The checkpoint is signed by the log's key"),
    "inclusion": ("Mục này nằm trong cây đã ký", "The entry is in the signed tree"),
    "leaf": ("Lá khớp với năm cam kết", "The leaf is made of the five commitments"),
    "parts": ("Nội dung cho xem khớp với cam kết", "What is shown is what was committed to"),
    "tiles": ("Đủ các mảnh cây, tầng trên khớp tầng dưới", "All tiles are there and fit together"),
    "entries": ("Mỗi mục là một lá và ở đúng chỗ", "Each entry is a leaf in its place"),
    "root": ("Cây của mọi mục có gốc đã ký", "The tree over all entries has the signed root"),
    "growth_format": ("Bằng chứng đúng dạng", "The proof of growth has the right form"),
    "older_head": (
        "Điểm kiểm đã giữ do khóa của nhật ký ký",
        "The checkpoint kept is signed by the log's key",
    ),
    "newer_head": ("Điểm kiểm mới do khóa của nhật ký ký", "The newer checkpoint is signed by the log's key"),
    "growth": (
        "Nhật ký chỉ dài thêm, không mục cũ nào bị sửa",
        "The log only grew: no older entry was changed",
    ),
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


def step_lines(steps: Sequence[Step], language: Language) -> Iterator[str]:
    """Give a line for each step: its number, what it checks, how it came out, and the detail."""
    for step in steps:
        yield _line(step.number, _said(_STEPS[step.name], language), step.passed, step.detail, language)


def outcome_line(outcome: Outcome, language: Language) -> str:
    """Give the last line: the outcome."""
    return f"{'Kết luận' if language == 'vi' else 'Outcome'}: {_said(_OUTCOMES[outcome], language)}"


def document_lines(examined: Examination, language: Language, worth: Worth | None = None) -> Iterator[str]:
    """Give the numbered steps of a document's check: the file, each signature, the whole."""
    for step in document_steps(examined, language, worth):
        line = _line(step.number, step.name, step.passed, "", language)
        yield "\n".join([line, *(f"   - {detail}" for detail in step.details)])


def document_steps(examined: Examination, language: Language, worth: Worth | None) -> list[DocumentStep]:
    """Tell a document's check in one language."""
    teller = Teller(language, "officer", datetime.isoformat)
    file = f"{examined.media_type}, {examined.size} bytes, SHA-256 {examined.sha256.hex()}"
    return teller.steps(examined.report, file, refusal=examined.refusal, worth=worth)


def _line(number: int, name: str, passed: bool | None, detail: str, language: Language) -> str:
    line = f"{number}. {name}: {_said(_RESULTS[passed], language)}"
    return f"{line} ({detail})" if detail else line


def _said(pair: tuple[str, str], language: Language) -> str:
    return pair[0] if language == "vi" else pair[1]
