"""A service's HTTP at a real address, for browsers and for other processes."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn

from chassis.service import Service


@asynccontextmanager
async def listening(service: Service, listener: socket.socket | None = None) -> AsyncGenerator[str]:
    """Serve until the end of the block, on this socket or a free port. Gives the address."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.http, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        service.stopping.set()  # an event stream ends by this
        server.should_exit = True
        await serving
