"""Statements are compiled once for a run, not anew for each of the thousand vaults that the tests open.

SQLAlchemy keeps compiled statements beside the engine they were compiled for. The tests' engines differ in
nothing but the file they open, so each may take what another has compiled.
"""

from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache


def share() -> None:
    """Have every engine that is made from now on use the same statements, where its dialect is the same."""
    compiled: LRUCache[Any, Any] = LRUCache(5000)
    making = Engine.__init__

    # SQLAlchemy looks up there which arguments it may pass on.
    def made(
        self: Engine, pool: Any, dialect: Any, url: Any, hide_parameters: bool = False, **named: Any
    ) -> None:
        making(self, pool, dialect, url, hide_parameters=hide_parameters, **named)
        if isinstance(self.dialect, SQLiteDialect_aiosqlite):
            self._compiled_cache = compiled

    Engine.__init__ = made  # type: ignore[method-assign]
    # The dialect is a part of the key.
    SQLiteDialect_aiosqlite.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    SQLiteDialect_aiosqlite.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
