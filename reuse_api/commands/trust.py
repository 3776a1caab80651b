"""`kho import trusted-list`, `kho revalidate`: whom the vault trusts, and judging again by it."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from policies.wording import name
from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.commands.file_reading import read_beginning, read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.pages import dates
from reuse_api.problems import words
from reuse_api.settings import read_settings
from reuse_api.wiring import open_vault
from signing.errors import TrustedListRefused
from signing.trusted_list import LARGEST_LIST, TrustedList, read_trusted_list
from signing.trusted_list_import import Imported, import_trusted_list
from vault.clock import Clock
from vault.errors import ContentDamaged, GateRefused, NotFound
from vault.revalidating import due, settle_classes, told_by
from vault.revalidating import repeat as judge_once_more
from vault.revalidating import revalidate as judge_again

_JUDGED = {
    "vi": "đã xét lại {judged}, thêm {moved} giấy tờ đổi mức tin cậy",
    "en": "{judged} judged again, {moved} more of another class now",
}
_REPEATED = {
    "vi": {
        "line": "{record}, báo cáo {n}: {how}: {verdict}",
        "same": "như cũ",
        "another": "kết luận khác",
        "otherwise": "kết luận như cũ, nội dung báo cáo khác",
    },
    "en": {
        "line": "{record}, report {n}: {how}: {verdict}",
        "same": "the same",
        "another": "another verdict",
        "otherwise": "the same verdict, told otherwise",
    },
}
_LIST = {
    "vi": {
        "head": "{scheme}, số {sequence} ngày {day}",
        "new": "mới",
        "changed": "thay đổi",
        "ended": "kết thúc",
        "total": "{new} mới, {changed} thay đổi, {unchanged} không đổi, {ended} kết thúc, "
        "{skipped} dịch vụ không dùng ở đây, {unreadable} không đọc được",
    },
    "en": {
        "head": "{scheme}, number {sequence} of {day}",
        "new": "new",
        "changed": "changed",
        "ended": "ended",
        "total": "{new} new, {changed} changed, {unchanged} unchanged, {ended} ended, "
        "{skipped} services of no use here, {unreadable} unreadable",
    },
}
_WRONG = {
    "signer": (
        "nêu --signer, hoặc --unsigned nếu đã tự kiểm tra danh sách",
        "give --signer, or --unsigned for a list that you checked",
    ),
    "certificate": ("không có chứng thư nào trong {path}", "no certificate in {path}"),
    "report": ("chỉ dùng cùng --repeat", "only with --repeat"),
    "no_record": ("không có giấy tờ mã {record}", "there is no document {record}"),
    "no_report": (
        "không có giấy tờ mã {record}, hoặc giấy tờ đó không có báo cáo {report}",
        "there is no document {record}, or it has no report {report}",
    ),
    "repeat": ("chỉ nêu một trong --record và --repeat", "give one of --record and --repeat"),
}
_LARGEST_CERTIFICATE = 64 * 1024  # bytes
_REFUSALS = {
    "too_large": ("danh sách quá lớn", "the list is too large"),
    "not_xml": ("không phải XML đúng cú pháp", "it is no well-formed XML"),
    "signature_wrong": (
        "chữ ký của danh sách không đúng, hoặc không do chứng thư đã nêu ký",
        "the list's signature is wrong, or not made with the certificate that you named",
    ),
    "list_expired": ("danh sách đã quá hạn", "the list has expired"),
    "list_older": ("danh sách cũ hơn danh sách đã nhập", "a newer list was imported already"),
    "not_a_trusted_list": ("không phải danh sách tin cậy (TS 119 612)", "it is no trusted list (TS 119 612)"),
}


def trusted_list(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The list (ETSI TS 119 612, XML).")
    ],
    into: Annotated[
        Path, typer.Option("--into", exists=True, file_okay=False, help="The folder of KHO_TRUST.")
    ],
    signer: Annotated[
        Path | None,
        typer.Option(
            "--signer",
            exists=True,
            dir_okay=False,
            help="The certificate (PEM or DER) that the list must be signed with; got from elsewhere.",
            show_default=False,
        ),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Take the list as it is, whoever wrote it.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Import a trusted list: authorities for signatures into public/, for time stamps into timestamp/."""
    language = spoken_language(lang)
    if (signer is None) is not unsigned:
        raise _wrong("signer", language, "--signer")
    try:
        content = read_beginning(file, LARGEST_LIST, language)
        found = read_trusted_list(content, _certificate(signer, language))
        told = import_trusted_list(found, into, Clock().now())
    except TrustedListRefused as problem:
        raise CommandFailed(f"{file}: {_refused(problem.code, language)}") from problem
    _show(found, told, language)


