"""`kho serve` tells figures on an address of their own; a full disk under the journal takes nothing down."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

KHO = Path(sys.executable).with_name("kho")
LIMIT = 64 * 2**20  # bytes of any file, set on the process from outside


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty vault, made once."""
    place = tmp_path_factory.mktemp("served")
    with serving(place, "--create"):
        pass
    return place


def environment(**settings: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "KHO_OCR": "off"} | settings


@contextmanager
def serving(place: Path, *arguments: str, **settings: str) -> Iterator[dict[str, Any]]:
    """`kho serve` on free ports; gives its first lines by their events."""
    command = [str(KHO), "serve", "--listen", "127.0.0.1:0", *arguments]
    said: dict[str, Any] = {}
    with subprocess.Popen(
        command, cwd=place, stderr=subprocess.PIPE, text=True, env=environment(**settings)
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            told = json.loads(line)
            said[told["event"]] = told
            if told["event"] == "serving":
                break
        try:
            yield said
        finally:
            running.send_signal(signal.SIGTERM)
            rest = running.stderr.read()
    assert running.returncode == 0, rest
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_figures_are_told_on_their_own_address_and_on_no_other(place: Path) -> None:
    with serving(place, KHO_METRICS_LISTEN="0") as said:
        doors, figures = said["serving"]["listen"], said["measured"]["listen"]
        assert doors != figures and said["measured"]["process"] == "serve"
        get(doors, "/readyz")
        status, text = get(figures, "/metrics")
        assert status == 200
        assert 'kho_http_requests_total{door="/readyz",method="GET",status="200"} 1.0' in text
        assert 'process="serve"' in text and "kho_ready 1.0" in text
        assert get(doors, "/metrics")[0] == 404
        assert get(figures, "/readyz")[0] == 404
        assert {line["trace"] for line in said.values()} == {said["serving"]["trace"]}, "one start, one trace"


def refused(place: Path, **settings: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(KHO), "serve", "--listen", "127.0.0.1:0"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(**settings),
    )
    return done.returncode, done.stderr


def test_an_address_that_is_taken_is_told_in_words_and_nothing_is_begun(place: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        code, words = refused(place, KHO_METRICS_LISTEN=port)
    assert code not in (0, 70) and port in words and "Traceback" not in words, words
    assert "serving" not in words


def test_an_address_that_others_reach_must_be_asked_for(place: Path) -> None:
    code, words = refused(place, KHO_METRICS_LISTEN="0.0.0.0:0")
    assert code == 64 and "KHO_METRICS_OPEN" in words
    with serving(place, KHO_METRICS_LISTEN="0.0.0.0:0", KHO_METRICS_OPEN="true") as said:
        port = said["measured"]["listen"].rpartition(":")[2]
        assert get(f"127.0.0.1:{port}", "/metrics")[0] == 200


def test_a_full_disk_under_the_journal_takes_nothing_down(place: Path) -> None:
    """The journal's file is as long as a file may be: every further line of it fails with EFBIG."""
    with socket.socket() as free, socket.socket() as another:
        free.bind(("127.0.0.1", 0))
        another.bind(("127.0.0.1", 0))
        doors, figures = (f"127.0.0.1:{one.getsockname()[1]}" for one in (free, another))
    journal = place / "journal.jsonl"
    with journal.open("ab") as full:
        full.truncate(LIMIT)
        process = subprocess.Popen(
            [str(KHO), "serve", "--listen", doors],
            cwd=place,
            stderr=full,
            env=environment(KHO_METRICS_LISTEN=figures),
        )
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
        try:
            for _ in range(600):
                try:
                    if get(doors, "/healthz")[0] == 200:
                        break
                except OSError:
                    assert process.poll() is None
                    with pytest.raises(subprocess.TimeoutExpired):
                        process.wait(0.1)
            for _ in range(20):
                assert get(doors, "/readyz")[0] == 200
            status, text = get(figures, "/metrics")
            (lost,) = [line for line in text.splitlines() if line.startswith("kho_journal_lines_lost_total ")]
            assert status == 200 and float(lost.split()[1]) >= 20
            full.truncate(0)  # somebody made room
            assert get(doors, "/readyz")[0] == 200
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    told = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    assert told[0]["event"] == "journal_lines_lost" and told[0]["lost"] >= 20
    assert told[-1]["event"] == "stopped"
