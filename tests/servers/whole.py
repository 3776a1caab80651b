"""`make server`: everything of docker-compose.yml side by side on loopback, with programs of packages.

What each part is told it reads from docker-compose.yml; folders and secrets are made by the same `prepare`.
Where it is run as root each part has the user that it has in its container; else all are ours, and it says
so.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from tests.servers import compose, search_nodes
from tests.servers.compose import PARTS, ROOT, Service
from tests.servers.demo_services import DemoServices
from tests.servers.loopback import free_ports
from tests.servers.parts import for_everybody
from tests.servers.pki import pem
from tests.servers.prepared import prepare
from tests.servers.proxy import Proxy, version
from tests.servers.realms import CITIZENS, Realms
from tests.servers.sharing import Unobtainable
from tests.servers.standing import Bytes, Rows
from vault.clock import Clock

FOLDER = ROOT / "var" / "server"
_PATIENCE = 180.0  # seconds for a part to be well
_GRACE = 30.0  # seconds for one to end


class Whole:
    """All of it, up while inside; what it keeps is in `folder`, and is there again the next time.

    Args:
        port: where the proxy listens, on loopback.
        before: done while the servers of others are up, and no part of Kho: a restore.
    """

    def __init__(self, folder: Path, port: int, before: Callable[["Whole"], None] | None = None) -> None:
        self.folder, self.port = folder, port
        self._before = before
        self.volumes = folder / "volumes"
        self.address = f"https://localhost:{port}"
        self.told: list[tuple[str, str]] = []  # what is where, in words
        self.apart = False
        self._python = Path(sys.executable)
        self._hosts: dict[str, str] = {}
        self._providers: dict[str, str] = {}  # what docker-compose.yml is told of them
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Whole":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for one in reversed(self._running.values()):
            one.terminate()
            try:
                one.wait(_GRACE)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._running.clear()
        self._stack.close()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("journal", "scratch"):
            (self.folder / name).mkdir(exist_ok=True)
        self._find_users()
        say("folders, passwords and certificates ...")
        prepare(self.volumes)
        self._servers()
        authority = self._authorities()
        self._realms()
        self.services = compose.services(self._values())
        self.once("bucket")
        if self._before:
            self._before(self)
        self.once("migrate")
        for name in PARTS:
            self.start(name)
            if name == "seal":
                self._seal_keys(authority)
        self._door()

    def _find_users(self) -> None:
        found = for_everybody(self.folder) if os.geteuid() == 0 else None
        self.apart, self._python = found is not None, found or self._python

    # Programs of others

    def _servers(self) -> None:
        say("PostgreSQL, SeaweedFS, Elasticsearch ...")
        rows = Rows(self.folder / "rows", self.volumes / "secrets-postgresql")
        self._stack.callback(rows.stop)
        kept = Bytes(compose.services()["seaweedfs"], self.volumes, self.folder / "journal" / "seaweedfs")
        self._stack.callback(kept.stop)
        index = self.folder / "index"
        index.mkdir(exist_ok=True)
        node = search_nodes.Elasticsearch(index)
        self._stack.callback(node.stop)
        self._hosts |= {
            "postgresql:5432": rows.host,
            "seaweedfs:8333": kept.host,
            "elasticsearch:9200": node.url.removeprefix("http://"),
        }
        self.told += [(rows.offers["version"], rows.host), ("SeaweedFS, TLS, object lock", kept.host)]
        self.told.append((node.offers["version"], node.url))

    def _authorities(self) -> DemoAuthority:
        """Give time stamps and certificate status over HTTP, by authorities made here, which are trusted."""
        kept = self.folder / "authority"
        authority = DemoAuthority.load(kept) if kept.exists() else DemoAuthority.create(kept, Clock().now())
        self._services = self._stack.enter_context(DemoServices(authority))
        trust = self.volumes / "trust"
        (root,) = authority.roots()
        label = {"label_vi": "Gốc làm trên máy này", "label_en": "A root made on this machine"}
        for purpose in ("government", "timestamp"):
            (trust / purpose / "here.pem").write_text(pem(root))
            (trust / purpose / "here.json").write_text(json.dumps(label, ensure_ascii=False), "utf-8")
        (trust / "between.pem").write_text("".join(map(pem, self._services.above)))
        for one in trust.rglob("*.*"):
            one.chmod(0o644)
        return authority

    def _realms(self) -> None:
        realms = Realms(self.folder / "realms", self.volumes / "sign-in", self.address)
        for one in realms.files.values():
            self._give(one, compose.services()["serve-1"])
        try:
            self._stack.enter_context(realms)
        except Unobtainable as missing:
            self.told.append(("nobody can sign in", str(missing)))
            return
        told = realms.settings.items()  # its files are in a place of their own there
        self._providers = {name.upper(): one for name, one in told if not isinstance(one, Path)}
        accounts = ", ".join([*CITIZENS, *(one.office.officer for one in people.STAFF)])
        self.told.append(
            (
                "oidc-provider",
                f"accounts {accounts}; on its page write LoA1 or LoA2 for citizens, mfa for staff",
            )
        )

    def _values(self) -> dict[str, str]:
        return {
            "ADDRESS": self.address,
            "TIMESTAMP_URL": f"{self._services.stamps_server.url}/",
            "TIMESTAMP_ISSUERS": "/etc/kho/trust/between.pem",
            "STATUS_URL": f"{self._services.status_server.url}/ocsp",
            **self._providers,
        }

    def _door(self) -> None:
        (http,) = free_ports(1)
        names = {name: where for name, where in self._hosts.items() if name.startswith("serve-")}
        try:
            numbers = ".".join(map(str, version()))
        except Unobtainable as missing:
            self.told.append(("no proxy", str(missing)))
            return
        folder = self.folder / "proxy"
        folder.mkdir(exist_ok=True)
        proxy = Proxy(folder, self.volumes / "tls", names, http=http, https=self.port)
        self._stack.callback(proxy.close)
        self.told.append((f"nginx {numbers}", f"{self.address} (and {proxy.http}, which leads there)"))

    # Parts of Kho

    def once(self, name: str) -> None:
        """Run a service that ends, to its end."""
        say(f"{name} ...")
        service = self.services[name]
        entry = service.said.get("entrypoint")
        command = ["-m", "reuse_api", *service.command]
        if entry:  # a script that the container is given
            configs = {one["target"]: one["source"] for one in service.said["configs"]}
            command = [str(ROOT / compose.read()["configs"][configs[entry[1]]]["file"])]
        self.run(name, *command)

    def run(
        self, name: str, *arguments: str, settings: Mapping[str, str] | None = None, said: str = ""
    ) -> str:
        """Run a Python program to its end as the user and with the settings of a service; gives what it said.

        Raises:
            RuntimeError: it did not end well, with what it said.
        """
        done = subprocess.run(
            [self._python, *arguments],
            cwd=ROOT,
            env=self.environment(name) | (settings or {}),
            input=said,
            capture_output=True,
            text=True,
            check=False,
            **self._user(name),
        )
        if done.returncode:
            raise RuntimeError(
                f"{name}: {arguments} ended with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def start(self, name: str) -> None:
        """Start a part, and wait until it says that it is well."""
        service = self.services[name]
        if service.part == "serve":
            self._hosts.setdefault(f"{name}:8080", f"127.0.0.1:{free_ports(1)[0]}")
        with (self.folder / "journal" / f"{name}.jsonl").open("ab") as journal:
            self._running[name] = subprocess.Popen(
                [self._python, "-m", "reuse_api", *service.command],
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                start_new_session=True,  # Ctrl-C is for us, who stop them in order
                **self._user(name),
            )
        self._wait(name, [str(one) for one in service.said["healthcheck"]["test"][2:]])
        where = self._hosts.get(f"{name}:8080", "")
        user = f"user {service.user}" if self.apart else "our user"
        self.told.append((f"kho {service.part} ({user}, process {self._running[name].pid})", where))
        say(f"{name} is well")

    def _wait(self, name: str, asking: list[str]) -> None:
        end = time.monotonic() + _PATIENCE
        why = ""
        while time.monotonic() < end and self._running[name].poll() is None:
            try:
                self.run(name, "-m", "reuse_api", *asking)
                return
            except RuntimeError as problem:
                why = str(problem)
                time.sleep(0.5)
        said = (self.folder / "journal" / f"{name}.jsonl").read_text(errors="replace")[-3000:]
        raise RuntimeError(f"{name} did not start:\n{why}\n{said}")

    def environment(self, name: str) -> dict[str, str]:
        """Give what a service is told, its places and addresses those of this machine."""
        service = self.services[name]
        own = self.folder / "scratch" / name
        own.mkdir(mode=0o700, exist_ok=True)
        self._give(own, service)
        told = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(own)}
        told |= {"PYTHONDONTWRITEBYTECODE": "1"}
        return told | {
            key: self._here(key, value, service, own) for key, value in service.environment.items()
        }

    def _here(self, key: str, value: str, service: Service, own: Path) -> str:
        if key in ("KHO_PEERS", "KHO_WORK_PEERS"):
            users = compose.users()
            return ",".join(str(users[one]) for one in value.split(",")) if self.apart else ""
        if key == "KHO_LISTEN":
            return self._hosts[f"{service.name}:8080"]
        if key == "KHO_METRICS_LISTEN":
            where = self._hosts.setdefault(f"{service.name}:9464", f"127.0.0.1:{free_ports(1)[0]}")
            return where
        if key == "KHO_SCRATCH":
            return str(own)
        kind, colon, place = value.partition(":")
        if colon and kind == "unix":
            return f"unix:{service.outside(place, self.volumes)}"
        if value.startswith("/"):
            return str(service.outside(value, self.volumes))
        for inside, here in self._hosts.items():
            value = value.replace(inside, here)
        return value

    def _user(self, name: str) -> dict[str, Any]:
        if not self.apart:
            return {}
        service = self.services[name]
        return {"user": service.user, "group": service.group, "extra_groups": [service.group]}

    def give(self, place: Path, name: str) -> None:
        """Make a file or folder that of the user of a service."""
        self._give(place, self.services[name])

    def _give(self, place: Path, service: Service) -> None:
        if self.apart:
            os.chown(place, service.user, service.group)

    # Who lives in it

    def _seal_keys(self, authority: DemoAuthority) -> None:
        known = self.run("seal", "-m", "reuse_api", "seal-key", "list")
        for office in (*people.OFFICES, *people.LATER_OFFICES):
            if office.code in known.split():
                continue
            file = self.folder / "scratch" / "seal" / "agency.pem"
            file.unlink(missing_ok=True)
            authority.issue_seal_key(office.name_vi, office.code).to_pem(file)
            self._give(file, self.services["seal"])
            self.run("seal", "-m", "reuse_api", "seal-key", "add-file", office.code, str(file))
            file.unlink()

    def inhabit(self, lang: str) -> str:
        """Tell the demo's story in it, at its doors; gives what was told.

        Raises:
            Unobtainable: its people cannot sign in.
        """
        for what, why in self.told:
            if what in ("nobody can sign in", "no proxy"):
                raise Unobtainable(f"no story is told: {what} ({why})")
        callers = self.folder / "callers"
        callers.mkdir(mode=0o700, exist_ok=True)
        for one in (callers, *callers.rglob("*")):
            self._give(one, self.services["staff"])
        own = {"KHO_METRICS_LISTEN": "", "KHO_LISTEN": self._hosts["serve-1:8080"]}
        proxy = (self.volumes / "tls" / "certificate.pem").read_text()
        program = ("-m", "tests.servers.inhabitants", str(callers), lang)
        return self.run("staff", *program, settings=own, said=proxy)


def say(line: str) -> None:
    """Tell the terminal."""
    print(line, flush=True)


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Keep the folder for one set-up at a time; one that is killed holds nothing.

    Raises:
        RuntimeError: another runs from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "held").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another set-up runs from {folder}; end it first") from None
        yield folder


def main() -> int:
    """Bring it up, tell the story, and stay until Ctrl-C unless `--once`."""
    asked = argparse.ArgumentParser(prog="make server", description=__doc__.partition("\n")[0])
    asked.add_argument("--once", action="store_true", help="tell the story and end")
    asked.add_argument("--port", type=int, default=8443, help="where the proxy listens, on 127.0.0.1; 0: any")
    asked.add_argument("--folder", type=Path, default=FOLDER, help="where everything is kept")
    asked.add_argument("--lang", choices=("vi", "en"), default="en")
    options = asked.parse_args()
    for one in (signal.SIGTERM, signal.SIGINT):  # a shell starts what is in the background deaf to the second
        signal.signal(one, signal.default_int_handler)
    try:
        port = options.port or free_ports(1)[0]
        with held(options.folder.resolve()) as folder, Whole(folder, port) as whole:
            try:
                say(whole.inhabit(options.lang))
            except Unobtainable as missing:
                say(str(missing))
            _tell(whole)
            while not options.once:
                signal.pause()
    except KeyboardInterrupt:
        say("stopped")
    except (Unobtainable, RuntimeError) as problem:
        say(f"make server: {problem}")
        return 1
    return 0


def _tell(whole: Whole) -> None:
    wide = max(len(what) for what, _ in whole.told)
    for what, where in whole.told:
        say(f"{what:{wide}}  {where}")
    if not whole.apart:
        say(
            "All parts run under our own user; run as root, each has one of its own and holds its keys alone."
        )
    trusted = whole.volumes / "tls" / "certificate.pem"
    key = whole.folder / "callers" / "systems" / f"{people.POLICE.system}.json"
    say(f"Kept in {whole.folder}; journals in {whole.folder / 'journal'}. By hand, in another terminal:")
    say(f"  export KHO={whole.address} SSL_CERT_FILE={trusted} CURL_CA_BUNDLE={trusted}")
    say(f"  TOKEN=$(.venv/bin/kho token --key {key} --url $KHO)   # then as in the readme")


if __name__ == "__main__":
    sys.exit(main())
