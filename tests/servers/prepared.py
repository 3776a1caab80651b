"""What the set-up's own `prepare` makes (docs/server/prepare.sh), in a folder instead of volumes."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.compose import ROOT
from tests.servers.sharing import Unobtainable

SCRIPT = ROOT / "docs/server/prepare.sh"
LAYING = ROOT / "docs/server/lay-keys.sh"


def prepare(volumes: Path, script: Path = SCRIPT) -> Path:
    """Run it: each volume is a folder in `volumes`, which is made if it is not there; gives the folder.

    Raises:
        Unobtainable: there is no openssl on this machine.
    """
    if shutil.which("openssl") is None:
        raise Unobtainable("openssl is not installed (on Debian: the package openssl)")
    volumes.mkdir(parents=True, exist_ok=True)
    volumes.chmod(0o755)
    subprocess.run(
        ["/bin/sh", str(script)],
        env={"PATH": os.environ["PATH"], "PREPARE_AT": str(volumes)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return volumes
