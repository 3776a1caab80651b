"""`kho demo`: builds or keeps a vault of its own, tells the story at its real doors, then serves it."""

import asyncio
import json
import logging
import shlex
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from reuse_api.app import create_app
from reuse_api.demo import acts, later_acts, people, refusals, staff
from reuse_api.demo.actors import Clerk, Entrance, StoryBroken, Wallet, caller_key, register
from reuse_api.demo.acts import Stage
from reuse_api.demo.codes import Codes
from reuse_api.demo.door import Door
from reuse_api.demo.pki import DemoAuthority
from reuse_api.demo.teller import Teller
from reuse_api.journal import open_journal
from reuse_api.language import Language
from reuse_api.serving import AddressTaken, listen, server
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.wiring import AUTHORITY, open_vault, places_of
from signing.anchors import TEST_LABEL
from signing.checkpoint import Checkpoint, parse_checkpoint, split_note
from signing.merkle import verify_consistency
from signing.round_seal import MILLIMETRES as ROUND_SEAL_MILLIMETRES
from signing.round_seal import draw_round_seal
from storage.errors import StorageError
from vault import seal_images
from vault.clock import Clock
from vault.errors import VaultError
from vault.keeping import scratch_file, write_private
from vault.opening import check_places
from vault.services import Vault

HOST = "127.0.0.1"
JOURNAL = "journal.jsonl"
SETTINGS = "settings.sh"
GiveKey = Callable[[people.Office], None]


def run(*, folder: Path, keys: Path, once: bool, lang: Language, port: int) -> int:
    """Tell the story, and serve until Ctrl-C unless `once`.

    Gives the exit status: 0 told (and stopped), 1 could not, with one clear line saying why.
    """
    teller = Teller(lang)
    settings = _settings(folder, keys, port)
    # The terminal tells the story alone: what goes wrong beside it is written down beside the rows.
    open_journal(logging.WARNING, folder / JOURNAL)
    try:
        listening = listen(settings.host, settings.port)
    except AddressTaken as problem:
        teller.say("port_taken", port=port, other=port + 1 if port < 65535 else 0, why=problem)
        return 1
    except OSError as problem:
        teller.say("cannot_go_on", why=problem)
        return 1
    try:
        return asyncio.run(_play(settings, folder, teller, listening, once=once))
    except (PermissionError, FileNotFoundError) as problem:
        teller.say("cannot_write", path=problem.filename or folder, why=problem.strerror)
    except OSError as problem:
        teller.say("cannot_write", path=problem.filename or folder, why=problem.strerror or problem)
    except (VaultError, StorageError, StoryBroken) as problem:
        teller.say("cannot_go_on", why=problem)
    except KeyboardInterrupt:
        teller.say("stopped")
        return 0
    finally:
        listening.close()
    return 1


async def _play(
    settings: Settings, folder: Path, teller: Teller, listening: socket.socket, *, once: bool
) -> int:
    port = listening.getsockname()[1]
    url = f"http://{HOST}:{port}"
    settings = settings.model_copy(update={"listen": f"{HOST}:{port}", "issuer": url})
    places, started = places_of(settings), time.monotonic()
    fresh = await check_places(places, create=True)
    before = _head(places.log)
    authority = _authority(places.keys, Clock())
    teller.say("title")
    teller.say("places", folder=folder, keys=places.keys)
    async with open_vault(settings, create=True) as vault:
        _write_roots(folder / "trust" / "test", authority.roots())
        _write_settings(folder / SETTINGS, settings, folder / "trust")
        if not fresh:
            teller.say("kept", size=vault.signer.tree.size)
        codes = Codes(teller)
        service = server(create_app(vault, settings, code_tried=codes.tried))
        serving = asyncio.create_task(service.serve(sockets=[listening]))
        try:
            telling = tell(vault, teller, places.keys, Door(HOST, port), _with_keys(vault, authority), folder)
            told = asyncio.create_task(telling)
            await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                told.cancel()
                teller.say("stopped")
                return 0
            stage = told.result()
            if before is not None:
                _show_growth(vault, teller, before)
            teller.say("done", seconds=round(time.monotonic() - started, 1))
            if not once:
                await _show_where(stage, codes, url, places.keys, folder / JOURNAL)
                await serving
                teller.say("stopped")
        finally:
            service.should_exit = True
            await asyncio.wait({serving})
    return 0


def _write_settings(file: Path, settings: Settings, trust: Path) -> None:
    """Write what points every command at this vault, for a shell to read, in whole paths."""
    values = {
        "database": Path(settings.database).resolve(),
        "store": f"folder:{Path(settings.store.removeprefix('folder:')).resolve()}",
        "search": f"tantivy:{Path(settings.search.removeprefix('tantivy:')).resolve()}",
        "keys": settings.keys.resolve(),
        "log_folder": settings.log_folder.resolve(),
        "scratch": settings.scratch.resolve(),
        "trust": trust.resolve(),
    }
    lines = (f"export {variable(name)}={shlex.quote(str(value))}\n" for name, value in values.items())
    file.write_text("".join(lines), encoding="utf-8")


def _settings(folder: Path, keys: Path, port: int) -> Settings:
    """Read the settings as every command does, with the demo's own places and address in place of theirs.

    Raises:
        SettingsInvalid: as `read_settings`.
    """
    return read_settings(
        database=folder / "rows.db",
        store=f"folder:{folder / 'blobs'}",
        keys=keys,
        log_folder=folder / "log",
        scratch=folder / "scratch",
        search=f"tantivy:{folder / 'index'}",
        listen=f"{HOST}:{port}",
        issuer=f"http://{HOST}:{port}",
        demo_sign_in=True,
    )


