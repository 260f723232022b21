"""The site's listening sockets."""

from __future__ import annotations

import errno
import socket

from vetrina.core.command_line.exit_codes import PortInUse
from vetrina.core.settings.environment import BadSetting


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Return `count` sockets that listen on one port; port 0 chooses a free one. Raises PortInUse, BadSetting.

    One socket per process: the kernel distributes connections evenly, where processes that share a socket race for them, and
    the first to wake accepts a whole burst.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise BadSetting(f"VETRINA_HOST is no address to listen on: {host} ({error.strerror}).") from error
    sockets: list[socket.socket] = []
    try:
        # Any process of the same user may share the port: so check first, without sharing, whether it is free.
        with _bound(family, address, shared=False) as probe:
            place = probe.getsockname()
        for _ in range(count):
            sockets.append(_bound(family, place, shared=count > 1))  # noqa: PERF401
        for item in sockets:
            item.listen(2048)
    except OSError as error:
        for item in sockets:
            item.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise BadSetting(f"Vetrina cannot listen on {host}, port {port}: {error.strerror}.") from error
    return sockets


def _bound(family: int, address: object, *, shared: bool) -> socket.socket:
    # named as TCP, or asyncio would leave Nagle's delay on: 40 ms a request
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)  # pyright: ignore[reportArgumentType]
    except BaseException:
        listener.close()
        raise
    return listener
