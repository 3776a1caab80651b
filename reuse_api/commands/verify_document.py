"""`kho verify document`: the signatures of a file, judged offline by anchors that the caller names."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.x509 import load_der_x509_crl
from cryptography.x509.ocsp import load_der_ocsp_response

from policies.paper_words import Words, showing
from policies.trust_classes import Evidence, Signer, classify
from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.commands.file_reading import open_regular, read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.commands.verify_words import document_lines, document_steps, fault_line, outcome_line
from reuse_api.document_steps import Worth
from reuse_api.language import Language
from reuse_api.problems import FOUND, words
from signing.anchors import Anchor
from signing.file_types import HEAD, PDF, UNKNOWN, media_type_of
from signing.grounds import Piece
from signing.receipt import Outcome
from signing.report import Examination, undetermined
from signing.trust_folder import TrustFolder
from signing.workers import LARGEST_SIGNATURE, WorkerPool
from vault.classing import words_of
from vault.clock import Clock
from vault.services import MAX_UPLOAD

ENDINGS: dict[Outcome, Ending] = {
    "valid": Ending.VALID,
    "invalid": Ending.INVALID,
    "undetermined": Ending.UNDETERMINED,
}
LARGEST_STATUS = 8 * 1024 * 1024  # bytes of a proof that is given
ExistingFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
_LANGUAGES: tuple[Language, ...] = ("vi", "en")
_BROKEN_OFF = frozenset({"worker_crashed", "worker_memory", "worker_timeout"})
_XML_REFUSED = frozenset({"xml_unsafe", "too_complex", "structure_damaged"})
_WEB_PAGE = (b"<!doctype html", b"<html", b"<script")
_TWO_BYTES = (b"\xff\xfe", b"\xfe\xff")  # how UTF-16 begins
_NO_WORDS = Words((), False)
_AT_BEST = {
    "vi": "Mức tin cậy cao nhất có thể đạt, nếu giấy tờ đúng là loại ghi ở tiêu đề và Kho biết chứng thư này "
    "là của cơ quan có thẩm quyền: {trust}",
    "en": "At best worth {trust}, if it is what it is headed as, in a vault that knows this certificate to "
    "be a competent agency's",
}
_WRONG = {
    "no_report": (
        "không có chữ ký nào để lập báo cáo theo TS 119 102-2; không ghi tệp {path}",
        "no signature of which TS 119 102-2 could tell; {path} was not written",
    ),
    "not_writable": ("không ghi được báo cáo vào {path}", "the report cannot be written to {path}"),
    "status": ("{path} không chứa phản hồi OCSP hay CRL (DER)", "no OCSP response or CRL (DER) in {path}"),
    "trust": ("{path} không có chứng thư nào", "no certificates in {path}"),
    "no_time": (
        "cần một thời điểm như 2026-11-24T09:30:00+07:00",
        "expected a time such as 2026-11-24T09:30:00+07:00",
    ),
    "later": (
        "chưa tới lúc đó: điều đã được chứng minh chỉ xét được theo một thời điểm đến bây giờ",
        "it is not that late yet: what is proven can be judged as at a time until now",
    ),
}


def document(
    file: ExistingFile,
    trust: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of the certificates that you trust, laid out as for KHO_TRUST.",
            show_default=False,
        ),
    ] = None,
    signature: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The signature (CMS or CAdES) that stands beside the file.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="Judge as at this time (ISO 8601, UTC without zone).", show_default=False),
    ] = None,
    status: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What was answered about a certificate: an OCSP response or a CRL (DER); may be repeated.",
            show_default=False,
        ),
    ] = None,
    etsi: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Write a report by ETSI TS 119 102-2 (XML) of the signatures in a PDF there.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it as JSON, in both languages.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Check the signatures of a PDF or XML file, or one beside a file, against anchors that you trust.

    Ends with 0 valid, 1 invalid, 2 undetermined, 3 not examined.
    """
    language = spoken_language(lang)
    by: dict[str, Any] = {
        "anchors": _anchors(trust, language),
        "at": _instant(at, language),
        "fetched": [_proof(read_whole(one, LARGEST_STATUS, language), one, language) for one in status or ()],
        "max_bytes": MAX_UPLOAD,
    }
    beside = None if signature is None else read_whole(signature, LARGEST_SIGNATURE, language)
    with open_regular(file, language) as stream:
        head, size = stream.read(HEAD), stream.seek(0, 2)
    if size > MAX_UPLOAD:
        refused = undetermined("file_refused")
        examined, text = Examination(b"", size, UNKNOWN, None, "too_large", refused), _NO_WORDS
    else:
        examined, text = asyncio.run(_examine(file, head, beside, by, etsi is not None))
    examined = _settled(examined, head)
    if etsi is not None:
        _write_report(examined, etsi, language)
    best = _at_best(examined, text)
    if as_json:
        typer.echo(json.dumps(as_told(examined, best), ensure_ascii=False, indent=1))
    else:
        for line in document_lines(examined, language):
            typer.echo(line)
        if best is not None:
            typer.echo(_AT_BEST[language].format(trust=best.trust))
        typer.echo(outcome_line(examined.report.verdict, language))
    missed = "not_examined" in examined.report.reasons
    raise end(Ending.NOT_EXAMINED if missed else ENDINGS[examined.report.verdict])


