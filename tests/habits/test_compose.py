"""docker-compose.yml, the Dockerfile and the proxy's settings hold to the program, and to docs/processes.md.

Images cannot be pulled where these tests run: what is held here is what can be read.
"""

import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from typer.main import get_command

from reuse_api.__main__ import COMMANDS, _program
from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE
from reuse_api.settings import PREFIX, Settings, read_settings
from reuse_api.sign_in_settings import SignInSettings
from signing.workers import LARGEST_SIGNATURE
from tests.servers import compose
from vault.rights import RIGHTS
from vault.services import MAX_UPLOAD

ROOT = compose.ROOT
READ = compose.read()
SERVICES = compose.services()
OURS = {name: one for name, one in SERVICES.items() if one.ours}
PARTS = {name: SERVICES[name] for name in compose.PARTS}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
NGINX = (ROOT / "docs/server/nginx.conf").read_text("utf-8")
ROLES = (ROOT / "docs/server/roles.sh").read_text("utf-8")
PREPARE = (ROOT / "docs/server/prepare.sh").read_text("utf-8")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
SECRETS = PurePosixPath("/run/secrets")
# Whom a place in a container belongs to is said in prepare.sh, in these words.
FOLDER = re.compile(r"^folder (\d+) (\d+) (\S+)$", re.M)

each = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)
each_part = pytest.mark.parametrize("name", PARTS)


def table() -> dict[str, dict[str, bool]]:
    """The table of settings of docs/processes.md: which are named, and which part has which."""
    lines = (ROOT / "docs/processes.md").read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| setting |"))
    heads = [one.strip() for one in lines[start].split("|")[2:-1]]
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        named, *cells = line.split("|")[1:-1]
        has = {head: cell.strip() not in ("", "no") for head, cell in zip(heads, cells, strict=True)}
        for setting in re.findall(r"`(KHO_[A-Z_]+)(?:…)?`", named):
            found[setting] = has
    return found


def allowed(setting: str, part: str) -> bool:
    if (setting, part) == ("KHO_LISTEN", "serve") or setting == "KHO_METRICS_LISTEN":  # said elsewhere there
        return True
    column = "serve, work" if part in ("serve", "work") else part
    rows = [
        has
        for name, has in table().items()
        if setting == name or (name[-1] == "_" and setting.startswith(name))
    ]
    whole = ("KHO_DATABASE", "KHO_STORE", "KHO_SEARCH")
    rows += [has for name, has in table().items() if name in whole and setting.startswith(name)]
    return any(has[column] for has in rows)


# The program


@each_of_ours
def test_every_setting_is_one_of_the_programs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, value in SERVICES[name].environment.items():
        monkeypatch.setenv(setting, value)
    told = read_settings()
    for setting, value in SERVICES[name].environment.items():
        if setting.startswith(PREFIX) and value:
            kept = getattr(told, setting.removeprefix(PREFIX).lower())
            assert (str(kept).lower() if isinstance(kept, bool) else str(kept)) == value


@each_part
def test_a_part_is_told_only_what_is_its_own(name: str) -> None:
    part = SERVICES[name]
    told = [setting for setting in part.environment if setting.startswith(PREFIX)]
    assert told
    assert [setting for setting in told if not allowed(setting, part.part)] == []


@each_of_ours
def test_every_command_is_one_of_the_programs(name: str) -> None:
    service = SERVICES[name]
    if "entrypoint" in service.said:
        assert not service.command
        return
    command, *options = service.command
    assert command in COMMANDS
    known = {
        text
        for one in get_command(_program(command)).commands[command].params  # type: ignore[attr-defined]
        for text in one.opts
    }
    assert {one for one in options if one.startswith("--")} <= known


def test_the_parts_are_those_of_the_house_two_of_them_serving() -> None:
    assert [SERVICES[name].part for name in compose.PARTS] == [
        "sign",
        "gate",
        "seal",
        "serve",
        "serve",
        "work",
    ]
    assert SERVICES["serve-1"].said == SERVICES["serve-2"].said


@each_part
def test_each_part_says_whether_it_is_well(name: str) -> None:
    test = SERVICES[name].said["healthcheck"]["test"]
    assert test == ["CMD", "kho", "health", SERVICES[name].part]
    assert "health" in COMMANDS


