"""How tables are written down: the naming of keys, and the few kinds of column there are.

Times are UTC text in ISO 8601 with microseconds, so that both databases order and compare them alike.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

Number = Integer().with_variant(BigInteger(), "postgresql")
"""A whole number of 64 bits: in SQLite it is so by itself, and a key by another name loses its shortcut."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *parts: SchemaItem) -> Table:
    """Declare a table of the vault."""
    return Table(name, metadata, *parts)


def text(name: str, *rest: ForeignKey, primary_key: bool = False) -> Column[str]:
    """Declare a text that is always there."""
    return Column(name, Text, *rest, primary_key=primary_key, nullable=False)


def maybe(name: str, *rest: ForeignKey) -> Column[str]:
    """Declare a text that may be absent."""
    return Column(name, Text, *rest, nullable=True)


def binary(name: str) -> Column[bytes]:
    """Declare bytes that are always there."""
    return Column(name, LargeBinary, nullable=False)


def number(name: str, *, primary_key: bool = False) -> Column[int]:
    """Declare a number that is always there."""
    return Column(name, Number, primary_key=primary_key, nullable=False)
