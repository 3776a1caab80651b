"""Servers that tests share: one for all who ask at once, gone with the last, however that went."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from minio import Minio

from tests.servers import postgres, seaweed

_ASK = (
    "import json, sys; from tests.servers.sharing import shared;"
    "print(json.dumps(shared('tests.servers.postgres:Postgres')), flush=True); sys.stdin.read()"
)


def _asking(run: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _ASK],
        env=os.environ | {"PYTEST_XDIST_TESTRUNUID": run},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return told


def test_two_that_ask_at_once_get_one_server_which_goes_with_the_last() -> None:
    run = f"two{os.getpid()}"
    first, second = _asking(run), _asking(run)
    try:
        offers = _told(first)
        assert offers == _told(second)
        sockets = Path(offers["sockets"])
        first.communicate()
        postgres.fresh_database(sockets=str(sockets))  # the other one still has it
    finally:
        for one in (first, second):
            one.send_signal(signal.SIGKILL)
            one.communicate()
    end = time.monotonic() + 60
    while sockets.parent.exists():
        assert time.monotonic() < end, "the server outlived the processes that asked for it"
        time.sleep(0.1)


def test_a_database_is_fresh_and_can_be_dropped() -> None:
    one, other = postgres.fresh_database(), postgres.fresh_database()
    assert one != other
    postgres.drop_database(one)
    postgres.drop_database(other)


def test_a_bucket_is_fresh_and_knows_its_key() -> None:
    offers, bucket = seaweed.fresh_bucket()
    client: Minio = seaweed.client_of(offers["host"], offers["access"], offers["secret"])
    assert list(client.list_objects(bucket)) == []
