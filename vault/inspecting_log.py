"""Does the published log tell what the rows tell? Checkpoint, tiles and bundles against the tree.

No key is needed: whether the checkpoint's signature is the log's is `kho verify log`'s matter. What is
published is read beside a vault that may be serving: a partial tile may have made room for the full one,
which begins with it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from signing.checkpoint import Checkpoint, parse_checkpoint, split_note
from signing.log_errors import NoteInvalid
from signing.merkle import Tree
from signing.tiles import bundles_between, entry_bundle, tiles_for
from vault.log_folder import CHECKPOINT


def published_note(folder: Path) -> bytes | None:
    """Read the published checkpoint as it stands, None before the first; read it before the rows."""
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None


def differences(
    folder: Path, note: bytes | None, tree: Tree, leaves: Sequence[bytes]
) -> Iterator[tuple[str, str]]:
    """Yield a stable code and what is wrong for everything published that the rows do not tell.

    Args:
        folder: the log's folder.
        note: what `published_note` gave before `tree` and `leaves` were read.
        tree: over the hashes of all committed leaves.
        leaves: those leaves.
    """
    if note is None:
        return
    try:
        head = parse_checkpoint(split_note(note.decode())[0])
    except (NoteInvalid, UnicodeDecodeError):
        yield "checkpoint_unreadable", "the published checkpoint is none"
        return
    if head.size > tree.size:
        yield "log_behind", f"{head.size} entries are published, {tree.size} rows are here"
    elif tree.root(head.size) != head.root:
        yield "log_forked", f"another root is published at size {head.size}"
    else:
        yield from _files(folder, head, tree, leaves)


def _files(folder: Path, head: Checkpoint, tree: Tree, leaves: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    expected = dict(tiles_for(tree, 0, head.size))
    for bundle in bundles_between(0, head.size):
        expected[bundle.path] = entry_bundle(leaves[bundle.first : bundle.stop])
    for path, content in expected.items():
        code = _compared(folder, path, content)
        if code is not None:
            yield code, path
    yield from _older(folder, expected)


def _compared(folder: Path, path: str, content: bytes) -> str | None:
    full, partial, _ = path.partition(".p/")
    try:
        return None if (folder / path).read_bytes() == content else "tile_changed"
    except FileNotFoundError:
        if not partial:
            return "tile_missing"
    except OSError:
        return "tile_unreadable"
    try:
        return None if (folder / full).read_bytes().startswith(content) else "tile_changed"
    except OSError:
        return "tile_missing"


def _older(folder: Path, expected: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Look at the partial tiles of earlier heads that are still there: each begins what its tile is now."""
    whole = {path.partition(".p/")[0]: content for path, content in expected.items()}
    for file in sorted((folder / "tile").rglob("*.p/*")):
        path = file.relative_to(folder).as_posix()
        base = path.partition(".p/")[0]
        if path in expected or base not in whole:
            continue
        content = _content(file)
        if content is not None and not _begins(content, whole[base]):
            yield "tile_changed", path


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # outgrown meanwhile
        return None


def _begins(content: bytes, whole: bytes) -> bool:
    """Compare as far as the checked head goes: a partial tile may also belong to a later one."""
    common = min(len(content), len(whole))
    return bool(content) and content[:common] == whole[:common]
