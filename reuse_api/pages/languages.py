"""What the pages say, in Vietnamese and English: gettext catalogues, read once, compiled in memory."""

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from reuse_api import language as asked

COOKIE = "kho_language"


class MessageMissing(LookupError):
    """A page asked for words that its catalogue does not have."""

    code = "message_missing"


class Language:
    """One language of the pages. A message is named by a stable key; its details stand in braces."""

    def __init__(self, code: asked.Language, translations: GNUTranslations) -> None:
        self.code = code
        self._translations = translations

    def has(self, key: str) -> bool:
        """Say whether the catalogue has words under this key."""
        return self._translations.gettext(key) != key

    def say(self, key: str, **details: Any) -> str:
        """Give the words of a key with its details filled in.

        Raises:
            MessageMissing: the catalogue has no such key.
        """
        words = self._translations.gettext(key)
        if words == key:
            raise MessageMissing(key)
        return words.format_map(details) if details else words

    def count(self, key: str, number: int, **details: Any) -> str:
        """Give the words of a key for so many things; `{number}` stands for how many."""
        words = self._translations.ngettext(key, key, number)
        if words == key:
            raise MessageMissing(key)
        return words.format_map({"number": number, **details})


@cache
def language(code: asked.Language) -> Language:
    """Give a language, its catalogue compiled on first use."""
    folder = files("reuse_api").joinpath("locale", code, "LC_MESSAGES")
    whole = read_po(BytesIO(folder.joinpath("kho.po").read_bytes()), locale=code)
    for part in sorted(folder.iterdir(), key=lambda one: one.name):
        if part.name.endswith(".po") and part.name != "kho.po":  # one file a room of the pages
            for message in read_po(BytesIO(part.read_bytes()), locale=code):
                if message.id:
                    whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Language(code, GNUTranslations(compiled))


def preferred(cookies: Mapping[str, str], accept_language: str | None) -> Language:
    """Pick the language a reader wants: the one chosen on the page, else the browser's, else Vietnamese."""
    chosen = next((code for code in asked.LANGUAGES if code == cookies.get(COOKIE)), None)
    return language(chosen or asked.preferred(accept_language))