async def _examine(
    file: Path, head: bytes, beside: bytes | None, by: Mapping[str, Any], etsi: bool
) -> tuple[Examination, Words]:
    """Have a worker look into the file; its words are read where they tell which copy it is."""
    pool = WorkerPool(size=1)
    await pool.start()
    try:
        if beside is not None:
            examined = await pool.examine_detached(file, beside, **by)
            return examined, await _words_of(pool, file, head, examined)
        if _kind(head) == "application/xml":
            return await pool.examine_xml(file, **by), _NO_WORDS
        examined = await pool.examine(file, **by, etsi=etsi)
        return examined, await _words_of(pool, file, head, examined)
    finally:
        await pool.close()


async def _words_of(pool: WorkerPool, file: Path, head: bytes, examined: Examination) -> Words:
    if examined.report.verdict != "valid" or _kind(head) != PDF:
        return _NO_WORDS
    return words_of(await pool.words(file))


def _proof(content: bytes, path: Path, language: Language) -> Piece:
    """Read a proof of status. Whether it is one of anything is for the worker to say."""
    with suppress(ValueError):
        load_der_ocsp_response(content)
        return Piece("ocsp", content)
    with suppress(ValueError):
        load_der_x509_crl(content)
        return Piece("crl", content)
    raise _wrong("status", language, path=path)


def _write_report(examined: Examination, target: Path, language: Language) -> None:
    if not examined.etsi_report:
        typer.echo(f"kho: {_words('no_report', language, path=target)}", err=True)
        return
    try:
        target.write_bytes(examined.etsi_report)
    except OSError as problem:
        raise CommandFailed(
            f"{_words('not_writable', language, path=target)} ({problem.strerror})"
        ) from problem


def _words(which: str, language: Language, **facts: object) -> str:
    return _WRONG[which][language == "en"].format_map(facts)


def _wrong(option: str, language: Language, which: str = "", **facts: object) -> typer.BadParameter:
    return typer.BadParameter(_words(which or option, language, **facts), param_hint=f"--{option}")


def _kind(head: bytes) -> str:
    """Tell by its first bytes what a file is; XML is whatever begins as such and is no web page."""
    if head.startswith(_TWO_BYTES):
        head = head[: len(head) & ~1].decode("utf-16", errors="replace").encode()
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begins.startswith(b"<"):
        return "text/html" if begins.lower().startswith(_WEB_PAGE) else "application/xml"
    return media_type_of(head)


def _settled(examined: Examination, head: bytes) -> Examination:
    """Call a file not examined that was refused before, or that a worker did not get through; say why."""
    kind, report = _kind(head), examined.report
    refusal = "not_a_pdf" if examined.refusal == "mislabelled" else examined.refusal  # nobody labelled it
    if kind == "application/xml" and not report.signatures:
        refusal = refusal or next((one for one in report.reasons if one in _XML_REFUSED), None)
    why = refusal or next((one for one in report.reasons if one in _BROKEN_OFF), None)
    if examined.media_type == UNKNOWN:
        examined = replace(examined, media_type=kind)
    if why is None or report.verdict != "undetermined":
        return replace(examined, refusal=refusal)
    reasons = ("not_examined", why)
    return replace(examined, refusal=refusal, report=replace(report, reasons=reasons))


def _at_best(examined: Examination, text: Words) -> Worth | None:
    """Say what class a validly signed file could be of: whose certificate it is, no file can prove."""
    if examined.report.verdict != "valid" or not text.pages:
        return None
    mark = showing(text, "", {}, [], 1).mark
    who = frozenset({"somebody"})
    evidence = Evidence(
        origin="upload",
        verdict="valid",
        signers=(Signer("valid", "", "public", who, issues=True, certifies=True),),
        mark=mark,
        type_shown="yes",
        owner_shown="yes",
        scan_passed=True,
    )
    classed = classify(evidence)
    return Worth(classed.trust.value, tuple(one.code for one in classed.reasons), classed.rules)


def as_told(examined: Examination, best: Worth | None) -> dict[str, Any]:
    """Tell all of it as plain JSON values, every text in both languages."""
    steps = {language: document_steps(examined, language, None) for language in _LANGUAGES}
    told: dict[str, Any] = {
        "file": {
            **({"sha256": examined.sha256.hex()} if examined.sha256 else {}),
            "size": examined.size,
            "media_type": examined.media_type,
        },
        "verdict": examined.report.verdict,
        "sub_indication": examined.report.sub_indication,
        "reasons": [{"code": code, **_both(code)} for code in examined.report.reasons],
        "steps": [
            {
                "number": vi.number,
                "passed": vi.passed,
                "name": {"vi": vi.name, "en": en.name},
                "details": {"vi": list(vi.details), "en": list(en.details)},
            }
            for vi, en in zip(steps["vi"], steps["en"], strict=True)
        ],
        "report": examined.report.to_json(),
    }
    if examined.refusal is not None:
        found = [{"code": one, **_both(FOUND + one)} for one in examined.found]
        told["refusal"] = {"code": examined.refusal, **_both(examined.refusal), "found": found}
    if best is not None:
        told["at_best"] = {"trust": best.trust, "rules": best.rules, "reasons": list(best.reasons)}
    return told


def _both(code: str) -> dict[str, str]:
    return {language: words(code, language, "officer") for language in _LANGUAGES}


def _anchors(folder: Path | None, language: Language) -> Sequence[Anchor]:
    """Give the anchors of a folder; a file that is none is told of, and the others count."""
    if folder is None:
        return ()
    found = TrustFolder(folder).current()
    for file, code in found.faults:
        typer.echo(fault_line(file, code, language), err=True)
    if not found.anchors:
        raise _wrong("trust", language, path=folder)
    return found.anchors


def _instant(text: str | None, language: Language) -> datetime:
    if text is None:
        return Clock().now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as problem:
        raise _wrong("at", language, "no_time") from problem
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if at > Clock().now():
        raise _wrong("at", language, "later")
    return at
