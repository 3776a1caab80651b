"""Where a part of the vault listens: the path of a Unix socket, who may reach it, and who may ask there."""

import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from vault.errors import SocketInvalid

PREFIX = "unix:"
_LONGEST = 96  # bytes of a path: the system's limit is 107, and a name beside it is needed for a moment
_PEER = struct.Struct("3i")


def check_socket(address: str) -> str:
    """Give an address back if a socket can be there; ValueError says what is right."""
    path = address.removeprefix(PREFIX)
    if not address.startswith(PREFIX) or not path:
        raise ValueError('expected "unix:PATH"')
    if len(path.encode()) > _LONGEST:
        raise ValueError(f"the path of a socket has at most {_LONGEST} bytes")
    return address


def place_of(address: str) -> Path:
    """Give the path of an address that `check_socket` passed."""
    return Path(address.removeprefix(PREFIX))


def check_folder(place: Path, listener: int | None = None) -> None:
    """Refuse a place that others could put a socket of their own at, or where something else is.

    Args:
        listener: who listens there, or is about to; the folder is theirs or root's. None: that is not known.

    Raises:
        SocketInvalid: naming the path.
    """
    folder = place.parent
    try:
        facts = folder.stat()
        above = [(one, one.stat().st_mode) for one in folder.resolve().parents]
    except OSError as problem:
        raise SocketInvalid(f"{folder}: {problem.strerror}") from problem
    if not stat.S_ISDIR(facts.st_mode):
        raise SocketInvalid(f"{folder} is no folder")
    if facts.st_mode & stat.S_IWOTH:
        raise SocketInvalid(f"everybody may write to {folder} and listen there: chmod o-w")
    if facts.st_mode & stat.S_IWGRP:
        raise SocketInvalid(f"a group may write to {folder} and listen there: chmod g-w")
    if listener is not None and facts.st_uid not in (0, listener):
        raise SocketInvalid(f"{folder} belongs to user {facts.st_uid}, but user {listener} listens there")
    for one, mode in above:
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise SocketInvalid(f"everybody may write to {one} and put another folder there: chmod o-w")
    if os.path.lexists(place) and not place.is_socket():
        raise SocketInvalid(f"{place} is there and is no socket")


def users(names: str) -> frozenset[int]:
    """Give the users of a list, by name or number, with commas between; our own where it is empty.

    Raises:
        ValueError: there is no such user.
    """
    found = [_user(one.strip()) for one in names.split(",") if one.strip()]
    return frozenset(found or [os.geteuid()])


def _user(name: str) -> int:
    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ValueError(f"there is no user {name}") from None


def numbered(found: Iterable[int]) -> str:
    """Name users by their numbers, for a journal."""
    return ",".join(str(one) for one in sorted(found))


def peer_of(connection: socket.socket) -> int:
    """Say which user is at the other end, as the kernel saw it when it connected."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(told)[1])
