"""The set-up's proxy, a real nginx with docs/server/nginx.conf, before a real `kho serve`, and before two."""

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest

from tests.servers import postgres
from tests.servers.loopback import free_ports
from tests.servers.prepared import prepare
from tests.servers.proxy import CONFIGURATION, Proxy, version
from tests.servers.sharing import Unobtainable

KHO = Path(sys.executable).with_name("kho")
_PATIENCE = 120.0  # seconds


class Serving:
    """A `kho serve` of its own; `stop` and `start` as an operator does."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self.address = settings["KHO_LISTEN"]
        self._settings = settings
        self._journal = folder / f"{self.address.rpartition(':')[2]}.jsonl"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._journal.open("ab") as journal:
            self._process = subprocess.Popen(
                [KHO, "serve", "--create"],
                env={"PATH": os.environ["PATH"]} | self._settings,
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
            )
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if httpx.get(f"http://{self.address}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(self._journal.read_text()[-3000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_PATIENCE)


@dataclass(frozen=True)
class Doors:
    """The proxy, the two behind it, and what trusts its certificate."""

    proxy: Proxy
    serving: list[Serving]
    tls: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.tls / "certificate.pem")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.proxy.https, verify=self.trusted, timeout=30)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("doors")
    try:
        version()
        tls = prepare(folder / "volumes") / "tls"
    except Unobtainable as missing:
        pytest.skip(str(missing))
    http, https, *ports = free_ports(4)
    settings = {
        "KHO_DATABASE": postgres.fresh_database(),
        "KHO_STORE": f"folder:{folder / 'blobs'}",
        "KHO_SEARCH": "none",
        "KHO_ISSUER": f"https://localhost:{https}",
        "KHO_OCR": "off",
        **{f"KHO_{name.upper()}": str(folder / name) for name in ("keys", "log_folder", "scratch")},
    }
    serving = [Serving(settings | {"KHO_LISTEN": f"127.0.0.1:{port}"}, folder) for port in ports]
    names = {f"serve-{number}:8080": one.address for number, one in enumerate(serving, 1)}
    (folder / "nginx").mkdir()
    try:
        serving[0].start()
        proxy = Proxy(folder / "nginx", tls, names, http=http, https=https)
        try:
            yield Doors(proxy, serving, tls)
        finally:
            proxy.close()
    finally:
        for one in serving:
            one.stop()


def test_nginx_reads_the_configuration_as_it_stands(doors: Doors) -> None:
    assert "test is successful" in doors.proxy.check()


def test_whoever_comes_without_tls_is_sent_to_the_same_place_with_it(doors: Doors) -> None:
    reply = httpx.get(f"{doors.proxy.http}/wallet?lang=vi")
    assert (reply.status_code, reply.headers["cache-control"]) == (307, "no-store")
    assert (
        reply.headers["location"] == doors.proxy.https.replace("localhost", "127.0.0.1") + "/wallet?lang=vi"
    )
    assert httpx.get(f"{doors.proxy.http}/proxy-is-up").status_code == 204


def test_doors_answer_under_the_name_that_was_asked_for(doors: Doors) -> None:
    with doors.client() as client:
        reply = client.get("/log/checkpoint")
        assert reply.status_code == 200
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
        assert "nginx/" not in reply.headers.get("server", "")
        assert client.get("/log/checkpoint", headers={"Host": "elsewhere.example"}).status_code == 421


def test_what_is_for_operators_is_not_behind_it(doors: Doors) -> None:
    with doors.client() as client:
        for path in ("/metrics", "/readyz"):
            assert client.get(path).status_code == 404
            assert httpx.get(f"http://{doors.serving[0].address}{path}").status_code in (200, 404)


def test_a_body_that_nobody_would_take_is_refused_before_it_is_sent(doors: Doors) -> None:
    asking = HTTPSConnection("localhost", httpx.URL(doors.proxy.https).port, context=doors.trusted)
    asking.putrequest("POST", "/v1/me/records")
    asking.putheader("Content-Length", str(105 * 2**20))
    asking.endheaders()
    assert asking.getresponse().status == 413
    asking.close()
    with doors.client() as client:
        for size in range(200_000, 4_000_000, 200_000):
            reply = client.post("/oauth2/token", content=b"x" * size)
            assert reply.json().get("error") == "invalid_request", (size, reply.text)
        assert client.post("/v1/me/records", content=b"x" * 4_000_000).status_code == 401


def test_a_caller_is_known_by_the_cookie_of_the_session_whatever_else_is_sent(
    doors: Doors, tmp_path: Path
) -> None:
    """By what the two behind it are told apart: said back by an nginx with the same maps."""
    (port,) = free_ports(1)
    maps = re.findall(r"^    map .*?^    }\n", CONFIGURATION.read_text("utf-8"), re.M | re.S)
    server = f"    server {{ listen 127.0.0.1:{port}; return 200 $caller; }}\n"
    text = f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n    access_log off;\n{''.join(maps)}{server}}}\n"
    (tmp_path / "nginx.conf").write_text(text)
    command = [doors.proxy.program, "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for sent, known in {
            "": "127.0.0.1",
            "kho_language=vi": "127.0.0.1",
            "__Host-kho_session=abc": "abc",
            "a=b; __Host-kho_session=a-b_c; kho_language=vi; __Host-kho_staff=d": "a-b_cd",
            "x__Host-kho_session=abc; kho_staff=planted": "127.0.0.1",
        }.items():
            with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as asking:
                assert asking.get(f"http://127.0.0.1:{port}", headers={"Cookie": sent}).text == known
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def test_one_address_cannot_keep_the_doors_busy(doors: Doors) -> None:
    """A stranger's many sign-ins are refused before Kho hears of them; all else is served."""
    with doors.client() as client:
        replies = [client.get("/sign-in") for _ in range(400)]
        assert {one.status_code for one in replies} == {404, 429}
        refused = next(one for one in replies if one.status_code == 429)
        assert refused.headers["retry-after"] == "5" and refused.json()["status"] == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert client.get("/log/checkpoint").status_code == 200


