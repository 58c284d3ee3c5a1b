"""The whole outside world in one process: composition, start and stop."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from sandbox.carrier.routes import Carrier
from sandbox.carrier.routes import routes as carrier_routes
from sandbox.cutting import keep_out_of_log
from sandbox.mailbox.routes import routes as mailbox_routes
from sandbox.mailbox.server import Mailbox
from sandbox.pages import page
from sandbox.patience import Patience
from sandbox.patients.arrivals import Arrivals
from sandbox.patients.routes import routes as patient_routes
from sandbox.payer.catalogue import catalogue
from sandbox.payer.gateway import REAL_TIME, Gateway
from sandbox.payer.routes import routes as payer_routes
from sandbox.settings import Settings

log = logging.getLogger(__name__)

GRACE_SECONDS = 1


class World:
    """Payer gateway, carrier, mailbox and patients, with the one web application over them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.patience = Patience()
        self.gateway = Gateway(settings, catalogue(), self.patience)
        self.carrier = Carrier(settings, self.patience)
        self.mailbox = Mailbox(settings, self.patience)
        self.arrivals = Arrivals(settings, self.gateway.register, self.patience)
        self.app = Doors(self._application(), self.gateway)
        self._listener = _listen(settings.port)

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def smtp_port(self) -> int:
        return self.mailbox.port

    def stop(self) -> None:
        """Ask to stop: whatever waits on purpose waits no longer."""
        self.patience.end()
        self._server.should_exit = True

    async def run(self) -> None:
        """Serve until `stop`."""
        async with self._open():
            await self._server.serve(sockets=[self._listener])

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["World"]:
        """Serve while the block runs, for tests: `async with World(settings).running() as world`."""
        async with self._open():
            serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
            await self._server.listening.wait()
            try:
                yield self
            finally:
                self.stop()
                await serving

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[None]:
        keep_out_of_log()
        self._server = _Server(
            uvicorn.Config(
                self.app,
                log_config=None,
                access_log=False,
                lifespan="off",
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                timeout_keep_alive=30,
            )
        )
        await self.mailbox.open()
        trickle = asyncio.create_task(self.arrivals.trickle())
        log.info("sandbox ready http=%s smtp=127.0.0.1:%d", self.http_url, self.smtp_port)
        try:
            yield
        finally:
            self.patience.end()
            trickle.cancel()
            with suppress(asyncio.CancelledError):
                await trickle
            await self.arrivals.close()
            await self.carrier.deliveries.close()
            await self.mailbox.close()

    def _application(self) -> FastAPI:
        app = FastAPI(title="Stillwater sandbox", description="The outside world on one machine.")

        @app.get("/livez")
        async def alive() -> dict[str, str]:
            return {"status": "ok"}

        @app.get("/readyz")
        async def ready() -> dict[str, Any]:
            return {"status": "ok", "smtp_port": self.smtp_port}

        @app.get("/", response_class=HTMLResponse, include_in_schema=False)
        async def index(request: Request) -> HTMLResponse:
            return page(request, "index.html", world=self)

        app.include_router(payer_routes(self.gateway, page))
        app.include_router(carrier_routes(self.carrier, page))
        app.include_router(mailbox_routes(self.mailbox, page))
        app.include_router(patient_routes(self.arrivals))
        return app


class Doors:
    """The web application, with a shorter way to the one route that is asked thousands of times a second."""

    def __init__(self, pages: FastAPI, gateway: Gateway) -> None:
        self._pages = pages
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == REAL_TIME and scope["method"] == "POST":
            response = await self._gateway.real_time(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the signals to `__main__`, which must wake whatever waits on purpose."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer waits for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"The sandbox cannot listen on port {port}: {error.strerror}. "
            "Set STILLWATER_SANDBOX_PORT to another, or to 0 for any free one."
        ) from error
    return listener