def _authority(keys: Path, clock: Clock) -> DemoAuthority:
    """Make the demo's certification authority, or load it; its keys lie beside the vault's."""
    folder = keys / AUTHORITY
    if folder.exists():
        return DemoAuthority.load(folder)
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    return DemoAuthority.create(folder, clock.now())


def _write_roots(folder: Path, roots: Sequence[bytes]) -> None:
    """Leave the public root certificate where `kho verify document --trust` can be pointed at it.

    The label beside it is that of the pages, so that both name the root alike.
    """
    folder.mkdir(parents=True, exist_ok=True)
    label = json.dumps(dict(zip(("label_vi", "label_en"), TEST_LABEL, strict=True)), ensure_ascii=False)
    for number, root in enumerate(roots, 1):
        pem = f"-----BEGIN CERTIFICATE-----\n{_folded(root)}-----END CERTIFICATE-----\n"
        (folder / f"kho-demo-{number}.json").write_text(f"{label}\n", "utf-8")
        (folder / f"kho-demo-{number}.pem").write_text(pem)


def _folded(der: bytes) -> str:
    text = b64encode(der).decode()
    return "".join(text[start : start + 64] + "\n" for start in range(0, len(text), 64))


async def tell(
    vault: Vault,
    teller: Teller,
    keys: Path,
    door: Door,
    given: GiveKey,
    folder: Path,
    entrance: Entrance | None = None,
) -> Stage:
    """Tell the story at real doors, and give who was in it.

    Args:
        keys: a folder of ours for the systems' keys.
        given: gives an office its seal key, unless it has one.
        folder: where the files go that the police system receives.
        entrance: how people come in; by codes of the demo unless it is given.

    Raises:
        StoryBroken: a door did not answer as the story needs.
    """
    await acts.import_catalogue(vault, teller)
    commune, police, land, business, bank = await _offices(vault, teller, keys, door, given)
    stage = Stage(
        vault=vault,
        teller=teller,
        commune=commune,
        police=police,
        daughter=Wallet(vault, door, people.DAUGHTER, entrance),
        mother=Wallet(vault, door, people.MOTHER, entrance),
        stranger=Wallet(vault, door, people.STRANGER, entrance),
        outbox=folder / "received",
        entrance=entrance,
    )
    for wallet in (stage.daughter, stage.mother, stage.stranger):
        await wallet.open(people.COMMUNE.code)
        teller.say("person", name=wallet.citizen.name, number=wallet.citizen.number)
    await staff.register_staff(vault)
    await acts.tell(stage)
    await refusals.tell(stage)
    await later_acts.tell(stage, land, business, bank, door)
    return stage


def _with_keys(vault: Vault, authority: DemoAuthority) -> GiveKey:
    def give(office: people.Office) -> None:
        if not vault.sealer.holds(office.code):
            vault.sealer.add(office.code, authority.issue_seal_key(office.name_vi, office.code))

    return give


async def _offices(vault: Vault, teller: Teller, keys: Path, door: Door, given: GiveKey) -> list[Clerk]:
    """2 Who may ask: registered once; their keys are kept with the demo's keys."""
    teller.say("step_2")
    clerks = []
    for office in (*people.OFFICES, *people.LATER_OFFICES):
        key = caller_key(keys / "systems", office, vault.gate.issuer)
        await register(vault, office, key)
        given(office)
        await _round_seal(vault, office)
        clerk = Clerk(vault, door, office, key)
        await clerk.sign_in()
        clerks.append(clerk)
        teller.say(
            "office",
            name=office.name_en if teller.lang == "en" else office.name_vi,
            code=office.code,
            procedures=", ".join(office.procedures) or teller.words("no_duty"),
            issues=", ".join(office.issues) or teller.words("nothing"),
        )
    return clerks


async def _round_seal(vault: Vault, office: people.Office) -> None:
    """Give an office that has none a picture of a round seal, drawn here."""
    async with vault.db.read() as db:
        known = office.code in await seal_images.current(db)
    if known:
        return
    drawn = scratch_file(vault)
    try:
        png = await asyncio.to_thread(draw_round_seal, office.name_vi)
        await asyncio.to_thread(write_private, drawn, png)
        await seal_images.keep(vault, office.code, drawn, millimetres=ROUND_SEAL_MILLIMETRES)
    finally:
        drawn.unlink(missing_ok=True)


def _head(log: Path) -> Checkpoint | None:
    path = log / "checkpoint"
    return parse_checkpoint(split_note(path.read_text())[0]) if path.exists() else None


def _show_growth(vault: Vault, teller: Teller, before: Checkpoint) -> None:
    """Show that the log of the last run is a prefix of this one's (RFC 9162 2.1.4)."""
    tree = vault.signer.tree
    proof = tree.consistency(before.size)
    verify_consistency(before.size, tree.size, proof, before.root, tree.root())
    teller.say("consistent", old=before.size, new=tree.size, hashes=len(proof), outcome=teller.words("valid"))


async def _show_where(stage: Stage, codes: Codes, url: str, keys: Path, journal: Path) -> None:
    teller = stage.teller
    teller.say("look", url=url)
    teller.say("look_wallet", url=url)
    for wallet in (stage.daughter, stage.mother, stage.stranger):
        await codes.show(wallet.citizen.name, wallet.new_code)
    await staff.show_codes(stage.vault, codes, teller.lang)
    teller.say("look_log", url=url)
    teller.say("look_journal", file=journal)
    teller.say("look_settings", file=journal.with_name(SETTINGS))
    teller.say("look_api", file=keys / "systems" / f"{people.POLICE.system}.json")
