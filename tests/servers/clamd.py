"""The clamd of this machine, on one signature of our own; there is none in a package of Python."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Ours.Eicar.UNOFFICIAL"  # what it calls a file that holds that line
_PROGRAM = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")


def running(folder: Path, largest: str = "1M") -> Iterator[Path]:
    """Run it with its files in a folder; gives its socket. Skips the test by name where there is no clamd."""
    if _PROGRAM is None:
        pytest.skip("clamd is not installed")
    (folder / "database").mkdir()
    (folder / "database" / "ours.ndb").write_text(f"Ours.Eicar:0:*:{EICAR.hex()}\n")
    place = folder / "socket"
    (folder / "clamd.conf").write_text(
        f"Foreground yes\nLocalSocket {place}\nDatabaseDirectory {folder / 'database'}\n"
        f"TemporaryDirectory {folder}\nStreamMaxLength {largest}\nMaxThreads 2\n"
    )
    server = subprocess.Popen(
        [_PROGRAM, "-c", str(folder / "clamd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        for _ in range(600):
            if place.exists() or server.poll() is not None:
                break
            time.sleep(0.05)
        assert server.poll() is None and place.exists(), "clamd did not come up"
        yield place
    finally:
        server.kill()
        server.wait()
