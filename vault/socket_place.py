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


def check_folder(place: Path) -> None:
    """Refuse a place that others could put a socket of their own at, or where something else is.

    Raises:
        SocketInvalid: naming the path.
    """
    try:
        folder = place.parent.stat()
    except OSError as problem:
        raise SocketInvalid(f"{place.parent}: {problem.strerror}") from problem
    if not stat.S_ISDIR(folder.st_mode):
        raise SocketInvalid(f"{place.parent} is no folder")
    if folder.st_mode & stat.S_IWOTH:
        raise SocketInvalid(f"everybody may write to {place.parent}, and listen there: chmod o-w")
    if folder.st_mode & stat.S_IWGRP and folder.st_gid != os.getegid():
        raise SocketInvalid(f"another group may write to {place.parent}, and listen there: chmod g-w")
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