def test_the_image_bears_the_version_of_the_program() -> None:
    assert {one.image for one in OURS.values()} == {f"kho:{VERSION}"}


# Users, keys, sockets, secrets


def test_every_part_has_a_user_of_its_own_and_two_that_serve_share_theirs() -> None:
    made = compose.users()
    users = {one.part: one.user for one in PARTS.values()}
    wanted = {
        "sign": "kho-sign",
        "gate": "kho-gate",
        "seal": "kho-seal",
        "serve": "kho-api",
        "work": "kho-work",
    }
    assert users == {part: made[user] for part, user in wanted.items()}
    assert len(set(users.values())) == len(users)
    assert {one.group for one in PARTS.values()} == {int(re.search(r"--gid (\d+) kho", DOCKERFILE)[1])}  # type: ignore[index]


def test_those_who_may_ask_are_users_of_the_image_and_run_the_parts_that_ask() -> None:
    made = compose.users()
    wanted = {"sign": {"gate", "serve", "work"}, "gate": {"serve", "work"}, "seal": {"serve", "work"}}
    for part, asking in wanted.items():
        told = SERVICES[part].environment["KHO_PEERS"].split(",")
        assert set(told) <= set(made)
        # Its own user is among them: its health is asked by that one. Whoever registers opens the vault too.
        peers = {one.user for one in PARTS.values() if one.part in asking | {part}}
        peers |= {SERVICES["staff"].user} if part != "seal" else set()
        assert {made[one] for one in told} == peers
    assert SERVICES["gate"].environment["KHO_WORK_PEERS"] == "kho-work"


@each_part
def test_the_sockets_a_part_is_told_are_where_the_other_listens(name: str) -> None:
    listening = {"KHO_SIGNER": "sign", "KHO_GATE": "gate", "KHO_SEALER": "seal"}
    volumes = Path("/volumes")
    for setting, part in listening.items():
        if setting not in SERVICES[name].environment:
            continue
        place = SERVICES[name].environment[setting].removeprefix("unix:")
        there = SERVICES[part].environment[setting].removeprefix("unix:")
        assert SERVICES[name].outside(place, volumes) == SERVICES[part].outside(there, volumes)


def test_each_volume_is_with_those_alone_who_need_it() -> None:
    holders: dict[str, set[str]] = {}
    writers: dict[str, set[str]] = {}
    for service in SERVICES.values():
        for one in service.mounts:
            holders.setdefault(one.source, set()).add(service.name)
            if one.writable:
                writers.setdefault(one.source, set()).add(service.name)
    for some in (*holders.values(), *writers.values()):
        some.discard("prepare")
    serving = {"serve-1", "serve-2", "work", "staff"}
    assert holders == {
        "keys-sign": {"sign"},
        "keys-gate": {"gate"},
        "keys-seal": {"seal"},
        "keys-work": {"work"},
        "socket-sign": {"sign", "gate"} | serving,
        "socket-gate": {"gate"} | serving,
        "socket-seal": {"seal"} | serving,
        "log": {"sign", "keeper"} | serving,
        "trust": {"seal"} | serving,
        "authorities": {"bucket", "keeper"} | serving,
        "tls": {"proxy"},
        "sign-in": {"serve-1", "serve-2"},
        "rows": {"postgresql"},
        "bytes": {"seaweedfs"},
        "index": {"elasticsearch"},
        "index-settings": {"elasticsearch"},
        "secrets-admin": {"migrate", "bucket", "keeper", "staff"},
        "backups": {"keeper"},
        "restored": {"keeper"},
        "secrets-sign": {"sign"},
        "secrets-gate": {"gate"},
        "secrets-api": {"serve-1", "serve-2"},
        "secrets-work": {"work"},
        "secrets-postgresql": {"postgresql"},
        "secrets-seaweedfs": {"seaweedfs"},
    }
    assert {name: some for name, some in writers.items() if some} == {
        "keys-sign": {"sign"},
        "keys-gate": {"gate"},
        "keys-seal": {"seal"},
        "keys-work": {"work"},
        "socket-sign": {"sign"},
        "socket-gate": {"gate"},
        "socket-seal": {"seal"},
        "log": {"sign"},
        "rows": {"postgresql"},
        "bytes": {"seaweedfs"},
        "index": {"elasticsearch"},
        "index-settings": {"elasticsearch"},
        "backups": {"keeper"},
        "restored": {"keeper"},
    }
    assert set(READ["volumes"]) == set(holders)


