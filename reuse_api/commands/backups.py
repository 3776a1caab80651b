"""`kho backup`, `kho restore`: a copy of everything kept apart, and a vault made from it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.wiring import places_of
from vault import key_copies
from vault.backing_up import BackedUp, back_up
from vault.backup_examining import Examined, examine
from vault.backup_place import Stays, chosen, passed_over
from vault.clock import Clock
from vault.key_copies import KeysCopied
from vault.manifest import MANIFEST
from vault.restoring import Log, Restored, begun_from
from vault.restoring import restore as restore_vault

_WORDS = {
    "vi": {
        "backed_up": "{folder}: {records} giấy tờ, {entries} mục nhật ký, {blobs} nội dung ({mib:.1f} MiB), "
        "trong đó {written} nội dung mới",
        "digest": "SHA-256 của bản kê: {digest}\n"
        "Hãy giữ mã này ở nơi khác; `kho restore --manifest` so với nó.",
        "pruned": "đã bỏ bản cũ {name}",
        "damaged": "HỎNG  {key}: {code} ngay trong kho, nên không có trong bản sao lưu",
        "harmed": "HỎNG  {key}: {code} ngay trong kho; bản sao lưu vẫn còn nội dung đúng từ lần trước",
        "no_keys": "chưa sao lưu khóa: không có khóa thì không mở được giấy tờ nào; xem --keys-to",
        "keys": "khóa: {folder}, {files} tệp",
        "elsewhere": "không sao chép: khóa ký của {agency} ({kind}); nơi giữ khóa tự giữ lấy",
        "outside": "không sao chép: {path} nằm ngoài thư mục khóa; hãy giữ riêng",
        "nowhere": "hãy cho biết nơi sao lưu (TO), hoặc nơi chép khóa (--keys-to)",
        "checked": "{folder}, lúc {at}: toàn vẹn; {entries} mục nhật ký, {blobs} nội dung",
        "goes_on": "làm tiếp việc khôi phục đã bắt đầu từ {folder}",
        "passed_over": "BỎ QUA  {folder} không có {name}: mới hơn bản được chọn, nhưng không dùng được",
        "root": "gốc nhật ký {root}",
        "restored": "đã khôi phục {records} giấy tờ, {blobs} nội dung, {entries} mục nhật ký",
        "same": "nhật ký tiếp tục dưới tên cũ: {origin}",
        "new": "nhật ký tiếp tục dưới tên mới: {origin}; mục đầu tiên sẽ nêu nhật ký trước đó",
        "after": "việc làm sau bản sao lưu đã mất, kể cả việc rút đồng ý và thu hồi: xem docs/backup.md",
        "paused": "{hooks} web hook tạm dừng; quản trị viên cho gửi lại từng cái tại /admin/webhooks",
    },
    "en": {
        "backed_up": "{folder}: {records} records, {entries} entries, {blobs} blobs ({mib:.1f} MiB), "
        "{written} of them new",
        "digest": "SHA-256 of the manifest: {digest}\nKeep it elsewhere; `kho restore --manifest` holds it.",
        "pruned": "removed the old backup {name}",
        "damaged": "HARM  {key}: {code} in the vault itself, so it is not in the backup",
        "harmed": "HARM  {key}: {code} in the vault itself; the backup has it, from the one before",
        "no_keys": "no keys were copied: without them no document opens; see --keys-to",
        "keys": "keys: {folder}, {files} files",
        "elsewhere": "not copied: the seal key of agency {agency} ({kind}); keep it as its holder keeps keys",
        "outside": "not copied: {path} lies outside the key folder; keep it apart",
        "nowhere": "say where to back up (TO), or where to copy the keys (--keys-to)",
        "checked": "{folder}, of {at}: whole; {entries} entries, {blobs} blobs",
        "goes_on": "going on with the restore that was begun from {folder}",
        "passed_over": "PASSED OVER  {folder} has no {name}: newer than the one taken, and no use",
        "root": "root {root}",
        "restored": "{records} records, {blobs} blobs and {entries} entries restored",
        "same": "the log goes on under its old name: {origin}",
        "new": "the log goes on under a new name: {origin}; its first entry will name the one before",
        "after": "what was done after the backup is lost, withdrawals and revocations too: docs/backup.md",
        "paused": "{hooks} web hooks are paused; an administrator resumes each at /admin/webhooks",
    },
}
_KEEP = 7
_MIB = 2**20


def backup(
    to: Annotated[
        Path | None,
        typer.Argument(help="The folder of backups; each gets a folder in it. Without it, keys alone."),
    ] = None,
    keys_to: Annotated[
        Path | None,
        typer.Option(
            "--keys-to",
            help="Copy the keys of KHO_KEYS there, apart from the backups: best another disk, other hands. "
            "Seal keys in tokens (PKCS#11) or behind a signing service (CSC) are not copied, but named.",
            show_default=False,
        ),
    ] = None,
    keys_beside: Annotated[
        bool, typer.Option("--keys-beside", help="Have the keys in the folder of the backups all the same.")
    ] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10_000, help="How many backups stay; older ones are removed.")
    ] = _KEEP,
    days: Annotated[
        int,
        typer.Option("--days", min=0, max=10_000, help="Also the last one of each of so many days (UTC)."),
    ] = 0,
    weeks: Annotated[
        int, typer.Option("--weeks", min=0, max=10_000, help="Also the last one of each of so many weeks.")
    ] = 0,
    read_store: Annotated[
        bool,
        typer.Option(
            "--read-store",
            help="Read every blob of the store, also those that an earlier backup holds: else of these only "
            "that they are there, and how long they are. It takes as long as a first backup.",
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """Copy rows, bytes and log into a folder, also while the vault is served; keys into another.

    A second backup into the same folder copies only what is new. It is whole once it has its name, the time;
    one that was cut stays under the name "begun", and the next run goes on with it. Ends with 1 when
    something could not be kept, or is damaged in the vault.
    """
    language = spoken_language(lang)
    settings, words = read_settings(), _WORDS[language]
    if to is None and keys_to is None:
        raise CommandFailed(words["nowhere"])
    _check_apart(to, keys_to, settings, together=keys_beside)
    at = Clock().now()
    stays, done = Stays(keep, days, weeks), None
    if to is not None:  # without, a part is told no more than where its own keys are
        places = places_of(settings)
        done = asyncio.run(back_up(places, to, at, keep=stays, read_store=read_store))
        _tell_backup(done, language)
    if keys_to is not None:
        copied = key_copies.copy_keys(settings.keys, keys_to, at, stays, settings.seal_passphrase)
        _tell_keys(copied, language)
    else:
        typer.echo(words["no_keys"], err=True)
    if done is not None and (done.manifest.damaged or done.harmed):
        raise end(Ending.FAILED)


def _check_apart(to: Path | None, keys_to: Path | None, settings: Settings, *, together: bool) -> None:
    own = [settings.keys, settings.log_folder, settings.scratch]
    kind, _, place = settings.store.partition(":")
    if kind == "folder":
        own.append(Path(place))
    key_copies.check_apart(to, keys_to, own, together=together)


def _tell_backup(done: BackedUp, language: Language) -> None:
    words, manifest = _WORDS[language], done.manifest
    counted = {table: file.rows for table, file in manifest.rows}
    typer.echo(
        words["backed_up"].format(
            folder=done.folder,
            records=counted.get("record", 0),
            entries=manifest.log.size,
            blobs=manifest.blobs.rows,
            mib=manifest.blob_bytes / _MIB,
            written=done.written,
        )
    )
    typer.echo(words["root"].format(root=manifest.log.root))
    typer.echo(words["digest"].format(digest=done.digest))
    for name in done.pruned:
        typer.echo(words["pruned"].format(name=name))
    for key, code in sorted(manifest.damaged.items()):
        typer.echo(words["damaged"].format(key=key, code=code), err=True)
    for key, code in sorted(done.harmed.items()):
        typer.echo(words["harmed"].format(key=key, code=code), err=True)


def _tell_keys(copied: KeysCopied, language: Language) -> None:
    words = _WORDS[language]
    typer.echo(words["keys"].format(folder=copied.folder, files=copied.files))
    for agency, kind in copied.elsewhere:
        typer.echo(words["elsewhere"].format(agency=agency, kind=kind))
    for path in copied.outside:
        typer.echo(words["outside"].format(path=path))


def restore(
    source: Annotated[
        Path,
        typer.Argument(metavar="FROM", help="A backup, or a folder of backups: then its newest whole one."),
    ],
    keys_from: Annotated[
        list[Path] | None,
        typer.Option(
            "--keys-from",
            help="A copy of the keys, or a folder of copies: then its newest; again for each part that had "
            f"its own. Without it they must be in {variable('keys')} already.",
            show_default=False,
        ),
    ] = None,
    new_origin: Annotated[
        bool,
        typer.Option(
            "--new-origin",
            help="Let the log go on under a new name, whose first entry names the newest head known of the "
            "old one: needed when anything was signed after this backup, and always safe.",
        ),
    ] = False,
    same_origin: Annotated[
        bool,
        typer.Option(
            "--same-origin",
            help="With copied keys: nothing was signed after this backup, I know it (the vault was stopped "
            "before, and not started again).",
        ),
    ] = False,
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", help="The SHA-256 of its manifest, kept elsewhere.", show_default=False),
    ] = None,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Read and check every byte of the backup; write nothing.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Make a vault from a backup, in the empty places of the settings; all of it is checked.

    Rows, bytes and published log must not be there yet; the rows may go into another kind of database than
    they came from. Killed or refused in the middle it is no vault, and the same command goes on, with the
    backup that it was begun from. Sign-ins and
    access tokens of before have ended; the search index is built when the vault is served. Ends with 1 when
    something is wrong.
    """
    language = spoken_language(lang)
    if new_origin and same_origin:
        raise typer.BadParameter("give one of the two", param_hint="--new-origin, --same-origin")
    places = places_of(read_settings())
    begun = None if check_only else begun_from(places, source)
    if begun is not None:
        typer.echo(_WORDS[language]["goes_on"].format(folder=begun))
    taken = begun or chosen(source)
    passed = passed_over(source, taken)
    for one in passed:
        typer.echo(_WORDS[language]["passed_over"].format(folder=one, name=MANIFEST), err=True)
    examined = asyncio.run(examine(taken, manifest))
    _tell_examined(examined, language)
    if check_only:
        if passed:
            raise end(Ending.FAILED)
        return
    log: Log | None = "new" if new_origin else "same" if same_origin else None
    done = asyncio.run(restore_vault(examined, places, Clock().now(), keys_from=keys_from or (), log=log))
    _tell_restored(done, language)
    if passed or any(one.harm for one in done.findings):
        raise end(Ending.FAILED)


def _tell_examined(examined: Examined, language: Language) -> None:
    words, manifest = _WORDS[language], examined.manifest
    typer.echo(
        words["checked"].format(
            folder=examined.folder,
            at=manifest.made_at,
            entries=manifest.log.size,
            blobs=manifest.blobs.rows,
        )
    )
    typer.echo(words["root"].format(root=manifest.log.root))
    for key, code in sorted(manifest.damaged.items()):
        typer.echo(words["damaged"].format(key=key, code=code), err=True)


def _tell_restored(done: Restored, language: Language) -> None:
    words = _WORDS[language]
    for one in done.findings:
        typer.echo(f"{'HARM' if one.harm else 'note'}  {one.code}: {one.what}")
    typer.echo(words["restored"].format(records=done.records, blobs=done.blobs, entries=done.size))
    typer.echo(words["new" if done.new_origin else "same"].format(origin=done.origin))
    typer.echo(words["after"])
    if done.paused:
        typer.echo(words["paused"].format(hooks=done.paused))
