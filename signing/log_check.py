"""The check of a whole published log, with public means alone: what `kho verify log` tells."""

from collections.abc import Callable

from signing.checkpoint import Checkpoint, LogVerifier, parse_checkpoint, split_note
from signing.leaf import leaf_kind
from signing.log_errors import LeafMalformed, NoteInvalid
from signing.merkle import HASH_SIZE, Tree, leaf_hash
from signing.receipt import Step
from signing.tiles import TILE_WIDTH, bundles_between, read_bundle, tile_path, tiles_for

Fetch = Callable[[str], bytes]
_NAMES = ("checkpoint", "tiles", "entries", "root")


def verify_log(fetch: Fetch, log_key_line: str | None) -> list[Step]:
    """Check a log from its first entry to its published head in four numbered steps.

    1 checkpoint (signed by the log's key), 2 tiles (all there, upper levels made of lower ones), 3 entries
    (each is a leaf and hashes to its place), 4 root (the tree over all entries has the signed root).

    `fetch` gives the content below the log's address ("checkpoint", "tile/0/000", ...); it raises
    FileNotFoundError for what is not there, and another OSError for what cannot be read now, which leaves a
    step undecided. Without the key line step 1 is undecided. Keeps 64 bytes per entry in memory. Raises
    NoteInvalid for a malformed key line.
    """
    verifier = None if log_key_line is None else LogVerifier.from_line(log_key_line)
    check = _LogCheck(fetch, verifier)
    results = []
    for number, (name, act) in enumerate(
        zip(_NAMES, (check.head, check.tiles, check.entries, check.root), strict=True), 1
    ):
        passed, detail = _attempt(act)
        results.append(Step(number, name, passed, detail))
    return results


class _Fault(Exception):
    """The log is not what it should be."""


class _Undecided(Exception):
    """A step cannot be decided, by no fault of the log."""


class _LogCheck:
    def __init__(self, fetch: Fetch, verifier: LogVerifier | None) -> None:
        self._fetch = fetch
        self._verifier = verifier
        self._checkpoint: Checkpoint | None = None
        self._tree: Tree | None = None

    def head(self) -> str:
        note = self._fetch("checkpoint").decode()
        self._checkpoint = parse_checkpoint(split_note(note)[0])
        if self._verifier is None:
            raise _Undecided("no log key was given to check the signature with")
        self._verifier.open_checkpoint(note)
        return f"{self._checkpoint.origin} signed the head of {self._checkpoint.size} entries"

    def tiles(self) -> str:
        size = self._known_head().size
        tree = Tree()
        while tree.size < size:
            width = min(TILE_WIDTH, size - tree.size)
            index = tree.size // TILE_WIDTH
            content = self._fixed(tile_path(0, index, width), width)
            for start in range(0, len(content), HASH_SIZE):
                tree.append(content[start : start + HASH_SIZE])
        count = 0
        for path, content in tiles_for(tree, 0, size):
            count += 1
            if not path.startswith("tile/0/") and self._fixed(path, len(content) // HASH_SIZE) != content:
                raise _Fault(f"{path} is not made of the tiles below it")
        self._tree = tree
        return f"{count} tiles"

    def entries(self) -> str:
        tree = self._known_tree()
        for bundle in bundles_between(0, tree.size):
            leaves = read_bundle(self._partial(bundle.path))[: bundle.stop - bundle.first]
            if len(leaves) != bundle.stop - bundle.first:
                raise _Fault(f"{bundle.path} holds {len(leaves)} entries")
            for index, leaf in enumerate(leaves, bundle.first):
                _require_leaf(index, leaf, tree.level(0)[index])
        return f"{tree.size} entries"

    def root(self) -> str:
        if self._known_tree().root() != self._known_head().root:
            raise _Fault("the tree over all entries has another root than the checkpoint")
        return "the tree over all entries has the signed root"

    def _known_head(self) -> Checkpoint:
        if self._checkpoint is None:
            raise _Undecided("not reached")
        return self._checkpoint

    def _known_tree(self) -> Tree:
        if self._tree is None:
            raise _Undecided("not reached")
        return self._tree

    def _fixed(self, path: str, width: int) -> bytes:
        """Return a tile's first `width` hashes."""
        content = self._partial(path)
        if len(content) not in (width * HASH_SIZE, TILE_WIDTH * HASH_SIZE):
            raise _Fault(f"{path} holds {len(content)} bytes")
        return content[: width * HASH_SIZE]

    def _partial(self, path: str) -> bytes:
        """Return a file; a partial tile may have made room for the full one, which begins with it."""
        try:
            return self._fetch(path)
        except FileNotFoundError:
            full, separator, _ = path.partition(".p/")
            if not separator:
                raise
            return self._fetch(full)


def _require_leaf(index: int, leaf: bytes, expected: bytes) -> None:
    if leaf_hash(leaf) != expected:
        raise _Fault(f"entry {index} does not hash to its place in the tiles")
    try:
        leaf_kind(leaf)
    except LeafMalformed as error:
        raise _Fault(f"entry {index}: {error}") from None


def _attempt(act: Callable[[], str]) -> tuple[bool | None, str]:
    try:
        return True, act()
    except _Undecided as reason:
        return None, str(reason)
    except FileNotFoundError as missing:
        return False, f"missing: {missing}"
    except OSError as trouble:
        return None, f"cannot be read: {trouble}"
    except (_Fault, NoteInvalid, ValueError) as fault:
        return False, str(fault)
