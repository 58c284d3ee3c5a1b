"""`python -m sandbox`: the outside world until SIGTERM or SIGINT. Settings: see sandbox.settings."""

import asyncio
import logging
import signal
import sys

from sandbox.settings import Settings
from sandbox.world import World


async def serve() -> None:
    world = World(Settings())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, world.stop)
    await world.run()


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