def _wrong(which: str, language: Language, option: str, **facts: object) -> typer.BadParameter:
    return typer.BadParameter(_WRONG[which][language == "en"].format(**facts), param_hint=option)


def _refused(code: str, language: Language) -> str:
    """Say why a list is not taken; the code stands behind its words."""
    return f"{_REFUSALS[code][language == 'en']} ({code})" if code in _REFUSALS else code


def _certificate(path: Path | None, language: Language) -> x509.Certificate | None:
    if path is None:
        return None
    content = read_whole(path, _LARGEST_CERTIFICATE, language)
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except ValueError as problem:
        raise _wrong("certificate", language, "--signer", path=path) from problem


def _show(found: TrustedList, told: Imported, language: Language) -> None:
    said, day = _LIST[language], dates.day_of(found.issued_at, language).words
    typer.echo(said["head"].format(scheme=found.scheme, sequence=found.sequence, day=day))
    for which, names in (("new", told.added), ("changed", told.changed), ("ended", told.ended)):
        for one in names:
            typer.echo(f"{said[which]}  {one}")
    total = said["total"].format(
        new=len(told.added),
        changed=len(told.changed),
        unchanged=len(told.unchanged),
        ended=len(told.ended),
        skipped=found.skipped,
        unreadable=found.unreadable,
    )
    typer.echo(total)


def revalidate(
    record: Annotated[
        str | None, typer.Option("--record", help="This record alone.", show_default=False)
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            "--repeat",
            help="Find a stored verdict of this record again, from what was kept with it alone.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        int | None,
        typer.Option(
            "--report", min=1, help="With --repeat: this report, not the newest.", show_default=False
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Judge stored documents again by whom the vault trusts now; each opening is an entry of its owners.

    Without --record, those whose anchor counts no more, and those that were undetermined by other anchors.
    Ends with 1 when one could not be judged. With --repeat nothing is stored but the entry of the opening,
    and it ends with 1 when the verdict is another one.
    """
    language = spoken_language(lang)
    if report is not None and repeat is None:
        raise _wrong("report", language, "--report")
    if repeat is not None:
        if record is not None:
            raise _wrong("repeat", language, "--repeat")
        which = "no_record" if report is None else "no_report"
        done = _found(_repeat(repeat, report, language), which, language, record=repeat, report=report)
    else:
        done = _found(_revalidate(record, language), "no_record", language, record=record)
    if not done:
        raise end(Ending.FAILED)


def _found(work: Coroutine[None, None, bool], which: str, language: Language, **facts: object) -> bool:
    try:
        return asyncio.run(work)
    except NotFound as problem:
        raise CommandFailed(_WRONG[which][language == "en"].format_map(facts)) from problem


async def _repeat(record: str, report: int | None, language: Language) -> bool:
    async with open_vault(read_settings()) as vault:
        n, then = await told_by(vault, record, report)
        now = await judge_once_more(vault, record, n)
    same = now.to_json() == then.to_json()
    verdict = _moved(then.verdict, now.verdict, now.reasons, language)
    said = _REPEATED[language]
    how = said["same" if same else "another" if now.verdict != then.verdict else "otherwise"]
    typer.echo(said["line"].format(record=record, n=n, how=how, verdict=verdict))
    return now.verdict == then.verdict


def _moved(before: str, now: str, reasons: Sequence[str], language: Language) -> str:
    """Tell two verdicts, in Vietnamese by their names, and the codes of what the newer one rests on."""
    if language == "vi":
        before, now = name("verdict", before, language), name("verdict", now, language)
    return f"{before} -> {now} {' '.join(reasons)}".rstrip()


async def _revalidate(record: str | None, language: Language) -> bool:
    whole = True
    async with open_vault(read_settings()) as vault:
        names = [record] if record is not None else list(await due(vault))
        for one in names:
            try:
                found = await judge_again(vault, one)
            except (ContentDamaged, GateRefused) as problem:
                typer.echo(f"{one}: {problem.code}: {words(problem.code, language)}", err=True)
                whole = False
                continue
            typer.echo(f"{one}: {_moved(found.before, found.now, found.reasons, language)}")
        moved = await settle_classes(vault) if record is None else 0
        typer.echo(_JUDGED[language].format(judged=len(names), moved=moved))
    return whole
