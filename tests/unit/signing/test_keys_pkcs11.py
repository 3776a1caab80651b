"""What tokens do to those who use them: a session does not survive a fork, and a wrong PIN is tried once."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signing.errors import SealKeyRefused
from signing.keys import verifies
from signing.keys_file import read_secret, write_private_file
from signing.keys_pkcs11 import Pkcs11Key
from tests.servers import softhsm
from tests.servers.pki import Pki

pytestmark = pytest.mark.anyio
DIGEST = hashlib.sha256(b"x").digest()

FORKING = """
import asyncio, os, sys
from pathlib import Path
from signing.errors import SealKeyUnavailable
from signing.keys_file import read_secret, write_private_file
from signing.keys_pkcs11 import Pkcs11Key, TokenPlace

place = TokenPlace(Path(sys.argv[1]), sys.argv[2], key_label=sys.argv[3])
key = Pkcs11Key(place, lambda: sys.argv[4].encode(), [Path(sys.argv[5]).read_bytes()])
asyncio.run(key.sign(bytes(32)))
if os.fork() == 0:
    try:
        asyncio.run(key.sign(bytes(32)))
    except SealKeyUnavailable as problem:
        os._exit(7 if "fork" in str(problem) else 8)
    os._exit(9)
_, status = os.wait()
asyncio.run(key.sign(bytes(32)))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_child_does_not_use_the_session_of_its_parent(tmp_path: Path) -> None:
    place, public = softhsm.make_key("forked", "p256")
    (tmp_path / "own.der").write_bytes(Pki().issue_for(public, "x")[0])
    said = [str(place.module), place.token, "forked", softhsm.PIN, str(tmp_path / "own.der")]
    done = subprocess.run([sys.executable, "-c", FORKING, *said], env=dict(os.environ), check=False)
    assert done.returncode == 7


async def test_a_wrong_pin_does_not_lock_the_token(tmp_path: Path) -> None:
    place, public = softhsm.make_key("pins", "p256")
    chain = Pki().issue_for(public, "x")
    pin = tmp_path / "pin"
    write_private_file(pin, b"00001111\n")
    key = Pkcs11Key(place, lambda: read_secret(pin), chain)
    for _ in range(20):  # far more than any token allows
        with pytest.raises(SealKeyRefused):
            await key.sign(DIGEST)
    pin.write_text(softhsm.PIN)  # it was put right
    assert verifies(key.public, DIGEST, await key.sign(DIGEST))
