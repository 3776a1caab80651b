"""One-time codes in the demo's terminal: one for each person, and a fresh one for whoever has used theirs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reuse_api.demo.teller import Teller

Making = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class _Person:
    name: str
    make: Making


class Codes:
    """Prints codes and remembers, in this process alone, whose they are; no journal ever holds one."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._shown: dict[str, _Person] = {}

    async def show(self, name: str, make: Making) -> None:
        """Make a code for a person and print it."""
        await self._show("look_code", _Person(name, make))

    async def tried(self, code: str) -> None:
        """Print a fresh code for the person whose code was typed: it is used now, or was too old.

        A code that was not printed here, or has been replaced already, prints nothing.
        """
        person = self._shown.pop(code.strip().lower(), None)
        if person is not None:
            await self._show("fresh_code", person)

    async def _show(self, line: str, person: _Person) -> None:
        code = await person.make()
        self._shown[code] = person
        self._teller.say(line, name=person.name, code=code)
