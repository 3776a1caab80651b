"""docker-compose.yml as Docker reads it: anchors followed, variables filled in.

What stands there is what `make server` runs (tests.servers.whole) and what tests hold against the program.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
PARTS = ("sign", "gate", "seal", "serve-1", "serve-2", "work")  # in the order in which they start
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?:(:?-)([^}]*))?\}|\$(\$)")


@dataclass(frozen=True)
class Mount:
    """A volume (or a folder of the machine) at a place inside."""

    source: str
    target: PurePosixPath
    writable: bool


@dataclass(frozen=True)
class Service:
    """One service; `said` is all that stands there about it."""

    name: str
    image: str
    user: int
    group: int
    command: list[str]
    environment: dict[str, str]
    mounts: list[Mount]
    said: dict[str, Any] = field(repr=False)

    @property
    def ours(self) -> bool:
        """Whether it runs Kho."""
        return self.image.partition(":")[0] == "kho"

    @property
    def part(self) -> str:
        """Which of the house's commands it runs; empty where it runs none."""
        return self.command[0] if self.command else ""

    @property
    def after(self) -> dict[str, str]:
        """Which services it waits for, and until they are what."""
        return {name: how["condition"] for name, how in self.said.get("depends_on", {}).items()}

    def outside(self, place: PurePosixPath | str, volumes: Path) -> Path:
        """Say where a place of the container lies if each volume is a folder in `volumes`.

        Raises:
            KeyError: the place is in no volume.
        """
        wanted = PurePosixPath(place)
        for one in sorted(self.mounts, key=lambda mount: -len(mount.target.parts)):
            if wanted.is_relative_to(one.target):
                return volumes / one.source / wanted.relative_to(one.target)
        raise KeyError(f"{self.name}: {place} is in no volume")


def users() -> dict[str, int]:
    """Give the users that the Dockerfile makes: name and number."""
    made = re.findall(r"\b([a-z]+):(1000\d)\b", (ROOT / "Dockerfile").read_text("utf-8"))
    return {f"kho-{name}": int(number) for name, number in made}


def read(values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read the file, with `values` in place of the environment that Docker would fill in."""
    return _filled(yaml.safe_load(FILE.read_text("utf-8")), values or {})  # type: ignore[no-any-return]


def services(values: Mapping[str, str] | None = None) -> dict[str, Service]:
    """Give the services by name."""
    return {name: _service(name, said) for name, said in read(values)["services"].items()}


def _service(name: str, said: dict[str, Any]) -> Service:
    user, _, group = str(said["user"]).partition(":")
    given = said.get("environment", {})
    return Service(
        name,
        said["image"],
        int(user),
        int(group),
        [str(one) for one in said.get("command", ())],
        {key: str(value) for key, value in given.items()},
        [_mount(one) for one in said.get("volumes", ())],
        said,
    )


def _mount(text: str) -> Mount:
    source, target, *options = text.split(":")
    return Mount(source, PurePosixPath(target), "ro" not in options)


def _filled(said: Any, values: Mapping[str, str]) -> Any:
    if isinstance(said, dict):
        return {key: _filled(value, values) for key, value in said.items()}
    if isinstance(said, list):
        return [_filled(one, values) for one in said]
    if not isinstance(said, str):
        return said
    return _VARIABLE.sub(lambda found: _value(found, values), said)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    name, how, otherwise, dollar = found.groups()
    if dollar:
        return "$"
    given = values.get(name)
    if how == "-":  # an empty value is one
        return str(otherwise) if given is None else given
    return given or otherwise or ""
