"""The set-up's own door: nginx of this machine with docs/server/nginx.conf, on loopback.

Only places and addresses are others than in its container, and where nginx is older than 1.27.3 it looks
names up once.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.servers.compose import ROOT
from tests.servers.sharing import Unobtainable

CONFIGURATION = ROOT / "docs/server/nginx.conf"
_RESOLVES = (1, 27, 3)
_PATIENCE = 20.0  # seconds
_NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def version() -> tuple[int, ...]:
    """Give the version of nginx. Raises Unobtainable where there is none."""
    if _NGINX is None:
        raise Unobtainable("nginx is not installed (on Debian: the package nginx-light)")
    told = subprocess.run([_NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(one) for one in re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told).groups())  # type: ignore[union-attr]


class Proxy:
    """A running proxy; `close` ends it.

    Args:
        folder: an empty folder of its own.
        tls: where its certificate.pem and key.pem are.
        serving: where each `kho serve` listens ("HOST:PORT"), by name and port in docker-compose.yml.
        http, https: the ports to listen on.
    """

    def __init__(self, folder: Path, tls: Path, serving: Mapping[str, str], *, http: int, https: int) -> None:
        self.http, self.https = f"http://127.0.0.1:{http}", f"https://localhost:{https}"
        text = translated(folder, tls, serving, http=http, https=https)
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(text, "utf-8")
        (folder / "tmp").mkdir(exist_ok=True)
        self.written = folder / "access.log"
        self.program = str(_NGINX)
        self._command = [self.program, "-c", str(self._configuration), "-g", "daemon off;"]
        self.check()
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + _PATIENCE
        while not _listens(https):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nginx did not start:\n" + (folder / "error.log").read_text())
            time.sleep(0.05)

    def check(self) -> str:
        """Have nginx read the configuration alone (`nginx -t`), and give what it says."""
        done = subprocess.run([*self._command, "-t"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stderr

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(_PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def translated(folder: Path, tls: Path, serving: Mapping[str, str], *, http: int, https: int) -> str:
    """Give the configuration for this machine."""
    text = CONFIGURATION.read_text("utf-8")
    for name, address in serving.items():
        text = text.replace(f"server {name} ", f"server {address} ")
    replaced = {
        "/dev/stderr": f"{folder}/error.log",
        "/dev/stdout": f"{folder}/access.log",
        "/run/tls/": f"{tls}/",
        " /tmp/": f" {folder}/tmp/",
        "https://$host$": f"https://$host:{https}$",
        "listen 8080;": f"listen 127.0.0.1:{http};",
        "listen 8443 ssl;": f"listen 127.0.0.1:{https} ssl;",
    }
    assert all(one in text for one in replaced)
    text = re.sub("|".join(map(re.escape, replaced)), lambda found: replaced[found[0]], text)
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.M)
    if os.geteuid() == 0:  # it would take another user for its workers, who may not reach our folders
        text = f"user root;\n{text}"
    if version() < _RESOLVES or all(one[0].isdigit() for one in serving.values()):
        text = re.sub(r"^ *resolver .*\n", "", text, flags=re.M).replace(" resolve;", ";")
    return text
