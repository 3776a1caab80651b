"""Reading one JSON object of the policy book strictly: wrong shapes and unknown keys are errors."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from policies.errors import BookInvalid

T = TypeVar("T")


class Fields:
    """The keys of one JSON object, taken one by one; `where` names the object in errors."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise BookInvalid(where, "is not an object")
        self._left: dict[str, object] = dict(value)
        self.where = where

    def text(self, name: str, default: str | None = None) -> str:
        """Take a string; without default it must be there."""
        value = self._left.pop(name, default)
        if not isinstance(value, str):
            raise BookInvalid(self.where, f"{name} is not a text")
        return value

    def maybe_text(self, name: str) -> str | None:
        """Take a string that may be absent."""
        return self.text(name) if name in self._left else None

    def number(self, name: str) -> int:
        """Take a whole number."""
        value = self._left.pop(name, None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BookInvalid(self.where, f"{name} is not a whole number")
        return value

    def maybe_number(self, name: str) -> int | None:
        """Take a whole number that may be absent."""
        return self.number(name) if name in self._left else None

    def flag(self, name: str) -> bool:
        """Take a yes or no; absent is no."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise BookInvalid(self.where, f"{name} is neither true nor false")
        return value

    def day(self, name: str) -> date:
        """Take a day, written YYYY-MM-DD."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError as wrong:
            raise BookInvalid(self.where, f"{name} is not a day") from wrong

    def maybe_day(self, name: str) -> date | None:
        """Take a day that may be absent."""
        return self.day(name) if name in self._left else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of strings; absent is empty."""
        return tuple(self.items(name, _as_text))

    def maybe_texts(self, name: str) -> frozenset[str] | None:
        """Take a set of strings; absent means any."""
        return frozenset(self.texts(name)) if name in self._left else None

    def items(self, name: str, read: Callable[[object, str], T]) -> list[T]:
        """Take a list, each item read with its place; absent is empty."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise BookInvalid(self.where, f"{name} is not a list")
        return [read(item, f"{self.where}.{name}[{index}]") for index, item in enumerate(value)]

    def part(self, name: str) -> "Fields":
        """Take an object inside this one."""
        return Fields(self._left.pop(name, None), f"{self.where}.{name}")

    def maybe_part(self, name: str) -> "Fields | None":
        """Take an object inside this one that may be absent."""
        return self.part(name) if name in self._left else None

    def pairs(self, name: str) -> dict[str, str]:
        """Take an object of strings; absent is empty."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise BookInvalid(self.where, f"{name} is not an object of texts")
        return dict(value)

    def end(self) -> None:
        """Say that everything was taken; a key nobody knows is an error."""
        if self._left:
            raise BookInvalid(self.where, f"unknown {', '.join(sorted(self._left))}")


def _as_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise BookInvalid(where, "is not a text")
    return value