def test_folders_are_prepared_for_the_user_that_writes_to_them() -> None:
    made = {name: (int(user), mode) for user, mode, name in FOLDER.findall(PREPARE)}
    for service in SERVICES.values():
        for one in service.mounts:
            if one.source not in made or service.name == "prepare":
                continue
            user, mode = made[one.source]
            if one.writable or one.source.startswith(("secrets-", "tls", "sign-in")):
                assert user == service.user, one
            if one.source.startswith(("keys-", "secrets-", "tls", "sign-in")):
                assert mode == "700"
            if one.source.startswith("socket-"):
                assert mode == "2750"


@each_of_ours
def test_what_is_written_is_in_a_volume_or_in_memory(name: str) -> None:
    service = SERVICES[name]
    in_memory = {one.partition(":")[0] for one in service.said.get("tmpfs", ())}
    writable = {str(one.target) for one in service.mounts if one.writable} | in_memory
    for setting in ("KHO_KEYS", "KHO_SCRATCH"):
        if setting in service.environment:
            place = PurePosixPath(service.environment[setting])
            assert {str(one) for one in (place, *place.parents)} & writable, setting


@each
def test_every_secret_is_a_file_and_no_variable_holds_one(name: str) -> None:
    service = SERVICES[name]
    for setting, value in service.environment.items():
        if re.search("PASSWORD|SECRET|CREDENTIAL|PASSPHRASE", setting):
            assert PurePosixPath(value).is_relative_to(SECRETS), setting
        assert not re.search(r"//[^/@]*:[^/@]*@", value), f"{setting} holds a password"
    assert not re.search(r"//[^/@]*:[^/@]*@", " ".join(service.command))


