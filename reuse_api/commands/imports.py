"""`kho import`: packages of the national catalogue into the vault, each all or nothing, and a report."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from policies.edits import idle
from policies.errors import IdentifierInvalid, PackageUnreadable
from policies.identifiers import procedure_code
from policies.packages import shipped_packages
from policies.wording import name
from reuse_api.commands import trust
from reuse_api.commands.ending import Ending, end
from reuse_api.commands.file_reading import open_regular
from reuse_api.commands.package_lines import Line, packages
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.document_words import shown
from reuse_api.language import Language
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault
from vault.importing import Imported, import_procedure
from vault.services import Vault

commands = typer.Typer(rich_markup_mode=None, add_completion=False)
commands.command("trusted-list")(trust.trusted_list)
ExistingFiles = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="Import this procedure code alone; may be repeated.")
]
_WORDS = {
    "vi": {
        "place": "{path}, dòng {number}",
        "going": "{done} gói, {percent} % của {file}",
        "version": "{code}: phiên bản {version}",
        "more": "... và {count} dòng nữa",
        "states": "{new} mới, {changed} thay đổi, {unchanged} không đổi, {refused} bị từ chối",
        "rows": "dòng  được hiểu là    theo quy tắc",
        "cases": "{book} trường hợp có khóa trong bộ quy tắc, {derived} có khóa suy ra",
        "work": "{count} thành phần chưa có ánh xạ (danh sách việc cần làm)",
        "idle": "chỉnh sửa không có dòng nào: {edit}",
    },
    "en": {
        "place": "{path}, line {number}",
        "going": "{done} packages, {percent} % of {file}",
        "version": "{code}: version {version}",
        "more": "... and {count} more lines",
        "states": "{new} new, {changed} changed, {unchanged} unchanged, {refused} refused",
        "rows": "rows  taken for       by which rule",
        "cases": "{book} cases with a key of the book, {derived} with a derived key",
        "work": "{count} components without a mapping (work list)",
        "idle": "edit without a row: {edit}",
    },
}
_PATIENCE = 2.0  # seconds without a sign of life
_SHOWN = 20  # bad lines that are told one by one


@dataclass
class _Tally:
    """What has come of the packages so far."""

    states: Counter[str] = field(default_factory=Counter)
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    headings: Counter[str] = field(default_factory=Counter)
    without_mapping: int = 0
    idle_edits: list[str] = field(default_factory=list)
    faults: int = 0
    seen: dict[str, str] = field(default_factory=dict)  # procedure -> where it stood


@commands.command("catalogue")
def catalogue(files: ExistingFiles, only: Only = None, lang: Lang = None) -> None:
    """Import packages of the national catalogue from files: a JSON object a line.

    A line that cannot be read is told on stderr and left out; the others are imported. Ends with 1 then.
    """
    language = spoken_language(lang)
    for file in files:
        open_regular(file, language).close()
    end_with(asyncio.run(_import(read_settings(), _lines(files, language), frozenset(only or ()), language)))


@commands.command("shipped")
def shipped(only: Only = None, lang: Lang = None) -> None:
    """Import the packages that ship with Kho."""
    told = ((f"{row['code']}.json", Line(1, row, 0), 0) for row in shipped_packages())
    end_with(asyncio.run(_import(read_settings(), told, frozenset(only or ()), spoken_language(lang))))


def end_with(faults: int) -> None:
    """End with 1 when something was left out."""
    if faults:
        raise end(Ending.FAILED)


def _lines(files: Iterable[Path], language: Language) -> Iterator[tuple[str, Line, int]]:
    """Give (place, line, how much of its file is read in per cent)."""
    for path in files:
        size = max(path.stat().st_size, 1)
        for line in packages(path):
            place = _WORDS[language]["place"].format(path=path, number=line.number)
            yield place, line, 100 * line.end // size


async def _import(
    settings: Settings, lines: Iterable[tuple[str, Line, int]], only: frozenset[str], language: Language
) -> int:
    tally, told = _Tally(), time.monotonic()
    async with open_vault(settings) as vault:
        for place, line, percent in lines:
            if only and isinstance(line.package, dict) and _code(line.package) not in only:
                continue
            await _one(vault, tally, place, line, language)
            if time.monotonic() - told > _PATIENCE:
                told = time.monotonic()
                done, file = sum(tally.states.values()), place.rpartition(", ")[0]
                going = _WORDS[language]["going"].format(done=done, percent=percent, file=file)
                typer.echo(going, err=True)
    _report(tally, language)
    return tally.faults


async def _one(vault: Vault, tally: _Tally, place: str, line: Line, language: Language) -> None:
    try:
        if isinstance(line.package, PackageUnreadable):
            raise line.package
        code = _code(line.package)
        earlier = tally.seen.setdefault(code, place)
        if earlier != place:  # else the two would take turns as the newest version, at every import
            raise PackageUnreadable(code, "stands_twice", earlier=earlier)
        imported = await import_procedure(vault, line.package)
    except PackageUnreadable as problem:
        tally.faults += 1
        tally.states["refused"] += 1
        if tally.faults <= _SHOWN:
            typer.echo(f"{place}: {_fault(problem, language)}", err=True)
        return
    tally.states[imported.state] += 1
    if imported.state != "unchanged":
        code = imported.procedure.code
        typer.echo(_WORDS[language]["version"].format(code=code, version=imported.version))
    _count(vault, tally, imported)


def _fault(problem: PackageUnreadable, language: Language) -> str:
    """Say what is wrong with a package; what it holds itself does not steer the terminal."""
    said = name("package_fault", problem.fault, language).format_map(problem.facts)
    return shown(f"{problem.where}: {said}" if problem.where else said)


def _code(package: Mapping[str, Any]) -> str:
    """Give the code that the package will be known by: `1.001193.01` is the procedure `1.001193`."""
    code = str(package.get("code", "?"))
    try:
        return procedure_code(code)
    except IdentifierInvalid:
        return code


def _count(vault: Vault, tally: _Tally, imported: Imported) -> None:
    read = imported.procedure
    for case, row in read.rows():
        tally.rows[row.kind, row.rule] += 1
        if case is None:
            tally.headings["group_heading"] += 1
        if row.kind not in ("note", "form") and (read.code, row.code) not in vault.book.mappings:
            tally.without_mapping += 1
    for case in read.cases:
        tally.headings[case.rule] += 1
    tally.idle_edits += [f"{one.id} ({read.code} {one.component})" for one in idle(read, imported.edits)]


def _report(tally: _Tally, language: Language) -> None:
    words = _WORDS[language]
    if tally.faults > _SHOWN:
        typer.echo(words["more"].format(count=tally.faults - _SHOWN), err=True)
    states = {state: tally.states[state] for state in ("new", "changed", "unchanged", "refused")}
    typer.echo(words["states"].format(**states))
    if not tally.rows:
        return
    typer.echo(words["rows"])
    for (kind, rule), count in tally.rows.most_common():
        taken = name("component_kind", kind, language)
        typer.echo(f"{count:4}  {taken:<14}  {rule}: {name('reading_rule', rule, language)}")
    book, derived = tally.headings["case_by_book"], tally.headings["case_key_derived"]
    typer.echo(words["cases"].format(book=book, derived=derived))
    typer.echo(words["work"].format(count=tally.without_mapping))
    for one in tally.idle_edits:
        typer.echo(words["idle"].format(edit=one))
