"""If the entry cannot be written nothing is served, and nothing is changed."""

import sqlite3
from contextlib import closing
from typing import Any

import httpx

from reuse_api.demo.people import KINSHIP, POLICE


def test_without_an_entry_nothing_is_served(
    kho: Any, police: httpx.Client, residence: dict[str, Any], certificate: Any
) -> None:
    code = kho.new_code(POLICE)
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    wanted = {"components": [{"component": KINSHIP, "record": certificate.record}]}
    place, key = f"/v1/dossiers/{code}/releases", {"Idempotency-Key": f"busy-{code}"}
    release = police.post(place, json=wanted, headers=key).json()["items"][0]["release"]
    size = kho.vault.signer.tree.size
    with closing(sqlite3.connect(kho.settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        content = police.get(f"/v1/releases/{release}/content")
        other.execute("ROLLBACK")
    assert (content.status_code, content.json()["code"]) == (503, "vault_busy")
    assert int(content.headers["retry-after"]) >= 1
    assert b"%PDF" not in content.content
    assert kho.vault.signer.tree.size == size
    assert police.get(f"/v1/releases/{release}/content").status_code == 200
    assert kho.vault.signer.tree.size == size + 1
