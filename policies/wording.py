"""Words for what decisions and plans say: every reason code for three audiences in two languages.

The texts are data (policies/data/wording*.json, names.json). A text may have variants with details in braces,
e.g. {ground}; the last variant whose details are all given is said.
"""

import json
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal

Audience = Literal["citizen", "officer", "machine"]
Language = Literal["vi", "en"]
AUDIENCES: tuple[Audience, ...] = ("citizen", "officer", "machine")
LANGUAGES: tuple[Language, ...] = ("vi", "en")

_UNLISTED = "unlisted_reason"


def say(code: str, audience: Audience, lang: Language, **details: str) -> str:
    """Say a reason code in words. `machine` is one terse sentence, `officer` says what to do next.

    `details` are values the text may weave in (ground, database). A code without words of its own is said as
    a technical reason that shows the code, so that a page never fails for it.
    """
    texts = _reasons()
    known = code in texts
    variants = texts[code if known else _UNLISTED][lang][audience]
    given = details if known else {"code": code}
    fitting = [text for text in _as_list(variants) if _needed(text) <= given.keys()]
    return fitting[-1].format_map(given)


def codes() -> frozenset[str]:
    """Give every code that has words of its own."""
    return frozenset(_reasons())


def name(group: str, key: str, lang: Language) -> str:
    """Name a value: group is one of `groups()`, e.g. name("trust", "A", "en").

    Entry kinds are keyed by number ("1" to "17"). Raises KeyError for a group or key that has no name.
    """
    return _names()[group][key][lang]


def validity_group(state: str, source: str, valid_until: str | None) -> str:
    """Give the group in which a record's state of validity has its name.

    Nobody who can revoke it vouches for an upload or for a scan (`source`): where it states no end, it is not
    called in force. The code of the state is the same in both groups.
    """
    unstated = source in ("upload", "digitised") and state == "in_force" and valid_until is None
    return "validity_not_stated" if unstated else "validity"


def groups() -> dict[str, frozenset[str]]:
    """Give the groups of names and the keys named in each."""
    return {group: frozenset(keys) for group, keys in _names().items()}


@cache
def _reasons() -> dict[str, dict[str, dict[str, str | list[str]]]]:
    texts: dict[str, dict[str, dict[str, str | list[str]]]] = {}
    for entry in sorted((files("policies") / "data").iterdir(), key=lambda one: one.name):
        if entry.name.startswith("wording") and entry.name.endswith(".json"):
            texts |= json.loads(entry.read_text("utf-8"))
    return texts


@cache
def _names() -> dict[str, dict[str, dict[str, str]]]:
    return _shipped("names.json")  # type: ignore[no-any-return]


def _shipped(file: str) -> Any:
    return json.loads((files("policies") / "data" / file).read_text("utf-8"))


def _as_list(variants: str | list[str]) -> list[str]:
    return [variants] if isinstance(variants, str) else variants


def _needed(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}
