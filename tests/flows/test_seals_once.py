"""What a seal key signs for one request, over HTTP: asked again, nobody signs twice whose answer was lost."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from reuse_api.demo import people
from signing.errors import SealKeyUnavailable
from signing.keys_file import FileKey
from tests.flows.test_results_sealed import hand_in, unsigned
from tests.flows.test_waiting_seals import make_due
from tests.servers import softhsm
from tests.servers.csc_server import CLIENT, SECRET, CscServer, Held
from vault import result_paper
from vault.errors import MalwareScanUnavailable
from vault.seal_keys import Place

OFFICE = people.COMMUNE.code


@dataclass
class Kept:
    """The commune's key as it is, and how to register it as one of another kind."""

    own: FileKey
    register: Callable[[Place], None]
    secret: Path


@pytest.fixture
def kept(kho: Any, tmp_path: Path) -> Iterator[Kept]:
    """Take the file of the commune's key away, and put it back afterwards."""
    keys, folder = kho.around.seal_keys, kho.around.seal_folder
    own = keys.open(OFFICE)
    chain = list(own.certificates)
    moved = tmp_path / "own.pem"
    (tmp_path / "secret").touch(mode=0o600)

    def register(place: Place) -> None:
        shutil.move(folder / f"{OFFICE}.pem", moved)  # they may be on two file systems
        keys.register(OFFICE, place, chain)

    yield Kept(own, register, tmp_path / "secret")
    if moved.exists():
        for ending in (".json", ".crt.pem"):
            (folder / f"{OFFICE}{ending}").unlink()
        shutil.move(moved, folder / f"{OFFICE}.pem")


@pytest.fixture
def service(kept: Kept) -> Iterator[CscServer]:
    """Move the commune's key to a remote service."""
    server = CscServer().start()
    server.credentials["c1"] = Held(kept.own.private, list(kept.own.certificates))
    kept.secret.write_text(SECRET + "\n")
    said = {"url": server.base, "client_id": CLIENT, "credential": "c1", "secret_file": str(kept.secret)}
    kept.register(Place("csc", said))
    yield server
    server.stop()


@pytest.fixture
def in_token(kept: Kept, tmp_path: Path) -> None:
    """Move the commune's key into a token."""
    module, token = softhsm.token()
    plain = tmp_path / "plain.pem"
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    plain.write_bytes(kept.own.private.private_bytes(serialization.Encoding.PEM, form, none))
    label, pin = f"once-{os.urandom(4).hex()}", softhsm.PIN
    asked = ["softhsm2-util", "--import", str(plain), "--token", token, "--label", label]
    asked += ["--id", os.urandom(4).hex(), "--pin", pin, "--module", str(module)]
    subprocess.run(asked, check=True, capture_output=True)
    kept.secret.write_text(pin + "\n")
    said = {"module": str(module), "token": token, "key_label": label, "pin_file": str(kept.secret)}
    kept.register(Place("pkcs11", said))


@pytest.fixture
def dossier(kho: Any, commune: httpx.Client, reregistration: dict[str, Any]) -> str:
    code = str(kho.new_code(people.COMMUNE))
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    return code


def composed(commune: httpx.Client, dossier: str, key: str) -> httpx.Response:
    fields = people.certificate(f"{key}/2026", "2026-11-20", birth_place="Hà Nội")
    said = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
    return commune.post(f"/v1/dossiers/{dossier}/results", json=said, headers={"Idempotency-Key": key})


def why(reply: httpx.Response) -> str:
    """Give why nothing was sealed."""
    assert (reply.status_code, reply.json()["code"]) == (503, "sealing_failed"), reply.text
    return str(reply.json()["reasons"][0]["code"])