def test_each_part_has_a_database_user_of_its_own_and_its_own_password() -> None:
    made = set(re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD", ROLES))
    used = {}
    for service in OURS.values():
        address = service.environment.get("KHO_DATABASE")
        if address is None:
            continue
        role, host = re.fullmatch(r"postgresql\+asyncpg://(\w+)@(\w+):5432/kho", address).groups()  # type: ignore[union-attr]
        assert host == "postgresql"
        assert role in made
        used.setdefault(role, set()).add(service.user)
        secret = service.outside(service.environment["KHO_DATABASE_PASSWORD"], Path("/v"))
        assert secret == Path(f"/v/secrets-{role.removeprefix('kho_')}/database")
    assert set(used) == made
    assert all(len(users) == 1 for users in used.values())


def test_a_part_may_do_with_tables_what_the_program_gives_it_alone() -> None:
    assert re.findall(r"^(?:GRANT|ALTER DEFAULT) .*", ROLES, re.M) == [
        "GRANT CONNECT ON DATABASE kho TO kho_sign, kho_gate, kho_api, kho_work;"
    ]
    assert "--rights" in SERVICES["migrate"].command
    assert {f"kho_{name}" for name in ("sign", "gate", "api", "work")} == set(RIGHTS)


# Every service


@each
def test_a_container_has_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    said = service.said
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in said["security_opt"]
    assert said["mem_limit"] and said["cpus"] and said["pids_limit"]
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(said)
    if name == "prepare":  # gives folders to their users; it has no network, and ends
        assert service.user == 0
        assert said["network_mode"] == "none"
        assert said["restart"] == "no"
    else:
        assert service.user > 0
        assert "cap_add" not in said


@each
def test_a_service_that_stays_is_watched_and_one_that_ends_is_waited_for(name: str) -> None:
    said = SERVICES[name].said
    if said["restart"] == "no":
        waited = [one.after.get(name) for one in SERVICES.values() if name in one.after]
        by_hand = "profiles" in said
        assert set(waited) == (set() if by_hand else {"service_completed_successfully"})
    else:
        assert said["healthcheck"]["test"][0] == "CMD"
        waited = [one.after.get(name) for one in SERVICES.values() if name in one.after]
        assert set(waited) <= {"service_healthy"}


@each
def test_images_have_short_names_and_versions(name: str) -> None:
    image, colon, tag = SERVICES[name].image.partition(":")
    assert colon
    assert re.match(r"\d+\.\d+", tag)
    assert "." not in image.partition("/")[0], "a host"
    assert "@" not in tag


def test_parts_start_after_those_they_need() -> None:
    started: list[str] = []
    waiting = dict(SERVICES)
    while waiting:
        ready = [name for name, one in waiting.items() if set(one.after) <= set(started)]
        assert ready, f"{sorted(waiting)} wait for each other"
        started += ready
        for name in ready:
            del waiting[name]
    before: dict[str, set[str]] = {}
    for name in started:
        before[name] = set(SERVICES[name].after).union(*(before[one] for one in SERVICES[name].after))
    assert before["sign"] >= {"prepare", "postgresql", "migrate"}
    assert before["gate"] >= {"sign"}
    for name in ("serve-1", "serve-2", "work"):
        assert before[name] >= {"sign", "gate", "seal", "bucket", "migrate"}
    assert before["work"] >= {"serve-1"}
    assert before["proxy"] >= {"serve-1", "serve-2"}


# The networks


def test_nothing_but_the_proxy_can_be_reached_and_those_alone_get_out_who_must() -> None:
    assert [name for name, one in SERVICES.items() if "ports" in one.said] == ["proxy"]
    networks: dict[str, dict[str, Any]] = {name: said or {} for name, said in READ["networks"].items()}
    options = {name: said.get("driver_opts", {}) for name, said in networks.items()}
    masked = "com.docker.network.bridge.enable_ip_masquerade"
    outward = {
        name
        for name, said in networks.items()
        if not said.get("internal") and options[name].get(masked) != "false"
    }
    assert outward == {"outside", "providers"}
    getting_out = {name for name, one in SERVICES.items() if set(one.said.get("networks", ())) & outward}
    assert getting_out == {"seal", "work", "gate", "serve-1", "serve-2"}
    assert {name for name, one in SERVICES.items() if "front" in one.said.get("networks", ())} == {"proxy"}
    assert all(
        one.said.get("networks") or one.said.get("network_mode") == "none" for one in SERVICES.values()
    )


def test_each_network_joins_those_alone_who_talk_in_it() -> None:
    joined: dict[str, set[str]] = {}
    for name, one in SERVICES.items():
        for network in one.said.get("networks", ()):
            joined.setdefault(network, set()).add(name)
    serving = {"serve-1", "serve-2", "work", "staff"}
    assert joined == {
        "front": {"proxy"},
        "doors": {"proxy", "serve-1", "serve-2"},
        "rows": {"postgresql", "migrate", "sign", "gate", "keeper"} | serving,
        "bytes": {"seaweedfs", "bucket", "keeper"} | serving,
        "index": {"elasticsearch"} | serving,
        "outside": {"seal", "work"},
        "providers": {"gate", "serve-1", "serve-2"},
    }
    assert set(READ["networks"]) == set(joined)


@each_of_ours
def test_every_server_that_is_named_is_a_service_in_the_same_network(name: str) -> None:
    service = SERVICES[name]
    for value in service.environment.values():
        for host, _port in re.findall(r"(?:@|//|^)([a-z]+):(\d+)", value):
            assert set(SERVICES[host].said["networks"]) & set(service.said["networks"])


# The proxy


def test_the_proxy_asks_the_two_that_serve() -> None:
    port = SERVICES["serve-1"].environment["KHO_LISTEN"].rpartition(":")[2]
    assert re.findall(r"server (\S+?):(\d+) ", NGINX) == [("serve-1", port), ("serve-2", port)]
    published = {one.rpartition(":")[2] for one in SERVICES["proxy"].said["ports"]}
    assert set(re.findall(r"listen (\d+)", NGINX)) == published


def test_the_proxy_reads_what_it_is_given() -> None:
    proxy = SERVICES["proxy"]
    for named in re.findall(r"ssl_certificate(?:_key)? (\S+);", NGINX):
        assert proxy.outside(named, Path("/v")).parent == Path("/v/tls")
    for named in re.findall(r"(?:pid|_temp_path) (\S+);", NGINX):
        assert named.startswith("/tmp/")


def test_the_proxy_passes_what_the_program_would_take() -> None:
    most = int(re.search(r"client_max_body_size (\d+)m;", NGINX)[1]) * 2**20  # type: ignore[index]
    assert most >= 2 * MAX_UPLOAD + LARGEST_SIGNATURE + 256 * 1024
    for cookie in (SESSION_COOKIE, STAFF_COOKIE):
        assert f"__Host-{cookie}=" in NGINX


# The image


def test_the_image_is_built_from_pinned_parts_of_this_program() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", one) for one in bases)
    assert "--require-hashes -r requirements/base.txt" in DOCKERFILE
    copied = set(re.findall(r"^COPY (?!--from)([^\n]+) \S+$", DOCKERFILE, re.M))
    packages = {one.rstrip("*") for one in _packages()}
    assert packages <= copied
    listed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in listed
    for one in " ".join(copied).split():
        assert f"!{one}" in listed
        assert (ROOT / one).exists()


def test_the_image_runs_the_command_as_no_root() -> None:
    assert re.search(r'^ENTRYPOINT \["kho"\]$', DOCKERFILE, re.M)
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)
    assert users and users[-1] in compose.users()