def test_nothing_that_a_caller_asked_for_is_written_down(doors: Doors) -> None:
    with doors.client() as client:
        client.get("/v1/records?q=Nguyen-Minh-Anh", headers={"Authorization": "Bearer of-a-token"})
    said = doors.proxy.written.read_text()
    for _ in range(200):  # the proxy writes its line when the reply has gone out
        if " GET 401 " in said:
            break
        time.sleep(0.05)
        said = doors.proxy.written.read_text()
    assert " GET 401 " in said
    for secret in ("/v1", "Nguyen", "of-a-token", "127.0.0.1"):
        assert secret not in said


@pytest.mark.long
def test_a_rolling_restart_loses_nothing(doors: Doors) -> None:
    doors.serving[1].start()
    answers: list[int | str] = []
    ending = threading.Event()

    def ask(number: int) -> None:
        with doors.client() as client:
            while not ending.is_set():
                try:
                    reply = client.get("/log/checkpoint", headers={"Authorization": f"Bearer {number}"})
                    answers.append(reply.status_code)
                    answers.append(client.post("/oauth2/token", data={"number": str(number)}).status_code)
                except httpx.TransportError as problem:
                    answers.append(repr(problem))

    callers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for one in callers:
        one.start()
    try:
        for one in doors.serving:
            one.stop()
            one.start()
    finally:
        ending.set()
        for one in callers:
            one.join()
    assert len(answers) > 50
    assert set(answers) - {429} == {200, 400}, "all come from one address"


def test_while_both_are_away_callers_are_told_to_come_back(doors: Doors, tmp_path: Path) -> None:
    http, https, *nowhere = free_ports(4)
    names = {f"serve-{number}:8080": f"127.0.0.1:{port}" for number, port in enumerate(nowhere, 1)}
    proxy = Proxy(tmp_path, doors.tls, names, http=http, https=https)
    try:
        asked = f"{proxy.https}/wallet"
        reply = httpx.get(asked, verify=doors.trusted)
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = httpx.get(asked, headers=browser, verify=doors.trusted)
    finally:
        proxy.close()
    for one in (reply, page):
        assert one.status_code == 503
        assert one.headers["retry-after"] == "2"
        assert (one.headers["vary"], one.headers["cache-control"]) == ("Accept", "no-store")
        assert one.headers["strict-transport-security"]
        assert "Kho tạm thời chưa phục vụ được" in one.text and "Kho cannot serve just now" in one.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert (problem["status"], problem["code"]) == (503, "vault_away")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src")
    assert page.text.startswith("<!doctype html>") and '<section lang="en">' in page.text