@pytest.mark.parametrize("way", ["composed", "file"])
def test_a_service_whose_answer_was_lost_is_not_asked_again_for_that_request(
    commune: httpx.Client, dossier: str, service: CscServer, way: str
) -> None:
    file, key = unsigned(), os.urandom(8).hex()

    def asks(key: str) -> httpx.Response:
        return composed(commune, dossier, key) if way == "composed" else hand_in(commune, dossier, file, key)

    service.lose = 1
    for _ in range(2):
        assert why(asks(key)) == "seal_answer_lost"
    assert len(service.done.signatures) == 1
    assert asks(os.urandom(8).hex()).status_code == 201, "a person decided that it is another request"
    assert len(service.done.signatures) == 2


def test_what_waits_is_given_up_once_the_answer_of_its_service_was_lost(
    kho: Any, commune: httpx.Client, dossier: str, service: CscServer
) -> None:
    key = os.urandom(8).hex()
    with kho.nobody_stamps():
        reply = composed(commune, dossier, key)
        assert reply.status_code == 202
    before = len(service.done.signatures)  # one where the stamp was only missed once there was a signature
    service.lose = 1
    state: dict[str, Any] = {}
    for _ in range(200):
        kho.run(make_due(kho))
        state = commune.get(reply.headers["location"]).json()
        if state["state"] != "waiting_for_seal":
            break
        time.sleep(0.05)
    assert state["state"] == "seal_given_up"
    assert [one["code"] for one in state["reasons"]] == ["seal_given_up", "seal_answer_lost"]
    assert len(service.done.signatures) == before + 1


def test_a_signature_that_came_to_nothing_here_does_not_stand_in_the_way(
    commune: httpx.Client, dossier: str, service: CscServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed and answered, but the file could not be examined: nobody else has that signature."""
    key = os.urandom(8).hex()

    async def dies(*_: Any, **__: Any) -> None:
        raise MalwareScanUnavailable

    with monkeypatch.context() as down:
        down.setattr(result_paper, "accepted", dies)
        assert composed(commune, dossier, key).status_code == 503
    assert len(service.done.signatures) == 1
    assert composed(commune, dossier, key).status_code == 201
    assert composed(commune, dossier, key).status_code == 201
    assert len(service.done.signatures) == 2


def test_a_process_that_died_with_the_signature_of_a_service_leaves_it_to_a_person(
    kho: Any, commune: httpx.Client, dossier: str, service: CscServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = os.urandom(8).hex()

    async def dies(*_: Any, **__: Any) -> None:
        raise MalwareScanUnavailable

    with monkeypatch.context() as down:
        down.setattr(result_paper, "accepted", dies)
        down.setattr(kho.vault.sealer.keys, "settle", lambda *_, **__: None)  # it did not come to that
        assert composed(commune, dossier, key).status_code == 503
    assert why(composed(commune, dossier, key)) == "seal_request_conflict"
    assert len(service.done.signatures) == 1


def test_a_token_that_did_not_answer_seals_the_same_request_later(
    commune: httpx.Client, dossier: str, in_token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = unsigned(), os.urandom(8).hex()

    async def dies(*_: Any, **__: Any) -> None:
        raise MalwareScanUnavailable

    with monkeypatch.context() as down:  # it has signed, and what became of it is not known
        down.setattr(result_paper, "_examined_again", dies)
        assert hand_in(commune, dossier, file, key).status_code == 503
    first = hand_in(commune, dossier, file, key)
    again = hand_in(commune, dossier, file, key)
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json()["record"] == again.json()["record"]


def test_a_file_key_that_could_not_be_used_seals_the_same_request_later(
    kho: Any, commune: httpx.Client, dossier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = unsigned(), os.urandom(8).hex()

    async def dies(*_: Any) -> bytes:
        raise SealKeyUnavailable

    with monkeypatch.context() as down:
        down.setattr(FileKey, "_signature", dies)
        waiting = hand_in(commune, dossier, file, key)
        assert (waiting.status_code, waiting.json()["state"]) == (202, "waiting_for_seal")
    for _ in range(200):
        kho.run(make_due(kho))
        first = hand_in(commune, dossier, file, key)
        if first.status_code == 201:
            break
    assert first.json()["record"] == hand_in(commune, dossier, file, key).json()["record"]
