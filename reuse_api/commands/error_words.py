"""What goes wrong, in the language that a command speaks.

Errors say in English what is wrong and where, as the journal keeps it. Vietnamese is found by that sentence:
here stand sentences with the values left open, as in a catalogue of messages. What no sentence fits is told
by the words of its code, and in English behind them, so that nothing is lost.
"""

import re
from functools import cache
from pathlib import Path

from policies.wording import codes, say
from reuse_api.commands.error_sentences import CODES, SENTENCES
from reuse_api.language import Language
from reuse_api.problem_words import ROWS
from vault.errors import FieldInvalid

_OPEN = re.compile(r"\{(\w+)\}")


def error_words(problem: Exception, language: Language) -> str:
    """Say in one line what is wrong; a command's own message is in its language already."""
    said = " ".join(_said(problem, language).split())
    code = str(getattr(problem, "code", ""))
    words = _of_code(code, language)
    if isinstance(problem, FieldInvalid) and words:
        return f"{problem.field}: {words}"
    if language == "en":
        return said
    translated = in_vietnamese(said)
    if translated is not None or not words:
        return translated or said
    detail = str(getattr(problem, "detail", said))
    told = in_vietnamese(detail) or detail
    return f"{words} ({told})" if told and told != _docstring(problem) else words


def in_vietnamese(text: str) -> str | None:
    """Give an English sentence in Vietnamese; values stay as they are. None where no sentence fits."""
    for pattern, words in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            values = {
                name: in_vietnamese(value) or value if name.startswith("why") else value
                for name, value in found.groupdict().items()
            }
            return words.format_map(values)
    return None


def _said(problem: Exception, language: Language) -> str:
    if not isinstance(problem, OSError) or not problem.strerror:
        return str(problem)
    why = in_vietnamese(problem.strerror) if language == "vi" else None
    place = f"{problem.filename}: " if isinstance(problem.filename, str | Path) else ""
    return f"{place}{why or problem.strerror}"


def _of_code(code: str, language: Language) -> str:
    if code in CODES and language == "vi":
        return CODES[code]
    if code in ROWS:
        return ROWS[code].words(language)
    return say(code, "officer", language) if code in codes() else ""


def _docstring(problem: Exception) -> str:
    return " ".join((type(problem).__doc__ or "").split())


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Give the sentences as patterns: those around another first, then by how many words they have."""
    longest = sorted(SENTENCES, key=lambda one: ("{why" not in one, -len(_OPEN.sub("", one))))
    return [(re.compile(_pattern(one), re.DOTALL), SENTENCES[one]) for one in longest]


def _pattern(sentence: str) -> str:
    parts = _OPEN.split(sentence)
    return "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
