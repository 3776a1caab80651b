"""The published log is accepted by the fsck command of transparency-dev/tessera, and refused when changed."""

import re
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from signing.leaf import Kind, Parts, make_leaf, new_seed
from signing.log_check import verify_log
from signing.merkle import leaf_hash
from signing.receipt import outcome_of
from vault.signer import Signer

MODULE = "github.com/transparency-dev/tessera@v1.0.4"
COMMAND = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"
CHECKSUM = "h1:IXjGowubcLR0T3zUQrysSMKgtTh9KGKQ0iajUiubyP4="
SIZES = (1, 40, 256, 300, 517, 600)

pytestmark = pytest.mark.slow  # the first build of the verifier takes a minute


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing of each request."""


@pytest.fixture(scope="module")
def fsck(go, tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    go.require(MODULE, CHECKSUM, "tessera's fsck", folder)
    go.build("install", COMMAND, folder=folder, GOBIN=str(folder))
    return folder / "fsck"


async def write_log(folder):
    parts = Parts(subject={}, actor={}, purpose={}, basis={}, event={})
    leaves = [make_leaf(Kind.HEARTBEAT, parts, new_seed()) for _ in range(SIZES[-1])]

    async def rows(first, stop):
        return leaves[first:stop]

    signer = await Signer.open(key_folder=folder / "keys", log_folder=folder / "log", create=True)
    for size in SIZES:
        signer.extend(signer.tree.size, [leaf_hash(leaf) for leaf in leaves[signer.tree.size : size]])
        assert await signer.publish(rows)
    await signer.close()
    return signer


@pytest.fixture(scope="module")
async def published(anyio_backend, tmp_path_factory):
    """A log of 600 entries, grown in several publications, and its signer."""
    folder = tmp_path_factory.mktemp("log")
    return folder / "log", await write_log(folder)


@pytest.fixture(scope="module")
def judge(fsck, published, tmp_path_factory):
    """Ask fsck about the log as it is served now: True, or the words of its refusal."""
    folder, signer = published
    key = tmp_path_factory.mktemp("key") / "log.pub"
    key.write_text(signer.verifier_line)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        yield partial(ask, fsck, url, key)
        server.shutdown()
        thread.join()


def ask(fsck, url, key):
    # This release ends with 0 whatever it found: only its words tell. With fewer workers than tiles it waits
    # for ever once a worker has left over a wrong tile.
    arguments = [fsck, f"--storage_url={url}", f"--public_key={key}", "--ui=false", "--N=16"]
    words = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60).stderr
    found = re.search(r"Successfully fsck'd log with size (\d+)", words)
    if found and "fsck failed" not in words:
        return int(found[1]) == SIZES[-1]
    return words


def test_fsck_accepts_the_log(judge):
    assert judge() is True


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001"]
)
def test_fsck_and_we_refuse_one_flipped_bit(judge, published, path):
    folder, signer = published
    right = (folder / path).read_bytes()
    spoilt = bytearray(right)
    spoilt[len(spoilt) // 2] ^= 1
    (folder / path).write_bytes(spoilt)
    try:
        assert "fsck failed" in str(judge())
        steps = verify_log(lambda name: (folder / name).read_bytes(), signer.verifier_line)
        assert outcome_of(steps) == "invalid"
    finally:
        (folder / path).write_bytes(right)


def test_we_accept_the_log_too(published):
    folder, signer = published
    steps = verify_log(lambda name: (folder / name).read_bytes(), signer.verifier_line)
    assert outcome_of(steps) == "valid"
