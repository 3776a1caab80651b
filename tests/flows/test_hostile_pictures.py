"""Pictures made to harm, handed in at every door that takes a file: refused in words, and nothing is kept."""

import json
import os
from typing import Any

import httpx

from reuse_api.demo import people
from tests.flows.conftest import Kho
from tests.hostile.pictures import PICTURES
from tests.hostile.test_pictures import OUTCOMES
from tests.pages.desk import hidden

SAMPLE = (
    "profile_that_unpacks_to_a_gigabyte",
    "far_more_lines_than_promised",
    "a_page_of_the_web_behind_a_png",
    "directory_that_leads_to_itself",
    "twenty_thousand_directories",
    "heic_of_a_giant_grid",
    "progressive_without_end",
)
KINSHIP = people.KINSHIP


def test_each_is_refused_at_every_door(
    kho: Kho, police: httpx.Client, stranger: httpx.Client, residence: dict[str, Any]
) -> None:
    code = kho.new_code(people.POLICE)
    persons = [people.STRANGER.named("applicant"), people.MOTHER.named("householder")]
    assert police.put(f"/v1/dossiers/{code}", json=residence | {"persons": persons}).status_code == 200
    said = json.dumps({"type": "GKS", "owner_roles": ["applicant"], "reason": "outdated"})
    place, seen = f"/v1/dossiers/{code}/components/{KINSHIP}/digitised", f"/desk/dossiers/{code}/scan"
    before = stranger.get("/v1/me/records").json()["records"]
    with kho.staff(people.POLICE, "desk") as desk:
        typed = hidden(desk.get(seen, params={"component": KINSHIP}).text, seen)
        for name in SAMPLE:
            kind, make = PICTURES[name]
            file, key = ("paper", make(), kind), {"Idempotency-Key": os.urandom(8).hex()}
            scanned = police.post(place, files={"scan": (None, said), "file": file}, headers=key, timeout=60)
            assert (scanned.status_code, scanned.json()["code"]) == (422, OUTCOMES[name]), scanned.text
            looked = desk.post(f"{seen}/look", data=typed, files={"file": file}, timeout=60)
            assert looked.status_code == 422 and 'id="file-error"' in looked.text, name
            mine = {"files": {"file": file}, "data": {"title": "Giấy tờ"}, "headers": key}
            kept = stranger.post("/v1/me/records", **mine, timeout=60)
            assert kept.status_code == 422 and kept.json()["field"] == "file", kept.text
    assert stranger.get("/v1/me/records").json()["records"] == before
