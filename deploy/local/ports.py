"""Free TCP ports on 127.0.0.1."""

import random
import socket
from collections.abc import Container

LOOPBACK = "127.0.0.1"
_ATTEMPTS = 200
# Below the ports that Linux and macOS hand to outgoing connections, which could otherwise take one of these between
# the moment it is chosen and the moment its server listens.
_UNCLAIMED = range(20_000, 32_000)


def free_port(preferred: int = 0, taken: Container[int] = ()) -> int:
    """The preferred port, else the next free one after it; any free one for 0.

    `taken` are ports promised to others that do not listen yet. The port may still be lost to another program
    before it is used, so whoever starts a server on it must be ready to ask again.
    """
    if preferred:
        for port in range(preferred, min(preferred + _ATTEMPTS, 65_536)):
            if port not in taken and _is_free(port):
                return port
    while True:
        port = random.choice(_UNCLAIMED)  # noqa: S311 - spreads houses that start at once, hides nothing
        if port not in taken and _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do it: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_open(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts connections there now."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True
