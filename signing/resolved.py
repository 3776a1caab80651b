# mypy: allow-untyped-calls
"""Entries of PDF dictionaries, with references followed: `get` of the library gives a reference as it is."""

from typing import Any

from pyhanko.pdf_utils import generic


def entry(node: generic.DictionaryObject, key: str, default: Any = None) -> Any:
    """Return what stands under a key ("/Kids"), or `default`. Raises what the library raises over damage."""
    if key not in node:
        return default
    return node[key]
