"""What `kho verify` prints: numbered steps and an outcome, in Vietnamese or English."""

from collections.abc import Iterator, Sequence

from reuse_api.document_steps import DocumentStep, Teller, Worth
from reuse_api.document_words import KINDS, spoken
from reuse_api.language import Language
from reuse_api.pages import dates
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
    "hook_format": (
        "Tiêu đề chữ ký đủ và đúng dạng",
        "The headers of the signature are there and of the right form",
    ),
    "hook_digest": ("Thân khớp với Content-Digest", "The body is that of Content-Digest"),
    "hook_key": ("Khóa ký nằm trong bộ khóa đã nêu", "The key that signed is one of those named"),
    "hook_signature": (
        "Chữ ký đúng, cho phương thức, địa chỉ và thân này",
        "The signature holds, for this method, address and body",
    ),
    "hook_time": ("Đến trong thời hạn của chữ ký", "It came while the signature was good"),
    "hook_once": ("Chưa đến lần nào trước đây", "It came for the first time"),
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
# Why a file of the folder of trust is no anchor (signing.trust_folder).
_FAULTS = {
    "folder_missing": ("không có thư mục này", "there is no such folder"),
    "purpose_unknown": ("không phải thư mục con được biết", "no sub-folder of a known purpose"),
    "too_many": ("quá nhiều chứng thư", "too many certificates"),
    "kind_unknown": ("đuôi tệp không phải của chứng thư", "its name does not end as a certificate's"),
    "unreadable": ("không đọc được", "it cannot be read"),
    "too_large": ("quá lớn", "it is too large"),
    "not_a_certificate": ("không phải đúng một chứng thư", "it is not exactly one certificate"),
    "not_an_authority": ("không phải chứng thư của nơi cấp", "it is no authority's certificate"),
    "description_wrong": ("tệp mô tả kèm theo sai dạng", "the description beside it is malformed"),
}


def fault_line(file: str, code: str, language: Language) -> str:
    """Tell of a file of the folder of trust that does not count, and why."""
    why = _said(_FAULTS[code], language) if code in _FAULTS else code
    left_out = "bỏ qua" if language == "vi" else "left out"
    return f"kho: --trust: {left_out}: {file}: {why} ({code})"


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
    teller = Teller(language, "officer", lambda at: f"{dates.moment(at, language).words} (UTC+7)")
    return teller.steps(
        examined.report,
        _file(examined, language),
        refusal=examined.refusal,
        found=examined.found,
        worth=worth,
    )


def _file(examined: Examination, language: Language) -> str:
    kind = KINDS.get(examined.media_type)
    called = spoken(kind, language) if kind is not None else examined.media_type
    size = f"{examined.size:,}"
    told = f"{size} bytes" if language == "en" else f"{size.replace(',', '.')} byte"
    digest = [f"SHA-256 {examined.sha256.hex()}"] if examined.sha256 else []  # none of what was not read
    return ", ".join([called, told, *digest])


def _line(number: int, name: str, passed: bool | None, detail: str, language: Language) -> str:
    line = f"{number}. {name}: {_said(_RESULTS[passed], language)}"
    return f"{line} ({detail})" if detail else line


def _said(pair: tuple[str, str], language: Language) -> str:
    return pair[0] if language == "vi" else pair[1]
