"""A byte that changed on disk stops the read before it leaves, shows at /readyz, and is an entry."""

from typing import Any

import httpx
import pytest

from reuse_api.demo.people import COMMUNE, DAUGHTER, KINSHIP, POLICE
from tests.flows.kept_bytes import flip
from tests.flows.readiness import readyz

CHUNK = 64 * 1024  # bytes that are authenticated together


def failures(caplog: Any) -> list[str]:
    """What the journal says went wrong, each by its event."""
    return [one.msg for one in caplog.records if one.name == "kho.failures"]


def test_a_changed_byte_stops_the_read_and_is_an_entry(
    kho_apart: Any, reregistration: dict[str, Any], residence: dict[str, Any], caplog: Any
) -> None:
    kho, blobs, certificates = kho_apart, [], []
    kept = kho.around.kept
    with kho.system(COMMUNE) as commune, kho.system(POLICE) as police, kho.wallet(DAUGHTER) as wallet:
        sound = readyz(police)
        assert sound.status_code == 200
        workers = sound.json()["workers"]
        assert {workers["network"], workers["files"]} <= {"cut", "not_cut"}
        for _ in range(2):
            before = kept.names()
            certificates.append(kho.issue(commune, reregistration))
            added = {name: size for name, size in kept.names().items() if name not in before}
            blobs.append(max(added, key=added.__getitem__))
        code = kho.new_code(POLICE)
        police.put(f"/v1/dossiers/{code}", json=residence)
        wanted = [{"component": KINSHIP, "record": one.record} for one in certificates]
        taken = police.post(
            f"/v1/dossiers/{code}/releases", json={"components": wanted}, headers={"Idempotency-Key": "1"}
        )
        early, late = (f"/v1/releases/{item['release']}/content" for item in taken.json()["items"])

        # In the first chunk: not a byte leaves, and the problem says so.
        flip(kept, blobs[0], 100)
        size = kho.vault.signer.tree.size
        damaged = police.get(early)
        assert (damaged.status_code, damaged.json()["code"]) == (500, "content_damaged")
        assert kho.vault.signer.tree.size == size + 2, "the access, and that it was not delivered"
        assert failures(caplog) == ["content_damaged"]
        ready = readyz(police)
        assert ready.status_code == 200, "all other documents are served"
        told = ready.json()
        assert (told["checks"]["content"], told["degraded"]) == ("damaged_records:1", ["content"])
        assert told["alarms"] == [
            {"code": "damaged_records", "part": "content", "stops": False, "records": 1}
        ]
        again = police.get(early)
        assert (again.status_code, again.json()["code"]) == (403, "record_damaged")

        # In a later chunk: what was authenticated has left, the rest never does.
        whole = police.get(late).content
        flip(kept, blobs[1], CHUNK + 5000)
        size, received = kho.vault.signer.tree.size, b""
        with pytest.raises(httpx.RemoteProtocolError), police.stream("GET", late) as reply:
            assert reply.status_code == 200
            for piece in reply.iter_raw():
                received += piece
        assert received == whole[:CHUNK]
        assert kho.vault.signer.tree.size > size
        assert failures(caplog) == ["content_damaged", "request_failed"], "the stream too"
        held = wallet.get("/v1/me/records").json()["records"]
    assert [one["damaged"] for one in held] == [True, True]
