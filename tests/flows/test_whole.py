"""`make server`: all of docker-compose.yml comes up, the story is told in it, people sign in, it ends."""

import re
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reuse_api.demo import people
from tests.flows.plain_browser import Browser
from tests.servers.compose import users
from tests.servers.loopback import free_ports
from tests.servers.proxy import version
from tests.servers.sharing import Unobtainable
from tests.servers.whole import Whole

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where users of the system can get to, as they cannot in the tests' own folders."""
    made = Path(tempfile.mkdtemp(prefix="kho-whole-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def published(folder: Path) -> int:
    return int((folder / "volumes" / "log" / "checkpoint").read_text().splitlines()[1])


def test_all_of_it_comes_up_is_lived_in_and_is_there_again(folder: Path) -> None:
    port = free_ports(1)[0]
    try:
        version()
        with Whole(folder, port) as whole:
            who = [re.fullmatch(r"kho (\w+) \((?:user (\d+)|our user), .*", what) for what, _ in whole.told]
            found = [one.groups() for one in who if one is not None]
            assert [part for part, _ in found] == ["sign", "gate", "seal", "serve", "serve", "work"]
            if whole.apart:
                assert {int(user) for _, user in found} == set(users().values()) - {users()["kho-admin"]}
            assert "class A" in whole.inhabit("en")
            signs_in(whole)
        size = published(folder)
        assert size > 50
        with Whole(folder, port) as whole:
            signs_in(whole)
        assert published(folder) >= size, "the same log"
    except Unobtainable as missing:
        pytest.skip(str(missing))


def signs_in(whole: Whole) -> None:
    """Through the proxy and the provider: the daughter at her wallet, the officer at the desk."""
    if missing := [why for what, why in whole.told if what == "nobody can sign in"]:
        pytest.skip(missing[0])
    trusted = ssl.create_default_context(cafile=whole.volumes / "tls" / "certificate.pem")
    at_home = Browser(whole.address, trusted=trusted)
    at_home.sign_in("Sign in with electronic identity", "daughter", "LoA1")
    assert at_home.place == "/wallet"
    assert people.DAUGHTER.name in at_home.page.text
    at_home.close()
    at_desk = Browser(whole.address, trusted=trusted)
    at_desk.sign_in("To the desk", people.POLICE.officer, amr="pwd mfa")
    assert at_desk.place == "/desk"
    at_desk.close()
