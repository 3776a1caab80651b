"""The two realms that people of a set-up sign in at: real OpenID providers, always on the same ports."""

import json
import secrets
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from tests.servers.loopback import free_ports
from tests.servers.openid_provider import OpenIdProvider
from tests.servers.sharing import Unobtainable
from vault.assertions import new_caller_key, public_jwk

CITIZENS = {"daughter": people.DAUGHTER, "mother": people.MOTHER, "stranger": people.STRANGER}
OFFICERS = tuple(one.office.officer for one in people.STAFF)


class Realms:
    """Both providers, up while inside.

    Args:
        folder: where ports are kept.
        proofs: where our secret and our key are kept, as `citizens` and `staff`.
        address: Kho's own, as people's browsers know it.
        citizens: who has an account, by its name.
        officers: the names of their accounts.
    """

    def __init__(
        self,
        folder: Path,
        proofs: Path,
        address: str,
        *,
        citizens: Mapping[str, people.Citizen] = CITIZENS,
        officers: Collection[str] = OFFICERS,
    ) -> None:
        self.address, self._citizens, self._officers = address, citizens, officers
        self._stack = ExitStack()
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        kept = folder / "ports.json"
        if not kept.exists():
            kept.write_text(json.dumps(free_ports(2)))
        self._ports = json.loads(kept.read_text())
        self.files = {"citizens": proofs / "citizens", "staff": proofs / "staff"}
        made = {"citizens": secrets.token_hex(24), "staff": json.dumps(new_caller_key())}
        for name, file in self.files.items():
            if not file.exists():
                file.touch(mode=0o600)
                file.write_text(f"{made[name]}\n")

    def __enter__(self) -> "Realms":
        try:
            self._start()
        except pytest.skip.Exception as missing:
            self._stack.close()
            raise Unobtainable(str(missing)) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def settings(self) -> dict[str, Any]:
        """What `kho serve` is told, by the names of settings."""
        told: dict[str, Any] = {"citizens_scope": "openid profile"}
        for name, port in zip(("citizens", "staff"), self._ports, strict=True):
            told |= {f"{name}_provider": f"http://127.0.0.1:{port}", f"{name}_client": f"kho-{name}"}
            told[f"{name}_credentials"] = self.files[name]
        return told

    def _start(self) -> None:
        key = json.loads(self.files["staff"].read_text())
        citizens = {"client_secret": self.files["citizens"].read_text().strip()}
        officers = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public_jwk(key)]}}
        people_of = [
            {"id": name, "SoDinhDanh": one.number, "HoVaTen": one.name}
            for name, one in self._citizens.items()
        ]
        of_staff = [{"id": one} for one in self._officers]
        for name, port, own, accounts, in_token in (
            ("citizens", self._ports[0], citizens, people_of, False),
            ("staff", self._ports[1], officers, of_staff, True),
        ):
            client = self._client(name) | own
            provider = OpenIdProvider(port, client=client, accounts=accounts, in_token=in_token)
            self._stack.enter_context(provider)

    def _client(self, name: str) -> dict[str, Any]:
        return {
            "client_id": f"kho-{name}",
            "redirect_uris": [f"{self.address}/sign-in/callback/{name}"],
            "post_logout_redirect_uris": [f"{self.address}/sign-in?out=1"],
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
        }
