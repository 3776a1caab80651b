"""A thief with an API process: its user, files, settings, memory, sockets and a live token. Nothing unlogged.

Where the tests run as root and another user can run Python, the thief is that other user, truly; elsewhere
all processes have one user, so that files and memory are left out and the sockets alone are tried.
"""

import json
import os
import subprocess
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from signing.checkpoint import LogKey
from tests.conftest import Template, copied_rows
from tests.faults import thief_of_tables
from tests.faults.load import Office
from tests.servers.odd_provider import CLIENT, OddProvider
from tests.servers.parts import ISSUER, ROOT, Parts, running_parts

ROWS = ("postgresql",)
HIS = {"sub": "thief", "SoDinhDanh": "001198054321", "HoVaTen": "Vũ Ngọc Mai"}
HERS = {"SoDinhDanh": people.MOTHER.number, "HoVaTen": people.MOTHER.name}
pytestmark = pytest.mark.timeout(600)
NO_USERS = "other users need root and a Python that everybody can run"
_GATE = {"refused": "GateRefused"}
_NOBODY = {"refused": "NotAuthenticated"}
_NOT_BEGUN = {"refused": "SignInRefused", "why": "not_begun"}
_SHUT = "A sealed value cannot be opened with this key for this purpose."
# What each trick must come to.
ENDS: dict[str, dict[str, Any]] = {
    "reads_key_folders": {"refused": "nothing"},
    "reads_memory": {"refused": "nothing"},
    "takes_a_socket": {"refused": "nothing"},
    "opens_what_was_never_committed": _GATE,
    "opens_by_a_log_of_its_own": _GATE,
    "opens_by_an_old_entry": _GATE,
    "has_the_signer_sign_ahead": {"refused": "VaultBusy"},
    "rewrites_a_row": {"refused": "LogForked"},
    "signs_in_behind_the_back": _NOBODY,
    "takes_over_a_session": _NOBODY,
    "signs_in_an_officer": _NOBODY,
    "has_a_session_marked_that_nobody_proved": _GATE | {"why": "session: unproven"},
    "signs_her_token_himself": {"refused": "IdTokenRefused", "why": "id_token_signature: signature"},
    "brings_her_token_from_elsewhere": _NOT_BEGUN,
    "brings_her_token_to_a_nonce_of_now": {
        "refused": "IdTokenRefused",
        "why": "id_token_nonce: nonce is another",
    },
    "uses_a_token_again": _NOT_BEGUN,
    "signs_in_himself_and_takes_her_store": _GATE | {"why": "session: owner_unknown"},
    "gives_her_store_his_own_number": _GATE | {"why": "session: owner_doubtful"},
    "makes_a_code_of_the_demo": {"refused": "SessionRefused"},
    "works_as_the_vault": {"refused": "PeerRefused"},
    "takes_what_waits": {"refused": "PeerRefused"},
    "reads_what_waits_as_a_reading": _GATE | {"why": f"waiting: {_SHUT} (kho/1/reading-key)"},
    "has_another_log_key_made_for_an_owner": _GATE | {"why": "pair: of an owner both are made at once"},
    "seals_to_a_log_key_that_nobody_keeps": _GATE | {"why": f"key: {_SHUT} (master key)"},
    "seals_to_a_pair_that_nobody_keeps": _GATE | {"why": f"key: {_SHUT} (kho/1/record-key)"},
    "seals_to_a_key_whose_other_half_is_the_owners": _GATE | {"why": f"key: {_SHUT} (master key)"},
    **{
        trick.__name__: {"refused": "ProgrammingError", "why": f"permission denied for table {table.name}"}
        for trick, table in thief_of_tables.TRICKS.items()
    },
}
_OF_USERS = {"reads_key_folders", "reads_memory", "takes_a_socket", "works_as_the_vault", "takes_what_waits"}


@pytest.fixture(scope="module")
def provider() -> Iterator[OddProvider]:
    """The citizens' provider, where the thief has an account."""
    with OddProvider() as made:
        made.person = dict(HIS)
        yield made


