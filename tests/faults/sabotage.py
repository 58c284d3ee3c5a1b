"""`python -m tests.faults.sabotage WHAT[,WHAT…] MODULE`: a service with promises of the event core broken.

The checker is checked with it: a trial on such a service has to find what is wrong.
"""

from __future__ import annotations

import itertools
import runpy
import sys
from collections.abc import Callable, Sequence
from typing import Any

from chassis import lanes
from chassis.inbox import Inbox
from chassis.relay import Relay


def inbox_off() -> None:
    """A record that comes again is applied again."""

    async def claim(self: Inbox, connection: Any, received: Sequence[Any]) -> tuple[set[str], set[str]]:
        ids = [one.envelope.id for one in received]
        await connection.execute(
            "INSERT INTO inbox (consumer, event_id) SELECT $1, * FROM unnest($2::uuid[]) ON CONFLICT DO NOTHING",
            self.consumer,
            ids,
        )
        return set(ids), set()

    own: Any = Inbox
    own._claim = claim


def delete_before_publish() -> None:
    """Rows leave the outbox before the broker has them."""
    own: Any = Relay
    send, delete = own._send, own._delete

    async def delete_and_send(self: Relay, producer: Any, shard: int, head: Any) -> Any:
        async with self._database.connection() as connection:
            await delete(self, connection, [head])
        return await send(self, producer, shard, head)

    own._send = delete_and_send


def lanes_ignore_keys() -> None:
    """Records of one key run at once."""
    turns = itertools.count()
    own: Any = lanes
    own.lane_of = lambda key, count: next(turns) % count


BREAKS: dict[str, Callable[[], None]] = {
    "inbox_off": inbox_off,
    "delete_before_publish": delete_before_publish,
    "lanes_ignore_keys": lanes_ignore_keys,
}


def main() -> None:
    breaks, module = sys.argv[1:]
    for what in breaks.split(","):
        BREAKS[what]()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
