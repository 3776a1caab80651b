"""The story's voice: lines in one language, and a sign of life for whatever takes over two seconds."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, TextIO

from policies.entries import Text
from policies.wording import name, say
from reuse_api.demo.lines import line
from reuse_api.language import Language

PATIENCE = 2.0  # seconds without a word


class Teller:
    """Writes the story to a stream, line by line, flushed."""

    def __init__(self, lang: Language, out: TextIO = sys.stdout) -> None:
        self.lang = lang
        self._out = out

    def say(self, key: str, **details: object) -> None:
        """Write one line."""
        self._out.write(self.words(key, **details) + "\n")
        self._out.flush()

    def words(self, key: str, **details: object) -> str:
        """Give one line without writing it."""
        return line(key, self.lang, **details)

    def of(self, text: Text) -> str:
        """Give a bilingual text in the story's language."""
        return text.en if self.lang == "en" else text.vi

    def verdict(self, verdict: str) -> str:
        """Name a verdict on signatures."""
        return name("verdict", verdict, self.lang)

    def named(self, group: str, key: str) -> str:
        """Name a value of policies.wording."""
        return name(group, key, self.lang)

    def reasons(self, codes: Sequence[str], audience: Literal["citizen", "officer"]) -> str:
        """Say reason codes in words."""
        return " ".join(say(code, audience, self.lang) for code in codes)

    @asynccontextmanager
    async def busy(self, what: str) -> AsyncIterator[None]:
        """Show, every two seconds, that something is still being done."""
        started = time.monotonic()

        async def watch() -> None:
            while True:
                await asyncio.sleep(PATIENCE)
                self.say("waiting", what=what, seconds=round(time.monotonic() - started))

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
