"""The web site's listening socket."""

from __future__ import annotations

import errno
import socket

from vetrina.commands.exits import PortInUse
from vetrina.core.settings import BadSetting


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any that is free. Raises PortInUse, BadSetting."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise BadSetting(f"VETRINA_HOST is no address to listen on: {host} ({error.strerror}).") from error
    # named as TCP, or asyncio would leave Nagle's delay on: 40 ms a request
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise BadSetting(f"Vetrina cannot listen on {host}, port {port}: {error.strerror}.") from error
    return listener