def test_every_configuration_file_is_there_and_used() -> None:
    used = {
        one["source"]: PurePosixPath(one["target"])
        for service in SERVICES.values()
        for one in service.said.get("configs", ())
    }
    assert set(used) == set(READ["configs"])
    for said in READ["configs"].values():
        assert set(said) == {"file"}  # a container whose root is read-only takes no other
        assert (ROOT / said["file"]).is_file()
    kept = {Path(said["file"]).name for said in READ["configs"].values()}
    assert kept == {one.name for one in (ROOT / "docs/server").iterdir()}


def _packages() -> list[str]:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return list(said["tool"]["setuptools"]["packages"]["find"]["include"])


def test_no_setting_is_left_out_unseen() -> None:
    """A setting that the set-up gives to nobody keeps its default: which ones, is said here."""
    given = {
        name.removeprefix(PREFIX).lower()
        for one in OURS.values()
        for name in one.environment
        if name.startswith(PREFIX)
    }
    assert set(Settings.model_fields) - given == {
        "store_region",  # of SeaweedFS: none
        "search_credentials",  # nobody else is in its network
        "full_text",
        "metrics_open",  # figures stay inside each container
        "seal_passphrase",  # beside the sealer's keys
        "clamd",
        "body_limit",
        "ocr",
        "work",  # for rehearsals
        "demo_sign_in",
        *(name for name in SignInSettings.model_fields if name.endswith("_minutes")),
    }


def test_every_variable_is_told_and_leaves_the_programs_default() -> None:
    told = (ROOT / "docs/compose.md").read_text("utf-8")
    rows = [line for line in told.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    assert listed == set(re.findall(r"\$\{([A-Z_]+)", compose.FILE.read_text("utf-8")))
    serving = SERVICES["serve-1"].environment
    for name, field in SignInSettings.model_fields.items():
        if name.endswith(("_scope", "_acr", "_acr_high", "_amr", "_claim")):
            assert serving[f"{PREFIX}{name.upper()}"] == field.default, name


def test_the_gate_believes_the_providers_that_the_doors_send_people_to() -> None:
    """What is asked of a sign-in is the same to both; our secrets there, the doors alone have."""
    serving, gate = SERVICES["serve-1"].environment, SERVICES["gate"].environment
    of_doors = ("_credentials", "_scope", "_minutes")
    shared = [name for name in SignInSettings.model_fields if not name.endswith(of_doors)]
    assert len(shared) == 9
    for name in (f"{PREFIX}{one.upper()}" for one in shared):
        assert gate[name] == serving[name], name
    assert not [name for name in gate if name.endswith(("_CREDENTIALS", "_SCOPE"))]
