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
from tests.servers.prepared import LAYING, prepare
from tests.servers.proxy import version
from tests.servers.sharing import Unobtainable
from tests.servers.whole import Whole, held

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


def test_one_folder_is_one_set_ups_at_a_time(folder: Path) -> None:
    with held(folder), pytest.raises(RuntimeError, match="another set-up runs from"), held(folder):
        raise AssertionError("both run")
    with held(folder):
        pass


def test_all_of_it_is_made_again_elsewhere_from_what_the_keeper_kept(folder: Path) -> None:
    """docs/compose.md, line by line: back up, copy the keys of each part, restore, split, lay, start."""
    try:
        with Whole(folder / "one", free_ports(1)[0]) as whole:
            whole.inhabit("en")
            whole.run("keeper", "-m", "reuse_api", *whole.services["keeper"].command[:1], str(kept(whole)))
            apart = {name: keys_of(whole, name) for name in ("sign", "gate", "seal")}
        size = published(folder / "one")

        def restore(there: Whole) -> None:
            backups = taken(there, kept(whole), "backups")
            keys = [f"--keys-from={taken(there, one, f'apart-{name}')}" for name, one in apart.items()]
            keeping = ("keeper", "-m", "reuse_api")
            there.run(*keeping, "restore", str(backups), *keys, "--new-origin")
            restored = there.volumes / "restored"
            split = [f"--{name}={restored / name}" for name in apart]
            there.run(*keeping, "keys", "split", *split)
            prepare(there.volumes, LAYING)

        # Officers are known by the provider that they sign in at: it stays where it was.
        shutil.copytree(folder / "one" / "realms", folder / "two" / "realms")
        with Whole(folder / "two", free_ports(1)[0], restore) as again:
            signs_in(again)
            assert not any((again.volumes / "restored").iterdir())
        assert published(folder / "two") > size, "the same entries, and one that names the log before"
    except Unobtainable as missing:
        pytest.skip(str(missing))


def kept(whole: Whole) -> Path:
    return whole.volumes / "backups"


def keys_of(whole: Whole, name: str) -> Path:
    """Copy a part's keys, as its user."""
    place = whole.folder / f"apart-{name}"
    place.mkdir(mode=0o700)
    whole.give(place, name)
    whole.run(name, "-m", "reuse_api", "backup", "--keys-to", str(place))
    return place


def taken(whole: Whole, there: Path, name: str) -> Path:
    """Carry a folder over, and give it to whoever restores."""
    mine = whole.folder / f"carried-{name}"
    shutil.copytree(there, mine)
    for one in (mine, *mine.rglob("*")):
        whole.give(one, "keeper")
    return mine


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
