"""Whether two writings of a name may be of one person: honest typing differs, and so does another name."""

import unicodedata


def same_person_name(one: str, other: str) -> bool:
    """Compare names by their words, in any order, whatever their case, diacritics, tone places and marks."""
    return _words(one) == _words(other)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold()).replace("đ", "d")
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return sorted("".join(letter if letter.isalnum() else " " for letter in letters).split())