@pytest.fixture(scope="module")
def parts(
    template: Template, provider: OddProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    """The parts and a server, each with a user of its own; `kho work` would have another one."""
    folder = template.copied(tmp_path_factory.mktemp("thief") / "kho")
    realm = {"CITIZENS_PROVIDER": provider.url, "CITIZENS_CLIENT": CLIENT}
    with (
        copied_rows(template, folder) as rows,
        running_parts(folder, rows.text, same_user_works=False, rights=True, gate_more=realm) as made,
    ):
        yield made


def named_in(token: str) -> dict[str, str]:
    """Give the actor that entries of a token's caller name."""
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    actor = {"agency": claims["agency"], "system": claims["client_id"], "key": claims["key_thumbprint"]}
    return actor | {"officer": claims["officer"]}


@pytest.fixture(scope="module")
def office(parts: Parts, template: Template) -> Office:
    """A system that has read one document, and has a live token."""
    one = Office(template.keys, [parts.ports["serve"]])
    with httpx.Client(timeout=30) as asking:
        one.round(asking)
    assert len(one.reads) == 1, one.faults
    return one


@pytest.fixture
def stolen(parts: Parts, template: Template, office: Office, provider: OddProvider) -> dict[str, Any]:
    folders = [parts.folder / part / "keys" for part in ("sign", "gate", "seal")]
    return {
        "rows": parts.rows_of("thief"),
        "tables": parts.rows,  # as their owner, for tricks that the gate alone must hold against
        "signer": str(parts.socket("sign")),
        "gate": str(parts.socket("gate")),
        "issuer": ISSUER,
        "log_key": parts.log_line(),
        "token": office.token,
        "actor": named_in(office.token),
        "record": template.mothers,
        "another": template.childs,
        "delivered": office.reads[0].index,
        "provider": provider.url,
        "client": CLIENT,
        "his_number": HIS["SoDinhDanh"],
        "her_claims": HERS,
        "her_nonce": "of-another-time",
        "her_token": hers(provider),
        "folders": [str(one) for one in folders],
        "sockets": [str(parts.socket(part)) for part in ("sign", "gate", "seal")],
        "pids": {part: parts.running[part].pid for part in ("sign", "gate", "seal")},
    }


def hers(provider: OddProvider) -> str:
    """Give what the provider truly gave her for another sign-in."""
    now = int(time.time())
    claims = {"iss": provider.url, "aud": CLIENT, "sub": "hers", "nonce": "of-another-time", "acr": "LoA2"}
    return provider.signed({**claims, "iat": now, "exp": now + 300, "auth_time": now, **HERS})


def test_nothing_is_got_that_no_entry_tells_of(parts: Parts, stolen: dict[str, Any]) -> None:
    with subprocess.Popen(
        [parts.python, "-m", "tests.faults.thief"],
        cwd=ROOT,
        env=parts.environment("thief"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **parts.as_user("thief"),
    ) as thief:
        said, failed = thief.communicate(json.dumps(stolen) + "\n", timeout=120)
    told = {one["trick"]: one for one in map(json.loads, said.splitlines())}
    assert set(told) == {*ENDS, "reads_by_the_live_token"}, failed[-3000:]
    # The same entry opens once it is committed: what refused the others was that it was not.
    index, end = int(told["reads_by_the_live_token"]["got"]), time.monotonic() + 60
    while published(parts) <= index:
        assert time.monotonic() < end, "it is in the log that everybody can read"
        time.sleep(0.1)
    for trick, end in ENDS.items():
        if trick in _OF_USERS and not parts.users:
            continue
        assert end.items() <= told[trick].items(), told[trick]
        assert "got" not in told[trick], told[trick]
    lines = parts.events("gate")
    assert not [one for one in lines if one["event"] == "session_marked"]
    refused = {one["reason"] for one in lines if one["event"] == "session_refused"}
    assert refused == {
        *("unproven", "id_token_signature", "not_begun", "id_token_nonce", "owner_unknown", "owner_doubtful")
    }
    if not parts.users:
        pytest.skip(NO_USERS)


def published(parts: Parts) -> int:
    """How many entries the published checkpoint stands for."""
    return int((parts.folder / "sign" / "log" / "checkpoint").read_text().split("\n")[1])


def test_no_key_is_in_the_memory_of_an_api_process(parts: Parts, office: Office) -> None:
    """As its own user, who may read all of it: after it has served."""
    wanted = {name: secret for name, secret in secrets_of(parts)}
    assert len(wanted) > 8
    memory = list(readable(parts.running["serve"].pid))
    assert sum(map(len, memory)) > 10 * 2**20
    assert any(office.token.encode() in piece for piece in memory), "it is its memory indeed"
    found = {name for name, secret in wanted.items() if any(secret in piece for piece in memory)}
    assert found == set()


def secrets_of(parts: Parts) -> Iterator[tuple[str, bytes]]:
    gate, sign, seal = (parts.folder / part / "keys" for part in ("gate", "sign", "seal"))
    for name in ("master", "token", "index"):
        yield name, (gate / f"{name}.key").read_bytes()
    line = (sign / "log.key").read_text().strip()
    yield "log", line.encode()
    yield "log, raw", LogKey.from_line(line)._key.private_bytes_raw()
    yield "passphrase", (seal / "seal.passphrase").read_bytes().strip()
    for path in sorted((seal / "seal").glob("*.pem")):
        yield path.name, path.read_bytes()[100:200]


def readable(pid: int) -> Iterator[bytes]:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights = line.split()[:2]
            start, stop = (int(one, 16) for one in where.split("-"))
            if "r" not in rights or "[v" in line:
                continue
            try:
                memory.seek(start)
                yield memory.read(stop - start)
            except (OSError, ValueError, OverflowError):
                continue


def test_each_is_a_user_of_its_own(parts: Parts) -> None:
    """Where the tests run as root and other users can run Python, each part is one of them, and the thief."""
    named = ("sign", "gate", "seal")
    told = {name: user for name in named for one in parts.events(name) if (user := one.get("user"))}
    assert told == {name: parts.user(name) for name in named}
    if not parts.users:
        pytest.skip(NO_USERS)
    assert len({parts.user("serve"), *told.values()}) == 4
    assert os.stat(parts.folder / "gate" / "keys").st_uid not in (parts.user("serve"), parts.user("thief"))
