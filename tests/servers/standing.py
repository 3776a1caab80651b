"""PostgreSQL, the S3 server and the search node of docker-compose.yml, as programs of packages on loopback.

They are told what their containers are told, but for places, ports and users; what they keep stays in their
folders, so that they can be started again on it.
"""

import os
import subprocess
from pathlib import Path

from tests.servers import postgres
from tests.servers.compose import ROOT
from tests.servers.loopback import free_ports

_PATIENCE = 90.0  # seconds


class Rows(postgres.Postgres):
    """PostgreSQL with the users of docs/server/roles.sh, each with a password, reached over TCP."""

    def __init__(self, folder: Path, secrets: Path) -> None:
        made = (folder / "data").exists()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self.host = f"127.0.0.1:{self.port}"
        super().__init__(folder)
        if not made:
            self._with_passwords(secrets)

    def _with_passwords(self, secrets: Path) -> None:
        rules = self._data / "pg_hba.conf"
        rules.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        psql_at = {"PATH": f"{postgres.BIN}:{os.environ['PATH']}", "PGHOST": self.sockets}
        roles = ROOT / "docs/server/roles.sh"
        subprocess.run(
            ["/bin/sh", str(roles)], env=psql_at | {"SECRETS": str(secrets)}, check=True, timeout=60
        )
        self.stop()
        self.start()

    @property
    def listening(self) -> list[str]:
        """Where it listens beside its socket."""
        return ["-o", f"-h 127.0.0.1 -p {self.port}"]
